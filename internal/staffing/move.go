package staffing

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// errWithPatients says that nothing is taken from somebody now: it is tried again in a minute.
var errWithPatients = errors.New("staffing: with patients")

// Move changes somebody's place and roles: what ends ends at once, what opens charts waits for a second person. Errors: as
// [identity.Store.Change].
func (d *Desk) Move(ctx context.Context, by audit.Agent, person string, c identity.Change) error {
	p, err := d.o.Persons.Person(ctx, person)
	if err != nil {
		return err
	}
	if c.Roles != nil || c.Practitioner != nil || c.Clearances != nil { // the rest by itself: it waits for nobody
		rest := c
		rest.Roles, rest.Practitioner, rest.Clearances = nil, nil, nil
		if c.Roles != nil {
			left := slices.DeleteFunc(slices.Clone(p.Roles), func(role string) bool { return !slices.Contains(*c.Roles, role) })
			rest.Roles = &left
		}
		if _, _, err := d.o.Persons.Change(ctx, by, person, rest); err != nil {
			return err
		}
	}
	_, _, err = d.o.Persons.Change(ctx, by, person, c)
	return err
}

// moves carries out a move that was set: what is new comes at its moment, by the word of who set it, so that nobody is the second person to herself.
// What goes goes then too, or at the end of the overlap, and never from somebody who is with patients.
func (d *Desk) moves(ctx context.Context, x identity.Scheduled) error {
	by := clockwork
	if x.By != "" {
		by.Person, by.Capacity = x.By, identity.StaffCapacity
	}
	c := *x.Change
	p, err := d.o.Persons.Person(ctx, x.Person)
	if err != nil {
		return err
	}
	if c.Roles != nil && (p.Active || p.State == identity.Suspended) {
		ending, err := d.ending(ctx, p.ID)
		if err != nil {
			return err
		}
		back := slices.DeleteFunc(ending, func(role string) bool { return !slices.Contains(*c.Roles, role) })
		if err := d.o.Persons.EndRoles(ctx, by, p.ID, nil, back, x.Reason); err != nil {
			return err
		}
		if lost := without(p.Roles, *c.Roles); len(lost) > 0 {
			stay, err := d.stay(ctx, by, p, lost, x.At, x.Overlap, x.Reason)
			if err != nil {
				return err
			}
			if stay {
				both := append(slices.Clone(*c.Roles), lost...)
				c.Roles = &both
			}
		}
	}
	return d.Move(ctx, by, p.ID, c)
}

// stay reports whether roles that a move takes are kept for now, and sets when they end: after the overlap, or as soon as their holder is with no
// patient any more.
func (d *Desk) stay(ctx context.Context, by audit.Agent, p identity.Person, lost []string, from time.Time, overlap time.Duration, reason string) (bool, error) {
	if overlap == 0 {
		with, err := d.waits(ctx, p.ID)
		if err != nil || !with {
			return false, err
		}
	}
	var until []identity.Ending
	for _, role := range lost {
		until = append(until, identity.Ending{Role: role, At: from.Add(overlap)})
	}
	return true, d.o.Persons.EndRoles(ctx, by, p.ID, until, nil, reason)
}

// rolesEnd takes the roles whose overlap is over. What waits for a second person would be void after it, and is asked anew, by the word of who
// asked before.
func (d *Desk) rolesEnd(ctx context.Context, x identity.Scheduled) error {
	with, err := d.waits(ctx, x.Person)
	if err != nil {
		return err
	}
	if with {
		return errWithPatients
	}
	p, err := d.o.Persons.Person(ctx, x.Person)
	if err != nil {
		return err
	}
	var over []string
	for _, e := range x.Ending {
		if !e.At.After(x.At) {
			over = append(over, e.Role)
		}
	}
	left := without(p.Roles, over)
	if len(left) == len(p.Roles) {
		return nil
	}
	waiting, err := d.o.Persons.Pending(ctx)
	if err != nil {
		return err
	}
	if _, _, err := d.o.Persons.Change(ctx, clockwork, p.ID, identity.Change{Roles: &left}); err != nil {
		return err
	}
	d.o.Logger.Info("the old roles of a mover ended", "person", p.ID, "roles", strings.Join(over, " "))
	for _, q := range waiting {
		if q.Person != p.ID || q.Change == nil || q.Change.Roles == nil {
			continue
		}
		if err := d.askAnew(ctx, p, q, left); err != nil && !outcome.Is(err, outcome.NotFound) { // not found: decided meanwhile
			return err
		}
	}
	return nil
}

// askAnew asks once more for what waited, of a person who holds less since.
func (d *Desk) askAnew(ctx context.Context, p identity.Person, q identity.Pending, left []string) error {
	by := clockwork
	if q.AskedBy != "" {
		by.Person, by.Capacity = q.AskedBy, identity.StaffCapacity
	}
	c := *q.Change
	roles := append(slices.Clone(left), without(*c.Roles, p.Roles)...)
	c.Roles = &roles
	if err := d.o.Persons.Decline(ctx, by, q.ID, "asked anew: the old roles of the person ended"); err != nil {
		return err
	}
	_, item, err := d.o.Persons.Change(ctx, by, p.ID, c)
	if err != nil || item == nil {
		return err
	}
	return d.o.Persons.Reask(ctx, p.ID, q.ID, item.ID)
}

// ending are the roles of a person for which an end is set.
func (d *Desk) ending(ctx context.Context, person string) (out []string, err error) {
	set, err := d.o.Persons.ScheduledFor(ctx, person)
	for _, x := range set {
		for _, e := range x.Ending {
			out = append(out, e.Role)
		}
	}
	return out, err
}

// without are those of all that are not among some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(some, one) })
}
