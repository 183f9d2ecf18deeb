package server

import (
	"context"
	"slices"
	"strings"

	"chartwarden/internal/identity"
	"chartwarden/internal/watch"

	"github.com/prometheus/client_golang/prometheus"
)

// newWatch makes the watch ready; [Server.Serve] lets it run.
func (s *Server) newWatch() *watch.Watch {
	var source watch.Source = watch.Own{Log: s.Log, Records: s.store, People: people{s.Persons}}
	if s.other != nil {
		source = s.other.source
	}
	return watch.New(watch.Options{Source: source, Cases: s.Cases, Now: s.options.Now, Zone: s.zone, Logger: s.options.Logger,
		Verdict: s.options.Verdict, Case: s.options.Case, Alert: s.options.Alert})
}

// people says who stands behind what the log and cases name.
type people struct{ *identity.Store }

// Practitioner is for [watch.People].
func (p people) Practitioner(ctx context.Context, person string) string {
	x, err := p.Person(ctx, person)
	if err != nil {
		return ""
	}
	return x.Practitioner
}

// Ended is for [watch.People].
func (p people) Ended(ctx context.Context) (out []string, err error) {
	all, err := p.People(ctx)
	for _, x := range all {
		if x.State == identity.Ended && x.Practitioner != "" {
			out = append(out, x.Practitioner)
		}
	}
	return out, err
}

// InUnit is for [watch.People].
func (p people) InUnit(ctx context.Context, department string) (out []string, err error) {
	all, err := p.People(ctx)
	for _, x := range all {
		if x.Active && x.Practitioner != "" && strings.EqualFold(x.Department, department) {
			out = append(out, x.Practitioner)
		}
	}
	slices.Sort(out)
	return out, err
}

// watched are the figures of detection: counts, and no word about anybody.
func (s *Server) watched(registry *prometheus.Registry) {
	state := s.Watch.State
	count := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "chartwarden_detect_" + name, Help: help}, value))
	}
	gauge := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chartwarden_detect_" + name, Help: help}, value))
	}
	truth := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	count("events_total", "Entries of the log that were judged since the start, those of the last weeks included.", func() float64 { return float64(state().Events) })
	count("accesses_total", "Accesses of people, to one patient's data each, that were judged.", func() float64 { return float64(state().Accesses) })
	count("unexplained_total", "Of these, those without a known reason of care at first sight.", func() float64 { return float64(state().Open) })
	count("rejected_total", "Entries that tell detection nothing.", func() float64 { return float64(state().Rejected) })
	count("cases_total", "Cases that this process opened.", func() float64 { return float64(state().Cases) })
	count("failures_total", "Failures of detection itself; charts are not affected.", func() float64 { return float64(state().Failures) })
	gauge("context_records", "Versions of resources that detection knows.", func() float64 { return float64(state().Records) })
	gauge("leads", "1 where this process judges, and not another node.", func() float64 { return truth(state().Leads) })
	gauge("standing", "1 while detection stands still after a failure.", func() float64 { return truth(state().Standing != "") })
	gauge("behind_seconds", "How old the newest judged entry is while entries wait; 0: none waits.", func() float64 {
		x := state()
		if x.Ready || x.Judged.IsZero() {
			return 0
		}
		return s.options.Now().Sub(x.Judged).Seconds()
	})
	if s.other != nil {
		gauge("feed_quiet_seconds", "For how long nothing has come of the log of the watched system.", func() float64 { return s.other.quiet(s.options.Now()).Seconds() })
	}
	gauge("cases_open", "Open cases.", func() float64 {
		n, err := s.Cases.Waiting(context.Background())
		if err != nil {
			return 0
		}
		return float64(n)
	})
}
