package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Scheduled is something that happens to a person at a set moment, by the clock of the server, whichever node is up.
type Scheduled struct {
	Person string
	Kind   string // [LeaveAt], [ChangeAt], [SuspendAt]
	At     time.Time
	Reason string
	By     string  // id of who asked; empty: the command line, a program or the server itself
	Change *Change // of a change
	Missed bool    `json:",omitempty"` // it was due and could not happen yet: the log holds why
	number int64
}

// The kinds of what is scheduled. A person has at most one of each.
const (
	LeaveAt   = "leave"
	ChangeAt  = "change"
	SuspendAt = "suspend" // because the account was not used; a sign-in takes it back
)

// claim is how long a process has to carry out what is due before another tries.
const claim = time.Minute

func scheduleAAD(person int64, kind string, at int64) []byte {
	return aad("schedule", fmt.Sprintf("%d/%s/%d", person, kind, at))
}

// Schedule sets what happens to a person when, in place of what was set before of the same kind. The entry comes first.
// Errors: outcome.NotFound; outcome.Required (no reason); outcome.Conflict (has left); outcome.Forbidden (one's own rights, or oneself).
func (s *Store) Schedule(ctx context.Context, by audit.Agent, x Scheduled) error {
	r, err := s.find(ctx, s.db.Reader(), x.Person)
	if err != nil {
		return err
	}
	switch {
	case x.Reason == "":
		return outcome.New(outcome.Required, "say why, in a few words").At("reason")
	case by.Person == r.ID:
		return outcome.New(outcome.Forbidden, "nobody does this to himself: ask somebody else to")
	case r.State == Ended:
		return outcome.New(outcome.Conflict, "this person has left already")
	}
	if x.Change != nil {
		if _, err := r.profile().with(*x.Change).clean(); err != nil {
			return err
		}
	}
	x.By, x.Missed = by.Person, false
	at := micros(x.At.UTC())
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return err
	}
	sealed, err := sealJSON(s.box, k, scheduleAAD(r.number, x.Kind, at), x)
	if err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didSchedule, acted, x.Kind+" of person "+r.ID+" at "+x.At.UTC().Format(time.RFC3339)+": "+x.Reason))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		_, err := tx.Exec(`insert into identity_schedule(person, kind, at, claimed, sealed) values(?,?,?,0,?)
			on conflict (person, kind) do update set at=excluded.at, claimed=0, sealed=excluded.sealed`, r.number, x.Kind, at, sealed)
		return err
	})
}

// Unschedule takes back what was set. Errors: outcome.NotFound.
func (s *Store) Unschedule(ctx context.Context, by audit.Agent, person, kind string) error {
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didSchedule, acted, kind+" of person "+r.ID+" taken back"))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		return oneOr(outcome.New(outcome.NotFound, "nothing of this kind is set for this person"))(tx.Exec(`delete from identity_schedule where person=? and kind=?`, r.number, kind))
	})
}

// ScheduledFor lists what is set for a person, or with "" for everybody, soonest first. Errors: outcome.NoStore.
func (s *Store) ScheduledFor(ctx context.Context, person string) ([]Scheduled, error) {
	return s.scheduled(ctx, ` and (p.id=? or ?='')`, person, person)
}

func (s *Store) scheduled(ctx context.Context, where string, args ...any) (out []Scheduled, err error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select c.person, c.kind, c.at, c.sealed from identity_schedule c join identity_person p on p.number=c.person
		where p.state<>'ended'`+where+` order by c.at, p.id, c.kind`, args...)
	if err != nil {
		return nil, outcome.Wrap("identity: schedule", outcome.NoStore, "what is scheduled cannot be read", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number, at int64
		var kind string
		var sealed []byte
		if err := rows.Scan(&number, &kind, &at, &sealed); err != nil {
			return nil, outcome.Wrap("identity: schedule", outcome.NoStore, "what is scheduled cannot be read", err)
		}
		var x Scheduled
		if err := openJSON(s.box, scheduleAAD(number, kind, at), sealed, &x); err != nil {
			s.o.Altered("identity_schedule", number)
			continue
		}
		x.number = number
		out = append(out, x)
	}
	return out, rows.Err()
}

// Due gives what is due and not being carried out by another process, and claims it for a minute. Carry it out, then call
// [Store.Happened]; what was not is given again. Errors: outcome.NoStore.
func (s *Store) Due(ctx context.Context) (out []Scheduled, err error) {
	now := s.now()
	found, err := s.scheduled(ctx, ` and c.at<=? and c.claimed<=?`, micros(now), micros(now))
	if err != nil {
		return nil, err
	}
	for _, x := range found {
		mine := errors.New("another process has it")
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			return oneOr(mine)(tx.Exec(`update identity_schedule set claimed=? where person=? and kind=? and at=? and claimed<=?`, micros(now.Add(claim)), x.number, x.Kind, micros(x.At), micros(now)))
		})
		if errors.Is(err, mine) {
			continue
		}
		if err != nil {
			return out, err
		}
		out = append(out, x)
	}
	return out, nil
}

// Missed notes once that what was due could not happen, and why. It stays due, and [Store.Due] gives it again. Errors: outcome.NoStore.
func (s *Store) Missed(ctx context.Context, by audit.Agent, x Scheduled, why error) error {
	if x.Missed {
		return nil
	}
	x.Missed = true
	k, err := s.personKey(ctx, x.number)
	if err != nil {
		return err
	}
	sealed, err := sealJSON(s.box, k, scheduleAAD(x.number, x.Kind, micros(x.At)), x)
	if err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didSchedule, failed, x.Kind+" of person "+x.Person+" could not happen yet: "+why.Error()))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_schedule set sealed=? where person=? and kind=? and at=?`, sealed, x.number, x.Kind, micros(x.At))
		return err
	})
}

// Happened forgets what was due.
func (s *Store) Happened(ctx context.Context, x Scheduled) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`delete from identity_schedule where person=? and kind=? and at=?`, x.number, x.Kind, micros(x.At))
		return err
	})
}

// Unused lists active members of staff who did not sign in since a moment and were here before it. Errors: outcome.NoStore.
func (s *Store) Unused(ctx context.Context, since time.Time) ([]Person, error) {
	seen := map[int64]bool{}
	rows, err := s.db.Reader().QueryContext(ctx, `select distinct person from identity_place where seen_at>? union select person from identity_session where ended_at=0 and ends_at>?`, micros(since), micros(s.now()))
	if err != nil {
		return nil, outcome.Wrap("identity: unused", outcome.NoStore, "the sign-ins cannot be read", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		if err := rows.Scan(&number); err != nil {
			return nil, outcome.Wrap("identity: unused", outcome.NoStore, "the sign-ins cannot be read", err)
		}
		seen[number] = true
	}
	if err := rows.Err(); err != nil {
		return nil, outcome.Wrap("identity: unused", outcome.NoStore, "the sign-ins cannot be read", err)
	}
	all, err := s.all(ctx, s.db.Reader(), Active)
	if err != nil {
		return nil, err
	}
	var out []Person
	for _, r := range all {
		if !seen[r.number] && r.Created.Before(since) && !r.PortalOnly() {
			out = append(out, r.Person)
		}
	}
	return out, nil
}
