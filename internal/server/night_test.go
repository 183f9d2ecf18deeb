package server_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
)

// Whoever opened a chart without a known reason is told so after the night, and that a reason became known later.
func TestTheSameNight(t *testing.T) {
	place := dbtest.New(t)
	c := server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost", TimeZone: "UTC"}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	at := time.Date(2036, 3, 11, 21, 30, 0, 0, time.UTC)
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	set := func(to time.Time) { mu.Lock(); defer mu.Unlock(); at = to }
	s, err := server.Open(context.WithoutCancel(t.Context()), c, server.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put := func(body string) string {
		t.Helper()
		doc, err := document.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		done, err := s.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
		if err == nil {
			err = done[0].Err
		}
		if err != nil {
			t.Fatal(err)
		}
		return doc.Type() + "/" + done[0].Written.ID
	}
	practitioner, patient := put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock"}]}`), put(`{"resourceType":"Patient","name":[{"family":"Okafor"}]}`)
	made, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Dana Whitlock", Roles: []string{identity.Nurse}, Practitioner: practitioner, TrainingDue: at.AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Persons.Person(t.Context(), made.Person)
	if err != nil {
		t.Fatal(err)
	}
	dana := access.Person(&identity.Session{Person: who, Capacity: identity.StaffCapacity, AAL: 2, Trust: policy.Registered, Zone: policy.Hospital, Created: at})
	if _, err := s.Gate.BreakGlass(t.Context(), dana, patient[len("Patient/"):], "covering", "Covering"); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Watch.Run(running) }()
	defer func() { stop(); <-done }()
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
	set(time.Date(2036, 3, 12, 3, 58, 0, 0, time.UTC))
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
	set(time.Date(2036, 3, 12, 4, 1, 0, 0, time.UTC))
	awaits("told", told)
	q, err := s.Office.Questions(t.Context(), dana)
	if err != nil || len(q) != 1 || len(q[0].Accesses) != 1 || q[0].Accesses[0].Patient != patient {
		t.Fatalf("%+v %v", q, err)
	}
	put(fmt.Sprintf(`{"resourceType":"Appointment","status":"booked","start":"2036-03-11T21:00:00Z","end":"2036-03-11T22:00:00Z",
		"participant":[{"actor":{"reference":%q},"status":"accepted"},{"actor":{"reference":%q},"status":"accepted"}]}`, practitioner, patient))
	set(time.Date(2036, 3, 12, 22, 0, 0, 0, time.UTC)) // when late documentation is looked for
	awaits("explained", func() (bool, error) {
		q, err := s.Office.Cleared(t.Context(), dana)
		return len(q) == 1 && q[0].Accesses[0].Explained != "", err
	})
}
