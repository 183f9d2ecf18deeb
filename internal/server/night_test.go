package server_test

import (
	"fmt"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

// Whoever opened a chart without a known reason is told so after the night, and that a reason became known later.
func TestTheSameNight(t *testing.T) {
	s := newByHand(t, time.Date(2036, 3, 11, 21, 30, 0, 0, time.UTC), identity.Nurse)
	dana, patient, practitioner := s.signedIn(), s.patient, s.practitioner
	put := func(body string) string { t.Helper(); return stored(t, s.Gate, body) }
	if _, err := s.Gate.BreakGlass(t.Context(), dana, patient[len("Patient/"):], "covering", "Covering"); err != nil {
		t.Fatal(err)
	}
	defer s.watches(t)()
	// awaits stores something, so that the watch looks, until something is so.
	awaits := func(what string, so func() (bool, error)) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			put(`{"resourceType":"Patient"}`)
			switch ok, err := so(); {
			case err != nil:
				t.Fatal(err)
			case ok:
				return
			case time.Now().After(end):
				t.Fatalf("%s: not within a minute; %+v", what, s.Watch.State())
			}
		}
	}
	told := func() (bool, error) {
		q, err := s.Office.Questions(t.Context(), dana)
		return len(q) > 0, err
	}
	awaits("judged", func() (bool, error) { return s.Watch.State().Open > 0 && s.Watch.State().Ready, nil })
	s.set(time.Date(2036, 3, 12, 3, 58, 0, 0, time.UTC))
	if err := s.Watch.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(`{"resourceType":"Patient"}`)
	if err := s.Watch.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if yes, err := told(); err != nil || yes {
		t.Fatalf("she is told before four hours have passed: %v", err)
	}
	s.set(time.Date(2036, 3, 12, 4, 1, 0, 0, time.UTC))
	awaits("told", told)
	q, err := s.Office.Questions(t.Context(), dana)
	if err != nil || len(q) != 1 || len(q[0].Accesses) != 1 || q[0].Accesses[0].Patient != patient {
		t.Fatalf("%+v %v", q, err)
	}
	put(fmt.Sprintf(`{"resourceType":"Appointment","status":"booked","start":"2036-03-11T21:00:00Z","end":"2036-03-11T22:00:00Z",
		"participant":[{"actor":{"reference":%q},"status":"accepted"},{"actor":{"reference":%q},"status":"accepted"}]}`, practitioner, patient))
	s.set(time.Date(2036, 3, 12, 22, 0, 0, 0, time.UTC)) // when late documentation is looked for
	awaits("explained", func() (bool, error) {
		q, err := s.Office.Cleared(t.Context(), dana)
		return len(q) == 1 && q[0].Accesses[0].Explained != "", err
	})
}
