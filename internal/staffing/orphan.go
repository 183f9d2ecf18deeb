package staffing

import (
	"cmp"
	"context"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// Rostered is who works here, held against those who say who does: the HR file, and directories.
type Rostered struct {
	Sources []string // what there is to compare with, by name; empty: nothing, and nobody is an orphan
	People  int      // who can get in here, those on a roster included
	Orphans []Unrostered
	Known   []Unrostered // on no roster, and somebody said why
}

// Unrostered is somebody who can get in here and whom no roster knows.
type Unrostered struct {
	identity.Person
	LastUse time.Time      // zero: not within 90 days
	Ends    time.Time      // when her access ends, as it is set; zero: it is not
	Known   identity.Known // why she works here all the same
}

// HRFile is what the HR file is called among the sources.
const HRFile = "the HR file"

// EndsWithin is how long somebody on no roster still works after her end was begun: who it was begun for can say so, and it can be taken back.
const EndsWithin = 24 * time.Hour

// rosters are the sources that say who works here, and whom each of them knows: the HR file, once it was read, and directories that are active.
func (d *Desk) rosters(ctx context.Context) (names []string, knows map[string]bool, err error) {
	knows = map[string]bool{}
	take := func(source, name string) error {
		accounts, err := d.o.Persons.Accounts(ctx, source)
		for _, a := range accounts {
			knows[a.Person] = true
		}
		if len(accounts) > 0 {
			names = append(names, name)
		}
		return err
	}
	if err := take(identity.HRSource, HRFile); err != nil {
		return nil, nil, err
	}
	clients, err := d.o.Persons.Clients(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range clients {
		if !c.Provisions() || c.State != identity.Active {
			continue
		}
		if err := take(c.ID, c.Name); err != nil {
			return nil, nil, err
		}
	}
	return names, knows, nil
}

// Orphans lists who can get in here and stands on no roster, who is longest unused first. Errors: outcome.NoStore.
func (d *Desk) Orphans(ctx context.Context) (Rostered, error) {
	var out Rostered
	names, knows, err := d.rosters(ctx)
	if err != nil {
		return out, err
	}
	out.Sources = names
	people, err := d.o.Persons.People(ctx)
	if err != nil {
		return out, err
	}
	said, err := d.o.Persons.StillKnown(ctx)
	if err != nil {
		return out, err
	}
	used, err := d.o.Persons.LastUse(ctx)
	if err != nil {
		return out, err
	}
	set, err := d.o.Persons.ScheduledFor(ctx, "")
	if err != nil {
		return out, err
	}
	ends := map[string]time.Time{}
	for _, x := range set {
		if x.Kind == identity.LeaveAt {
			ends[x.Person] = x.At
		}
	}
	for _, p := range people {
		if p.State == identity.Ended || p.PortalOnly() {
			continue
		}
		out.People++
		if len(names) == 0 || knows[p.ID] {
			continue
		}
		one := Unrostered{Person: p, LastUse: used[p.ID], Ends: ends[p.ID], Known: said[p.ID]}
		if one.Known.Person != "" {
			out.Known = append(out.Known, one)
		} else {
			out.Orphans = append(out.Orphans, one)
		}
	}
	slices.SortStableFunc(out.Orphans, func(a, b Unrostered) int { return a.LastUse.Compare(b.LastUse) })
	slices.SortStableFunc(out.Known, func(a, b Unrostered) int {
		return cmp.Or(a.Known.Until.Compare(b.Known.Until), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// EndOrphan begins the end of somebody's access who stands on no roster: it ends in a day, unless that is taken back.
// Errors: outcome.Conflict (is on a roster, or her end is set already); as [identity.Store.Schedule].
func (d *Desk) EndOrphan(ctx context.Context, by audit.Agent, person string) error {
	r, err := d.Orphans(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(append(slices.Clone(r.Orphans), r.Known...), func(o Unrostered) bool { return o.ID == person && o.Ends.IsZero() })
	if i < 0 {
		return outcome.New(outcome.Conflict, "this person stands on a roster, or the end of her access is set already: look again")
	}
	return d.o.Persons.Schedule(ctx, by, identity.Scheduled{Person: person, Kind: identity.LeaveAt, At: d.o.Now().Add(EndsWithin), Reason: "stands on no roster"})
}
