package detect

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const noon = storyDay + day/2

// told makes an engine and the lists that it fills.
func told() (e *Engine, verdicts *[]Verdict, cases *[]Case) {
	verdicts, cases = new([]Verdict), new([]Case)
	return New(Options{Seed: 1, Verdict: func(v *Verdict) { *verdicts = append(*verdicts, *v) }, Case: func(c *Case) { *cases = append(*cases, *c) }}), verdicts, cases
}

func TestPeopleWhoseRoleNobodyTells(t *testing.T) {
	e, verdicts, _ := told()
	e.Judge(&Event{ID: "1", Time: noon, Kind: Create, Agent: "Practitioner/a", Data: "Task/1", Patients: []string{"Patient/p"}})
	e.Close()
	if len(*verdicts) == 0 {
		t.Error("no verdict")
	}

	// a role that becomes known when the log has begun, of a person whose agent names none
	e, verdicts, _ = told()
	e.Learn(Record{Ref: "PractitionerRole/1", Known: noon + 60, Post: &Post{Person: "Practitioner/a", Role: "registration-clerk"}})
	e.Learn(Record{Ref: "Appointment/1", Patient: "Patient/p", Ties: []Tie{{Template: Arrival, From: noon, To: noon}}})
	for i := range int64(2) {
		e.Judge(&Event{ID: fmt.Sprint(i), Time: noon + 3600*i, Kind: Read, Agent: "Practitioner/a", Patients: []string{"Patient/p"}})
	}
	if v := (*verdicts)[len(*verdicts)-1]; len(v.Explanations) != 1 || v.Explanations[0].Template != "registration.arrival" {
		t.Errorf("%+v", v)
	}
}

func TestNobodyIsKinForWantOfAName(t *testing.T) {
	e, verdicts, _ := told()
	e.Learn(Record{Ref: "Practitioner/a", Folk: &Folk{Ref: "Practitioner/a", Family: "Ito"}})
	e.Learn(Record{Ref: "Patient/p", Patient: "Patient/p", Folk: &Folk{Ref: "Patient/p", Family: "Ng"}})
	e.Learn(Record{Ref: "RelatedPerson/r", Folk: &Folk{Ref: "RelatedPerson/r", Of: "Patient/p", Family: "Ng"}})
	e.Judge(&Event{ID: "1", Time: noon, Kind: Read, Agent: "Practitioner/a", Patients: []string{"Patient/p"}})
	if v := (*verdicts)[0]; len(v.Signals) > 0 {
		t.Errorf("signals %+v", v.Signals)
	}
}

// grown is an engine that has seen its weeks, on a day with some active people.
func grown(e *Engine, people ...string) (days []*today) {
	e.start, e.now, e.day, e.finished, e.activeMean = noon-60*day, noon, int32(noon/day), 60, 1000
	for _, who := range people {
		a := e.world.person(who)
		d := &today{day: e.day, role: -1}
		e.world.persons[a].today = d
		e.activeOn[e.day] = append(e.activeOn[e.day], a)
		days = append(days, d)
	}
	return days
}

func TestOnePersonsManyAlarmsAreOneForEverybodyElse(t *testing.T) {
	e, _, cases := told()
	d := grown(e, "Practitioner/a", "Practitioner/b")
	for x := 9.0; x < 12; x += .1 {
		e.judgeDay(0, d[0], &[hypotheses]float64{snoop: x}, atOnce)
	}
	e.judgeDay(1, d[1], &[hypotheses]float64{snoop: 10}, atOnce)
	last := (*cases)[len(*cases)-1]
	if last.Agent != "Practitioner/b" || d[1].logE < 6.95 || last.Queue == "automatic" {
		t.Errorf("%s, log e %.2f, is %s", last.Agent, d[1].logE, last.Queue)
	}
}

func TestAnotherKindsCaseIsNotAutomaticForTheDay(t *testing.T) {
	e, _, cases := told()
	d := grown(e, "Practitioner/a")
	e.open[caseKey{0, harvest}] = &openCase{days: []caseDay{{day: e.day - 1, nats: 3}, {day: e.day, nats: 6}}, lastDay: e.day}
	e.judgeDay(0, d[0], &[hypotheses]float64{snoop: 20}, forGood)
	for _, c := range *cases {
		if (c.Queue == "automatic") != (c.Hypothesis == "snoop") {
			t.Errorf("the case of %q is %s", c.Hypothesis, c.Queue)
		}
		if c.Updated != e.now {
			t.Errorf("updated %s, known since %s", stamp(c.Updated), stamp(e.now))
		}
	}
	if len(*cases) != 2 {
		t.Errorf("%d revisions", len(*cases))
	}
}

func TestWhatIsWrittenIsJSONWhateverTheIds(t *testing.T) {
	for _, b := range [][]byte{
		(&Verdict{Event: "e\xff", Agent: "a\xc3", Patient: "\x80p\x00\"\\"}).AppendJSON(nil),
		(&Case{ID: "c", Agent: "\xf0\x28", Events: []string{"\xe2\x82", "é"}}).AppendJSON(nil),
	} {
		if fixed := []byte(string([]rune(string(b)))); !json.Valid(b) || string(fixed) != string(b) {
			t.Errorf("%q", b)
		}
	}
}

func TestAPatientOfEveryDayStandsOnceAmongTheLatest(t *testing.T) {
	e, _, _ := told()
	for i := range int64(5) {
		e.Judge(&Event{ID: fmt.Sprint(i), Time: noon + i*day, Kind: Read, Agent: "Practitioner/a", Patients: []string{"Patient/p"}})
	}
	if len(e.latest) != 1 {
		t.Errorf("%d times", len(e.latest))
	}
}

func TestACancelledVersionTakesItsFactsBack(t *testing.T) {
	e, verdicts, _ := told()
	e.Learn(Record{Ref: "Appointment/1", Patient: "Patient/p", Ties: []Tie{{Template: AppointmentDirect, Party: "Practitioner/a", From: noon, To: noon}}})
	e.Learn(Record{Ref: "Appointment/1", Known: noon + 60, Gone: true})
	for i := range int64(2) {
		e.Judge(&Event{ID: fmt.Sprint(i), Time: noon + 120*i, Kind: Read, Agent: "Practitioner/a", Patients: []string{"Patient/p"}})
	}
	if v := *verdicts; !v[0].Explained || v[1].Explained {
		t.Errorf("%v %v", v[0].Explained, v[1].Explained)
	}
}

func TestVersionsCountInTheOrderInWhichTheyBecameKnown(t *testing.T) {
	tie := func(patient string, known int64) Record {
		return Record{Ref: "Appointment/1", Known: known, Patient: patient, Ties: []Tie{{Template: AppointmentDirect, Party: "Practitioner/a", From: noon, To: noon}}}
	}
	first, second, third := tie("Patient/p", noon-60), tie("Patient/q", noon+60), Record{Ref: "Appointment/1", Known: noon + 900, Gone: true}
	for _, order := range [][]Record{{first, second, third}, {third, second, first}, {second, third, first}} {
		e, verdicts, _ := told()
		for _, r := range order {
			e.Learn(r)
		}
		for i := range int64(3) {
			for k, p := range []string{"Patient/p", "Patient/q"} {
				e.Judge(&Event{ID: fmt.Sprint(i, p), Time: noon + i*600, Kind: Read, Agent: "Practitioner/a", Patients: []string{p}})
				x := (*verdicts)[2*i+int64(k)].Explanations
				if got := len(x) > 0 && x[0].Template == "appointment.direct"; got != (i == int64(k)) {
					t.Errorf("versions known at %d, %d, %d: look %d at %s has the appointment: %v", order[0].Known-noon, order[1].Known-noon, order[2].Known-noon, i, p, got)
				}
			}
		}
	}
}

func TestFlagConsentAndPostAreTakenBack(t *testing.T) {
	e, _, _ := told()
	e.Learn(Record{Ref: "Flag/1", Known: noon, Patient: "Patient/p", Flags: []string{"vip"}})
	e.Learn(Record{Ref: "Flag/1", Known: noon + 60, Gone: true})
	e.Learn(Record{Ref: "Consent/1", Known: noon, Consents: "Patient/p"})
	e.Learn(Record{Ref: "Consent/1", Known: noon + 60, Gone: true})
	e.Learn(Record{Ref: "PractitionerRole/1", Known: noon, Post: &Post{Person: "Practitioner/a", Role: "nurse", Units: []string{"Organization/u"}}})
	e.Learn(Record{Ref: "PractitionerRole/1", Known: noon + 60, Post: &Post{Person: "Practitioner/a", Role: "nurse", Units: []string{"Organization/w"}}})
	e.Learn(Record{Ref: "Flag/2", Known: noon, Patient: "Patient/q", Flags: []string{"vip"}})
	w := &e.world
	w.advance(noon)
	p, a := w.patient("Patient/p"), w.person("Practitioner/a")
	if !w.patients[p].vip() || !w.patients[p].consented() || len(w.persons[a].posts) != 1 {
		t.Error("nothing is known")
	}
	w.advance(noon + 60)
	if w.patients[p].vip() || w.patients[p].consented() || !w.patients[w.patient("Patient/q")].vip() {
		t.Error("a flag or consent stayed, or another's went")
	}
	if x := w.persons[a].posts; len(x) != 1 || x[0].unit != w.unit("Organization/w") {
		t.Errorf("posts %+v", x)
	}
}

func TestClocksAtTheirEnds(t *testing.T) {
	for _, times := range [][]int64{{-62135596800, 0, 1, noon}, {0, 0, 3600}, {noon, 1<<62 - 1, noon, 1 << 62}, {-1 << 62, -5, noon - 40*365*day, noon}} {
		e, verdicts, _ := told()
		e.Learn(Record{Ref: "Appointment/1", Known: -7, Patient: "Patient/p", Ties: []Tie{{Template: AppointmentDirect, Party: "Practitioner/a", From: -62135596800, To: 1 << 40}}})
		for i, at := range times {
			e.Judge(&Event{ID: fmt.Sprint(i), Time: at, Kind: Read, Agent: "Practitioner/a", Role: "nurse", Device: "Device/1", Address: "10.0.0.1", Patients: []string{"Patient/p"}})
		}
		if r := e.Close(); r.Events != len(times) || len(*verdicts) < len(times) {
			t.Errorf("%v: %+v", times, r)
		}
	}
}

func TestAfterASilentYearNobodyIsDormant(t *testing.T) {
	for _, c := range []struct {
		silent int64 // days of the whole log
		want   bool
	}{{0, true}, {400, false}} {
		e, _, _ := told()
		n := 0
		look := func(who string, at int64) {
			n++
			e.Judge(&Event{ID: fmt.Sprint(n), Time: at, Kind: Read, Agent: "Practitioner/" + who, Patients: []string{"Patient/p"}})
		}
		look("rested", noon)
		for d := int64(0); d < 60; d++ {
			look("busy", noon+d*day+60)
		}
		at := noon + (60+c.silent)*day
		look("busy", at)
		look("rested", at+60)
		if got := e.world.persons[e.world.person("Practitioner/rested")].today.dormant > 0; got != c.want {
			t.Errorf("after %d silent days: dormant %v", c.silent, got)
		}
	}
}

func TestWhatHoldsManyWardsIsNoDepartment(t *testing.T) {
	for _, wards := range []int{2, 6} {
		for _, postsFirst := range []bool{true, false} {
			e, _, _ := told()
			units := func() {
				e.Learn(Record{Ref: "Organization/h", Unit: &Unit{Ref: "Organization/h"}})
				for i := range wards {
					e.Learn(Record{Ref: fmt.Sprint("Location/", i), Unit: &Unit{Ref: fmt.Sprint("Location/", i), Parts: []string{"Organization/h"}}})
					bed := fmt.Sprint("Location/bed", i)
					e.Learn(Record{Ref: bed, Unit: &Unit{Ref: bed, Parts: []string{fmt.Sprint("Location/", i)}}})
				}
			}
			if !postsFirst {
				units()
			}
			for i := range 12 * wards {
				who := fmt.Sprint("Practitioner/", i)
				e.Learn(Record{Ref: fmt.Sprint("PractitionerRole/", i), Post: &Post{Person: who, Role: "nurse", Units: []string{fmt.Sprint("Location/", i%wards)}}})
			}
			if postsFirst {
				units()
			}
			w := &e.world
			one := w.department(w.unit("Location/bed0")) == w.department(w.unit("Location/1"))
			if one != (wards < manyWards) || w.department(w.unit("Location/bed0")) != w.department(w.unit("Location/0")) {
				t.Errorf("%d wards, posts first %v: one department %v", wards, postsFirst, one)
			}
		}
	}
}

func TestWhoHasNoRoleIsComparedWithNoRole(t *testing.T) {
	e, _, _ := told()
	e.Learn(Record{Ref: "PractitionerRole/1", Post: &Post{Person: "Practitioner/n", Role: "nurse"}})
	e.stats(0).n = 7
	if e.stats(-1) == e.stats(0) || e.stats(-1).n != 0 || e.stats(3).n != 0 || e.stats(0).n != 7 {
		t.Error("people without a role share a role's days")
	}
}

func TestAReasonWithoutADateIsSinceTheBeginning(t *testing.T) {
	for on, want := range map[int64]string{0: "since the beginning", 1: "since the beginning", int64(instantOf(-5 * day)): "since the beginning", noon: "since " + moment(noon)} {
		if said := (reason{template: Collaborator, on: on}).say(); !strings.HasSuffix(said, want) {
			t.Errorf("%d: %s", on, said)
		}
	}
}
