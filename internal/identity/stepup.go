package identity

import (
	"context"
	"database/sql"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// errPassword asks for what shows more than a password does.
var errPassword = outcome.New(outcome.Required, "use your passkey or enter a code of your authenticator app: a password alone confirms nothing")

// StepUp takes a code or a passkey of the session's person, with the password or without, and makes its AuthTime now, at both levels:
// within a session that both factors opened, the one that had to be at hand is enough. A password alone is not: it unlocks, and whoever
// learned it would turn it into factors of his own. What needs a step-up asks for an age, so it wears off by itself.
// Errors: outcome.Required for a password alone; as [Store.SignIn]; [ErrSignedOut].
func (s *Store) StepUp(ctx context.Context, ses *Session, a Attempt) (*Session, error) {
	if a.Code == "" && len(a.Passkey) == 0 && a.Vouched == nil {
		return nil, errPassword
	}
	r, err := s.find(ctx, s.db.Reader(), ses.Person.ID)
	if err != nil {
		return nil, err
	}
	a.session = ses
	_, p, err := s.prove(ctx, r, a, anyFactor)
	if err != nil {
		return nil, err
	}
	if p.vouched != nil && !p.both() {
		return nil, errWeakStepUp
	}
	n, err := s.noteOrOwe(ctx, s.event(ses.Agent(), didStepUp, acted, p.by()))
	if err != nil {
		return nil, err
	}
	now, proved := micros(s.now()), micros(p.at(s.now()))
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.spend(tx, r.number, p); err != nil {
			return err
		}
		if err := s.keepVouched(tx, ses.ID, r.number, p.vouched); err != nil {
			return err
		}
		return s.alterSession(tx, openSession+` and s.locked_at=0`, []any{ses.ID}, func(c *sessionColumns) {
			c.auth1, c.auth2, c.idle = max(c.auth1, proved), max(c.auth2, proved), now
		})
	})
	if err != nil {
		return nil, err
	}
	s.refresh(r.number)
	e, err := s.reload(ctx, ses.hash)
	return e.session, err
}

// SwitchCapacity ends the session and opens one in the other capacity under a new token: two principals never share one. Proofs and
// the hard end carry over. Errors: outcome.Forbidden when the person has no such capacity; [ErrSignedOut].
func (s *Store) SwitchCapacity(ctx context.Context, ses *Session, capacity string) (Opened, error) {
	r, err := s.find(ctx, s.db.Reader(), ses.Person.ID)
	if err != nil {
		return Opened{}, err
	}
	if capacity == "" || capacity == ses.Capacity {
		return Opened{}, outcome.New(outcome.Value, "name the other capacity: staff or patient")
	}
	if _, err := r.capacity(capacity); err != nil {
		return Opened{}, err
	}
	id := newID()
	n, err := s.note(ctx, s.event(ses.Agent(), didCapacity, acted, ses.Capacity+" -> "+capacity+", session "+id))
	if err != nil {
		return Opened{}, err
	}
	token, hash := newToken()
	next := *ses
	next.ID, next.Person, next.Capacity, next.hash, next.Seen = id, r.Person, capacity, hash, s.now().UTC()
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.alterSession(tx, openSession+` and s.locked_at=0`, []any{ses.ID}, func(c *sessionColumns) { c.ended, c.endedWhy = micros(s.now()), "capacity" }); err != nil {
			return err
		}
		return s.insertSession(tx, &next)
	})
	s.drop(ses.hash)
	if err != nil {
		return Opened{}, err
	}
	e, err := s.reload(ctx, hash)
	return Opened{Token: token, Session: e.session}, err
}

// SignOut ends a session. Its drafts stay for the next one. Signing out twice is fine.
func (s *Store) SignOut(ctx context.Context, ses *Session) error {
	return s.end(ctx, ses, ses.Agent(), didLogout, "signed out")
}

// EndSession ends one session of a person by its public id: "sessions of mine", or a lost device.
// Errors: outcome.NotFound when there is no such live session.
func (s *Store) EndSession(ctx context.Context, by audit.Agent, person, id string) error {
	list, err := s.sessionsOf(ctx, s.db.Reader(), person)
	if err != nil {
		return err
	}
	for _, st := range list {
		if st.session.ID == id {
			return s.end(ctx, st.session, by, didKill, "session "+id+" of person "+person)
		}
	}
	return outcome.New(outcome.NotFound, "there is no such session, or it ended already")
}

func (s *Store) end(ctx context.Context, ses *Session, by audit.Agent, d did, text string) error {
	n, err := s.noteOrOwe(ctx, s.event(by, d, acted, text))
	if err != nil {
		return err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		_, err := s.alterSessions(tx, openSession, []any{ses.ID}, func(c *sessionColumns) { c.ended, c.endedWhy = micros(s.now()), d.interaction })
		return err
	})
	s.drop(ses.hash)
	return err
}
