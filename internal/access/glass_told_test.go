package access_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/server/servertest"
)

// Who treats a patient hears of the glass at once; the one who broke it, a stranger and, later, who came to the team afterwards do not. A node that
// starts anew knows them still.
func TestTheTeamIsToldOfTheGlass(t *testing.T) {
	w := newWard(t)
	ben := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Osei","given":["Ben"]}]}`)
	cy := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Cole","given":["Cy"]}]}`)
	w.checkIn(t, w.anna, w.maren)
	anna, other := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Cy Cole", "physician", cy)
	breaker := w.as(t, w.Person(t, "Ben Osei", "nurse", ben))
	told := make(chan access.Broken, 10)
	follow := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.Gate.TellBroken(ctx, func(b access.Broken) error { told <- b; return nil })
		}()
		return func() { cancel(); <-done }
	}
	stop := follow()
	defer func() { stop() }()
	_, changed := w.Gate.BrokenAtMine(w.as(t, anna))
	if _, err := w.Gate.BreakGlass(t.Context(), breaker, w.maren, "covering", "for a colleague"); err != nil {
		t.Fatal(err)
	}
	third := w.as(t, w.Person(t, "Di Hale", "nurse", ""))
	if _, err := w.Gate.BreakGlass(t.Context(), third, w.otto, "emergency", ""); err != nil { // nobody treats him
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody is told")
	}
	b := <-told
	if b.PatientID != w.maren || b.Code != "covering" || b.By != breaker.Session.Person.ID || !slices.Equal(b.Team, []string{anna.Person.Person}) {
		t.Errorf("%+v", b)
	}
	w.checkIn(t, cy, w.maren)
	mine := func(who access.Principal) int {
		list, _ := w.Gate.BrokenAtMine(who)
		return len(list)
	}
	if mine(w.as(t, anna)) != 1 || mine(breaker) != 0 || mine(w.as(t, other)) != 0 {
		t.Error("shown to others than those who treated the patient then")
	}
	stop()
	if len(told) != 0 {
		t.Errorf("told more: %+v", <-told)
	}

	// A start anew knows them still, and tells again what is new: the outlet sends it once.
	w.Stop()
	w.Server = servertest.Open(t, w.Dir)
	again, changed := w.Gate.BrokenAtMine(w.as(t, anna))
	if len(again) != 0 {
		t.Fatalf("known before anything was read: %+v", again)
	}
	failing := 0
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Gate.TellBroken(ctx, func(b access.Broken) error {
			if failing++; failing == 1 {
				return errors.New("not now")
			}
			told <- b
			return nil
		})
	}()
	stop = func() { cancel(); <-done }
	select {
	case <-changed:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody is told after a start anew")
	}
	if b := <-told; b.PatientID != w.maren || mine(w.as(t, anna)) != 1 {
		t.Errorf("%+v", b)
	}
}
