package audit

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lookups is the built-in follower: entries by patient and by agent, and how long their chains are. Under load it lags on purpose,
// since random pages of a B-tree cost more than the log itself; a reader brings it to the head first, in every log.
type lookups struct {
	cursor atomic.Int64  // position of the next entry in this node's own log
	place  Cursor        // in all logs; nil: it has to be read
	since  map[owner]int // entries of an owner in the own log since its chain's length was last written down
}

const (
	lookupName  = "lookup"
	lookupBatch = 512
	lookupLag   = recentMost / 2 // entries that it may lag behind while the log is busy
	chainEvery  = 256            // entries of an owner between two notes of its chain's length: counting so many is quick
)

// lookupRow is one entry in one owner's list.
type lookupRow struct {
	owner owner
	at    Index
	part  int
}

// followLookups keeps the look-up tables near the head.
func (l *Log) followLookups(ctx context.Context) {
	for {
		if err := l.longer(ctx, Index(l.lookups.cursor.Load())); err != nil {
			return
		}
		batches := all
		if lag := l.head.Load().end().Number() - Index(l.lookups.cursor.Load()).Number(); lag > 2*lookupBatch && lag < lookupLag {
			batches = 1 // the log is busy: appending goes first
		}
		if err := l.catchOwn(ctx, batches); err != nil && ctx.Err() == nil {
			l.o.Logger.Error("the look-up tables of the audit log cannot follow", "err", err)
		}
		select { // one batch collects what comes meanwhile
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// longer waits until this node's own log has an entry at a position.
func (l *Log) longer(ctx context.Context, at Index) error {
	for {
		grown := l.grown.wait()
		if l.head.Load().end() > at {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// catchUp brings the look-up tables to the heads of all logs as they are when called.
func (l *Log) catchUp(ctx context.Context) error {
	if l.d == nil {
		return errNoLog
	}
	rows, err := l.survey(ctx)
	if err != nil {
		return err
	}
	l.catching.Lock()
	defer l.catching.Unlock()
	for _, r := range rows {
		if err := l.advance(ctx, r.number, r.end, all); err != nil {
			return err
		}
	}
	return nil
}

const all = math.MaxInt

// beginLookups brings the look-up tables to this node's log as it is at the start.
func (l *Log) beginLookups(ctx context.Context) error {
	place, err := cursorsOf(ctx, l.d.Reader(), lookupName)
	if err != nil {
		return err
	}
	h := l.head.Load()
	if place.next(h.number) > h.end() { // they are of a log that is not this one
		l.catching.Lock()
		defer l.catching.Unlock()
		return l.rebuild(ctx, h.number)
	}
	return l.catchOwn(ctx, all)
}

// catchOwn brings the look-up tables nearer to the head of this node's own log, by at most so many batches.
func (l *Log) catchOwn(ctx context.Context, batches int) error {
	h := l.head.Load()
	l.catching.Lock()
	defer l.catching.Unlock()
	return l.advance(ctx, h.number, h.end(), batches)
}

// advance moves the look-up tables on in one log. Other nodes may do the same at the same time.
func (l *Log) advance(ctx context.Context, number int64, target Index, batches int) (err error) {
	f := &l.lookups
	own := number == l.writer.number
	for faster := 0; batches > 0; batches-- {
		if f.place == nil {
			if f.place, err = cursorsOf(ctx, l.d.Reader(), lookupName); err != nil {
				return err
			}
			f.since = map[owner]int{}
		}
		from := f.place.next(number)
		if own {
			f.cursor.Store(int64(from))
		}
		if from >= target {
			return nil
		}
		rows, next, err := l.unseen(ctx, from, target)
		if err != nil {
			return err
		}
		if next == from { // nothing is there: the rest of a log that was cut
			return nil
		}
		if err := l.d.Write(ctx, func(tx *sql.Tx) error { return f.add(l.hot, tx, rows, from, next, own) }); err != nil {
			f.place = nil
			if faster++; errors.Is(err, errMoved) && faster < 100 {
				continue
			}
			return err
		}
		f.place[number] = next
		if own {
			f.cursor.Store(int64(next))
		}
	}
	return nil
}

// unseen gives whose lists the entries of a log from a position on belong to: from memory when this process appended them, else from the
// log.
func (l *Log) unseen(ctx context.Context, from, to Index) ([]lookupRow, Index, error) {
	if rows, next := l.recent.take(from); next > from {
		return rows, next, nil
	}
	raw, err := l.span(ctx, from, to, lookupBatch, true)
	if err != nil || len(raw) == 0 {
		return nil, from, err
	}
	var rows []lookupRow
	for _, one := range raw {
		r := l.open(one, "")
		rows = append(rows, l.ownersOf(&r)...)
	}
	return rows, raw[len(raw)-1].at + 1, nil
}

// ownersOf lists whose chains an entry extends and where their part of the payload is. What was redacted names nobody any more:
// redaction therefore waits for this follower, and [Log.Rebuild] finds such owners by their tags.
func (s *store) ownersOf(r *Read) (out []lookupRow) {
	if acting := r.Event.Agent.acting(); acting != "" {
		out = append(out, lookupRow{owner{ownerAgent, s.agentID(acting)}, r.Index, 0})
	}
	for i, p := range r.Event.Patients {
		if p.Patient != 0 {
			out = append(out, lookupRow{owner{ownerPatient, int64(p.Patient)}, r.Index, r.parts[i]})
		}
	}
	return out
}

// add moves the cursor of a log and writes rows in sorted order; of the own log also how long chains are.
func (f *lookups) add(hot compiled, tx *sql.Tx, rows []lookupRow, from, next Index, own bool) error {
	if err := moveCursor(tx, lookupName, from, next); err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b lookupRow) int {
		return cmp.Or(cmp.Compare(a.owner.kind, b.owner.kind), cmp.Compare(a.owner.id, b.owner.id), cmp.Compare(a.at, b.at))
	})
	args := make([]any, 0, 4*len(rows))
	for _, r := range rows {
		args = append(args, r.owner.kind, r.owner.id, r.at, r.part)
	}
	if err := hot.insert(tx, lookupRows, args); err != nil {
		return err
	}
	if !own {
		return nil
	}
	if len(f.since) > 1<<17 {
		clear(f.since)
	}
	for _, r := range rows {
		f.since[r.owner]++
		if f.since[r.owner] < chainEvery {
			continue
		}
		f.since[r.owner] = 0
		number := from.log()
		n, err := chainLength(tx, number, r.owner)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`insert into chain(number, kind, owner, at, n) values(?,?,?,?,?) on conflict(number, kind, owner) do update set at = excluded.at, n = excluded.n`, number, r.owner.kind, r.owner.id, next, n); err != nil {
			return err
		}
	}
	return nil
}

// chainLength is the number of entries of an owner in one log, as far as the look-up tables have come.
func chainLength(q asker, number int64, o owner) (int64, error) {
	n, at := int64(0), indexOf(number, 0)
	err := q.QueryRow(`select n, at from chain where number = ? and kind = ? and owner = ?`, number, o.kind, o.id).Scan(&n, &at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	var more int64
	err = q.QueryRow(`select count(*) from lookup where kind = ? and owner = ? and at >= ? and at < ?`, o.kind, o.id, at, indexOf(number+1, 0)).Scan(&more)
	return n + more, err
}

// recent holds whose entries were just committed, so that the follower need not open what this process sealed. It is a shortcut only:
// what it does not hold is read from the log.
type recent struct {
	mu      sync.Mutex
	commits map[Index]*named // by the position of their first entry
	size    int
}

// named is whose entries one commit added.
type named struct {
	start   Index
	owners  [][]place
	offered atomic.Bool
}

const recentMost = 1 << 16

func (r *recent) offer(h *named) {
	if h.offered.Swap(true) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.commits == nil || r.size > recentMost {
		r.commits, r.size = map[Index]*named{}, 0
	}
	r.commits[h.start] = h
	r.size += len(h.owners)
}

// take removes and returns commits that begin at a position, up to about one batch of entries.
func (r *recent) take(from Index) (rows []lookupRow, next Index) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next = from
	for len(rows) < 2*lookupBatch {
		h := r.commits[next]
		if h == nil {
			break
		}
		delete(r.commits, next)
		r.size -= len(h.owners)
		for i, owners := range h.owners {
			for _, p := range owners {
				rows = append(rows, lookupRow{p.owner, next + Index(i), p.part})
			}
		}
		next += Index(len(h.owners))
	}
	return rows, next
}
