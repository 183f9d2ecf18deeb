package audit

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"chartwarden/internal/fhir"
)

// Page says which part of a list is wanted, newest first.
type Page struct {
	Before Index // entries before this one; 0: from the newest
	Limit  int   // at most; 0 means 50
}

func (p Page) bounds() (before Index, limit int) {
	return cmp.Or(p.Before, Index(math.MaxInt64)), cmp.Or(p.Limit, 50)
}

// OfPatient lists who did what about a patient, newest first, from all logs of the installation; only this patient's part of each
// event is in it. The list is complete up to the moment of the call. The next page is before the last index of this one.
//
// Whoever shows it to somebody has appended an entry of kind [LogRead] before.
func (l *Log) OfPatient(ctx context.Context, p fhir.PatientID, page Page) ([]Read, error) {
	return l.listed(ctx, owner{ownerPatient, int64(p)}, page)
}

// OfPerson lists what a person did, newest first, with all patients; otherwise as [Log.OfPatient].
func (l *Log) OfPerson(ctx context.Context, person string, page Page) ([]Read, error) {
	return l.OfAgent(ctx, Agent{Person: person}, page)
}

// OfAgent lists what a person, a client or a job did.
func (l *Log) OfAgent(ctx context.Context, a Agent, page Page) ([]Read, error) {
	return l.listed(ctx, owner{ownerAgent, l.agentID(a.acting())}, page)
}

func (l *Log) listed(ctx context.Context, o owner, page Page) ([]Read, error) {
	if err := l.catchUp(ctx); err != nil {
		return nil, err
	}
	before, limit := page.bounds()
	rows, err := l.d.Reader().QueryContext(ctx, `select l.at, l.part, e.bytes from lookup l join entry e on e.at = l.at
		where l.kind = ? and l.owner = ? and l.at < ? order by l.at desc limit ?`, o.kind, o.id, before, limit)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var raw []rawEntry
	var wanted []int
	for rows.Next() {
		var r rawEntry
		var part int
		if err := rows.Scan(&r.at, &part, &r.bytes); err != nil {
			return nil, unreadable(err)
		}
		raw, wanted = append(raw, r), append(wanted, part)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	out := make([]Read, 0, len(raw))
	for i := range raw {
		if err := l.attachParts(ctx, &raw[i], o.kind == ownerAgent, wanted[i]); err != nil {
			return nil, err
		}
		out = append(out, l.open(raw[i], l.originOf(raw[i].at)))
	}
	return out, nil
}

// attachParts loads the common part and one other, or all of them.
func (l *Log) attachParts(ctx context.Context, r *rawEntry, all bool, part int) error {
	one := []rawEntry{*r}
	var err error
	if all || part == 0 {
		err = l.attach(ctx, one, payloadID(r.at, 0), payloadID(r.at+1, 0))
	} else if err = l.attach(ctx, one, payloadID(r.at, 0), payloadID(r.at, 1)); err == nil {
		err = l.attach(ctx, one, payloadID(r.at, part), payloadID(r.at, part+1))
	}
	r.parts = one[0].parts
	return err
}

// Span says which entries of the log are wanted.
type Span struct {
	From, To time.Time // by the log's time, To exclusive; zero: open
	Kinds    []Kind    // none: all
	Keep     func(*Read) bool
}

// Range lists entries by time and kind, newest first, paged as [Log.OfPatient]. Entries that Keep refuses do not count towards the
// page; Range reads on until the page is full or the span ends.
func (l *Log) Range(ctx context.Context, s Span, page Page) ([]Read, error) {
	if l.d == nil {
		return nil, errNoLog
	}
	before, limit := page.bounds()
	var out []Read
	for len(out) < limit {
		raw, err := l.backward(ctx, before, max(64, 2*limit))
		if err != nil {
			return nil, err
		}
		for i := range raw {
			before = raw[i].at
			e, err := parseEntry(raw[i].bytes)
			if err == nil && !s.From.IsZero() && e.at().Before(s.From.Add(-clockSlack)) {
				return out, nil // entries are in the order of time, but for a clock that was set back
			}
			if err == nil && !s.holds(e) {
				continue
			}
			if err := l.attachParts(ctx, &raw[i], true, 0); err != nil {
				return nil, err
			}
			if r := l.open(raw[i], l.originOf(raw[i].at)); s.Keep == nil || s.Keep(&r) {
				if out = append(out, r); len(out) == limit {
					return out, nil
				}
			}
		}
		if len(raw) == 0 {
			return out, nil
		}
	}
	return out, nil
}

const clockSlack = time.Hour

func (s Span) holds(e entry) bool {
	at := e.at()
	return (s.From.IsZero() || !at.Before(s.From)) && (s.To.IsZero() || at.Before(s.To)) && (len(s.Kinds) == 0 || slices.Contains(s.Kinds, e.kind))
}

// backward reads entries before an index, newest first, without their payload.
func (l *Log) backward(ctx context.Context, before Index, limit int) ([]rawEntry, error) {
	rows, err := l.d.Reader().QueryContext(ctx, `select at, bytes from entry where at < ? order by at desc limit ?`, before, limit)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []rawEntry
	for rows.Next() {
		var r rawEntry
		if err := rows.Scan(&r.at, &r.bytes); err != nil {
			return nil, unreadable(err)
		}
		out = append(out, r)
	}
	return out, unreadable(rows.Err())
}

// Dangling lists intents without a conclusion, oldest first: writes of which a crash hid the end. The server compares each with the
// record store at start and concludes it.
func (l *Log) Dangling(ctx context.Context) ([]Read, error) {
	if l.d == nil {
		return nil, errNoLog
	}
	rows, err := l.d.Reader().QueryContext(ctx, `select e.at, e.bytes from intent i join entry e on e.at = i.at order by i.at`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var raw []rawEntry
	for rows.Next() {
		var r rawEntry
		if err := rows.Scan(&r.at, &r.bytes); err != nil {
			return nil, unreadable(err)
		}
		raw = append(raw, r)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	var out []Read
	for i := range raw {
		if err := l.attachParts(ctx, &raw[i], true, 0); err != nil {
			return nil, err
		}
		out = append(out, l.open(raw[i], l.originOf(raw[i].at)))
	}
	return out, nil
}
