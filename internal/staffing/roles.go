package staffing

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// Suspend shuts a person out who may come back. Errors: as [identity.Store.Suspend].
func (d *Desk) Suspend(ctx context.Context, by audit.Agent, person, reason string) error {
	if err := d.o.Persons.Suspend(ctx, by, person, reason); err != nil {
		return err
	}
	if _, err := d.o.Gate.EndWords(context.WithoutCancel(ctx), person); err != nil { // of others by hers too; none counts while she is not active
		d.o.Logger.Error("what was said to and by a suspended person could not be marked as ended", "person", person, "error", err)
	}
	if _, err := d.o.Gate.EndGrants(context.WithoutCancel(ctx), person); err != nil { // they are dead with the epoch: the rows only say so too
		d.o.Logger.Error("the grants of a suspended person could not be marked as ended", "person", person, "error", err)
	}
	return nil
}

// Resume lets a suspended person in again. Errors and the item: as [identity.Store.Resume].
func (d *Desk) Resume(ctx context.Context, by audit.Agent, person, reason string) (*identity.Pending, error) {
	return d.o.Persons.Resume(ctx, by, person, reason)
}

// comeTo is what the groups of a directory come to for each of their members, in order.
func comeTo(maps []identity.MappedGroup, groups []identity.Group) map[string][]string {
	out := map[string][]string{}
	for _, g := range groups {
		for _, m := range maps {
			if m.Group != g.Name() {
				continue
			}
			for _, person := range g.Members {
				out[person] = append(out[person], m.Role)
			}
		}
	}
	for person, roles := range out {
		slices.Sort(roles)
		out[person] = slices.Compact(roles)
	}
	return out
}

// BringUp gives people the roles that their groups in a directory, or at an identity provider, come to by the mapping of this house, and takes those that the directory
// gave before and gives no more. A role that somebody has from elsewhere too stays; one that was taken here does not come back by a group
// that goes on to give it. What two people have to want waits for them.
//
// It is done for everybody whom that concerns, so that what an earlier request left undone is made up for; of the people named it is also
// looked at what became of what was asked for. Errors: as [identity.Store.Change], the first of the people named, of anybody when nobody is
// named; all the others are done. Those of the others are told to the logger.
func (d *Desk) BringUp(ctx context.Context, by audit.Agent, client string, named ...string) error {
	d.giving.Lock() // requests come side by side; the last one to be here has read what all of them stored
	defer d.giving.Unlock()
	maps, err := d.o.Persons.Mapped(ctx, client)
	if err != nil {
		return err
	}
	groups, err := d.o.Persons.Groups(ctx, client)
	if err != nil {
		return err
	}
	accounts, err := d.o.Persons.Accounts(ctx, client)
	if err != nil {
		return err
	}
	due := comeTo(maps, groups)
	var failed error
	for _, a := range accounts {
		isNamed := slices.Contains(named, a.Person)
		if !isNamed && len(a.Giving) == 0 && slices.Equal(a.Given, due[a.Person]) {
			continue
		}
		switch err := d.give(ctx, by, a, due[a.Person], atOnce); {
		case err == nil:
		case isNamed || len(named) == 0:
			failed = cmp.Or(failed, err)
		default:
			d.o.Logger.Error("the roles that groups give somebody could not be brought up to date", "person", a.Person, "error", err)
		}
	}
	return failed
}

// atOnce takes what a source gives no more at once, whatever its holder does at that moment.
const atOnce = time.Duration(-1)

// give makes the roles that a source gave somebody those that are due. What it gives no more stays for overlap, and until its holder is with no
// patient any more, unless that is atOnce. Where somebody else changes the person at that moment it tries again.
func (d *Desk) give(ctx context.Context, by audit.Agent, a identity.Account, due []string, overlap time.Duration) error {
	err := d.giveOnce(ctx, by, a, due, overlap)
	for try := 0; try < 4 && errors.Is(err, identity.ErrChanged); try++ {
		if a, err = d.o.Persons.Account(ctx, a.Source, a.Person); err == nil {
			err = d.giveOnce(ctx, by, a, due, overlap)
		}
	}
	return err
}

func (d *Desk) giveOnce(ctx context.Context, by audit.Agent, a identity.Account, due []string, overlap time.Duration) error {
	asked, broken := a.Asked, len(a.Giving) > 0
	a, err := d.o.Persons.Standing(ctx, a)
	if err != nil {
		return err
	}
	p, err := d.o.Persons.Person(ctx, a.Person)
	if err != nil || !p.Active && p.State != identity.Suspended {
		return err
	}
	for _, role := range a.Giving { // an earlier time was broken off between the person and the account
		if slices.Contains(p.Roles, role) && !slices.Contains(a.Given, role) {
			a.Given = append(slices.Clone(a.Given), role)
		}
	}
	slices.Sort(a.Given)
	a.Giving = nil
	if !p.Active { // who is suspended loses at once, and gains when she comes back
		due = slices.DeleteFunc(slices.Clone(due), func(role string) bool { return !slices.Contains(a.Given, role) })
	}
	if !broken && slices.Equal(a.Given, due) {
		return nil
	}
	refused := slices.DeleteFunc(slices.Clone(a.Asked), func(q identity.Asked) bool {
		return !q.Refused || !slices.ContainsFunc(q.Roles, func(role string) bool { return slices.Contains(due, role) })
	})
	asked = slices.DeleteFunc(slices.Clone(asked), func(q identity.Asked) bool {
		return slices.ContainsFunc(refused, func(o identity.Asked) bool { return o.Item == q.Item })
	})
	if a.Given, err = d.unask(ctx, by, a.Given, asked); err != nil {
		return err
	}
	a.Asked = refused
	if p, err = d.o.Persons.Person(ctx, a.Person); err != nil { // again: somebody may have approved meanwhile
		return err
	}
	ending, err := d.ending(ctx, p.ID)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(p.Roles), func(role string) bool {
		return slices.Contains(a.Given, role) && !slices.Contains(due, role) && !slices.Contains(a.Kept, role)
	})
	if lost := without(p.Roles, left); len(lost) > 0 && overlap != atOnce {
		stay, err := d.stay(ctx, by, p, lost, d.o.Now(), overlap, "the source that gave them gives them no more")
		if err != nil {
			return err
		}
		if stay {
			left = slices.Clone(p.Roles)
		}
	}
	if len(left) != len(p.Roles) { // first, by itself: what is taken waits for nobody
		if p, _, err = d.o.Persons.Change(ctx, by, p.ID, identity.Change{Roles: &left}); err != nil {
			return err
		}
	}
	next := slices.Clone(left)
	var back []string // came from a source before, and do not end after all
	for _, role := range due {
		switch {
		case slices.Contains(a.Given, role):
		case slices.Contains(next, role) && slices.Contains(ending, role):
			back = append(back, role)
		case slices.Contains(next, role):
			a.Kept = append(a.Kept, role)
		default:
			next = append(next, role)
		}
	}
	gained := next[len(left):]
	if len(gained)+len(back) > 0 {
		a.Giving = append(slices.Clone(gained), back...) // before: if this is broken off, the next time knows whose they are
		if err := d.o.Persons.KeepAccount(ctx, a); err != nil {
			return err
		}
		a.Revision++
		a.Giving = nil
		if err := d.o.Persons.EndRoles(ctx, by, p.ID, nil, back, "the source gives them again"); err != nil {
			return err
		}
	}
	if len(gained) > 0 {
		_, item, err := d.o.Persons.Change(ctx, by, p.ID, identity.Change{Roles: &next})
		if err != nil {
			return err
		}
		if item != nil {
			a.Asked = append(a.Asked, identity.Asked{Item: item.ID, Roles: gained})
		}
	}
	a.Given = due
	a.Kept = slices.DeleteFunc(a.Kept, func(role string) bool { return !slices.Contains(due, role) })
	return d.o.Persons.KeepAccount(ctx, a)
}

// unask withdraws what a source asked for and nobody decided yet, and gives what it gave without that: any change makes it void, and what is
// still due is asked anew.
func (d *Desk) unask(ctx context.Context, by audit.Agent, given []string, asked []identity.Asked) ([]string, error) {
	given = slices.Clone(given)
	for _, q := range asked {
		err := d.o.Persons.Decline(ctx, by, q.Item, "withdrawn: what its source gives has changed")
		if outcome.Is(err, outcome.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		given = slices.DeleteFunc(given, func(role string) bool { return slices.Contains(q.Roles, role) })
	}
	return given, nil
}

// KeepsAdministrator refuses groups by which the last administrators would be none any more. Errors: outcome.Conflict.
func (d *Desk) KeepsAdministrator(ctx context.Context, c identity.Client, groups []identity.Group) error {
	c, err := d.o.Persons.Client(ctx, c.ID)
	if err != nil {
		return err
	}
	people, err := d.o.Persons.People(ctx)
	if err != nil {
		return err
	}
	accounts, err := d.o.Persons.Accounts(ctx, c.ID)
	if err != nil {
		return err
	}
	due, lost := comeTo(c.Maps, groups), map[string]bool{}
	for _, a := range accounts {
		lost[a.Person] = slices.Contains(a.Given, identity.Administrator) && !slices.Contains(a.Kept, identity.Administrator) &&
			!slices.Contains(due[a.Person], identity.Administrator)
	}
	any := false
	for _, p := range people {
		if p.Active && slices.Contains(p.Roles, identity.Administrator) {
			if !lost[p.ID] {
				return nil
			}
			any = true
		}
	}
	if any {
		return outcome.New(outcome.Conflict, "this takes the last administrator away: make another one first").Because("last-administrator")
	}
	return nil
}
