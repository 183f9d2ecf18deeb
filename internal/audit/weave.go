package audit

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"time"
)

// Lists of several logs are woven by time: of the newest entry of each log that is not yet in the list the latest comes next, and of
// those of one instant the one with the higher position. Inside a log entries keep their order, whatever its clock said.

// thread is what one log gives to a list, newest first.
type thread struct {
	number int64
	before Index // what is read next lies before this
	skip   moment
	ready  []listed
	ended  bool
}

// listed is an entry that a list may hold.
type listed struct {
	rawEntry
	when time.Time // by the log, zero when the entry is damaged
	part int       // of the payload, in a list of one patient's
}

// moment is a place in the woven order; the zero moment is before, that is newer than, everything.
type moment struct {
	time int64
	at   Index
}

func (m moment) newer(than moment) bool {
	return cmp.Or(cmp.Compare(m.time, than.time), cmp.Compare(m.at, than.at)) > 0
}

func (e *listed) moment() moment {
	if e.when.IsZero() {
		return moment{math.MaxInt64, e.at}
	}
	return moment{e.when.UnixMicro(), e.at}
}

// fetch reads entries of one log in from..before, newest first, at most limit.
type fetch func(ctx context.Context, from, before Index, limit int) ([]listed, error)

// weave calls each with the entries that get gives from all logs, newest first from a page's beginning on, until it returns false or
// there are none. slack is how far back the threads reach for entries whose clock was ahead.
func (l *Log) weave(ctx context.Context, before Index, chunk int, slack time.Duration, get fetch, each func(*listed) (bool, error)) error {
	rows, err := l.survey(ctx)
	if err != nil {
		return err
	}
	threads, err := l.threads(ctx, rows, before, slack)
	if err != nil {
		return err
	}
	for {
		var next *thread
		for _, t := range threads {
			if err := t.fill(ctx, chunk, get); err != nil {
				return err
			}
			if len(t.ready) > 0 && (next == nil || t.ready[0].moment().newer(next.ready[0].moment())) {
				next = t
			}
		}
		if next == nil {
			return nil
		}
		more, err := each(&next.ready[0])
		if err != nil || !more {
			return err
		}
		next.ready = next.ready[1:]
	}
}

// threads begins a list: in the log of before there, in others at what is older than that entry.
func (l *Log) threads(ctx context.Context, rows []logRow, before Index, slack time.Duration) ([]*thread, error) {
	var out []*thread
	var since moment
	for _, r := range rows {
		t := &thread{number: r.number, before: indexOf(r.number+1, 0)}
		switch {
		case before == 0:
		case before.log() == r.number:
			t.before = before
		default:
			if since.at == 0 {
				when, err := l.timeOf(ctx, before)
				if err != nil {
					return nil, err
				}
				since = moment{when.UnixMicro(), before}
			}
			var err error
			if t.before, err = l.startAt(ctx, r, time.UnixMicro(since.time).Add(slack)); err != nil {
				return nil, err
			}
			t.skip = since
		}
		out = append(out, t)
	}
	return out, nil
}

func (t *thread) fill(ctx context.Context, chunk int, get fetch) error {
	for len(t.ready) == 0 && !t.ended {
		got, err := get(ctx, indexOf(t.number, 0), t.before, chunk)
		if err != nil {
			return err
		}
		if t.ended = len(got) < chunk; len(got) > 0 {
			t.before = got[len(got)-1].at
		}
		for i := range got {
			if e, err := parseEntry(got[i].bytes); err == nil {
				got[i].when = e.at()
			}
		}
		for len(got) > 0 && t.skip != (moment{}) { // what an earlier page held
			if t.skip.newer(got[0].moment()) {
				t.skip = moment{}
				break
			}
			got = got[1:]
		}
		t.ready = got
	}
	return nil
}

// timeOf is the time of an entry; when there is none, of the one before it.
func (s *store) timeOf(ctx context.Context, i Index) (time.Time, error) {
	var b []byte
	err := s.d.Reader().QueryRowContext(ctx, `select bytes from entry where at >= ? and at <= ? order by at desc limit 1`, indexOf(i.log(), 0), i).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, unreadable(err)
	}
	e, err := parseEntry(b)
	if err != nil {
		return time.Time{}, nil // damaged: it is nobody's newest
	}
	return e.at(), nil
}

// startAt is the position in a log behind its last entry of an instant. It searches by halves, and so takes the log's clock as going
// forwards.
func (l *Log) startAt(ctx context.Context, r logRow, instant time.Time) (Index, error) {
	low, high := int64(0), r.end.Number()
	for low < high {
		middle := (low + high) / 2
		when, err := l.timeOf(ctx, indexOf(r.number, middle))
		if err != nil {
			return 0, err
		}
		if when.After(instant) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return indexOf(r.number, low), nil
}
