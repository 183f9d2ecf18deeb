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
	"chartwarden/internal/outcome"
)

// session is one engine and what it judged.
type session struct {
	*Watch
	ctx     context.Context
	engine  *detect.Engine
	reading reading
	since   time.Time
	found   []detect.Case
	event   string // the id of that which is judged
	silent  bool   // what is found was found before
	listed  bool   // what is judged is a row of a list, or nobody asked for it
	night   nightly
	stored  string // place that was kept last
	keptAt  time.Time
	facts   int64 // the newest finding of the office that was told
}

// slow is how far the log's own time stays behind the clock when nothing happens: an entry may be on its way.
const slow = time.Minute

// judge begins with the context and the last weeks of the log and goes on as both grow, until ctx ends or something fails.
func (w *Watch) judge(ctx context.Context) error {
	w.recent.clear()
	s := &session{Watch: w, ctx: ctx, since: w.o.Now().Add(-lookBack)}
	s.engine = detect.New(detect.Options{Seed: seed, Budget: w.o.Budget, Verdict: s.verdict, Case: s.raise, Audit: s.raise, Alert: s.raise, Secret: w.o.Cases.Lots()})
	s.working.Lock()
	s.Watch.engine, s.Watch.named = s.engine, nil
	s.working.Unlock()
	settled, err := w.o.Cases.Cursor(ctx)
	if err != nil {
		return err
	}
	if err := s.night.begin(s); err != nil {
		return err
	}
	if s.reading, err = w.o.Source.begin(s, settled); err != nil {
		return err
	}
	s.working.Lock()
	s.named = s.reading.unit
	s.working.Unlock()
	for ctx.Err() == nil {
		n, err := s.reading.next()
		if err != nil {
			return err
		}
		if n == 0 {
			if err := s.rest(); err != nil {
				return err
			}
			continue
		}
		if err := s.absorb(); err != nil {
			return err
		}
		s.caught(false)
	}
	return context.Cause(ctx)
}

// spot is where an event stands: an entry of the own log, or a line of what was taken of another system's.
type spot struct {
	entry audit.Index // -1: none
	piece int64
	line  int
}

// one judges one event; old says that its cases were stored before.
func (s *session) one(at spot, old bool, e *detect.Event) error {
	s.silent = old
	s.mu.Lock()
	poisoned := s.poisoned[at]
	s.mu.Unlock()
	if poisoned {
		return nil
	}
	s.recent.add(at, e)
	s.event, s.listed = e.ID, e.Listed || e.Machine
	err := s.safely(func() { s.engine.Judge(e) })
	s.note(func(x *State) { x.Events, x.Judged = x.Events+1, time.Unix(e.Time, 0).UTC() })
	if err != nil {
		s.mu.Lock()
		s.poisoned[at] = true
		s.mu.Unlock()
	}
	return err
}

// says appends that the context is read: it is patients' data that detection learns.
func (s *session) says(log *audit.Log, records int) error {
	_, err := log.Note(s.ctx, audit.Event{Kind: audit.Job, Agent: audit.Agent{Job: "detection"}, Action: "R", Interaction: "read", Class: audit.Machine,
		Purpose: "HCOMPL", Text: "detection reads its context: " + strconv.Itoa(records) + " records"})
	return err
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
	switch {
	case c.Hypothesis == detect.RandomAudit:
	case c.Alert && s.o.Alert != nil:
		s.o.Alert(c)
	case !c.Alert && s.o.Case != nil:
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
			at = s.reading.place()
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
	s.Watch.place = s.reading.place()
	if all {
		s.state.Ready, s.state.Standing = true, ""
	}
}

// rest is what happens when the log has nothing new: what is due is judged, and the place is kept now and then.
func (s *session) rest() error {
	s.silent, s.event = false, ""
	if err := s.reading.rest(); err != nil {
		return err
	}
	if err := s.absorb(); err != nil {
		return err
	}
	if err := s.night.run(s); err != nil {
		return err
	}
	s.caught(true)
	if at := s.reading.place(); at != s.stored && time.Since(s.keptAt) > 5*time.Second {
		if err := s.o.Cases.Keep(s.ctx, at); err != nil {
			return err
		}
		s.stored, s.keptAt = at, time.Now()
	}
	if err := s.reading.wait(); err != nil && s.ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
