package watch

import (
	"context"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/detect"
	"chartwarden/internal/ingest"
)

// Own is this installation's log and its records.
type Own struct {
	Log     *audit.Log
	Records Records
	People  People // nil: nobody is known to have left
}

// ownReading is one run through them.
type ownReading struct {
	Own
	*session
	feed    *ingest.Feed
	at      audit.Cursor    // what was judged
	settled audit.Cursor    // what was judged before this start: its cases are there
	tx      int64           // of the records that were told
	asOf    time.Time       // when the context was last read
	gone    map[string]bool // who left, of those that were told
	told    bool            // of those who left before
}

// batch is how many entries are read at once. While they are judged nothing else of the log is.
const batch = 256

func (o Own) begin(s *session, settled string) (reading, error) {
	r := &ownReading{Own: o, session: s, feed: ingest.NewFeed(), gone: map[string]bool{}}
	var err error
	if r.settled, err = audit.ParseCursor(settled); err != nil {
		return nil, err
	}
	n, err := o.Records.CountOf(s.ctx, ingest.Types)
	if err != nil {
		return nil, err
	}
	if err := s.says(o.Log, n); err != nil {
		return nil, err
	}
	r.at, err = o.Log.From(s.ctx, s.since)
	return r, err
}

func (o Own) behind(ctx context.Context, place string) (bool, error) {
	at, err := audit.ParseCursor(place)
	if err != nil {
		return false, err
	}
	more, err := o.Log.Ahead(ctx, at, 1)
	return len(more) > 0, err
}

func (o Own) nights() *audit.Log { return o.Log }

func (r *ownReading) place() string { return r.at.Text() }

func (r *ownReading) next() (int, error) {
	r.asOf = r.o.Now()
	if err := r.learn(); err != nil {
		return 0, err
	}
	read, err := r.Log.Ahead(r.ctx, r.at, batch)
	if err != nil || len(read) == 0 {
		return 0, err
	}
	if err := r.learn(); err != nil { // what was stored before these entries
		return 0, err
	}
	for i := range read {
		if err := r.entry(&read[i]); err != nil {
			return 0, err
		}
	}
	r.at = r.at.Past(read)
	return len(read), nil
}

func (r *ownReading) unit(ref string) string { return r.feed.UnitName(ref) }

// learn tells the engine what was stored since.
func (r *ownReading) learn() (err error) {
	if err := r.findings(r.staff); err != nil {
		return err
	}
	before := r.tx
	r.tx, err = r.Records.TellVersions(r.ctx, ingest.Types, r.tx, r.since, func(typ, id string, known time.Time, json []byte) error {
		return r.safely(func() {
			if r.feed.Take(typ+"/"+id, known, json) {
				r.note(func(x *State) { x.Records++ })
			}
		})
	})
	if err != nil || r.tx == before {
		return err
	}
	return r.safely(func() { r.feed.Records(r.engine.Learn) })
}

// staff lists who works in a department.
func (r *ownReading) staff(department string) ([]string, error) {
	if r.People == nil {
		return nil, nil
	}
	return r.People.InUnit(r.ctx, department)
}

// after is the first whole second that does not lie before t.
func after(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// entry judges one entry.
func (r *ownReading) entry(x *audit.Read) error {
	r.silent = r.settled.Seen(x.Index)
	if err := r.terminated(x); err != nil {
		return err
	}
	var e detect.Event
	var why string
	if err := r.safely(func() { e, why = r.feed.Event(string(x.Resource())) }); err != nil {
		return err
	}
	if why != "" {
		r.note(func(x *State) { x.Rejected++ })
		return nil
	}
	return r.one(spot{entry: x.Index}, r.silent, &e)
}

// terminated reads from an entry that a person has left.
func (r *ownReading) terminated(x *audit.Read) error {
	e := &x.Event
	if r.People == nil || e.Kind != audit.People || e.Interaction != "person-terminate" || e.Outcome != 0 {
		return nil
	}
	person, _, _ := strings.Cut(strings.TrimPrefix(e.Text, "person "), ":")
	return r.left(r.People.Practitioner(r.ctx, person), after(e.Time))
}

// rest tells of those who left before what was read of the log, and lets time go on: as far as when the context was last read, or what was
// documented while this program stood still would come after the last look at what it explains.
func (r *ownReading) rest() error {
	if r.People != nil && !r.told {
		all, err := r.People.Ended(r.ctx)
		if err != nil {
			return err
		}
		for _, who := range all {
			if err := r.left(who, r.since.Unix()); err != nil {
				return err
			}
		}
		r.told = true
	}
	return r.safely(func() { r.engine.Advance(r.asOf.Add(-slow).Unix()) })
}

func (r *ownReading) left(who string, from int64) error {
	if who == "" || r.gone[who] {
		return nil
	}
	r.gone[who] = true
	return r.safely(func() { r.engine.Ended(who, from) })
}

func (r *ownReading) wait() error {
	waiting, cancel := context.WithTimeout(r.ctx, 15*time.Second)
	defer cancel()
	return r.Log.Wait(waiting, r.at)
}
