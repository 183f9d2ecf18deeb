package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The mean of an e-value over days without misuse is at most 1, for any hypothesis and their mixture; the evidence that orders cases has more.
func TestTheAutomaticQueueIsHeldByEValues(t *testing.T) {
	e := New(Options{})
	r := rand.New(rand.NewPCG(1, 2))
	const days = 400_000
	bound, order := 0.0, 0.0
	for range days {
		var sums [hypotheses]float64
		for h := range hypotheses { // as often above 0, and falling off, as the shipped tables say
			if k := hypothesesTable[h]; r.Float64() < k.share {
				sums[h] = k.beta * r.ExpFloat64()
			}
		}
		logE, b, _ := e.mixture(-1, &sums)
		if b > logE {
			t.Fatalf("%v: the e-value says %v, the evidence %v", sums, b, logE)
		}
		bound, order = bound+math.Exp(b), order+math.Exp(logE)
	}
	if bound/days > 1 {
		t.Errorf("the mean of the e-values is %.2f", bound/days)
	}
	t.Logf("means: e-value %.3f, evidence %.3f", bound/days, order/days)
}

// However a small house's share falls between two cases, no more than its share stands above the bar.
func TestTheBarIsNotAmongThoseAboveIt(t *testing.T) {
	e := New(Options{Budget: 2})
	e.finished, e.activeMean = 40, 165 // 4.62 cases in two weeks
	for i := range 9 {
		e.past = append(e.past, &openCase{topDay: e.day - 3, posterior: .01 * float64(i+1), severity: .6})
	}
	old := &openCase{topDay: e.day - manyDays - 1, posterior: .9, severity: .9}
	e.past = append(e.past, old)
	e.budget()
	above := 0
	for _, c := range e.past {
		if c == old {
			t.Error("what came to its height long ago still counts")
		}
		if c.posterior*c.severity > e.bar {
			above++
		}
	}
	if above != 4 {
		t.Errorf("%d cases stand above the bar %v", above, e.bar)
	}
}

// At the last look a reason counts by how often it holds when all that comes late is there; before, and in a house that has shown too little,
// by how often it is known at the moment.
func TestWhatComesLateExplainsLate(t *testing.T) {
	e := New(Options{})
	f := reason{template: EncounterUnit}.feature()
	e.weights.w[f], e.late.w[f] = .5, 6
	e.found = []reason{{template: EncounterUnit}}
	for _, x := range []struct {
		samples   int
		last      bool
		explained bool
	}{{settledLooks, true, true}, {settledLooks, false, false}, {settledLooks - 1, true, false}} {
		e.late.n = x.samples
		nats := e.explained(-1, x.last)
		if (nats < 0) != x.explained || (e.found[0].nats > 1.1) != x.explained {
			t.Errorf("%+v: %.2f nats, the reason %.2f", x, nats, e.found[0].nats)
		}
	}
	e.found = nil
	if now, later := e.explained(-1, false), e.explained(-1, true); now != later {
		t.Errorf("without a reason: %.2f at the moment, %.2f later", now, later)
	}
}

// What is learned of a day a day later has the reasons that were filed after the looks; what was learned at the moment has not.
func TestADayIsLearnedAgainWhenItIsDocumented(t *testing.T) {
	e := New(Options{})
	visits := 0
	for on := range int64(3) {
		for p := range int64(20) {
			patient, at := fmt.Sprint("Patient/", p), noon+on*day+60*p
			e.Learn(Record{Ref: fmt.Sprint("Encounter/", on, "-", p), Known: at + 7200, Patient: patient, Ties: []Tie{{Template: EncounterParticipant, Party: "Practitioner/a", From: at, To: at + 600}}})
		}
		for p := range int64(20) {
			e.Judge(&Event{ID: fmt.Sprint(on, "-", p), Time: noon + on*day + 60*p, Kind: Read, Agent: "Practitioner/a", Patients: []string{fmt.Sprint("Patient/", p)}})
		}
	}
	e.Close()
	with := func(days [weeks][]sample) (n int) {
		for _, samples := range days {
			for _, s := range samples {
				if s.real && s.f[0] == (reason{template: EncounterParticipant}).feature() {
					n++
				}
			}
		}
		return n
	}
	for _, samples := range e.lateSamples {
		visits += len(samples)
	}
	if visits == 0 || with(e.lateSamples) <= with(e.samples) {
		t.Errorf("%d samples learned again; the visit stands in %d of them, at the moment in %d", visits, with(e.lateSamples), with(e.samples))
	}
}
