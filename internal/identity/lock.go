package identity

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"chartwarden/internal/outcome"
)

// Lockscreen is what a locked page may show: whose session it is, nothing else.
type Lockscreen struct {
	Person string // id
	Name   string
	Since  time.Time
	Shared bool    // people take turns at this workstation
	Others []Other // who else has a session on it, at a shared one; the last to be there first, eight at most
}

// Other is somebody who has a session on a shared workstation: a name, and nothing of what she does there.
type Other struct{ Person, Name string }

// mostOthers is how many people a shared workstation names.
const mostOthers = 8

// Lock hides a session at page until [Store.Unlock]; an empty page is the one that [Store.Touch] was told last. It counts at once, whatever the database or the log say.
func (s *Store) Lock(ctx context.Context, ses *Session, page string) error {
	page, _ = s.mark(ses.hash, page)
	return s.storeLock(ctx, ses, page, "asked for")
}

// lockIdle locks a session that nobody used for long; the first who sees it stores and notes it.
func (s *Store) lockIdle(ctx context.Context, ses *Session) {
	page, first := s.mark(ses.hash, "")
	if !first {
		return
	}
	if err := s.storeLock(context.WithoutCancel(ctx), ses, page, "idle"); err != nil {
		s.o.Logger.Error("identity: an idle lock is in memory only", "session", ses.ID, "error", err)
	}
}

// mark locks in memory and gives the page that memory knows.
func (s *Store) mark(hash tokenHash, page string) (known string, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.cache[hash]
	if e == nil {
		return page, true
	}
	if page != "" {
		e.page = page
	}
	first, e.locked = !e.locked, true
	return e.page, first
}

func (s *Store) storeLock(ctx context.Context, ses *Session, page, why string) error {
	n, err := s.noteOrOwe(ctx, s.event(ses.Agent(), didLock, acted, why))
	if err != nil {
		return err
	}
	sealed, err := s.sealPage(ctx, ses.person, ses.ID, page)
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		n, err := s.alterSessions(tx, openSession+` and s.locked_at=0`, []any{ses.ID}, func(c *sessionColumns) { c.locked = micros(s.now()) })
		if err != nil || n == 0 || sealed == nil {
			return err
		}
		_, err = tx.Exec(`update identity_session set page=? where id=?`, sealed, ses.ID)
		return err
	})
}

// Locked reads what the lock page of a token shows. Errors: [ErrSignedOut] when there is nothing to unlock.
func (s *Store) Locked(ctx context.Context, token string) (Lockscreen, error) {
	st, err := s.stored(ctx, token)
	if err != nil {
		return Lockscreen{}, err
	}
	out := Lockscreen{Person: st.who.ID, Name: st.who.Name, Since: st.session.Seen, Shared: st.session.Shared}
	if out.Shared && st.session.Device != "" {
		out.Others, err = s.others(ctx, st)
	}
	return out, err
}

// others finds who else has a session on the workstation of a screen.
func (s *Store) others(ctx context.Context, screen *stored) (out []Other, err error) {
	rows, err := s.db.Reader().QueryContext(ctx, selectSession+` where s.device=? and s.ended_at=0 and s.person<>? order by s.idle_at desc, s.number limit 64`, screen.session.Device, screen.who.number)
	if err != nil {
		return nil, outcome.Wrap("identity: lock", outcome.NoStore, "the sessions cannot be read", err)
	}
	defer rows.Close()
	for rows.Next() && len(out) < mostOthers {
		st, err := s.scanSession(rows)
		if errors.Is(err, errAltered) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !st.dead && !slices.ContainsFunc(out, func(o Other) bool { return o.Person == st.who.ID }) {
			out = append(out, Other{st.who.ID, st.who.Name})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, outcome.Wrap("identity: lock", outcome.NoStore, "the sessions cannot be read", err)
	}
	return out, nil
}

// stored reads the session of a token past the cache, locked or not.
func (s *Store) stored(ctx context.Context, token string) (*stored, error) {
	hash, ok := parseToken(token)
	if !ok {
		return nil, ErrSignedOut
	}
	st, err := s.scanSession(s.session.QueryRowContext(ctx, hash[:]))
	if outcome.Is(err, outcome.NotFound) || err == nil && st.dead {
		return nil, ErrSignedOut
	}
	return st, err
}

// Unlock brings a session back for one factor of its own person (Attempt.Person may then be empty), with the page it was locked at.
//
// Somebody else who proves himself at the same screen gets an own place instead, and the first session stays locked: an own session
// locked on the same device comes back for one factor too, under a new token; without one it is a sign-in and takes both. A device
// counts only if the server knows it.
//
// Errors: [ErrSignedOut] when the session ended meanwhile; else as [Store.SignIn].
func (s *Store) Unlock(ctx context.Context, token string, a Attempt) (Opened, error) {
	st, err := s.stored(ctx, token)
	if err != nil {
		return Opened{}, err
	}
	if len(a.Passkey) > 0 || a.Vouched != nil { // says whose it is
		who, p, err := s.prove(ctx, nil, a, anyFactor)
		if err != nil {
			return Opened{}, err
		}
		a.Person, a.subject, a.proven = who.ID, who, &p
	}
	if a.Person == "" {
		return s.reopen(ctx, st, st, token, a)
	}
	r, err := s.locate(ctx, a.Person)
	switch {
	case outcome.Is(err, outcome.NotFound):
		_, _, err = s.prove(ctx, nil, a, bothFactors) // takes as long as for a name that exists
		return Opened{}, err
	case err != nil:
		return Opened{}, err
	case r.number == st.who.number:
		return s.reopen(ctx, st, st, token, a)
	}
	own, err := s.ownPlace(ctx, st, r, a)
	if err != nil {
		return Opened{}, err
	}
	if own != nil {
		fresh, _ := newToken() // the old one may still be in a cookie somewhere
		return s.reopen(ctx, st, own, fresh, a)
	}
	opened, err := s.SignIn(ctx, a)
	if err == nil {
		err = s.giveWay(ctx, st)
	}
	return opened, err
}

// ownPlace finds the newest session that r left on the device of the screen.
func (s *Store) ownPlace(ctx context.Context, screen *stored, r *row, a Attempt) (*stored, error) {
	if a.From.Device == "" || a.From.Device != screen.session.Device {
		return nil, nil
	}
	list, err := s.sessionsOf(ctx, s.db.Reader(), r.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(st *stored) bool {
		return st.session.Device == a.From.Device && (a.Capacity == "" || a.Capacity == st.session.Capacity)
	})
	if i < 0 {
		return nil, nil
	}
	return list[i], nil
}

// giveWay locks the session that was on a screen before somebody else came.
func (s *Store) giveWay(ctx context.Context, screen *stored) error {
	if page, first := s.mark(screen.session.hash, ""); first && !screen.locked {
		return s.storeLock(ctx, screen.session, page, "another person at the same screen")
	}
	return nil
}

// reopen unlocks st under token for a factor of its person; screen is the session that was there.
func (s *Store) reopen(ctx context.Context, screen, st *stored, token string, a Attempt) (Opened, error) {
	_, p, err := s.prove(ctx, st.who, a, anyFactor)
	if err != nil {
		return Opened{}, err
	}
	if screen != st {
		if err := s.giveWay(ctx, screen); err != nil {
			return Opened{}, err
		}
	}
	key, err := s.shows(s.db.Reader(), a.From, AtBrowser(a.From.Device))
	if err != nil {
		s.turnedAway(ctx, st.who, a.From, err)
		return Opened{}, err
	}
	n, err := s.noteOrOwe(ctx, s.event(st.session.At(a.From).Agent(), didUnlock, acted, p.by()))
	if err != nil {
		return Opened{}, err
	}
	hash, _ := parseToken(token)
	now := micros(s.now())
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.spend(tx, st.who.number, p); err != nil {
			return err
		}
		if err := s.keepVouched(tx, st.session.ID, st.who.number, p.vouched); err != nil {
			return err
		}
		if err := s.seen(tx, key, a.From, now); err != nil {
			return err
		}
		return s.alterSession(tx, `s.number=? and s.ended_at=0 and s.epoch=(select epoch from identity_person where number=?)`, []any{st.number, st.who.number}, func(c *sessionColumns) {
			proved := micros(p.at(s.now())) // a provider may have asked a while ago
			c.token, c.locked, c.idle, c.auth1 = hash[:], 0, now, proved
			if p.both() {
				c.auth2 = proved
			}
			c.zone = cmp.Or(a.From.Zone, c.zone)
			c.provenBy(key, a.From, now)
		})
	})
	if err != nil {
		return Opened{}, err
	}
	s.drop(st.session.hash)
	e, err := s.reload(ctx, hash)
	if e.session != nil {
		e.session = e.session.At(a.From)
	}
	return Opened{Token: token, Session: e.session, Page: s.openPage(st.session.ID, st.page)}, err
}
