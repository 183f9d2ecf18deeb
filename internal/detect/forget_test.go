package detect

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"
)

// house is so many people whose patients stay the same, with a new appointment for nearly every look; it goes on day by day.
type house struct {
	*Engine
	people, n int
	day       int64
	still     bool // nothing new is told: everybody looks at patients of her own
}

func newHouse(people int, o Options) *house { return &house{Engine: New(o), people: people} }

func (h *house) goOn(days int64, each func()) {
	for range days {
		for k := range 10 * h.people {
			who, t := fmt.Sprint("Practitioner/", k%h.people), noon+h.day*day+int64(k)*int64(day/2)/int64(10*h.people)
			p := fmt.Sprint("Patient/", (k%h.people*7+k/h.people*31+int(h.day)*13)%(10*h.people))
			if h.still {
				p = fmt.Sprint("Patient/", k)
			}
			if h.n++; k%20 != 3 && !h.still {
				h.Learn(Record{Ref: fmt.Sprint("Appointment/", h.n), Known: t - 3600, Maker: "Practitioner/desk", Patient: p, Ties: []Tie{{Template: AppointmentDirect, Party: who, From: t, To: t + 1200}}})
			}
			h.Judge(&Event{ID: fmt.Sprint("e", h.n), Time: t, Kind: Read, Agent: who, Role: "nurse", Device: who, Address: "10.0.0.1", Patients: []string{p}})
		}
		h.day++
		each()
	}
}

func TestAnEngineGrowsWithTheHouseNotWithTime(t *testing.T) {
	h := newHouse(12, Options{Seed: 1})
	var facts, sources []int
	for range 6 {
		h.goOn(60, func() {})
		n := 0
		for i := range h.world.patients {
			n += len(h.world.patients[i].facts)
		}
		facts, sources = append(facts, n), append(sources, len(h.world.sources))
	}
	if facts[5] > facts[2]*11/10 || sources[5] > sources[2]*11/10 || len(h.world.sourceOf) != sources[5] || len(h.world.waiting) > 10_000 || facts[5] < 90*100 {
		t.Errorf("facts %v, sources %v, waiting %d", facts, sources, len(h.world.waiting))
	}
}

// What is forgotten is out of every template's window, and of the months in which a patient's activity counts.
func TestForgettingChangesNoVerdict(t *testing.T) {
	for k, v := range vocabulary {
		if v.after+7 > keptDays || 90+7 > keptDays {
			t.Errorf("%s looks back %d days", Template(k).Name(), v.after)
		}
	}
	said := func(each func(*house)) string {
		var out []byte
		h := newHouse(6, Options{Seed: 1, Verdict: func(v *Verdict) { out = append(v.AppendJSON(out), '\n') }, Case: func(c *Case) { out = append(c.AppendJSON(out), '\n') }})
		h.goOn(140, func() { each(h) })
		h.Close()
		return string(out)
	}
	if said(func(*house) {}) != said(func(h *house) { h.sweep() }) {
		t.Error("forgetting each night says something else than forgetting each month")
	}
}

// BenchmarkMemory tells the bytes of heap for one member of staff after months of ten looks a day: where each look has a new appointment
// behind it, of which a hundred days are kept, and where the context stays as it is. The samples of the nightly fit are left out: a
// larger house keeps no more of them.
func BenchmarkMemory(b *testing.B) {
	inUse := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, c := range []struct {
		name  string
		still bool
	}{{"context grows", false}, {"context still", true}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				before := inUse()
				h := newHouse(200, Options{Seed: 1})
				if h.still = c.still; c.still {
					for k := range h.people * 10 {
						p := fmt.Sprint("Patient/", k)
						h.Learn(Record{Ref: p, Patient: p, Ties: []Tie{{Template: OwnDoctor, Party: fmt.Sprint("Practitioner/", k%h.people)}}})
					}
				}
				for _, months := range []int64{1, 6, 12} {
					h.goOn(30*months-h.day, func() {})
					samples := 0
					for _, s := range h.samples {
						samples += cap(s) * int(unsafe.Sizeof(sample{}))
					}
					b.ReportMetric(float64(inUse()-before-int64(samples))/float64(h.people), fmt.Sprintf("B/person-after-%d-months", months))
				}
				runtime.KeepAlive(h)
			}
		})
	}
}
