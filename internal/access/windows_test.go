package access_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
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
	type change struct {
		name  string
		chart string
		when  time.Time
		opens bool
	}
	var changes []change
	about := func(name, body string, opens, ends time.Duration) {
		t.Helper()
		_, chart, _ := strings.Cut(w.put(t, `{"resourceType":"Patient","name":[{"family":"Windows"}]}`), "/")
		w.put(t, strings.NewReplacer("SUBJECT", `{"reference":"Patient/`+chart+`"}`, "ACTOR", `{"reference":"`+w.anna+`"}`).Replace(body))
		if opens > 0 {
			changes = append(changes, change{name, chart, begin.Add(opens), true})
		}
		changes = append(changes, change{name, chart, begin.Add(ends), false})
	}
	about("care team", `{"resourceType":"CareTeam","status":"active","subject":SUBJECT,"period":{"start":"`+at(time.Hour)+`","end":"`+at(2*time.Hour)+`"},"participant":[{"member":ACTOR}]}`, time.Hour, 2*time.Hour)
	about("a member's own time", `{"resourceType":"CareTeam","status":"active","subject":SUBJECT,"participant":[{"member":ACTOR,"period":{"start":"`+at(3*time.Hour)+`","end":"`+at(4*time.Hour)+`"}}]}`, 3*time.Hour, 4*time.Hour)
	about("order and shift", `{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":SUBJECT,"performer":[{"reference":"`+ward+`"}],"authoredOn":"`+at(-time.Hour)+`"}`, 6*time.Hour, 14*time.Hour)
	about("a visit that is over", `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":SUBJECT,"participant":[{"individual":ACTOR}],"period":{"start":"`+at(-2*days)+`","end":"`+at(-1*days)+`"}}`, 0, 29*days)
	slices.SortFunc(changes, func(a, b change) int { return a.when.Compare(b.when) })
	for _, c := range changes {
		turn(c.when.Add(-time.Minute).Sub(w.Now()))
		who := w.SignIn(t, anna.Person, identity.StaffCapacity)
		for _, probe := range []struct {
			when time.Time
			open bool
		}{{c.when.Add(-time.Second), !c.opens}, {c.when, c.opens}} {
			turn(probe.when.Sub(w.Now()))
			got := who.Get(t, "/fhir/Patient/"+c.chart).Status
			if want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[probe.open]; got != want {
				t.Errorf("%s, %s from the change (opens: %v): %d, want %d", c.name, probe.when.Sub(c.when), c.opens, got, want)
			}
		}
	}
}
