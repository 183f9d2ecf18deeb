package audit

import (
	"context"
	"database/sql"
	"slices"
)

// Rebuild writes the look-up tables anew from the logs, when verification found that they differ from them. Owners of what was redacted
// are found by their chains. Lists are incomplete while it runs; appending goes on.
func (l *Log) Rebuild(ctx context.Context) error {
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
		if err := l.rebuild(ctx, r.number); err != nil {
			return err
		}
	}
	return nil
}

// rebuild is Rebuild for one log.
func (l *Log) rebuild(ctx context.Context, number int64) error {
	low, high, own := indexOf(number, 0), indexOf(number+1, 0), number == l.writer.number
	err := l.d.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`delete from lookup where at >= ? and at < ?`, low, high); err != nil {
			return err
		}
		if _, err := tx.Exec(`delete from chain where number = ?`, number); err != nil {
			return err
		}
		_, err := tx.Exec(`delete from cursor where name = ? and number = ?`, lookupName, number)
		return err
	})
	if err != nil {
		return err
	}
	f := &l.lookups
	f.place, f.since = nil, map[owner]int{}
	origin := l.originOf(low)
	var rows []lookupRow
	t := newTracer(l.box, origin, func(Index, string) {}) // faults are for verification
	t.found = func(p place, at Index) { rows = append(rows, lookupRow{p.owner, at, p.part}) }
	for from := low; ; {
		raw, err := l.span(ctx, from, high, lookupBatch, true)
		if err != nil || len(raw) == 0 {
			return err
		}
		rows = nil
		for _, e := range raw {
			r := l.open(e, origin)
			mine := l.ownersOf(&r)
			rows = append(rows, mine...)
			if parsed, err := parseEntry(e.bytes); err == nil {
				known, closed := placesOf(mine, e, &r)
				t.visit(e.at, parsed, known, closed, false)
			}
		}
		next := raw[len(raw)-1].at + 1
		if err := l.d.Write(ctx, func(tx *sql.Tx) error { return f.add(l.hot, tx, rows, from, next, own) }); err != nil {
			return err
		}
		if from = next; own {
			f.cursor.Store(int64(next))
		}
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
