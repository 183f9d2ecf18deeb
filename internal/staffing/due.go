package staffing

import (
	"context"
	"errors"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// How long an account may be unused before its person is told to be suspended, and how long after.
const (
	UnusedAfter    = 90 * 24 * time.Hour
	SuspendedAfter = 14 * 24 * time.Hour
)

// clockwork is who acts when a moment has come that somebody set before.
var clockwork = audit.Agent{Job: "staffing"}

const lookEach = time.Hour

// Run carries out what is due, each second, and looks each hour for accounts that nobody uses, until ctx ends. Each node runs it: what is
// due happens once.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var looked time.Time
	for {
		if err := d.Tick(ctx); err != nil && ctx.Err() == nil {
			d.o.Logger.Error("what is due for people could not be carried out", "error", err)
		}
		if now := d.o.Now(); now.Sub(looked) >= lookEach || now.Before(looked) {
			looked = now
			if err := d.Warn(ctx); err != nil && ctx.Err() == nil {
				d.o.Logger.Error("unused accounts could not be looked for", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Tick carries out what is due now. What fails is tried again in a minute, by whichever node. Errors: the first.
func (d *Desk) Tick(ctx context.Context) error {
	due, err := d.o.Persons.Due(ctx)
	for _, x := range due {
		failed := d.happen(ctx, x)
		if errors.Is(failed, errWithPatients) {
			continue
		}
		if failed == nil {
			failed = d.o.Persons.Happened(ctx, x)
		}
		if failed != nil && err == nil {
			err = failed
		}
	}
	if _, failed := d.Lapse(ctx); failed != nil && err == nil {
		err = failed
	}
	return err
}

func (d *Desk) happen(ctx context.Context, x identity.Scheduled) error {
	var err error
	switch x.Kind {
	case identity.LeaveAt:
		_, err = d.End(ctx, clockwork, x.Person, x.Reason)
	case identity.ChangeAt:
		err = d.moves(ctx, x)
	case identity.RolesEndAt:
		err = d.rolesEnd(ctx, x)
	case identity.SuspendAt:
		return d.suspendUnused(ctx, x)
	}
	if !outcome.Is(err, outcome.Conflict) && !outcome.Is(err, outcome.NotFound) {
		return err
	}
	p, lost := d.o.Persons.Person(ctx, x.Person)
	if outcome.Is(lost, outcome.NotFound) || lost == nil && p.State == identity.Ended { // has left meanwhile: there is nothing to do any more
		d.o.Logger.Warn("what was set for a person did not happen", "person", x.Person, "kind", x.Kind, "error", err)
		return nil
	}
	if missed := d.o.Persons.Missed(ctx, clockwork, x, err); missed != nil { // is suspended, or is the last administrator: it happens when it can
		return missed
	}
	return err
}

// suspendUnused suspends a person whose account is still unused; not while she is on shift, and never the last administrator.
func (d *Desk) suspendUnused(ctx context.Context, x identity.Scheduled) error {
	unused, err := d.unused(ctx)
	if err != nil {
		return err
	}
	p, ok := unused[x.Person]
	if !ok {
		return nil
	}
	at, err := d.o.Gate.AtWork(ctx, p)
	if err != nil {
		return err
	}
	if at {
		return d.o.Persons.Schedule(ctx, clockwork, identity.Scheduled{Person: x.Person, Kind: x.Kind, At: d.o.Now().Add(24 * time.Hour), Reason: x.Reason})
	}
	err = d.Suspend(ctx, clockwork, x.Person, x.Reason)
	if outcome.Is(err, outcome.Conflict) {
		return nil
	}
	return err
}

func (d *Desk) unused(ctx context.Context) (map[string]identity.Person, error) {
	list, err := d.o.Persons.Unused(ctx, d.o.Now().Add(-UnusedAfter))
	out := map[string]identity.Person{}
	for _, p := range list {
		out[p.ID] = p
	}
	return out, err
}

// Warn sets a suspension for each account that nobody used for 90 days and for which none is set; a sign-in takes it back. The page of
// people shows it until then. Errors: outcome.NoStore.
func (d *Desk) Warn(ctx context.Context) error {
	unused, err := d.unused(ctx)
	if err != nil || len(unused) == 0 {
		return err
	}
	set, err := d.o.Persons.ScheduledFor(ctx, "")
	if err != nil {
		return err
	}
	for _, x := range set {
		if x.Kind == identity.SuspendAt {
			delete(unused, x.Person)
		}
	}
	for id := range unused {
		err := d.o.Persons.Schedule(ctx, clockwork, identity.Scheduled{Person: id, Kind: identity.SuspendAt, At: d.o.Now().Add(SuspendedAfter), Reason: "the account was not used for 90 days"})
		if err != nil {
			return err
		}
	}
	return nil
}
