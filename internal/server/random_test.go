package server_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

// Of explained accesses that nobody suspects some are drawn at random as the days go by, at most one a day here, and each is an entry that
// the office can look at. A restart draws none of them again.
func TestAuditsAreDrawnAsDaysGoBy(t *testing.T) {
	s := newByHand(t, time.Date(2036, 3, 11, 9, 0, 0, 0, time.UTC), identity.Physician)
	const days = 150 // none is drawn in one of seven million runs
	live := func() {
		for range days {
			stored(t, s.Gate, fmt.Sprintf(`{"resourceType":"Appointment","status":"booked","start":%q,"end":%q,"participant":[{"actor":{"reference":%q},"status":"accepted"},{"actor":{"reference":%q},"status":"accepted"}]}`,
				s.now().Format(time.RFC3339), s.now().Add(2*time.Hour).Format(time.RFC3339), s.practitioner, s.patient))
			s.set(s.now().Add(time.Hour))
			if _, err := s.Gate.Chart(t.Context(), s.signedIn(), s.patient[len("Patient/"):]); err != nil {
				t.Fatal(err)
			}
			s.set(s.now().Add(23 * time.Hour))
		}
	}
	// drawn is what stands in the queue after a run of the watch, while something happens.
	drawn := func(happens func()) (events []string) {
		t.Helper()
		defer s.watches(t)()
		soon, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		if err := s.Watch.CatchUp(soon); err != nil {
			t.Fatalf("%v, %+v", err, s.Watch.State())
		}
		happens()
		if err := s.Watch.CatchUp(soon); err != nil {
			t.Fatalf("%v, %+v", err, s.Watch.State())
		}
		cases, err := s.Cases.Queue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if !c.Drawn() {
				continue
			}
			for _, e := range c.Events {
				if events = append(events, e.ID); e.Entry < 0 || e.Patient != s.patient || e.Kind == "" || !e.Explained {
					t.Errorf("%+v", e)
				}
			}
		}
		return events
	}
	first := drawn(live)
	if len(first) == 0 || len(first) > days/2 {
		t.Errorf("%d acts were drawn", len(first))
	}
	for _, after := range []string{"a restart", "another restart"} { // the last day may be judged to its end by either
		again := drawn(func() {})
		lost := slices.DeleteFunc(slices.Clone(first), func(id string) bool { return slices.Contains(again, id) })
		if len(lost) > 0 || len(again) > len(first)+1 {
			t.Errorf("after %s %d are drawn, not %d; %d of those before are gone", after, len(again), len(first), len(lost))
		}
	}
	t.Logf("%d of %d", len(first), days)
}
