package staffing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// Left is what a termination leaves for the file.
type Left struct {
	identity.Certificate
	Signed []byte // the certificate as one line of JSON; docs/formats/termination.md
}

// lookBack is how far a certificate counts accesses.
const lookBack = 30 * 24 * time.Hour

// counting is how many entries are read at a time.
const counting = 1000

// taken are the interactions by which data leaves the screen.
var taken = []string{"export", "print", "everything"}

// End ends a person's access for good, and certifies it. What is counted for the certificate is counted after everything is dead; where
// that fails the person has left all the same, and the certificate says less until [Desk.Certificate] is asked again.
// Errors: as [identity.Store.Terminate].
func (d *Desk) End(ctx context.Context, by audit.Agent, person, reason string) (Left, error) {
	c, err := d.o.Persons.Terminate(ctx, by, person, reason)
	if err != nil {
		return Left{}, err
	}
	ctx = context.WithoutCancel(ctx) // whoever asked may go: it is done, and is finished
	done, err := d.Certificate(ctx, person)
	if err != nil {
		d.o.Logger.Error("a certificate could not be completed", "person", person, "error", err)
		if done.Signed == nil {
			done.Certificate = c
			if done.Signed, err = d.o.Persons.Attest(c); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// Certificate gives the certificate of somebody who left, always the same. Errors: as [identity.Store.Certify]; with a signed certificate
// beside the error where only the counts are missing.
func (d *Desk) Certificate(ctx context.Context, person string) (Left, error) {
	c, signed, err := d.o.Persons.Certify(ctx, person, func(c *identity.Certificate) error { return d.fill(ctx, c) })
	return Left{c, signed}, err
}

func (d *Desk) fill(ctx context.Context, c *identity.Certificate) error {
	who, err := d.o.Persons.Person(ctx, c.Person)
	if err != nil {
		return err
	}
	if _, err := d.o.Gate.EndWords(ctx, c.Person); err != nil {
		return err
	}
	if _, err := d.o.Gate.EndGrants(ctx, c.Person); err != nil {
		return err
	}
	grants, err := d.o.Gate.EndedGrants(ctx, c.Person, c.Terminated) // not only those of this call: the one before may have failed after it
	if err != nil {
		return err
	}
	since := c.Terminated.Add(-lookBack)
	accesses, exports, err := d.accesses(ctx, c.Person, since, c.Terminated)
	if err != nil {
		return err
	}
	c.GrantsEnded, c.Since = &grants, &since
	c.Accesses30d, c.AccessesByKind = sum(accesses), accesses
	c.Exports30d, c.ExportsByKind = sum(exports), exports
	if d.o.Cases != nil {
		open, err := d.o.Cases(ctx, who)
		if err != nil {
			return err
		}
		c.OpenCases = &open
	}
	if slices.ContainsFunc(who.Roles, func(role string) bool { return role != identity.Patient }) || len(who.Roles) == 0 {
		c.Notice, c.NoticeVerifier, err = d.o.Persons.Notice(d.notice(c))
	}
	return err
}

func sum(kinds map[string]int) *int {
	n := 0
	for _, k := range kinds {
		n += k
	}
	return &n
}

// accesses counts what a person opened, by interaction, and what of it was taken along.
func (d *Desk) accesses(ctx context.Context, person string, since, until time.Time) (all, exports map[string]int, err error) {
	all, exports = map[string]int{}, map[string]int{}
	for page := (audit.Page{Limit: counting}); ; {
		list, err := d.o.Log.OfPerson(ctx, person, page)
		if err != nil {
			return nil, nil, err
		}
		for i := range list {
			e := &list[i]
			if e.Recorded.Before(since) {
				return all, exports, nil
			}
			opened := e.Event.Kind == audit.Disclosure || e.Event.Kind == audit.Export || e.Event.Kind == audit.Emergency && len(e.Event.Patients) > 0
			if !opened || e.Continued || e.Recorded.After(until) || e.Event.Outcome != 0 {
				continue
			}
			kind := e.Event.Interaction
			all[kind]++
			if e.Event.Kind == audit.Export || slices.Contains(taken, kind) {
				exports[kind]++
			}
		}
		if len(list) < counting {
			return all, exports, nil
		}
		page.Before = list[len(list)-1].Index
	}
}

// notice is what partners are told: who, and what to do. Nothing of a patient, and not why.
func (d *Desk) notice(c *identity.Certificate) string {
	var b strings.Builder
	house := d.o.House
	if house == "" {
		house = "our house"
	}
	what := []string{strings.Join(c.Roles, ", "), c.Practitioner, c.Department}
	what = slices.DeleteFunc(what, func(s string) bool { return s == "" })
	fmt.Fprintf(&b, "To the partners of %s\n\n%s", line(house), line(c.Name))
	if len(what) > 0 {
		fmt.Fprintf(&b, " (%s)", line(strings.Join(what, "; ")))
	}
	fmt.Fprintf(&b, " has no access to our record system since %s.\n", c.Terminated.UTC().Format("2 January 2006 15:04:05 UTC"))
	fmt.Fprintf(&b, "Please end by %s whatever this person could do at your side on our behalf:\n", c.NotifyBy.UTC().Format("2 January 2006 15:04 UTC"))
	fmt.Fprint(&b, "accounts, tokens, keys, remote access, badges, standing permissions. Accept no request in our name from this person.\n\n")
	fmt.Fprintf(&b, "Person: %s\n", c.Person)
	if c.Entry != "" {
		fmt.Fprintf(&b, "Entry of our audit log: %s\n", c.Entry)
	}
	fmt.Fprint(&b, "This notice holds nothing about any patient. It is signed: docs/formats/termination.md says how to check it.\n")
	return b.String()
}

// line keeps a value within its line, and lets nothing in it end the text of a note.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }
