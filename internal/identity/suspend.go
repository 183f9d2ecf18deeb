package identity

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Suspended is the state of somebody who may come back: everything that lets her in is dead as after a termination, only the factors and the
// roles are kept.
const Suspended State = "suspended"

const pendingResume = "resume"

var errSuspended = outcome.New(outcome.Forbidden, "this account is suspended: see your administrator").Because("suspended")

// Suspend shuts a person out until [Store.Resume]: sessions, tokens, enrolment links, grants of the glass and streams of every process die within a second,
// what waits because of her is withdrawn. A log without store does not stop it: the entry is owed.
//
// Errors: outcome.NotFound; outcome.Required (no reason); outcome.Forbidden (oneself); outcome.Conflict (not active, or the last
// administrator).
func (s *Store) Suspend(ctx context.Context, by audit.Agent, id, reason string) error {
	return s.suspend(ctx, by, id, reason, nil)
}

func (s *Store) suspend(ctx context.Context, by audit.Agent, id, reason string, also func(*sql.Tx) error) error {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return err
	}
	switch {
	case reason == "":
		return outcome.New(outcome.Required, "a suspension needs a reason")
	case by.Person == r.ID:
		return outcome.New(outcome.Forbidden, "nobody suspends himself: ask somebody else to")
	case !r.Active:
		return outcome.New(outcome.Conflict, "only an active person can be suspended")
	}
	kept := func(q queryer) error {
		if !slices.Contains(r.Roles, Administrator) {
			return nil
		}
		return s.keepAdministrator(context.WithoutCancel(ctx), q, r)
	}
	if err := kept(s.db.Reader()); err != nil {
		return err
	}
	k, err := s.personKey(context.WithoutCancel(ctx), r.number)
	if err != nil {
		return err
	}
	n, err := s.noteOrOwe(ctx, s.event(by, didSuspend, acted, "person "+r.ID+": "+reason))
	if err != nil {
		return err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		var failed error
		if err := kept(tx); err != nil { // again: two may go at once
			return err
		}
		if _, err := s.cut(tx, r, "suspended"); err != nil {
			return err
		}
		if err := s.alterPerson(tx, r.number, func(c *personColumns) bool { return c.state == string(Active) }, func(c *personColumns) {
			c.state, c.revision = string(Suspended), c.revision+1
			var p profile
			if failed = openJSON(s.box, aad("person", r.ID), c.sealed, &p); failed == nil {
				p.SuspendedBy, p.Out = by.Client, s.now().UTC()
				c.sealed, failed = sealJSON(s.box, k, aad("person", r.ID), p)
			}
		}); err != nil || failed != nil {
			return cmp.Or(failed, err)
		}
		if err := s.withdraw(tx, r, &Certificate{}); err != nil {
			return err
		}
		if err := s.closeLinks(tx, r.number); err != nil {
			return err
		}
		if _, err := tx.Exec(`update identity_authorization set ended_at=?1, ended_why='person-suspend' where person=?2 and ended_at=0 and ends_at>?1`, micros(s.now()), r.number); err != nil {
			return err
		}
		if also != nil {
			return also(tx)
		}
		return nil
	})
	s.refresh(r.number)
	return err
}

// Resume lets a suspended person in again, with the factors and roles that she had. Outside a sandbox clinical roles and clearances wait
// for a second person: then nothing is changed yet and the item is returned.
//
// Errors: outcome.NotFound; outcome.Forbidden (oneself); outcome.Conflict (not suspended); outcome.Duplicate (it waits already).
func (s *Store) Resume(ctx context.Context, by audit.Agent, id, reason string) (*Pending, error) {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return nil, err
	}
	switch {
	case by.Person == r.ID:
		return nil, outcome.New(outcome.Forbidden, "nobody lets himself in: ask somebody else to")
	case r.State != Suspended:
		return nil, outcome.New(outcome.Conflict, "this person is not suspended")
	}
	if s.o.Sandbox || !r.profile().needsSecond(profile{}) {
		return nil, s.letBack(ctx, by, r, didResume, "person "+r.ID+": "+reason, func(*sql.Tx) error { return nil })
	}
	waiting, err := s.Pending(ctx)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(waiting, func(p Pending) bool { return p.Kind == pendingResume && p.Person == r.ID }) {
		return nil, outcome.New(outcome.Duplicate, "this waits for a second person already")
	}
	p := s.newPending(pendingResume, r, by, reason, nil)
	n, err := s.note(ctx, s.event(by, didAsk, acted, "item "+p.ID+": let person "+r.ID+" in again: "+reason))
	if err != nil {
		return nil, err
	}
	return p, s.storePending(ctx, n, p, r)
}

// resumes is how an entry that approves says what it lets happen; a verification reads it.
const resumes = ": resume person "

func (s *Store) letBack(ctx context.Context, by audit.Agent, r *row, d did, text string, also func(*sql.Tx) error) error {
	n, err := s.note(ctx, s.event(by, d, acted, text))
	if err != nil {
		return err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.alterPerson(tx, r.number, func(c *personColumns) bool { return c.state == string(Suspended) }, func(c *personColumns) {
			c.state, c.revision = string(Active), c.revision+1
		}); err != nil {
			return err
		}
		return also(tx)
	})
	s.refresh(r.number)
	return err
}
