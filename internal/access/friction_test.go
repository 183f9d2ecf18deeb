package access_test

import (
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/server/servertest"
)

// What was asked in front of a chart is counted once for a person and a day, with the time until it opened; what opened without a question
// counts beside it, and a refusal that offers no way does not.
func TestFrictionIsCounted(t *testing.T) {
	place := dbtest.New(t)
	nine := time.Date(2036, 3, 11, 9, 0, 0, 0, time.UTC)
	clock := servertest.ClockAt(nine)
	servertest.StartAt(t, place).Stop()
	w := &ward{Server: servertest.OpenOn(t, place.Dir, clock)}
	w.people(t)
	w.checkIn(t, w.anna, w.maren)
	ben := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Osei","given":["Ben"]}]}`)
	a, b := w.at(t, w.Person(t, "Anna Lindqvist", "physician", w.anna)), w.at(t, w.Person(t, "Ben Osei", "nurse", ben))
	officer, desk := w.at(t, w.Person(t, "Ruth Adeyemi", "privacy", "")), w.at(t, w.Person(t, "Desk", "front-desk", ""))
	open := func(p access.Principal, patient string, want bool) {
		t.Helper()
		if _, err := w.Gate.Chart(t.Context(), p, patient); (err == nil) != want {
			t.Fatal(err)
		}
	}
	open(a, w.maren, true)
	open(a, w.maren, true)
	open(a, w.otto, false)
	open(a, w.otto, false)
	clock.Set(nine.Add(3 * time.Minute))
	if _, err := w.Gate.BreakGlass(t.Context(), a, w.otto, "emergency", ""); err != nil {
		t.Fatal(err)
	}
	clock.Set(nine.Add(4 * time.Minute))
	open(a, w.otto, true)
	open(b, w.otto, false) // and goes away
	open(desk, w.otto, false)
	o, err := w.Gate.Overview(t.Context(), officer)
	if err != nil {
		t.Fatal(err)
	}
	want := access.Friction{Charts: 3, Asked: 2, Glass: 2, Opened: 1, Lost: 4 * time.Minute, Median: 4 * time.Minute, Shifts: 2, Most: 1, Overrode: 1}
	if o.Friction != want {
		t.Errorf("%+v", o.Friction)
	}
	clock.Set(nine.Add(15 * 24 * 60 * time.Minute))
	officer = w.at(t, w.Person(t, "Ola Berg", "privacy", ""))
	if o, err = w.Gate.Overview(t.Context(), officer); err != nil || o.Friction != (access.Friction{}) {
		t.Errorf("two weeks later: %+v %v", o.Friction, err)
	}
}
