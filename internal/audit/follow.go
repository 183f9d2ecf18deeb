package audit

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"chartwarden/internal/outcome"
)

// follower is somebody who sees every entry once, in order, and whose cursor is stored in the same transaction as what it derives.
type follower struct {
	name   string
	most   int
	see    func(ctx context.Context, tx *sql.Tx, batch []Read) error
	cursor atomic.Int64 // position of the next entry; valid after the first step
	begun  bool
}

var errMoved = outcome.New(outcome.Conflict, "two followers of one name run at once")

// step shows the follower what it has not seen, at most one batch; n is how many entries that were. Steps of one follower do not overlap.
func (l *Log) step(ctx context.Context, f *follower) (n int, err error) {
	if !f.begun {
		var at int64
		err := l.d.Reader().QueryRowContext(ctx, `select cursor from follower where name = ?`, f.name).Scan(&at)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, unreadable(err)
		}
		f.cursor.Store(at)
		f.begun = true
	}
	from := f.cursor.Load()
	batch, err := l.After(ctx, Index(from-1), f.most)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	next := int64(batch[len(batch)-1].Index) + 1
	err = l.d.Write(ctx, func(tx *sql.Tx) error {
		var at int64
		if err := tx.QueryRow(`select cursor from follower where name = ?`, f.name).Scan(&at); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if at != from {
			return errMoved
		}
		if err := f.see(ctx, tx, batch); err != nil {
			return err
		}
		_, err := tx.Exec(`insert into follower(name, cursor) values(?, ?) on conflict do update set cursor = excluded.cursor`, f.name, next)
		return err
	})
	if err != nil {
		f.begun = false
		return 0, err
	}
	f.cursor.Store(next)
	return len(batch), nil
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
		if err := l.Wait(ctx, Index(f.cursor.Load()-1)); err != nil {
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

// followLookups keeps the look-up tables near the head. Under load it lags on purpose: a reader catches up by itself.
func (l *Log) followLookups(ctx context.Context) {
	for {
		if err := l.Wait(ctx, Index(l.lookups.cursor.Load()-1)); err != nil {
			return
		}
		if err := l.catchUp(ctx); err != nil && ctx.Err() == nil {
			l.o.Logger.Error("the look-up tables of the audit log cannot follow", "err", err)
		}
		select { // one batch collects what comes meanwhile
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// catchUp brings the look-up tables to the head as it is when called.
func (l *Log) catchUp(ctx context.Context) error {
	if l.d == nil {
		return errNoLog
	}
	target := l.head.Load().end()
	l.catching.Lock()
	defer l.catching.Unlock()
	for Index(l.lookups.cursor.Load()) < target || !l.lookups.begun {
		if n, err := l.step(ctx, l.lookups); err != nil {
			return err
		} else if n == 0 {
			return nil
		}
	}
	return nil
}
