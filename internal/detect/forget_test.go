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
	if facts[5] > facts[2]*11/10 || sources[5] > sources[2]*11/10 || h.world.bySource.n != sources[5] || len(h.world.waiting) > 10_000 || facts[5] < 90*100 {
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

func TestAUnitIsRememberedLongerThanTheFact(t *testing.T) {
	p := &patient{facts: []fact{
		{template: EncounterUnit, unit: true, party: 7, from: instantOf(noon - day), to: instantOf(noon)},
		{template: EncounterUnit, unit: true, party: 7, from: instantOf(noon - 9*day), to: instantOf(noon - 8*day)},
		{template: AppointmentDirect, party: 3, from: instantOf(noon)},
		{template: OwnDoctor, party: 3},
	}}
	for _, c := range []struct{ after, facts, stays int }{{34, 3, 1}, {36, 2, 1}, {95, 1, 1}, {101, 1, 0}} {
		p.forget(noon + int64(c.after)*day)
		if len(p.facts) != c.facts || len(p.stays) != c.stays {
			t.Errorf("after %d days %d facts and %d stays, not %d and %d", c.after, len(p.facts), len(p.stays), c.facts, c.stays)
		}
		if len(p.stays) > 0 && p.stays[0] != (stay{7, instantOf(noon)}) && c.after > 34 {
			t.Errorf("after %d days: %+v", c.after, p.stays[0])
		}
	}
}

// crowd is a house of twenty wards where each opens ten charts a day, of patients who change each week; for one in twenty no reason is known. Ids are as
// long as an installation's.
type crowd struct {
	people, patients int
	appointments     int // told a day, of patients whom nobody opens
}

const opened = 2000 // of the patients

func longRef(typ string, n int) string {
	return fmt.Sprintf("%s/5f0c9d2e-7b1a-4c3d-8e6f-%012x", typ, n)
}

func ward(k int) string { return fmt.Sprint("Organization/", k%20) }

func (c crowd) begin(e *Engine) {
	folk := func(typ, street string, k int) *Folk {
		return &Folk{Ref: longRef(typ, k), Family: fmt.Sprint("F", k%977), Given: fmt.Sprint(typ, k), Birth: "1970-01-01", Street: fmt.Sprint(k%40, street, k/400), Postal: "1",
			Phones: []string{fmt.Sprint(typ, k)}}
	}
	for k := range c.patients {
		r := Record{Ref: longRef("Patient", k), Patient: longRef("Patient", k), Folk: folk("Patient", " Elm ", k)}
		r.Folk.Contacts = []Contact{{"F", fmt.Sprint("C", k), fmt.Sprint("1", k)}}
		if k%20 != 3 {
			r.Ties = []Tie{{Template: EncounterUnit, Party: ward(k / 10), From: noon - day, To: noon + 400*day}}
		}
		e.Learn(r)
	}
	for k := range c.people {
		e.Learn(Record{Ref: longRef("Practitioner", k), Folk: folk("Practitioner", " Oak ", k)})
		e.Learn(Record{Ref: longRef("PractitionerRole", k), Post: &Post{Person: longRef("Practitioner", k), Role: "nurse", Units: []string{ward(k)}}})
	}
	for d := range int64(planned) {
		c.plan(e, d)
	}
}

const planned = 28 // days ahead

func (c crowd) plan(e *Engine, d int64) {
	for k := int(d) % 2; k < c.people; k += 2 {
		e.Roster(Shift{longRef("Practitioner", k), ward(k), noon + d*day - 6*3600, noon + d*day + 6*3600})
	}
}

func (c crowd) live(e *Engine, d int64) {
	c.plan(e, d+planned)
	for k := range c.appointments {
		n, t := int(d)*c.appointments+k, noon+d*day
		e.Learn(Record{Ref: longRef("Appointment", n), Known: t - 7200, Maker: longRef("Practitioner", 0), Patient: longRef("Patient", opened+n%(c.patients-opened)),
			Ties: []Tie{{Template: AppointmentDirect, Party: longRef("Practitioner", n*7%c.people), From: t, To: t + 1200}}})
	}
	for k := range 10 * c.people {
		who, nth := k%c.people, k/c.people
		e.Judge(&Event{ID: longRef("", int(d)*10*c.people+k)[1:], Time: noon + d*day + int64(k)*int64(day/2)/int64(10*c.people), Kind: Read, Agent: longRef("Practitioner", who),
			Role: "nurse", Device: longRef("Device", who), Address: "10.0.0.1", Patients: []string{longRef("Patient", (who*10+nth+int(d)/7*200)%opened)}})
	}
}

// BenchmarkMemory tells the bytes of heap that one more member of staff, one more patient and one more appointment of the last months
// take, each as the difference of two houses that differ in nothing else, after six weeks and after 26. The samples of the nightly fits are
// left out: a larger house keeps no more of them.
func BenchmarkMemory(b *testing.B) {
	inUse := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	after := []int64{6 * 7, 26 * 7}
	heap := func(c crowd) (kept []float64) {
		before := inUse()
		e := New(Options{Seed: 1})
		c.begin(e)
		for d := range after[1] {
			if c.live(e, d); d+1 != after[0] && d+1 != after[1] {
				continue
			}
			samples := 0
			for i := range e.samples {
				samples += (cap(e.samples[i]) + cap(e.lateSamples[i])) * int(unsafe.Sizeof(sample{}))
			}
			for _, p := range e.pairs {
				samples += cap(p) * int(unsafe.Sizeof(pairing{}))
			}
			kept = append(kept, inUse()-before-float64(samples))
		}
		runtime.KeepAlive(e)
		return kept
	}
	for b.Loop() {
		base := heap(crowd{people: 200, patients: 2 * opened})
		for _, c := range []struct {
			name string
			more crowd
			n    [2]float64 // how many more there are
		}{
			{"person", crowd{people: 1000, patients: 2 * opened}, [2]float64{800, 800}},
			{"patient", crowd{people: 200, patients: 12 * opened}, [2]float64{20000, 20000}},
			{"appointment", crowd{people: 200, patients: 2 * opened, appointments: 500}, [2]float64{500 * 42, 500 * 100}},
		} {
			for i, kept := range heap(c.more) {
				b.ReportMetric((kept-base[i])/c.n[i], fmt.Sprintf("B/%s-after-%d-weeks", c.name, after[i]/7))
			}
		}
	}
}
