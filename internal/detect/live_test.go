package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// judged gives what an engine says of a story's background when records are told as tell says.
func judged(t *testing.T, tell func(e *Engine, records []Record, events []Event)) string {
	s := &story{t: t, verdicts: map[string][]Verdict{}, roles: map[string]string{}, home: map[string]string{}}
	s.background()
	for i := range s.records { // nothing is known from the start: such things count when they are told
		if s.records[i].Known == 0 {
			s.records[i].Known = storyDay - 22*day
		}
	}
	for i, d := range []int64{-9, -4, 2} { // shifts, some of them planned late; a post that ends
		ref := fmt.Sprint("Schedule/", i)
		s.learn(Record{Ref: ref, Known: storyDay + d*day, Plan: &Plan{Ref: ref, People: []string{who("b3")}, Places: []string{place("b1")}}})
		s.learn(Record{Ref: fmt.Sprint("Slot/", i), Known: storyDay + d*day, Turn: &Turn{Plan: ref, From: storyDay + d*day + 8*3600, To: storyDay + d*day + 16*3600}})
	}
	s.learn(Record{Ref: "PractitionerRole/5", Known: storyDay - 5*day, Post: &Post{Person: who("b5"), Role: "nurse", Units: []string{place("b2")}, To: storyDay - 5*day}})
	for i := range 60 { // a harvest
		s.event(storyDay+3*day+20*3600+int64(i)*30, "b7", Event{Kind: Read, Patients: []string{patientOf(fmt.Sprint("q", 7*i))}})
	}
	for i := range s.events {
		s.events[i].ID = fmt.Sprint("b", i)
	}
	slices.SortStableFunc(s.events, func(a, b Event) int { return int(a.Time - b.Time) })
	var out []byte
	e := New(Options{Seed: 1, Verdict: func(v *Verdict) { out = append(v.AppendJSON(out), '\n') }, Case: func(c *Case) { out = append(c.AppendJSON(out), '\n') }})
	tell(e, s.records, s.events)
	e.Close()
	return string(out)
}

func TestWhatIsToldJustInTimeIsWorthWhatIsToldBefore(t *testing.T) {
	before := judged(t, func(e *Engine, records []Record, events []Event) {
		for _, r := range records {
			e.Learn(r)
		}
		for i := range events {
			e.Judge(&events[i])
		}
	})
	if !strings.Contains(before, `"case":`) || !strings.Contains(before, "appointment") {
		t.Fatalf("the story says too little: %d lines", strings.Count(before, "\n"))
	}
	live := judged(t, func(e *Engine, records []Record, events []Event) {
		slices.SortStableFunc(records, func(a, b Record) int { return int(a.Known - b.Known) })
		for i := range events {
			for len(records) > 0 && records[0].Known <= events[i].Time {
				e.Learn(records[0])
				records = records[1:]
			}
			e.Judge(&events[i])
			e.Advance(events[i].Time) // time goes on, whether or not anything happens
			if i+1 < len(events) {
				e.Advance((events[i].Time + events[i+1].Time - 2) / 2)
			}
		}
		for _, r := range records {
			e.Learn(r)
		}
	})
	if before != live {
		a, b := strings.Split(before, "\n"), strings.Split(live, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d of %d and %d:\n%s\n%s", i, len(a), len(b), a[i], b[i])
			}
		}
		t.Fatalf("%d lines and %d", len(a), len(b))
	}
}
