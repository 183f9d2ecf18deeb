package audit

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"chartwarden/internal/outcome"
)

// follower is somebody who sees every entry once, in order, and whose cursor is stored in the same transaction as what it derives.
type follower struct {
	name   string
	most   int
	see    func(ctx context.Context, tx *sql.Tx, batch []Read) error
	cursor int64 // position of the next entry; valid once begun
	begun  bool
}

var errMoved = outcome.New(outcome.Conflict, "two followers of one name run at once")

// step shows the follower what it has not seen, at most one batch; n is how many entries that were. Steps of one follower do not overlap.
func (l *Log) step(ctx context.Context, f *follower) (n int, err error) {
	if !f.begun {
		if f.cursor, err = cursorOf(l.d.Reader(), f.name); err != nil {
			return 0, unreadable(err)
		}
		f.begun = true
	}
	batch, err := l.After(ctx, Index(f.cursor-1), f.most)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	next := int64(batch[len(batch)-1].Index) + 1
	err = l.d.Write(ctx, func(tx *sql.Tx) error {
		if err := moveCursor(tx, f.name, f.cursor, next); err != nil {
			return err
		}
		return f.see(ctx, tx, batch)
	})
	if err != nil {
		f.begun = false
		return 0, err
	}
	f.cursor = next
	return len(batch), nil
}

// asker is what a pool and a transaction have in common.
type asker interface {
	QueryRow(query string, args ...any) *sql.Row
}

func cursorOf(q asker, name string) (at int64, err error) {
	if err = q.QueryRow(`select cursor from follower where name = ?`, name).Scan(&at); errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return at, err
}

func moveCursor(tx *sql.Tx, name string, from, to int64) error {
	at, err := cursorOf(tx, name)
	if err != nil {
		return err
	}
	if at != from {
		return errMoved
	}
	_, err = tx.Exec(`insert into follower(name, cursor) values(?, ?) on conflict do update set cursor = excluded.cursor`, name, to)
	return err
}

// Follow calls fn with every entry from the first on, in order, in batches, and goes on as the log grows until ctx ends or fn fails.
// What fn writes through tx (to tables in the audit database) and the follower's place are one transaction: after a crash it continues
// where its tables are. fn must not keep tx and should be quick: the log's own writes wait for it. One Follow runs under a name.
//
// A follower with tables in another database keeps its own cursor there, and uses [Log.After] and [Log.Wait].
func (l *Log) Follow(ctx context.Context, name string, fn func(ctx context.Context, tx *sql.Tx, batch []Read) error) error {
	if l.d == nil {
		return errNoLog
	}
	f := &follower{name: name, most: 256, see: fn}
	for {
		n, err := l.step(ctx, f)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if err := l.Wait(ctx, Index(f.cursor-1)); err != nil {
			return err
		}
	}
}

// After reads the entries after an index in order, at most limit; -1 begins with the first.
func (l *Log) After(ctx context.Context, after Index, limit int) ([]Read, error) {
	if l.d == nil {
		return nil, errNoLog
	}
	raw, err := l.span(ctx, after+1, math.MaxInt64, limit, true)
	if err != nil {
		return nil, err
	}
	out := make([]Read, 0, len(raw))
	for _, r := range raw {
		out = append(out, l.open(r, l.originOf(r.at)))
	}
	return out, nil
}

func (l *Log) originOf(i Index) string {
	origin, _ := l.origin.Load(i.log())
	s, _ := origin.(string)
	return s
}

// Wait returns when there is an entry after that index, or ctx ends.
func (l *Log) Wait(ctx context.Context, after Index) error {
	for {
		grown := l.grown.wait()
		if h := l.head.Load(); h != nil && h.end() > after+1 {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
