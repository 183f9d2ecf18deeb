package access_test

import (
	"sync/atomic"
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
	var minutes atomic.Int64
	servertest.StartAt(t, place).Stop()
	w := &ward{Server: servertest.OpenOn(t, place.Dir, func() time.Time {
		return time.Date(2036, 3, 11, 9, int(minutes.Load()), 0, 0, time.UTC)
	})}
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
	minutes.Store(3)
	if _, err := w.Gate.BreakGlass(t.Context(), a, w.otto, "emergency", ""); err != nil {
		t.Fatal(err)
	}
	minutes.Store(4)
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
	minutes.Store(15 * 24 * 60)
	officer = w.at(t, w.Person(t, "Ola Berg", "privacy", ""))
	if o, err = w.Gate.Overview(t.Context(), officer); err != nil || o.Friction != (access.Friction{}) {
		t.Errorf("two weeks later: %+v %v", o.Friction, err)
	}
}
