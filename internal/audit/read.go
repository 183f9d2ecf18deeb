package audit

import (
	"cmp"
	"context"
	"slices"
	"time"

	"chartwarden/internal/fhir"
)

// Page says which part of a list is wanted, newest first.
type Page struct {
	Before Index // entries before this one in the list; 0: from the newest
	Limit  int   // at most; 0 means 50
}

func (p Page) limit() int { return cmp.Or(p.Limit, 50) }

// OfPatient lists who did what about a patient, newest first, from all logs of the installation woven by time; only this patient's part of
// each event is in it. The list is complete up to the moment of the call. The next page is before the last index of this one.
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
	limit := page.limit()
	out := make([]Read, 0, min(limit, 1024))
	err := l.weave(ctx, page.Before, limit, listSlack, l.about(o), func(e *listed) (bool, error) {
		if err := l.attachParts(ctx, &e.rawEntry, o.kind == ownerAgent, e.part); err != nil {
			return false, err
		}
		out = append(out, l.open(e.rawEntry, l.originOf(e.at)))
		return len(out) < limit, nil
	})
	return out, err
}

// listSlack is how far the clock of a log may have been set back without an entry missing where a list of several logs goes on to its next
// page.
const listSlack = 48 * time.Hour

// about reads an owner's entries.
func (l *Log) about(o owner) fetch {
	return func(ctx context.Context, from, before Index, limit int) ([]listed, error) {
		rows, err := l.d.Reader().QueryContext(ctx, `select l.at, l.part, e.bytes from lookup l join entry e on e.at = l.at
			where l.kind = ? and l.owner = ? and l.at >= ? and l.at < ? order by l.at desc limit ?`, o.kind, o.id, from, before, limit)
		if err != nil {
			return nil, unreadable(err)
		}
		defer rows.Close()
		var out []listed
		for rows.Next() {
			var e listed
			if err := rows.Scan(&e.at, &e.part, &e.bytes); err != nil {
				return nil, unreadable(err)
			}
			out = append(out, e)
		}
		return out, unreadable(rows.Err())
	}
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
	limit := page.limit()
	var out []Read
	err := l.weave(ctx, page.Before, max(64, 2*limit), 0, l.backward, func(one *listed) (bool, error) {
		e, err := parseEntry(one.bytes)
		if err == nil && !s.From.IsZero() && e.at().Before(s.From.Add(-clockSlack)) {
			return false, nil // entries are in the order of time, but for a clock that was set back
		}
		if err == nil && !s.holds(e) {
			return true, nil
		}
		if err := l.attachParts(ctx, &one.rawEntry, true, 0); err != nil {
			return false, err
		}
		if r := l.open(one.rawEntry, l.originOf(one.at)); s.Keep == nil || s.Keep(&r) {
			out = append(out, r)
		}
		return len(out) < limit, nil
	})
	return out, err
}

const clockSlack = time.Hour

func (s Span) holds(e entry) bool {
	at := e.at()
	return (s.From.IsZero() || !at.Before(s.From)) && (s.To.IsZero() || at.Before(s.To)) && (len(s.Kinds) == 0 || slices.Contains(s.Kinds, e.kind))
}

// backward reads entries without their payload.
func (l *Log) backward(ctx context.Context, from, before Index, limit int) ([]listed, error) {
	rows, err := l.d.Reader().QueryContext(ctx, `select at, bytes from entry where at >= ? and at < ? order by at desc limit ?`, from, before, limit)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []listed
	for rows.Next() {
		var e listed
		if err := rows.Scan(&e.at, &e.bytes); err != nil {
			return nil, unreadable(err)
		}
		out = append(out, e)
	}
	return out, unreadable(rows.Err())
}

// Dangling lists intents of this node without a conclusion, oldest first: writes of which a crash hid the end. The server compares each
// with the record store at start and concludes it. Those of other nodes may be under way.
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
		if r, ok := l.rowOf(raw[i].at.log()); ok && r.node != l.o.Node {
			continue
		}
		if err := l.attachParts(ctx, &raw[i], true, 0); err != nil {
			return nil, err
		}
		out = append(out, l.open(raw[i], l.originOf(raw[i].at)))
	}
	return out, nil
}
