package casework

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Raise makes a case of a review: the officer marks it so and answers for the case, which holds what the person did about the patient. An
// open case about the same person and suspicion takes it in instead. Raising the same again changes nothing but the words.
// Errors: those of [access.Gate.ReviewOf] and [access.Gate.Decide]; outcome.Forbidden because "friend"; as [db.DB.Write].
func (f *Office) Raise(ctx context.Context, p access.Principal, review int64, text string) (Case, error) {
	if text = strings.TrimSpace(text); text == "" {
		return Case{}, outcome.New(outcome.Required, "say in a sentence what you found").At("text")
	}
	if err := f.o.Gate.Permit(ctx, p, policy.CaseWork); err != nil {
		return Case{}, err
	}
	r, err := f.o.Gate.ReviewOf(ctx, p, review)
	if err != nil {
		return Case{}, err
	}
	c, err := f.draft(ctx, r)
	if err != nil {
		return Case{}, err
	}
	me := staff(p)
	step := access.CaseStep{Step: "raise", Text: "review " + strconv.FormatInt(review, 10)}
	if how, err := f.close(ctx, me, &c); err != nil || how != "" {
		if err == nil {
			err = f.o.Gate.RefuseCase(ctx, p, policy.CaseWork, step, outcome.New(outcome.Forbidden, barred[how]).Because("friend"))
		}
		return Case{}, err
	}
	entry, err := f.o.Gate.StepCase(ctx, p, policy.CaseWork, step)
	if err != nil {
		return Case{}, err
	}
	note := Note{At: f.now(), By: me.ID, Step: "raise", Text: text, Entry: entry}
	err = f.d.Write(ctx, func(tx *sql.Tx) error {
		cases, err := f.ofName(tx, f.nameOf(c.Agent, c.Hypothesis))
		if err != nil {
			return err
		}
		if n := len(cases); n > 0 && cases[n-1].Open() {
			found := cases[n-1]
			for _, e := range c.Events {
				if !found.knows(e.ID) {
					found.Events = append(found.Events, e)
				}
			}
			for _, x := range c.Patients {
				if !slices.Contains(found.Patients, x) {
					found.Patients = append(found.Patients, x)
				}
			}
			slices.SortStableFunc(found.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
			found.Notes, found.Updated = append(found.Notes, note), note.At
			c = found // who may own it is asked of all its patients, by the queue
			return f.store(tx, &c)
		}
		c.Notes = []Note{note}
		c.own(me.ID, note.At)
		return f.insert(tx, &c)
	})
	if err != nil {
		return Case{}, err
	}
	// The case first: after a kill in between the review is still open, and raising it again adds nothing twice.
	if err := f.o.Gate.Decide(ctx, p, review, "escalate", text); err != nil {
		return Case{}, err
	}
	f.tell()
	return c, nil
}

// draft is the case that a review would be.
func (f *Office) draft(ctx context.Context, r access.ReviewCase) (Case, error) {
	person, err := f.o.Persons.Person(ctx, r.Person)
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return Case{}, err
	}
	agent := agentOf(identity.Person{ID: r.Person, Practitioner: person.Practitioner})
	now := f.now()
	c := Case{Agent: agent, Person: person.ID, Hypothesis: "snoop", State: New, Opened: now, Updated: now, Queue: Review, Due: now.Add(within[Review]), Posterior: .5, Severity: .6,
		Patients: []string{"Patient/" + r.PatientID}, Contributions: []Contribution{{Name: "review", Text: "A privacy officer looked at the opening and found no reason of care"}},
		Summary: agent + " opened a chart, and a review found no reason of care. It would be explained by a visit, order or task that is not on file."}
	for _, l := range r.Lines {
		if !l.Unexplained {
			continue // what had a reason was not reviewed
		}
		c.Events = append(c.Events, Event{Entry: int64(l.Index), ID: eventOf(l), Time: l.At, Kind: l.Interaction,
			Patient: "Patient/" + r.PatientID, Text: "no reason of care is known"})
	}
	slices.SortStableFunc(c.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return c, nil
}
