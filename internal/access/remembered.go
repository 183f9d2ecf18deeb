package access

import (
	"sync"
	"time"
)

// remembered keeps, for a second at most, what people hold that hardly anybody holds, so that not every decision asks the database for it
// (docs/adr/0070). While this node writes such a row, and for what was read before it had, the database is asked.
type remembered[T any] struct {
	mu      sync.Mutex
	of      map[string]holding[T]
	writing int
	written uint64
}

// holding is what a person held.
type holding[T any] struct {
	rows []T
	from int64 // microseconds: what ended before is not among them
	at   time.Time
}

const (
	// heldFresh is how long rows are believed that another node may have changed.
	heldFresh = time.Second
	// mostHolders bounds memory; most people hold nothing.
	mostHolders = 10_000
)

// change begins a write of rows; call what it returns when the write has ended, whichever way.
func (s *remembered[T]) change() (end func()) {
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

// held gives what a person may hold at that time, as read gives it of what did not end before a moment in microseconds; the caller looks
// at the time.
func (s *remembered[T]) held(person string, at time.Time, read func(from int64) ([]T, error)) ([]T, error) {
	s.mu.Lock()
	found, ok := s.of[person]
	written, quiet := s.written, s.writing == 0
	s.mu.Unlock()
	if ok && quiet && at.UnixMicro() >= found.from && time.Since(found.at) < heldFresh {
		return found.rows, nil
	}
	found = holding[T]{from: at.Add(-time.Minute).UnixMicro(), at: time.Now()}
	var err error
	if found.rows, err = read(found.from); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if quiet && s.written == written {
		if s.of == nil || len(s.of) >= mostHolders {
			s.of = map[string]holding[T]{}
		}
		s.of[person] = found
	}
	return found.rows, nil
}
