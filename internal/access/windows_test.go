package access_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// A6. On a whole server, by its clock: each relation opens a chart from its first second on and no longer than its last, over HTTP.
func TestRelationsKeepTheirTimesOverHTTP(t *testing.T) {
	w, turn := turned(t)
	begin := w.Now().Truncate(time.Second).Add(2 * time.Hour)
	at := func(after time.Duration) string { return begin.Add(after).UTC().Format(time.RFC3339) }
	const days = 24 * time.Hour
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	ward := w.put(t, `{"resourceType":"Organization","name":"Ward 3"}`)
	role := w.put(t, `{"resourceType":"PractitionerRole","active":true,"practitioner":{"reference":"`+w.anna+`"},"organization":{"reference":"`+ward+`"}}`)
	schedule := w.put(t, `{"resourceType":"Schedule","actor":[{"reference":"`+role+`"}]}`)
	w.put(t, `{"resourceType":"Slot","schedule":{"reference":"`+schedule+`"},"status":"busy","start":"`+at(6*time.Hour)+`","end":"`+at(14*time.Hour)+`"}`)
	ben := w.Person(t, "Ben Ito", "physician", w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Ito"}]}`))
	nils := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Holm"}]}`)
	nurse := w.Person(t, "Nils Holm", "nurse", nils)
	type change struct {
		name  string
		who   *servertest.Client
		chart string
		when  time.Time
		opens bool
		late  time.Duration // how long after it the change is there
	}
	var changes []change
	chart := func(flags ...string) string {
		t.Helper()
		_, id, _ := strings.Cut(w.put(t, `{"resourceType":"Patient","name":[{"family":"Windows"}]}`), "/")
		for _, f := range flags {
			w.put(t, flagged(id, f))
		}
		return id
	}
	opensAndEnds := func(name string, who *servertest.Client, chart string, opens, ends, late time.Duration) {
		if opens > 0 {
			changes = append(changes, change{name, who, chart, begin.Add(opens), true, late})
		}
		changes = append(changes, change{name, who, chart, begin.Add(ends), false, 0})
	}
	say := func(chart, practitioner, body string) string {
		t.Helper()
		return w.put(t, strings.NewReplacer("SUBJECT", `{"reference":"Patient/`+chart+`"}`, "ACTOR", `{"reference":"`+practitioner+`"}`).Replace(body))
	}
	about := func(name, body string, opens, ends time.Duration) {
		t.Helper()
		id := chart()
		say(id, w.anna, body)
		opensAndEnds(name, anna, id, opens, ends, 0)
	}
	about("care team", `{"resourceType":"CareTeam","status":"active","subject":SUBJECT,"period":{"start":"`+at(time.Hour)+`","end":"`+at(2*time.Hour)+`"},"participant":[{"member":ACTOR}]}`, time.Hour, 2*time.Hour)
	about("a member's own time", `{"resourceType":"CareTeam","status":"active","subject":SUBJECT,"participant":[{"member":ACTOR,"period":{"start":"`+at(3*time.Hour)+`","end":"`+at(4*time.Hour)+`"}}]}`, 3*time.Hour, 4*time.Hour)
	about("order and shift", `{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":SUBJECT,"performer":[{"reference":"`+ward+`"}],"authoredOn":"`+at(-time.Hour)+`"}`, 6*time.Hour, 14*time.Hour)
	about("a visit that is over", `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":SUBJECT,"participant":[{"individual":ACTOR}],"period":{"start":"`+at(-2*days)+`","end":"`+at(-1*days)+`"}}`, 0, 29*days)

	// An appointment of an hour in forty days: thirty days before and after it; at a protected patient 48 hours before and 72 after; for a nurse
	// at a protected patient while it lasts. The windows before a visit are open from the moment after they begin.
	booked := `{"resourceType":"Appointment","status":"booked","start":"` + at(40*days) + `","end":"` + at(40*days+time.Hour) + `","participant":[{"actor":SUBJECT,"status":"accepted"},{"actor":ACTOR,"status":"accepted"}]}`
	open, guarded, bedside := chart(), chart("vip"), chart("vip")
	say(open, w.anna, booked)
	opensAndEnds("an appointment", anna, open, 10*days, 70*days+time.Hour, time.Second)
	say(guarded, w.anna, booked)
	opensAndEnds("an appointment of a protected patient", anna, guarded, 38*days, 43*days+time.Hour, time.Second)
	say(bedside, nils, booked)
	opensAndEnds("an appointment, for a nurse", nurse, bedside, 40*days, 40*days+time.Hour, 0)

	// A planned visit opens at its time for a nurse at a protected patient, for a day where no end is planned.
	planned, visit := chart("vip"), `{"resourceType":"Encounter","id":"stay","status":"STATUS","class":{"code":"IMP"},"subject":SUBJECT,"participant":[{"individual":ACTOR}],"period":{"start":"`+at(41*days)+`"END}}`
	stay := func(status, end string) {
		t.Helper()
		w.named(t, strings.NewReplacer("STATUS", status, "END", end, "SUBJECT", `{"reference":"Patient/`+planned+`"}`, "ACTOR", `{"reference":"`+nils+`"}`).Replace(visit))
	}
	stay("planned", "")
	opensAndEnds("the opening of a visit", nurse, planned, 41*days, 42*days, 0)

	// A cover from one minute to another, of a chart that stays open to her who is covered.
	covered := chart()
	say(covered, w.anna, `{"resourceType":"CareTeam","status":"active","subject":SUBJECT,"participant":[{"member":ACTOR}]}`)
	if _, err := w.Gate.Cover(t.Context(), w.as(t, anna), ben.Person.Person, anna.Person.Person, begin.Add(20*days), begin.Add(21*days)); err != nil {
		t.Fatal(err)
	}
	opensAndEnds("a cover", ben, covered, 20*days, 21*days, 0)

	// A task and a referral open at once, and for 72 hours after somebody said that they are done.
	for name, body := range map[string]string{
		"a task":     `{"resourceType":"Task","id":"job","status":"STATUS","intent":"order","for":SUBJECT,"owner":ACTOR,"authoredOn":"` + at(-3*time.Hour) + `"}`,
		"a referral": `{"resourceType":"ServiceRequest","id":"referral","status":"STATUS","intent":"order","subject":SUBJECT,"performer":[ACTOR],"authoredOn":"` + at(-3*time.Hour) + `"}`} {
		queued := chart()
		say := func(status string) {
			t.Helper()
			w.named(t, strings.NewReplacer("STATUS", status, "SUBJECT", `{"reference":"Patient/`+queued+`"}`, "ACTOR", `{"reference":"`+w.anna+`"}`).Replace(body))
		}
		opens := func(want int) {
			t.Helper()
			if got := anna.Get(t, "/fhir/Patient/"+queued).Status; got != want {
				t.Errorf("%s: %d, want %d", name, got, want)
			}
		}
		opens(http.StatusForbidden)
		say(map[string]string{"a task": "requested", "a referral": "active"}[name])
		opens(http.StatusOK)
		say("completed")
		opensAndEnds(name, anna, queued, 0, w.Now().Add(72*time.Hour).Sub(begin), 0)
	}

	slices.SortStableFunc(changes, func(a, b change) int { return a.when.Compare(b.when) })
	for _, c := range changes {
		if d := c.when.Add(-time.Minute).Sub(w.Now()); d > 0 {
			turn(d)
		}
		who := w.SignIn(t, c.who.Person, identity.StaffCapacity)
		for _, probe := range []struct {
			when time.Time
			open bool
		}{{c.when.Add(-time.Second), !c.opens}, {c.when.Add(c.late), c.opens}} {
			turn(probe.when.Sub(w.Now()))
			got := who.Get(t, "/fhir/Patient/"+c.chart).Status
			if want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[probe.open]; got != want {
				t.Errorf("%s, %s from the change (opens: %v): %d, want %d", c.name, probe.when.Sub(c.when), c.opens, got, want)
			}
		}
	}

	// What is written opens a visit at once, past its planned day, and ends it at once.
	who := w.SignIn(t, nurse.Person, identity.StaffCapacity)
	stay("in-progress", "")
	if got := who.Get(t, "/fhir/Patient/"+planned).Status; got != http.StatusOK {
		t.Errorf("the visit lasts: %d", got)
	}
	stay("finished", `,"end":"`+w.Now().UTC().Format(time.RFC3339)+`"`)
	if got := who.Get(t, "/fhir/Patient/"+planned).Status; got != http.StatusForbidden {
		t.Errorf("the visit is over: %d", got)
	}
}
