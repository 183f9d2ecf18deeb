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

// Of explained accesses that nobody suspects some are drawn at random as the days go by, at most one a day here, and each is an entry that
// the office can look at. A restart draws none of them again.
func TestAuditsAreDrawnAsDaysGoBy(t *testing.T) {
	place := dbtest.New(t)
	c := server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost", TimeZone: "UTC"}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	at := time.Date(2036, 3, 11, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
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
	made, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Dana Whitlock", Roles: []string{identity.Physician}, Practitioner: practitioner, TrainingDue: at.AddDate(2, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Persons.Person(t.Context(), made.Person)
	if err != nil {
		t.Fatal(err)
	}
	const days = 150 // none is drawn in one of seven million runs
	live := func() {
		for range days {
			put(fmt.Sprintf(`{"resourceType":"Appointment","status":"booked","start":%q,"end":%q,"participant":[{"actor":{"reference":%q},"status":"accepted"},{"actor":{"reference":%q},"status":"accepted"}]}`,
				at.Format(time.RFC3339), at.Add(2*time.Hour).Format(time.RFC3339), practitioner, patient))
			mu.Lock()
			at = at.Add(time.Hour)
			mu.Unlock()
			dana := access.Person(&identity.Session{Person: who, Capacity: identity.StaffCapacity, AAL: 2, Trust: policy.Registered, Zone: policy.Hospital, Created: at})
			if _, err := s.Gate.Chart(t.Context(), dana, patient[len("Patient/"):]); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			at = at.Add(23 * time.Hour)
			mu.Unlock()
		}
	}
	// drawn is what stands in the queue after a run of the watch, while something happens.
	drawn := func(happens func()) (events []string) {
		t.Helper()
		running, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Watch.Run(running) }()
		defer func() { stop(); <-done }()
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
				if events = append(events, e.ID); e.Entry < 0 || e.Patient != patient || e.Kind == "" || !e.Explained {
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
	if again := drawn(func() {}); len(again) != len(first) {
		t.Errorf("after a restart %d are drawn, not %d", len(again), len(first))
	}
	t.Logf("%d of %d", len(first), days)
}
