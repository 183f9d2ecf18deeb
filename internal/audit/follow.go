package audit

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Cursor says how far a follower has come: the position of the next entry in each log, by the log's number. A log that is not in it was
// not seen at all. A nil Cursor is that of a new follower; Text and ParseCursor store one.
type Cursor map[int64]Index

// next is the position to go on from in a log.
func (c Cursor) next(number int64) Index { return max(c[number], indexOf(number, 0)) }

// Past is the cursor after what [Log.After] gave has been seen.
func (c Cursor) Past(batch []Read) Cursor {
	out := maps.Clone(c)
	if out == nil {
		out = Cursor{}
	}
	for _, r := range batch {
		out[r.Index.log()] = max(out[r.Index.log()], r.Index+1)
	}
	return out
}

// Text is the cursor in a form that is the same for equal cursors.
func (c Cursor) Text() string {
	var out []string
	for _, number := range slices.Sorted(maps.Keys(c)) {
		out = append(out, fmt.Sprintf("%d:%d", number, c[number].Number()))
	}
	return strings.Join(out, " ")
}

// ParseCursor reads what Text wrote. Errors: outcome.Structure.
func ParseCursor(text string) (Cursor, error) {
	c := Cursor{}
	for part := range strings.FieldsSeq(text) {
		a, b, _ := strings.Cut(part, ":")
		log, err := strconv.ParseInt(a, 10, 23)
		n, bad := strconv.ParseInt(b, 10, numberBits)
		if err != nil || bad != nil || log < 0 || n < 0 {
			return nil, outcome.New(outcome.Structure, "the place of a follower of the audit log is malformed")
		}
		c[log] = indexOf(log, n)
	}
	return c, nil
}

var errMoved = outcome.New(outcome.Conflict, "two followers of one name run at once")

// asker is what a pool and a transaction have in common.
type asker interface {
	QueryRow(query string, args ...any) *sql.Row
}

// cursorsOf reads the place of a follower.
func cursorsOf(ctx context.Context, q querier, name string) (Cursor, error) {
	rows, err := q.QueryContext(ctx, `select number, at from cursor where name = ?`, name)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	c := Cursor{}
	for rows.Next() {
		var number int64
		var at Index
		if err := rows.Scan(&number, &at); err != nil {
			return nil, unreadable(err)
		}
		c[number] = at
	}
	return c, unreadable(rows.Err())
}

// moveCursor moves the place of a follower in one log, first in its transaction: of two that move it one waits, and finds it moved.
func moveCursor(tx *sql.Tx, name string, from, to Index) error {
	if _, err := tx.Exec(`insert into cursor(name, number, at) values(?, ?, ?) on conflict(name, number) do nothing`, name, from.log(), indexOf(from.log(), 0)); err != nil {
		return err
	}
	moved, err := tx.Exec(`update cursor set at = ? where name = ? and number = ? and at = ?`, to, name, from.log(), from)
	if err != nil {
		return err
	}
	if n, err := moved.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, error(errMoved))
	}
	return nil
}

// Follow calls fn with every entry of every log of the store, in order inside each, in batches of one log, and goes on as they grow until
// ctx ends or fn fails. What fn writes through tx (to tables in the audit database) and the follower's place are one transaction: after a
// crash it continues where its tables are. fn must not keep tx and should be quick: the log's own writes wait for it. One Follow runs
// under a name, on whichever node; a second one gets outcome.Conflict.
//
// A follower with tables in another database keeps its own [Cursor] there, and uses [Log.After] and [Log.Wait].
func (l *Log) Follow(ctx context.Context, name string, fn func(ctx context.Context, tx *sql.Tx, batch []Read) error) error {
	if l.d == nil {
		return errNoLog
	}
	place, err := cursorsOf(ctx, l.d.Reader(), name)
	if err != nil {
		return err
	}
	for {
		batch, err := l.After(ctx, place, 256)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			if err := l.Wait(ctx, place); err != nil {
				return err
			}
			continue
		}
		next := place.Past(batch)
		number := batch[0].Index.log()
		if err = l.d.Write(ctx, func(tx *sql.Tx) error {
			if err := moveCursor(tx, name, place.next(number), next[number]); err != nil {
				return err
			}
			return fn(ctx, tx, batch)
		}); err != nil {
			return err
		}
		place = next
	}
}

// After reads the entries of one log that a follower has not seen, in order, at most limit: of the oldest log that has any.
func (l *Log) After(ctx context.Context, c Cursor, limit int) ([]Read, error) {
	if l.d == nil {
		return nil, errNoLog
	}
	rows, err := l.survey(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if c.next(r.number) >= r.end {
			continue
		}
		raw, err := l.span(ctx, c.next(r.number), r.end, limit, true)
		if err != nil {
			return nil, err
		}
		if len(raw) == 0 {
			continue // the rest of a log that was cut
		}
		out := make([]Read, 0, len(raw))
		for _, one := range raw {
			out = append(out, l.open(one, r.origin))
		}
		return out, nil
	}
	return nil, nil
}

// elsewhere is how often it is looked whether another node has appended.
const elsewhere = time.Second

// Wait returns when there is an entry that a follower has not seen, or ctx ends. Those of other nodes are noticed within a second.
func (l *Log) Wait(ctx context.Context, c Cursor) error {
	tick := time.NewTicker(elsewhere)
	defer tick.Stop()
	for {
		grown := l.grown.wait()
		if h := l.head.Load(); h != nil && h.end() > c.next(h.number) {
			return nil
		}
		select {
		case <-grown:
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		if l.d == nil {
			continue
		}
		rows, err := l.survey(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.live(rows) && c.next(r.number) < r.end { // of one that was cut the rest may be gone
				return nil
			}
		}
	}
}
