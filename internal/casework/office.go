package casework

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Office is the privacy office at work on the cases. Each method is one step: policy decides about it, it is durable in the log before
// it happens or anything is shown, and who is close to the person or a patient of a case takes none. Safe for concurrent use.
type Office struct {
	*Store
	o OfficeOptions
}

// OfficeOptions are the parts that an office stands on.
type OfficeOptions struct {
	Store   *Store
	Gate    *access.Gate
	Persons *identity.Store
	// Ties tells whether a person (Practitioner/x) and a patient (Patient/y) are family, of one household or neighbours, as detection
	// knows it. nil knows none.
	Ties func(person, patient string) bool
	// Elsewhere is the other system where it is one that is watched; nil: the accesses are this installation's own.
	Elsewhere Elsewhere
	// Units gives the units whose patients a finding can be about; nil knows none.
	Units func() []Unit
	// Budget is how many cases without misuse the office expects for a thousand people and a day; 2 when 0.
	Budget float64
}

// NewOffice opens the office. It takes over carrying out what two officers wanted to be left alone.
func NewOffice(o OfficeOptions) *Office {
	if o.Budget == 0 {
		o.Budget = 2
	}
	f := &Office{o.Store, o}
	o.Gate.HandleAct(access.MuteAct, access.ActHandler{May: f.mayMute, Carry: f.mute})
	return f
}

// Unit is a place of the house on which patients are.
type Unit struct{ Ref, Name string }

// Units are those whose patients a finding can be about, by name.
func (f *Office) Units() []Unit {
	if f.o.Units == nil {
		return nil
	}
	return f.o.Units()
}

const longestWords = 2000 // characters of what is written into a case

var (
	errNotTaken = outcome.New(outcome.Conflict, "take the case first: what follows is done by who answers for it").Because("not-taken")
	errClosed   = outcome.New(outcome.Conflict, "this case is closed: open it again first").Because("closed")
)

// staff is the officer behind a principal; policy decides whether it is one.
func staff(p access.Principal) identity.Person {
	if p.Session == nil {
		return identity.Person{}
	}
	return p.Session.Person
}

// now is the time of a step.
func (f *Office) now() time.Time { return f.Store.o.Now().UTC() }

// person is who a case is about; without an account here only the reference is known.
func (f *Office) person(ctx context.Context, c *Case) identity.Person {
	if c.Person != "" {
		if found, err := f.o.Persons.Person(ctx, c.Person); err == nil {
			if c.program() {
				found.Name, found.Roles = f.programName(ctx, c)+", a program of "+found.Name, []string{"program"}
			}
			return found
		}
	}
	return f.elsewhere(c)
}

// reach reads a case for an officer. A case about herself is not there for her.
func (f *Office) reach(ctx context.Context, p access.Principal, id string) (Case, error) {
	c, err := f.Case(ctx, id)
	if err == nil && aboutMe(&c, staff(p)) {
		return Case{}, errNoCase
	}
	return c, err
}

// aboutMe reports whether a case is about the officer's own accesses.
func aboutMe(c *Case, me identity.Person) bool {
	return c.Person != "" && c.Person == me.ID || me.Practitioner != "" && c.Agent == me.Practitioner
}

// step is one act on one case.
type step struct {
	name    string // of the step in the log, after "case-"
	text    string // words of the officer
	needs   bool   // words
	owner   bool   // only who took the case
	closed  bool   // may be taken on a closed case
	logs    string // words for the log, where they differ from text
	note    string // words for the case's own history, where they differ from text
	private bool   // leaves no line in the case's own history
}

// take carries out a step: policy, friendship, state, then the entry, then the change.
func (f *Office) take(ctx context.Context, p access.Principal, id string, t step, check func(*Case) error, change func(*Case)) (Case, error) {
	if t.text = strings.TrimSpace(t.text); t.needs && t.text == "" {
		return Case{}, outcome.New(outcome.Required, "write a sentence first").At("text")
	}
	if len([]rune(t.text)) > longestWords {
		return Case{}, outcome.New(outcome.TooLong, "that is longer than 2,000 characters: say it shorter").At("text")
	}
	if err := f.o.Gate.Permit(ctx, p, policy.CaseWork); err != nil {
		return Case{}, err
	}
	c, err := f.reach(ctx, p, id)
	if err != nil {
		return Case{}, err
	}
	logged := access.CaseStep{Case: id, Step: t.name, Text: t.text}
	if t.logs != "" {
		logged.Text = t.logs
	}
	me := staff(p)
	how, err := f.close(ctx, me, &c)
	if err != nil {
		return Case{}, err
	}
	if how != "" {
		return Case{}, f.o.Gate.RefuseCase(ctx, p, policy.CaseWork, logged, outcome.New(outcome.Forbidden, barred[how]).Because("friend"))
	}
	possible := func(c *Case) error {
		switch {
		case !t.closed && !c.Open():
			return errClosed
		case t.owner && c.Owner != me.ID:
			return errNotTaken
		case check != nil:
			return check(c)
		}
		return nil
	}
	if err := possible(&c); err != nil {
		return Case{}, err
	}
	entry, err := f.o.Gate.StepCase(ctx, p, policy.CaseWork, logged)
	if err != nil {
		return Case{}, err
	}
	return f.update(ctx, id, 0, func(c *Case) error {
		if err := possible(c); err != nil {
			return err
		}
		if !t.private {
			words := t.text
			if t.note != "" {
				words = t.note
			}
			c.Notes = append(c.Notes, Note{At: f.now(), By: me.ID, Step: historical(t.name), Text: words, Entry: entry})
		}
		if change != nil {
			change(c)
		}
		return nil
	})
}

// historical is a step as the case's own history keeps it.
func historical(name string) string {
	if name == "note" {
		return ""
	}
	return name
}

// officers lists the privacy officers who are active, by name.
func (f *Office) officers(ctx context.Context) ([]identity.Person, error) {
	people, err := f.o.Persons.People(ctx)
	people = slices.DeleteFunc(people, func(x identity.Person) bool { return !x.Active || !slices.Contains(x.Roles, identity.Privacy) })
	slices.SortFunc(people, func(a, b identity.Person) int { return strings.Compare(a.Name, b.Name) })
	return people, err
}
