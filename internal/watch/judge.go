package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/detect"
	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
)

// session is one engine and how far it came.
type session struct {
	*Watch
	ctx     context.Context
	engine  *detect.Engine
	feed    *ingest.Feed
	place   audit.Cursor // what was judged
	settled audit.Cursor // what was judged before this start: its cases are there
	tx      int64        // of the records that were told
	since   time.Time
	found   []detect.Case
	event   string // the id of that which is judged
	silent  bool   // what is found was found before
	stored  string // cursor that was kept last
	keptAt  time.Time
	gone    map[string]bool // who left, of those that were told
	told    bool            // of those who left before
	listed  bool            // what is judged is a row of a list, or nobody asked for it
	night   nightly
}

// batch is how many entries are read at once. While they are judged nothing else of the log is.
const batch = 256

// slow is how far the log's own time stays behind the clock when nothing happens: an entry may be on its way.
const slow = time.Minute

// judge begins with the context and the last weeks of the log and goes on as both grow, until ctx ends or something fails.
func (w *Watch) judge(ctx context.Context) error {
	w.recent.clear()
	s := &session{Watch: w, ctx: ctx, feed: ingest.NewFeed(), since: w.o.Now().Add(-lookBack), gone: map[string]bool{}}
	s.engine = detect.New(detect.Options{Seed: seed, Budget: w.o.Budget, Verdict: s.verdict, Case: s.raise, Audit: s.raise, Secret: w.o.Cases.Lots()})
	s.working.Lock()
	s.Watch.engine = s.engine
	s.working.Unlock()
	if err := s.begin(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := s.learn(); err != nil {
			return err
		}
		read, err := w.o.Log.Ahead(ctx, s.place, batch)
		if err != nil {
			return err
		}
		if len(read) == 0 {
			if err := s.rest(); err != nil {
				return err
			}
			continue
		}
		if err := s.learn(); err != nil { // what was stored before these entries
			return err
		}
		for i := range read {
			if err := s.one(&read[i]); err != nil {
				return err
			}
		}
		s.place = s.place.Past(read)
		if err := s.absorb(); err != nil {
			return err
		}
		s.caught(false)
	}
	return context.Cause(ctx)
}

// begin finds where to begin, and says in the log that the context is read.
func (s *session) begin() error {
	text, err := s.o.Cases.Cursor(s.ctx)
	if err != nil {
		return err
	}
	if s.settled, err = audit.ParseCursor(text); err != nil {
		return err
	}
	if err := s.night.begin(s); err != nil {
		return err
	}
	n, err := s.o.Records.CountOf(s.ctx, ingest.Types)
	if err != nil {
		return err
	}
	if _, err := s.o.Log.Note(s.ctx, audit.Event{Kind: audit.Job, Agent: audit.Agent{Job: "detection"}, Action: "R", Interaction: "read", Class: audit.Machine,
		Purpose: "HCOMPL", Text: "detection reads its context: " + strconv.Itoa(n) + " records"}); err != nil {
		return err
	}
	s.place, err = s.o.Log.From(s.ctx, s.since)
	return err
}

// learn tells the engine what was stored since.
func (s *session) learn() (err error) {
	before := s.tx
	s.tx, err = s.o.Records.TellVersions(s.ctx, ingest.Types, s.tx, s.since, func(typ, id string, known time.Time, json []byte) error {
		return s.safely(func() {
			if s.feed.Take(typ+"/"+id, known, json) {
				s.note(func(x *State) { x.Records++ })
			}
		})
	})
	if err != nil || s.tx == before {
		return err
	}
	return s.safely(func() { s.feed.Records(s.engine.Learn) })
}

// after is the first whole second that does not lie before t.
func after(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// one judges one entry.
func (s *session) one(r *audit.Read) error {
	s.silent = s.settled.Seen(r.Index)
	if err := s.terminated(r); err != nil {
		return err
	}
	s.mu.Lock()
	poisoned := s.poisoned[r.Index]
	s.mu.Unlock()
	if poisoned {
		return nil
	}
	var e detect.Event
	var why string
	if err := s.safely(func() { e, why = s.feed.Event(string(r.Resource())) }); err != nil {
		return err
	}
	if why != "" {
		s.note(func(x *State) { x.Rejected++ })
		return nil
	}
	s.recent.add(r.Index, &e)
	s.event, s.listed = e.ID, e.Listed || e.Machine
	err := s.safely(func() { s.engine.Judge(&e) })
	s.note(func(x *State) { x.Events, x.Judged = x.Events+1, r.Event.Time })
	if err != nil {
		s.mu.Lock()
		s.poisoned[r.Index] = true
		s.mu.Unlock()
	}
	return err
}

// terminated reads from an entry that a person has left.
func (s *session) terminated(r *audit.Read) error {
	e := &r.Event
	if s.o.People == nil || e.Kind != audit.People || e.Interaction != "person-terminate" || e.Outcome != 0 {
		return nil
	}
	person, _, _ := strings.Cut(strings.TrimPrefix(e.Text, "person "), ":")
	return s.left(s.o.People.Practitioner(s.ctx, person), after(e.Time))
}

// leftBefore tells of those who left before what was read of the log.
func (s *session) leftBefore() error {
	if s.o.People == nil || s.told {
		return nil
	}
	all, err := s.o.People.Ended(s.ctx)
	if err != nil {
		return err
	}
	for _, who := range all {
		if err := s.left(who, s.since.Unix()); err != nil {
			return err
		}
	}
	s.told = true
	return nil
}

func (s *session) left(who string, from int64) error {
	if who == "" || s.gone[who] {
		return nil
	}
	s.gone[who] = true
	return s.safely(func() { s.engine.Leaves(who, from) })
}

var errFailed = errors.New("detection failed")

// safely does something of the engine; what panics there ends this engine and nothing else.
func (s *session) safely(do func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.note(func(x *State) { x.Failures++ })
			err = outcome.Wrap("watch: judge", outcome.Exception, "detection failed at an entry, which it leaves out", fmt.Errorf("%w: %T", errFailed, r))
		}
	}()
	s.working.Lock()
	defer s.working.Unlock()
	do()
	return nil
}

func (s *session) verdict(v *detect.Verdict) {
	s.recent.judge(v)
	if v.Revision == 1 && strings.HasPrefix(v.Agent, "Practitioner/") {
		s.note(func(x *State) {
			x.Accesses++
			if !v.Explained {
				x.Open++
			}
		})
	}
	s.night.said(s, v)
	if s.o.Verdict != nil {
		s.o.Verdict(v)
	}
}

func (s *session) raise(c *detect.Case) {
	if s.o.Case != nil && c.Hypothesis != detect.RandomAudit {
		s.o.Case(c)
	}
	if s.silent {
		return
	}
	x := *c
	x.Events, x.Patients, x.Contributions = slices.Clone(c.Events), slices.Clone(c.Patients), slices.Clone(c.Contributions)
	if len(x.Events) == 0 && s.event != "" { // what is suspicious is the act itself, such as a sign-in
		x.Events = append(x.Events, s.event)
	}
	s.found = append(s.found, x)
}

// absorb hands over what was found, and with the last of it the place in the log.
func (s *session) absorb() error {
	for len(s.found) > 0 {
		at := ""
		if len(s.found) == 1 {
			at = s.place.Text()
		}
		c := s.found[0]
		change, err := s.o.Cases.Absorb(s.ctx, c, s.recent.describe(&c), at)
		if err != nil {
			return err
		}
		if s.found = s.found[1:]; at != "" {
			s.stored, s.keptAt = at, time.Now()
		}
		if change.Opened {
			s.note(func(x *State) { x.Cases++ })
		}
	}
	return nil
}

// caught lets others see how far it came; all says that there is nothing more now.
func (s *session) caught(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Watch.place = s.place
	if all {
		s.state.Ready, s.state.Standing = true, ""
	}
}

// rest is what happens when the log has nothing new: time goes on, and the place is kept now and then.
func (s *session) rest() error {
	s.silent, s.event = false, ""
	if err := s.leftBefore(); err != nil {
		return err
	}
	if err := s.safely(func() { s.engine.Advance(s.o.Now().Add(-slow).Unix()) }); err != nil {
		return err
	}
	if err := s.absorb(); err != nil {
		return err
	}
	if err := s.night.run(s); err != nil {
		return err
	}
	s.caught(true)
	if at := s.place.Text(); at != s.stored && time.Since(s.keptAt) > 5*time.Second {
		if err := s.o.Cases.Keep(s.ctx, at); err != nil {
			return err
		}
		s.stored, s.keptAt = at, time.Now()
	}
	waiting, cancel := context.WithTimeout(s.ctx, 15*time.Second)
	defer cancel()
	if err := s.o.Log.Wait(waiting, s.place); err != nil && s.ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
