package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Outcomes of a closed case.
const (
	Violation = "violation"
	Training  = "training"
	Justified = "justified"
	Unclear   = "unclear" // cannot tell
	// Answered is that of a case on watch which its person answered about before an officer looked. No officer chooses it.
	Answered = "answered"
)

// Outcomes lists them as an officer chooses.
var Outcomes = []string{Violation, Training, Justified, Unclear}

// Take makes an officer answer for a case; from then on she sees whose it is. What another officer answers for is handed over by her,
// unless she is not active any more.
// Errors of this and of every other step: outcome.Forbidden by policy, or because "friend"; outcome.NotFound; outcome.Conflict for a
// case in another state; outcome.Required, outcome.TooLong for the words.
func (f *Office) Take(ctx context.Context, p access.Principal, id string) (Case, error) {
	me, now := staff(p), f.now()
	return f.take(ctx, p, id, step{name: "take", logs: "and learns whose it is"}, func(c *Case) error {
		if c.Owner == me.ID {
			return outcome.New(outcome.Conflict, "you have taken this case already")
		}
		if c.Owner != "" {
			if held, err := f.o.Persons.Person(ctx, c.Owner); err == nil && held.Active {
				return outcome.New(outcome.Conflict, held.Name+" has taken this case: ask for it to be handed over")
			}
		}
		return nil
	}, func(c *Case) { c.own(me.ID, now) })
}

// own makes an officer answer for a case from a time on.
func (c *Case) own(officer string, at time.Time) {
	if c.Owner = officer; c.Taken.IsZero() {
		c.Taken = at
	}
	if c.State == New {
		c.State = Taken
	}
}

// HandOver gives a case to another officer: by who answers for it, or by any officer when nobody does yet.
// Errors besides those of [Office.Take]: outcome.Value for somebody who is no active officer, or who is close to the case.
func (f *Office) HandOver(ctx context.Context, p access.Principal, id, to, text string) (Case, error) {
	me := staff(p)
	officers, err := f.officers(ctx)
	if err != nil {
		return Case{}, err
	}
	at := slices.IndexFunc(officers, func(x identity.Person) bool { return x.ID == to && to != me.ID })
	if at < 0 {
		return Case{}, outcome.New(outcome.Value, "choose another privacy officer who is active").At("to")
	}
	next := officers[at]
	words := "to " + next.Name
	if text = strings.TrimSpace(text); text != "" {
		words += ": " + text
	}
	return f.take(ctx, p, id, step{name: "hand-over", text: words}, func(c *Case) error {
		if c.Owner != "" && c.Owner != me.ID {
			return errNotTaken
		}
		if how, err := f.close(ctx, next, c); err != nil || how != "" {
			if err == nil {
				err = outcome.New(outcome.Value, "this officer cannot decide about this case: choose another").At("to")
			}
			return err
		}
		return nil
	}, func(c *Case) { c.own(next.ID, f.now()) })
}

// Note writes a sentence into a case: by any officer who is not close to it.
func (f *Office) Note(ctx context.Context, p access.Principal, id, text string) (Case, error) {
	return f.take(ctx, p, id, step{name: "note", text: text, needs: true, closed: true}, nil, nil)
}

// Finding is what an officer decided.
type Finding struct {
	Outcome string // one of Outcomes
	Text    string // why
	Seen    int    // how many accesses the case held when she looked; a case that grew since is not closed unseen
	Fact    *Fact  // of a justified case: what explains the like for a while; nil for none
}

// Close ends a case with an outcome and a reason. It stays, and can be opened again. What the person answered never closes one.
// Errors besides those of [Office.Take]: outcome.Value for no outcome; outcome.Conflict when the case grew since it was looked at.
func (f *Office) Close(ctx context.Context, p access.Principal, id string, d Finding) (Case, error) {
	if !slices.Contains(Outcomes, d.Outcome) {
		return Case{}, outcome.New(outcome.Value, "choose an outcome: against the rules, training issue, justified, or cannot tell").At("outcome")
	}
	if d.Fact != nil {
		if d.Outcome != Justified {
			return Case{}, outcome.New(outcome.Value, "only a justified case tells what explains the like").At("fact")
		}
		if err := d.Fact.check(); err != nil {
			return Case{}, err
		}
	}
	me, now := staff(p), f.now()
	logs := d.Outcome + ": " + d.Text
	if d.Fact != nil {
		logs += d.Fact.said()
	}
	c, err := f.take(ctx, p, id, step{name: "close", text: d.Text, needs: true, owner: true, logs: logs, note: d.Outcome + ": " + d.Text}, func(c *Case) error {
		if more := len(c.Events) - d.Seen; more > 0 {
			return outcome.New(outcome.Conflict, fmt.Sprintf("the case took in %d more meanwhile: look at them, then close it", more)).Because("grew")
		}
		return nil
	}, func(c *Case) {
		c.State, c.Outcome, c.Closed, c.Closer, c.Named = Closed, d.Outcome, now, me.ID, nil
	})
	if err != nil {
		return c, err
	}
	if err := f.dropQuestions(ctx, id); err != nil {
		return c, err
	}
	if d.Fact != nil {
		err = f.keepFact(ctx, *d.Fact, c, me.ID)
	}
	return c, err
}

// Reopen takes a closed case up again. Errors besides those of [Office.Take]: outcome.Conflict when another case about the same person
// and suspicion is open.
func (f *Office) Reopen(ctx context.Context, p access.Principal, id, text string) (Case, error) {
	me := staff(p)
	return f.take(ctx, p, id, step{name: "reopen", text: text, needs: true, closed: true}, func(c *Case) error {
		if c.Open() {
			return outcome.New(outcome.Conflict, "this case is open")
		}
		same, err := f.ByPerson(ctx, c.Agent)
		if err != nil {
			return err
		}
		for _, x := range same {
			if x.Open() && x.Hypothesis == c.Hypothesis {
				return outcome.New(outcome.Conflict, "case "+x.ID+" about the same is open: go on there")
			}
		}
		return nil
	}, func(c *Case) {
		c.State, c.Outcome, c.Owner, c.Closer, c.Closed = Taken, "", me.ID, "", time.Time{}
		c.Due = f.now().Add(within[c.Queue])
	})
}

// ShowNames shows an officer who the patients of her case are, from then on until it is closed, and keeps why she needs that. The names
// are opened by [access.Gate.Named] with the words that this gives, each time under an entry that names each patient.
func (f *Office) ShowNames(ctx context.Context, p access.Principal, id, text string) (Case, error) {
	if strings.TrimSpace(text) == "" {
		return Case{}, outcome.New(outcome.Required, "write why you need the names").At("names")
	}
	me := staff(p)
	return f.take(ctx, p, id, step{name: "names", text: text, owner: true}, nil, func(c *Case) {
		if c.Named == nil {
			c.Named = map[string]string{}
		}
		c.Named[me.ID] = text
	})
}

// Permit reports whether p may work on cases at all. Errors: as [access.Gate.Permit].
func (f *Office) Permit(ctx context.Context, p access.Principal) error {
	return f.o.Gate.Permit(ctx, p, policy.CaseWork)
}
