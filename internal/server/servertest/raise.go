package servertest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
)

// Suspicion is a case as detection would find it, for tests of what is done about one. What is left out is filled in.
type Suspicion struct {
	Agent      string // Practitioner/x
	Hypothesis string
	Queue      string
	LogE       float64
	Posterior  float64
	Severity   float64
	At         time.Time // of the first access; the others follow each three minutes
	Kinds      []string  // of the accesses, in turn: read, export, print
	Patients   []string  // Patient/x, one access each
	Entries    []int64   // audit entries of the accesses; none: of another system
	Signals    []detect.Signal
}

// Raise puts a case through [casework.Store.Absorb] and gives it. The same agent and hypothesis again is the same case grown.
func Raise(t testing.TB, s *casework.Store, x Suspicion) casework.Case {
	t.Helper()
	if x.Hypothesis == "" {
		x.Hypothesis = "snoop"
	}
	if x.Queue == "" {
		x.Queue = casework.Review
	}
	if x.LogE == 0 {
		x.LogE, x.Posterior, x.Severity = 8.2, .77, .6
	}
	if x.Signals == nil {
		x.Signals = []detect.Signal{{Name: "unexplained", Nats: 5.1, Text: "decisive: no reason of care is known"}, {Name: "hours", Nats: 1.9, Text: "moderate: outside the usual hours"},
			{Name: "neighbour", Nats: 1.2, Text: "weak: the patient lives in the person's street"}}
	}
	found := detect.Case{ID: "c-1", Revision: 1, Agent: x.Agent, Hypothesis: x.Hypothesis, Opened: x.At.Unix(), Updated: x.At.Unix(), LogE: x.LogE, Posterior: x.Posterior,
		Severity: x.Severity, Queue: x.Queue, Patients: x.Patients, Contributions: x.Signals, Summary: x.Agent + " opened charts."}
	var events []casework.Event
	for i, p := range x.Patients {
		at := x.At.Add(time.Duration(i) * 3 * time.Minute)
		e := casework.Event{Entry: -1, ID: strings.NewReplacer("/", ".", ":", "").Replace(x.Agent+x.Hypothesis+at.UTC().Format("0102150405")) + strconv.Itoa(i), Time: at, Kind: "read", Patient: p, Text: "no reason of care is known"}
		if len(x.Kinds) > 0 {
			e.Kind = x.Kinds[i%len(x.Kinds)]
		}
		if i < len(x.Entries) {
			e.Entry = x.Entries[i]
		}
		found.Events, found.Updated = append(found.Events, e.ID), at.Unix()
		events = append(events, e)
	}
	change, err := s.Absorb(t.Context(), found, events, "")
	if err != nil {
		t.Fatal(err)
	}
	return change.Case
}
