package identity

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/outcome"
)

// live is what memory knows of a session. Guarded by Store.mu.
type live struct {
	session *Session
	number  int64
	checked time.Time // when the database was last asked
	active  time.Time // last deliberate act
	page    string
	dirty   bool // active or page is newer than the row
	locked  bool
	writing bool // the last that the person did was to write
}

// limit is how long the session stays open without a deliberate act.
func (e live) limit() time.Duration {
	if e.writing {
		return e.session.Writing
	}
	return e.session.Idle
}

// recall gives what memory knows of a session, if the database was asked within the last second.
func (s *Store) recall(hash tokenHash, now time.Time) (live, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.cache[hash]
	if e == nil || now.Before(e.checked) || !now.Before(e.checked.Add(freshness)) {
		return live{}, false
	}
	return *e, true
}

// reload reads a session and puts it into memory.
func (s *Store) reload(ctx context.Context, hash tokenHash) (live, error) {
	gen, now := s.generation(), s.now()
	st, err := s.scanSession(s.session.QueryRowContext(ctx, hash[:]))
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return live{}, err
	}
	if err != nil || st.dead {
		s.mu.Lock()
		delete(s.cache, hash)
		s.mu.Unlock()
		return live{}, ErrSignedOut
	}
	return s.remember(st, gen, now), nil
}

func (s *Store) generation() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gen
}

// remember puts what was read at now into memory. If something was killed or changed here since gen, the read may be from before: it
// serves the call that was under way and nobody else.
func (s *Store) remember(st *stored, gen uint64, now time.Time) live {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.cache[st.session.hash]
	if e == nil {
		e = &live{number: st.number}
		if s.gen == gen {
			s.cache[st.session.hash] = e
		}
	}
	if s.gen != gen {
		once := *e
		e = &once
	}
	e.session, e.checked, e.locked = st.session, now, e.locked || st.locked
	if st.session.Seen.After(e.active) {
		e.active = st.session.Seen
	}
	return *e
}

// refresh makes memory forget what it believes about a person's sessions. Call it after each change of one.
func (s *Store) refresh(person int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gen++
	for _, e := range s.cache {
		if e.session.person == person {
			e.checked = time.Time{}
		}
	}
}

// drop takes a session out of memory, so that the next look is at the database.
func (s *Store) drop(hash tokenHash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gen++
	delete(s.cache, hash)
}

// Touch renews the idle clock: call it for what the person did, never for polling. page is where that was; empty keeps the last.
func (s *Store) Touch(ses *Session, page string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.cache[ses.hash]
	if e == nil || e.locked {
		return
	}
	e.active, e.dirty = s.now(), true
	if page != "" {
		e.page, e.writing = page, false
	}
}

// writes notes that something is being written: the screen stays open longer then.
func (s *Store) writes(ses *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.cache[ses.hash]; e != nil {
		e.writing = true
	}
}

// flush stores idle times and pages in one transaction and forgets sessions that nobody asked about for an hour.
func (s *Store) flush(ctx context.Context) error {
	type due struct {
		number, person int64
		id, page       string
		active         time.Time
		sealed         []byte
	}
	var all []due
	now := s.now()
	s.mu.Lock()
	for hash, e := range s.cache {
		if e.dirty {
			all = append(all, due{number: e.number, person: e.session.person, id: e.session.ID, page: e.page, active: e.active})
			e.dirty = false
		} else if now.Sub(e.checked) > time.Hour {
			delete(s.cache, hash)
		}
	}
	s.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	for i := range all {
		var err error
		if all[i].sealed, err = s.sealPage(ctx, all[i].person, all[i].id, all[i].page); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, d := range all {
			if _, err := s.alterSessions(tx, `s.number=?`, []any{d.number}, func(c *sessionColumns) { c.idle = max(c.idle, micros(d.active)) }); err != nil {
				return err
			}
			if d.sealed == nil {
				continue
			}
			if _, err := tx.Exec(`update identity_session set page=? where number=?`, d.sealed, d.number); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) sealPage(ctx context.Context, person int64, id, page string) ([]byte, error) {
	if page == "" {
		return nil, nil
	}
	k, err := s.personKey(ctx, person)
	if err != nil {
		return nil, err
	}
	return s.box.Seal(nil, k, aad("page", id), []byte(page))
}

func (s *Store) openPage(id string, sealed []byte) string {
	plain, err := s.box.Open(nil, aad("page", id), sealed)
	if sealed == nil || err != nil {
		return "" // the start page will do
	}
	return string(plain)
}
