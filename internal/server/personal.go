package server

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/outlet"
	"chartwarden/internal/training"
)

// What people are written to at their own address. about is a kind and the person's id.
const (
	aboutGlass     = "glass:" // then the person's id, a stroke, and the number of the grant
	aboutTraining  = "training:"
	aboutRecertify = "recertify:" // then the person's id, a stroke, and that of the recertification
)

// words are these letters as the outlet asks for them.
type words struct {
	people *identity.Store
	base   string
	now    func() time.Time
}

// Words is for [outlet.Words].
func (w words) Words(ctx context.Context, about string, change int64) (outlet.Letter, bool, error) {
	kind, id, _ := strings.Cut(about, ":")
	id, asked, _ := strings.Cut(id, "/")
	p, err := w.people.Person(ctx, id)
	if outcome.Is(err, outcome.NotFound) || err == nil && (p.Mail == "" || !p.Active) {
		return outlet.Letter{}, false, nil
	}
	if err != nil {
		return outlet.Letter{}, false, err
	}
	switch kind + ":" {
	case aboutGlass:
		return outlet.Letter{To: p.Mail, Subject: "A chart of a patient of yours was opened with a reason", Lines: []string{
			"Somebody who has no link to a patient of yours gave a reason and opened the chart. That may well be right: an emergency, a colleague who covers.",
			"Who it was, and why, stands under Colleagues:", "", w.base + "/colleagues", "", "Nothing can be answered by this mail."}}, true, nil
	case aboutOpened:
		if !p.PortalOnly() {
			return outlet.Letter{}, false, nil
		}
		return openedLetter(p.Mail, w.base), true, nil
	case aboutTraining:
		stage := reminderOf(p.TrainingDue, w.now())
		if stage == 0 || reminderNumber(p.TrainingDue, stage) != change { // she did it meanwhile, or a later one is under way
			return outlet.Letter{}, false, nil
		}
		return outlet.Letter{To: p.Mail, Subject: "Your training is due", Lines: []string{
			"Training that your work asks for is due on " + p.TrainingDue.UTC().Format("2 January 2006") + ". It takes a few minutes:", "", w.base + "/training", "",
			"Once it is overdue you export nothing and open no further patients' charts. Patients who are with you, and emergencies, always open."}}, true, nil
	case aboutRecertify:
		open, due, err := w.openAnswers(ctx, p.ID, asked)
		if err != nil || open == 0 || int64(stageOf(answerReminders, due, w.now())) != change { // answered meanwhile, or a later one is under way
			return outlet.Letter{}, false, err
		}
		return outlet.Letter{To: p.Mail, Subject: "You are asked who still needs what", Lines: []string{
			"Answers of yours that wait: " + strconv.Itoa(open) + ", until " + due.UTC().Format("2 January 2006 15:04 UTC") + ". One touch each:", "", w.base + "/recertify", "",
			"What nobody answers by then is taken away from the people whom you answer for. Nothing can be answered by this mail."}}, true, nil
	}
	return outlet.Letter{}, false, nil
}

// openAnswers counts what a person has yet to answer of one recertification, and until when.
func (w words) openAnswers(ctx context.Context, person, recertification string) (open int, due time.Time, err error) {
	held, err := w.people.OpenHoldings(ctx, person)
	if err != nil {
		return 0, due, err
	}
	for _, h := range held {
		if h.Recertification == recertification {
			open++
		}
	}
	all, err := w.people.Recertifications(ctx)
	for _, x := range all {
		if x.ID == recertification {
			due = x.Due
		}
	}
	return open, due, err
}

// reminders are how long before the due day somebody is written to: once each.
var reminders = []time.Duration{training.Warning, 3 * 24 * time.Hour, 24 * time.Hour}

// answerReminders are how long before what nobody answered lapses those are written to who are asked.
var answerReminders = []time.Duration{7 * 24 * time.Hour, 2 * 24 * time.Hour}

// reminderOf is which reminder of training is due: 1, 2, 3; 0: none, nor after the day.
func reminderOf(due, now time.Time) int { return stageOf(reminders, due, now) }

// stageOf is which of some reminders is due: 1 for the first; 0: none, nor after the day.
func stageOf(reminders []time.Duration, due, now time.Time) (stage int) {
	left := due.Sub(now)
	if due.IsZero() || left <= 0 {
		return 0
	}
	for i, before := range reminders {
		if left <= before {
			stage = i + 1
		}
	}
	return stage
}

// reminderNumber grows from one reminder to the next, and from one due day to a later one.
func reminderNumber(due time.Time, stage int) int64 { return due.Unix()/86400*4 + int64(stage) }

// remind has people written to whose training falls due, or whose answers do, until ctx ends.
func (s *Server) remind(ctx context.Context) {
	for {
		if err := s.remindOnce(ctx); err != nil && ctx.Err() == nil {
			s.options.Logger.Warn("reminders could not be made; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

func (s *Server) remindOnce(ctx context.Context) error {
	people, err := s.Persons.People(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		if stage := reminderOf(p.TrainingDue, s.options.Now()); stage > 0 && p.Active && !p.PortalOnly() && p.Mail != "" {
			err = errors.Join(err, s.outlet.Write(ctx, aboutTraining+p.ID, reminderNumber(p.TrainingDue, stage)))
		}
	}
	return errors.Join(err, s.remindOfAnswers(ctx, people))
}

// remindOfAnswers has those written to who are asked who still needs what, 7 and 2 days before what they leave open lapses.
func (s *Server) remindOfAnswers(ctx context.Context, people []identity.Person) error {
	all, err := s.Persons.Recertifications(ctx)
	if err != nil {
		return err
	}
	stages := map[string]int{}
	for _, x := range all {
		if stage := stageOf(answerReminders, x.Due, s.options.Now()); stage > 0 {
			stages[x.ID] = stage
		}
	}
	if len(stages) == 0 {
		return nil
	}
	for _, p := range people {
		if !p.Active || p.PortalOnly() || p.Mail == "" {
			continue
		}
		open, failed := s.Persons.OpenHoldings(ctx, p.ID)
		err = errors.Join(err, failed)
		told := map[string]bool{}
		for _, h := range open {
			if stage := stages[h.Recertification]; stage > 0 && !told[h.Recertification] {
				told[h.Recertification] = true
				err = errors.Join(err, s.outlet.Write(ctx, aboutRecertify+p.ID+"/"+h.Recertification, int64(stage)))
			}
		}
	}
	return err
}
