package detect

import (
	"fmt"
	"slices"
	"testing"
)

// opened adds looks without a known reason at some patients.
func (d *today) opened(patients int, l look) {
	for range patients {
		l.patient = int32(len(d.patients))
		l.counted = true
		d.add(l)
		d.counts[countPatients]++
		d.counts[countUnexplained]++
	}
}

func TestWhoOpensManyPatientsOfAUnitCoversIt(t *testing.T) {
	d := &today{}
	d.opened(covers+1, look{nats: 2})
	d.patients[0].glass, d.claims, d.counts[countGlass] = true, 1, 1
	for i := range covers - 1 {
		d.covered(&d.patients[i], []int32{7})
	}
	if d.patients[0].nats != 2 {
		t.Errorf("%d patients are enough", covers-1)
	}
	d.covered(&d.patients[covers-1], []int32{7})
	for i := range covers {
		if n := d.patients[i].nats; n > coverNats {
			t.Errorf("patient %d of the unit has %v nats", i, n)
		}
	}
	if n := d.patients[covers].nats; n != 2 {
		t.Errorf("a patient of no such unit has %v nats", n)
	}
	if d.claims != 0 || d.counts[countGlass] != 0 || d.counts[countUnexplained] != 1 {
		t.Errorf("claims %d, counts %v", d.claims, d.counts)
	}
}

func TestACountIsComparedWithTheOthersOfTheDay(t *testing.T) {
	r, p := &roleStats{}, &person{days: 8}
	p.means[countUnexplained] = float32(unexplainedSignal.mean)
	alone := r.evidence(countUnexplained, p, 10)
	r.day[countUnexplained], r.dayN = 210, 21
	if all := r.evidence(countUnexplained, p, 10); alone < 2 || all > 0 {
		t.Errorf("alone %.2f, as everybody %.2f", alone, all)
	}
	r.day[countUnexplained] = 10 // hers: the others had none
	if got := r.evidence(countUnexplained, p, 10); got != alone {
		t.Errorf("%.2f, her own count made it %.2f", alone, got)
	}
}

func TestSeveralOfTheOwnCircleSpeak(t *testing.T) {
	e, _, _ := told()
	p := &person{days: 8}
	p.means[countPatients] = 20
	d := &today{}
	d.opened(20, look{nats: 1, q: uint8(len(relations) - 1)})
	var last float64
	for k := range 6 {
		d.patients[k].q = 0
		x := e.ownCircle(p, d)
		if k == 0 && x != 0 || k > 2 && x <= last {
			t.Errorf("%d of the circle: %.2f after %.2f", k+1, x, last)
		}
		last = x
	}
}

func TestAnOwnReasonSaysAsMuchAsItIsRare(t *testing.T) {
	e, _, _ := told()
	if x := e.excused(-1, true, -1); x != 0 {
		t.Errorf("of an explained look %.2f", x)
	}
	rare := e.excused(-1, true, 1)
	for range 1000 {
		e.excused(-1, true, 1)
	}
	if common := e.excused(-1, true, 1); rare < 1 || common > 0 || e.excused(-1, false, 1) != 0 {
		t.Errorf("rare %.2f, common %.2f", rare, common)
	}
}

func TestTwoPlacesAtOnce(t *testing.T) {
	e, _, _ := told()
	e.Device("Device/a", "workstation", "Location/a")
	e.Device("Device/near", "workstation", "Location/a")
	e.Device("Device/b", "workstation", "Location/b")
	e.Device("Device/phone", "mobile", "Location/b")
	for _, c := range []struct {
		devices string
		pause   int64
		back    bool
	}{
		{"aba", 60, true}, {"aba", 400, false}, {"a a", 60, false}, {"apa", 60, false}, {"ana", 60, false}, {"axa", 60, true}, {"aab", 60, false},
	} {
		p, back := &person{}, false
		for i, x := range c.devices {
			name := map[rune]string{'a': "a", 'b': "b", 'p': "phone", 'n': "near", 'x': "unheard-of"}[x]
			if name == "" {
				continue
			}
			id := thin("Device/" + name)
			back = back || p.concurrent(e.stands(e.machine(id), id), noon+int64(i)*c.pause)
		}
		if back != c.back {
			t.Errorf("%s each %d s: %v", c.devices, c.pause, back)
		}
	}
}

// What is too weak to be told in the middle of a day is told when it ends, not a day later.
func TestADayIsJudgedInTheEvening(t *testing.T) {
	e, _, cases := told()
	d := grown(e, "Practitioner/a")[0]
	for i := range 3 {
		e.world.patient(fmt.Sprint("Patient/", i))
	}
	d.opened(1, look{nats: 3, rel: 3, q: uint8(len(relations) - 1), events: 2})
	w := e.weigh(0, d)
	if e.judgeDay(0, d, &w, atOnce); len(*cases) != 0 {
		t.Fatalf("at once: %+v", *cases)
	}
	if e.evening(d.day); len(*cases) != 1 || (*cases)[0].Hypothesis != "snoop" {
		t.Errorf("in the evening: %+v", *cases)
	}
}

func TestTheNightJudgesTheDayThatEnds(t *testing.T) {
	e, _, cases := told()
	d := grown(e, "Practitioner/a")[0]
	e.world.patient("Patient/0")
	d.opened(1, look{nats: 3, rel: 3, q: uint8(len(relations) - 1), events: 2})
	if e.midnight(); len(*cases) != 1 {
		t.Errorf("%+v", *cases)
	}
}

// A day of misuse is nothing that a person may do from then on, were it her first.
func TestMisuseOnTheFirstDayIsNoHabit(t *testing.T) {
	e, _, _ := told()
	d := grown(e, "Practitioner/a")[0]
	e.judgeDay(0, d, &[hypotheses]float64{snoop: 30}, forGood)
	if got := e.world.persons[0].usual; d.logE <= clearCase || got != 0 {
		t.Errorf("log e %.1f is usual with %.1f", d.logE, got)
	}
}

func TestWhoLeftADepartmentIsNoCompanyThere(t *testing.T) {
	e, _, _ := told()
	for i, to := range []int64{0, noon - 30*day} {
		who := fmt.Sprint("Practitioner/", i)
		e.Learn(Record{Ref: fmt.Sprint("PractitionerRole/", i), Post: &Post{Person: who, Role: "nurse", Units: []string{"Organization/w"}, From: noon - 90*day, To: to}})
	}
	for i := range 2 {
		e.Judge(&Event{ID: fmt.Sprint(i), Time: noon, Kind: Read, Agent: fmt.Sprint("Practitioner/", i), Patients: []string{"Patient/p"}})
	}
	for i, n := range []int{1, 0} {
		a := e.world.person(fmt.Sprint("Practitioner/", i))
		if got := e.world.homes(a, noon, nil); len(got) != n {
			t.Errorf("%d is at home in %v", i, got)
		}
	}
}

// What is said of how a chart was opened is true of it.
func TestTheWordsOfCircumstancesAreTrue(t *testing.T) {
	e, _, _ := told()
	d := grown(e, "Practitioner/a")[0]
	e.world.patient("Patient/0")
	said := func(l look) (out []string) {
		l.nats, l.q = 3, uint8(len(relations)-1)
		l.around = e.circumstanced(&e.world.persons[0], -1, &l)
		d.patients = d.patients[:0]
		d.opened(1, l)
		for _, p := range e.parts(snoop, 0, d) {
			if p.name != "unexplained" {
				out = append(out, p.name+": "+p.text)
			}
		}
		return out
	}
	for _, c := range []struct {
		l    look
		says []string
	}{
		{look{events: 1, company: companyUnknown, wrote: true}, nil},
		{look{events: 5, company: companyNobody, wrote: true}, []string{"alone: nobody else opened the chart that day", "read-on: much of the chart was read"}},
		{look{events: 5, company: companyMates}, []string{"unwritten: nothing was written into the chart", "read-on: much of the chart was read"}},
	} {
		if got := said(c.l); !slices.Equal(got, c.says) {
			t.Errorf("%+v: %q", c.l, got)
		}
	}
}

func TestWhatTheEveningTookBackIsToldWhenTheDayIsSettled(t *testing.T) {
	e := New(Options{})
	var last *Case
	e.options.Case = func(c *Case) { last = c }
	a := e.world.person("Practitioner/a")
	d := &today{day: 40}
	c := &openCase{number: 1, person: a, lastDay: 40, topDay: 40, days: []caseDay{{day: 40, nats: 8}}}
	e.open[caseKey{a, harvest}] = c
	e.tell(c, harvest, false, false)
	if last == nil || last.LogE != 8 {
		t.Fatalf("not raised: %+v", last)
	}
	c.on(40, 0)
	e.tell(c, harvest, false, false) // the evening waits
	e.lower(a, d, snoop)
	if last.Revision != 2 || last.LogE != 0 || last.Queue != "watch" {
		t.Errorf("revision %d still has %v in %s", last.Revision, last.LogE, last.Queue)
	}
}
