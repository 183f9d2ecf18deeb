package audit

import (
	"context"
	"time"
)

// Seen reports whether a follower with this cursor has seen an entry.
func (c Cursor) Seen(i Index) bool { return i < c[i.log()] }

// From is the cursor of a follower that begins with what was appended at a moment or later. A clock that went backwards may let it see
// more. Errors: outcome.NoStore.
func (l *Log) From(ctx context.Context, at time.Time) (Cursor, error) {
	if l.d == nil {
		return nil, errNoLog
	}
	rows, err := l.survey(ctx)
	if err != nil {
		return nil, err
	}
	c := Cursor{}
	for _, r := range rows {
		if c[r.number], err = l.startAt(ctx, r, at.Add(-time.Microsecond)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Ahead reads entries that a follower has not seen from all logs, woven by time: the oldest first, in order inside each log, at most limit.
// An entry that another node appends meanwhile may be older than what was given. Errors: outcome.NoStore.
func (l *Log) Ahead(ctx context.Context, c Cursor, limit int) ([]Read, error) {
	if l.d == nil {
		return nil, errNoLog
	}
	rows, err := l.survey(ctx)
	if err != nil {
		return nil, err
	}
	type line struct {
		origin string
		raw    []rawEntry
		more   bool
	}
	var lines []line
	for _, r := range rows {
		if c.next(r.number) >= r.end {
			continue
		}
		raw, err := l.span(ctx, c.next(r.number), r.end, limit, true)
		if err != nil {
			return nil, err
		}
		if len(raw) > 0 { // of a log that was cut the rest may be gone
			lines = append(lines, line{r.origin, raw, len(raw) == limit})
		}
	}
	var out []Read
	for len(out) < limit {
		next := -1
		for i := range lines {
			switch {
			case len(lines[i].raw) == 0 && lines[i].more:
				return out, nil // what follows in that log may be older than what the others have
			case len(lines[i].raw) == 0:
			case next < 0 || moment{timed(lines[i].raw[0]), lines[i].raw[0].at}.before(moment{timed(lines[next].raw[0]), lines[next].raw[0].at}):
				next = i
			}
		}
		if next < 0 {
			break
		}
		x := &lines[next]
		out = append(out, l.open(x.raw[0], x.origin))
		x.raw = x.raw[1:]
	}
	return out, nil
}

func (m moment) before(o moment) bool { return o.newer(m) }

// timed is the log's time of an entry, in microseconds; 0 of a damaged one, which holds nobody up.
func timed(r rawEntry) int64 {
	e, err := parseEntry(r.bytes)
	if err != nil {
		return 0
	}
	return e.time
}
