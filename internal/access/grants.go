package access

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"chartwarden/internal/identity"
)

// grants keeps, for a second at most, which grants people hold, so that not every decision asks the database for what hardly anybody
// has (docs/adr/0070). While this node writes a grant, and for what was read before it had, the database is asked.
type grants struct {
	read *sql.Stmt // of heldGrants

	mu      sync.Mutex
	of      map[string]holding
	writing int
	written uint64
}

// holding is what a person held: rows as they were read, whose tags are checked where one would give something.
type holding struct {
	grants []taggedGrant
	from   int64 // microseconds: what ended before is not among them
	at     time.Time
}

type taggedGrant struct {
	Grant
	mac []byte
}

const (
	heldGrants = `SELECT ` + grantColumns + ` FROM access_grant WHERE person = ? AND until > ? AND given_back IS NULL ORDER BY until DESC`
	// grantsFresh is how long they are believed that another node may have changed.
	grantsFresh = time.Second
	// mostHolders bounds memory; most people hold nothing.
	mostHolders = 10_000
)

// change begins a write of grants; call what it returns when the write has ended, whichever way.
func (s *grants) change() (end func()) {
	step := func(by int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writing += by
		s.written++
		clear(s.of)
	}
	step(1)
	return func() { step(-1) }
}

// held gives the grants that a person may hold at that time; the caller looks at time and epoch, and believes those whose tag holds.
func (g *Gate) held(ctx context.Context, person identity.Person, at time.Time) ([]taggedGrant, error) {
	s := g.grants
	s.mu.Lock()
	found, ok := s.of[person.ID]
	written, quiet := s.written, s.writing == 0
	s.mu.Unlock()
	if ok && quiet && at.UnixMicro() >= found.from && time.Since(found.at) < grantsFresh {
		return found.grants, nil
	}
	found = holding{from: at.Add(-time.Minute).UnixMicro(), at: time.Now()}
	rows, err := s.read.QueryContext(ctx, person.ID, found.from)
	if err != nil {
		return nil, unreadableGrants(err)
	}
	defer rows.Close()
	for rows.Next() {
		o, mac, err := scanGrant(rows)
		if err != nil {
			return nil, unreadableGrants(err)
		}
		found.grants = append(found.grants, taggedGrant{o, mac})
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableGrants(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if quiet && s.written == written {
		if s.of == nil || len(s.of) >= mostHolders {
			s.of = map[string]holding{}
		}
		s.of[person.ID] = found
	}
	return found.grants, nil
}
