package audit

import (
	"context"
	"database/sql"
	"math"
	"slices"
)

// Rebuild writes the look-up tables anew from the log, when verification found that they differ from it. Owners of what was redacted
// are found by their chains. Lists are incomplete while it runs; appending goes on.
func (l *Log) Rebuild(ctx context.Context) error {
	if l.d == nil {
		return errNoLog
	}
	l.catching.Lock()
	defer l.catching.Unlock()
	return l.rebuild(ctx)
}

func (l *Log) rebuild(ctx context.Context) error {
	err := l.d.Write(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{`delete from lookup`, `delete from chain`, `delete from follower where name = 'lookup'`} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f := &l.lookups
	f.cursor.Store(0)
	f.since, f.begun = map[owner]int{}, true
	var t *tracer
	number := int64(-1)
	for {
		raw, err := l.span(ctx, Index(f.cursor.Load()), math.MaxInt64, lookupBatch, true)
		if err != nil || len(raw) == 0 {
			return err
		}
		var rows []lookupRow
		for _, e := range raw {
			if e.at.log() != number {
				number = e.at.log()
				t = newTracer(l.box, l.originOf(e.at), func(Index, string) {}) // faults are for verification
				t.found = func(p place, at Index) { rows = append(rows, lookupRow{p.owner, at, p.part}) }
			}
			r := l.open(e, l.originOf(e.at))
			mine := l.ownersOf(&r)
			rows = append(rows, mine...)
			if parsed, err := parseEntry(e.bytes); err == nil {
				known, closed := placesOf(mine, e, &r)
				t.visit(e.at, parsed, known, closed, false)
			}
		}
		next := raw[len(raw)-1].at + 1
		if err := l.d.Write(ctx, func(tx *sql.Tx) error { return f.add(l.hot, tx, rows, next) }); err != nil {
			f.begun = false
			return err
		}
		f.cursor.Store(int64(next))
	}
}

// placesOf sorts the parts of an entry into those that name their owner and those that do not any more.
func placesOf(rows []lookupRow, e rawEntry, r *Read) (known []place, closed []int) {
	for _, row := range rows {
		known = append(known, place{row.owner, row.part})
	}
	for _, n := range sortedKeys(e.parts) {
		if n == 0 && r.Event.Agent.acting() == "" || n > 0 && !slices.Contains(r.parts, n) {
			closed = append(closed, n)
		}
	}
	return known, closed
}
