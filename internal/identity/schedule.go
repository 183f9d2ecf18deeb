package identity

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// Scheduled is something that happens to a person at a set moment, by the clock of the server, whichever node is up.
type Scheduled struct {
	Person string
	Kind   string // [LeaveAt], [ChangeAt], [SuspendAt], [RolesEndAt]
	At     time.Time
	Reason string
	By     string  // id of who asked; empty: the command line, a program or the server itself
	Change *Change // of a change
	// Overlap is how long the roles that a change takes stay beside those that it gives.
	Overlap time.Duration `json:",omitempty"`
	Ending  []Ending      `json:",omitempty"` // of the end of roles, soonest first; At is the first of them
	Missed  bool          `json:",omitempty"` // it was due and could not happen yet: the log holds why
	number  int64
}

// Ending is a role that somebody who has moved holds for a while yet.
type Ending struct {
	Role string
	At   time.Time
}

// LongestOverlap is how long old roles may stay beside new ones at most.
const LongestOverlap = 92 * 24 * time.Hour

// The kinds of what is scheduled. A person has at most one of each.
const (
	LeaveAt   = "leave"
	ChangeAt  = "change"
	SuspendAt = "suspend" // because the account was not used; a sign-in takes it back

	// RolesEndAt is the end of what a mover held before: [Store.EndRoles] sets it.
	RolesEndAt = "roles-end"
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
	if x.Overlap < 0 || x.Overlap > LongestOverlap {
		return outcome.New(outcome.Value, "old roles stay for 92 days at most").At("overlap")
	}
	if x.Change != nil {
		p := r.profile()
		next, err := p.with(*x.Change).clean()
		if err == nil {
			err = s.managed(ctx, next, p, r.ID)
		}
		if err == nil {
			err = s.housed(next, p)
		}
		if err != nil {
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
	n, err := s.note(ctx, s.event(by, didSchedule, acted, x.Kind+" of person "+r.ID+" at "+x.At.UTC().Format(time.RFC3339)+": "+x.says(r.profile())+x.Reason))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error { return putScheduled(tx, r.number, x.Kind, at, sealed) })
}

func putScheduled(tx *sql.Tx, person int64, kind string, at int64, sealed []byte) error {
	_, err := tx.Exec(`insert into identity_schedule(person, kind, at, claimed, sealed) values(?,?,?,0,?)
		on conflict (person, kind) do update set at=excluded.at, claimed=0, sealed=excluded.sealed`, person, kind, at, sealed)
	return err
}

// says is what a change would change, for the entry.
func (x Scheduled) says(p profile) string {
	if x.Change == nil {
		return ""
	}
	said := p.with(*x.Change).difference(p) + "; "
	if x.Overlap > 0 {
		said += "old roles stay for " + x.Overlap.String() + "; "
	}
	return said
}

// EndRoles sets when roles of a mover end, each in place of what was set for it before, and lets those of stay stay after all. With nothing to
// change it does nothing. Errors: outcome.NotFound; outcome.Conflict (has left).
func (s *Store) EndRoles(ctx context.Context, by audit.Agent, person string, until []Ending, stay []string, reason string) error {
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return err
	}
	if r.State == Ended {
		return outcome.New(outcome.Conflict, "this person has left already")
	}
	set, err := s.endings(ctx, s.db.Reader(), r.number)
	if err != nil {
		return err
	}
	stay = slices.DeleteFunc(slices.Clone(stay), func(role string) bool {
		return !slices.ContainsFunc(set.Ending, func(e Ending) bool { return e.Role == role })
	})
	until = slices.DeleteFunc(slices.Clone(until), func(e Ending) bool {
		return slices.ContainsFunc(set.Ending, func(o Ending) bool { return o.Role == e.Role && o.At.Equal(e.At) })
	})
	if len(until) == 0 && len(stay) == 0 {
		return nil
	}
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return err
	}
	said := ""
	for _, e := range until {
		said += "; " + e.Role + " at " + e.At.UTC().Format(time.RFC3339)
	}
	for _, role := range stay {
		said += "; " + role + " stays"
	}
	n, err := s.note(ctx, s.event(by, didSchedule, acted, RolesEndAt+" of person "+r.ID+said+": "+reason))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		x, err := s.endings(context.WithoutCancel(ctx), tx, r.number)
		if err != nil {
			return err
		}
		for _, e := range until {
			x.Ending = append(slices.DeleteFunc(x.Ending, func(o Ending) bool { return o.Role == e.Role }), e)
		}
		x.Ending = slices.DeleteFunc(x.Ending, func(e Ending) bool { return slices.Contains(stay, e.Role) })
		x.Person, x.Reason, x.By, x.Missed = r.ID, cmp.Or(reason, x.Reason), by.Person, false
		return s.putEndings(tx, r.number, k, x)
	})
}

// endings is what is set for the old roles of a person; nothing is none.
func (s *Store) endings(ctx context.Context, q queryer, person int64) (x Scheduled, err error) {
	var at int64
	var sealed []byte
	err = q.QueryRowContext(ctx, `select at, sealed from identity_schedule where person=? and kind=?`, person, RolesEndAt).Scan(&at, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return Scheduled{Kind: RolesEndAt}, nil
	}
	if err != nil {
		return x, outcome.Wrap("identity: schedule", outcome.NoStore, "what is scheduled cannot be read", err)
	}
	return x, openJSON(s.box, scheduleAAD(person, RolesEndAt, at), sealed, &x)
}

// putEndings stores them, soonest first, or nothing.
func (s *Store) putEndings(tx *sql.Tx, person int64, k seal.KeyID, x Scheduled) error {
	if len(x.Ending) == 0 {
		_, err := tx.Exec(`delete from identity_schedule where person=? and kind=?`, person, RolesEndAt)
		return err
	}
	slices.SortStableFunc(x.Ending, func(a, b Ending) int { return a.At.Compare(b.At) })
	x.At = x.Ending[0].At.UTC().Truncate(time.Microsecond)
	at := micros(x.At)
	sealed, err := sealJSON(s.box, k, scheduleAAD(person, RolesEndAt, at), x)
	if err != nil {
		return err
	}
	return putScheduled(tx, person, RolesEndAt, at, sealed)
}

// Unschedule takes back what was set. Errors: outcome.NotFound; outcome.Forbidden (oneself).
func (s *Store) Unschedule(ctx context.Context, by audit.Agent, person, kind string) error {
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return err
	}
	if by.Person == r.ID {
		return outcome.New(outcome.Forbidden, "nobody takes this back for himself: ask somebody else to").Because("self-grant")
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

// Happened forgets what was due; of the end of roles, those that came first.
func (s *Store) Happened(ctx context.Context, x Scheduled) error {
	if x.Kind == RolesEndAt {
		k, err := s.personKey(ctx, x.number)
		if err != nil {
			return err
		}
		return s.db.Write(ctx, func(tx *sql.Tx) error {
			rest, err := s.endings(context.WithoutCancel(ctx), tx, x.number)
			if err != nil || len(rest.Ending) == 0 {
				return err
			}
			rest.Ending = slices.DeleteFunc(rest.Ending, func(e Ending) bool { return !e.At.After(x.At) })
			rest.Missed = false
			return s.putEndings(tx, x.number, k, rest)
		})
	}
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
