package watch

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
)

const (
	nightRun = 4 * time.Hour      // after midnight of the site; what is younger at midnight is asked about the next night
	lookedAt = 4 * 24 * time.Hour // for how long an access waits for a reason: a broken glass is looked at for three days
	longNot  = 3 * 24 * time.Hour // of what was not asked about while nothing ran, the last days are made up for
)

// nightly has those who opened charts without a known reason told in the night after. It remembers the accesses of the last days for which
// no reason of care is known, and which of them people were asked about.
type nightly struct {
	log   *audit.Log                      // the own, which says so; nil: nobody is told
	open  map[string]casework.Unexplained // by event and patient
	asked map[string]bool                 // events
	later []later
	done  time.Time // until when the nights were asked about
}

// later is a reason that became known of an access which somebody was asked about.
type later struct{ agent, event, why string }

// nightBefore is until when the night run that is due at t asks: the last midnight of the site that is four hours back.
func nightBefore(t time.Time, zone *time.Location) time.Time {
	at := t.In(zone).Add(-nightRun)
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
}

// begin reads what was done before this start.
func (n *nightly) begin(s *session) (err error) {
	n.open = map[string]casework.Unexplained{}
	if n.log = s.o.Source.nights(); n.log == nil {
		return nil
	}
	if n.done, err = s.o.Cases.NightDone(s.ctx); err != nil {
		return err
	}
	n.asked, err = s.o.Cases.Messaged(s.ctx, s.o.Now().Add(-lookedAt))
	return err
}

// said takes a verdict on an access that somebody asked for.
func (n *nightly) said(s *session, v *detect.Verdict) {
	if n.log == nil || !strings.HasPrefix(v.Agent, "Practitioner/") {
		return
	}
	key := v.Event + " " + v.Patient
	switch {
	case v.Explained:
		delete(n.open, key)
		if n.asked[v.Event] {
			n.later = append(n.later, later{strings.Clone(v.Agent), strings.Clone(v.Event), explaining(v)})
		}
	case v.Revision == 1 && !s.listed:
		j := s.recent.of[v.Event]
		if j == nil || s.o.Now().Unix()-j.at > int64(lookedAt/time.Second) {
			return
		}
		n.open[strings.Clone(key)] = casework.Unexplained{Event: strings.Clone(v.Event), Entry: int64(j.spot.entry), Agent: strings.Clone(v.Agent), Patient: strings.Clone(v.Patient),
			Kind: word(j.kind), At: time.Unix(j.at, 0).UTC()}
	}
}

// run does what is due of the night: it keeps reasons that became known, and asks about the night before when it is time.
func (n *nightly) run(s *session) error {
	if n.log == nil {
		return nil
	}
	for len(n.later) > 0 {
		x := n.later[0]
		if err := s.o.Cases.Explained(s.ctx, x.agent, x.event, x.why); err != nil {
			return err
		}
		delete(n.asked, x.event)
		n.later = n.later[1:]
	}
	until := nightBefore(s.o.Now(), s.o.Zone)
	if !n.done.Before(until) {
		return nil
	}
	since := until.AddDate(0, 0, -1)
	if !n.done.IsZero() && n.done.Before(since) {
		since = latest(n.done, until.Add(-longNot))
	}
	var list []casework.Unexplained
	for _, key := range slices.Sorted(maps.Keys(n.open)) {
		if x := n.open[key]; !x.At.Before(since) && x.At.Before(until) {
			list = append(list, x)
		}
	}
	if len(list) > 0 {
		if _, err := n.log.Note(s.ctx, audit.Event{Kind: audit.Job, Agent: audit.Agent{Job: "detection"}, Action: "E", Interaction: "night", Class: audit.Machine, Purpose: "HCOMPL",
			Text: "people are told of " + strconv.Itoa(len(list)) + " accesses of the night for which no reason of care is known"}); err != nil {
			return err
		}
	}
	if _, err := s.o.Cases.Night(s.ctx, until, list); err != nil {
		return err
	}
	n.done = until
	var err error
	if n.asked, err = s.o.Cases.Messaged(s.ctx, s.o.Now().Add(-lookedAt)); err != nil {
		return err
	}
	maps.DeleteFunc(n.open, func(_ string, x casework.Unexplained) bool { return s.o.Now().Sub(x.At) > lookedAt })
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
