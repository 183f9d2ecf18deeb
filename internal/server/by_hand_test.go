package server_test

import (
	"context"
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

// byHand is a server whose clock is set by hand, with one workforce member and one patient.
type byHand struct {
	*server.Server
	mu           sync.Mutex
	at           time.Time
	dana         identity.Person
	practitioner string // hers
	patient      string
}

func newByHand(t *testing.T, at time.Time, role string) *byHand {
	t.Helper()
	place := dbtest.New(t)
	c := server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost", TimeZone: "UTC"}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	h := &byHand{at: at}
	var err error
	if h.Server, err = server.Open(context.WithoutCancel(t.Context()), c, server.Options{Now: h.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	h.practitioner = stored(t, h.Gate, `{"resourceType":"Practitioner","name":[{"family":"Whitlock"}]}`)
	h.patient = stored(t, h.Gate, `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`)
	made, err := h.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Dana Whitlock", Roles: []string{role}, Practitioner: h.practitioner, TrainingDue: at.AddDate(2, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if h.dana, err = h.Persons.Person(t.Context(), made.Person); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *byHand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *byHand) set(to time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = to
}

// signedIn is Dana at a device of the house, signed in now.
func (h *byHand) signedIn() access.Principal {
	return access.Person(&identity.Session{Person: h.dana, Capacity: identity.StaffCapacity, AAL: 2, Trust: policy.Registered, Zone: policy.Hospital, Created: h.now()})
}

// watches runs the follower until what it returns is called.
func (h *byHand) watches(t *testing.T) (stop func()) {
	running, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); h.Watch.Run(running) }()
	return func() { cancel(); <-done }
}

// stored stores a resource as the importer would and gives Type/id.
func stored(t testing.TB, gate *access.Gate, text string) string {
	t.Helper()
	doc, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	done, err := gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc.Type() + "/" + done[0].Written.ID
}
