package staffing

import (
	"context"
	"slices"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// Suspend shuts a person out who may come back. Errors: as [identity.Store.Suspend].
func (d *Desk) Suspend(ctx context.Context, by audit.Agent, person, reason string) error {
	if err := d.o.Persons.Suspend(ctx, by, person, reason); err != nil {
		return err
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

// rolesOf is what the groups that a person is in come to.
func rolesOf(c identity.Client, groups []identity.Group, name func(identity.Group) string, person string) (out []string) {
	for _, g := range groups {
		if !slices.Contains(g.Members, person) {
			continue
		}
		for _, m := range c.Maps {
			if m.Group == name(g) && !slices.Contains(out, m.Role) {
				out = append(out, m.Role)
			}
		}
	}
	slices.Sort(out)
	return out
}

// BringUp gives people the roles that their groups in a directory come to by the mapping of this house, and takes those that the directory
// gave before and gives no more. A role that somebody has from elsewhere too stays; one that was taken here does not come back by a group
// that goes on to give it. What two people have to want waits for them.
// name is how a group is called. Errors: as [identity.Store.Change]; the people before the one that failed are done.
func (d *Desk) BringUp(ctx context.Context, by audit.Agent, client string, name func(identity.Group) string, people []string) error {
	c, err := d.o.Persons.Client(ctx, client)
	if err != nil {
		return err
	}
	groups, err := d.o.Persons.Groups(ctx, client)
	if err != nil {
		return err
	}
	slices.Sort(people)
	for _, id := range slices.Compact(people) {
		a, err := d.o.Persons.Account(ctx, client, id)
		if outcome.Is(err, outcome.NotFound) {
			continue
		}
		if err == nil {
			err = d.give(ctx, by, a, rolesOf(c, groups, name, id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// give makes the roles that a source gave somebody those that are due.
func (d *Desk) give(ctx context.Context, by audit.Agent, a identity.Account, due []string) error {
	asked := a.Asked
	a, err := d.o.Persons.Standing(ctx, a)
	if err != nil {
		return err
	}
	p, err := d.o.Persons.Person(ctx, a.Person)
	if err != nil || !p.Active && p.State != identity.Suspended || slices.Equal(a.Given, due) {
		return err
	}
	if !p.Active { // who is suspended loses at once, and gains when she comes back
		due = slices.DeleteFunc(slices.Clone(due), func(role string) bool { return !slices.Contains(a.Given, role) })
		if slices.Equal(a.Given, due) {
			return nil
		}
	}
	if a.Given, err = d.unask(ctx, by, a.Given, asked); err != nil {
		return err
	}
	a.Asked = nil
	if p, err = d.o.Persons.Person(ctx, a.Person); err != nil { // again: somebody may have approved meanwhile
		return err
	}
	left := slices.DeleteFunc(slices.Clone(p.Roles), func(role string) bool {
		return slices.Contains(a.Given, role) && !slices.Contains(due, role) && !slices.Contains(a.Kept, role)
	})
	if len(left) != len(p.Roles) { // first, by itself: what is taken waits for nobody
		if p, _, err = d.o.Persons.Change(ctx, by, p.ID, identity.Change{Roles: &left}); err != nil {
			return err
		}
	}
	next := slices.Clone(left)
	for _, role := range due {
		switch {
		case slices.Contains(a.Given, role):
		case slices.Contains(next, role):
			a.Kept = append(a.Kept, role)
		default:
			next = append(next, role)
		}
	}
	if len(next) != len(left) {
		_, item, err := d.o.Persons.Change(ctx, by, p.ID, identity.Change{Roles: &next})
		if err != nil {
			return err
		}
		if item != nil {
			a.Asked = []identity.Asked{{Item: item.ID, Roles: next[len(left):]}}
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
func (d *Desk) KeepsAdministrator(ctx context.Context, c identity.Client, groups []identity.Group, name func(identity.Group) string) error {
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
	lost := map[string]bool{}
	for _, a := range accounts {
		lost[a.Person] = slices.Contains(a.Given, identity.Administrator) && !slices.Contains(a.Kept, identity.Administrator) &&
			!slices.Contains(rolesOf(c, groups, name, a.Person), identity.Administrator)
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
