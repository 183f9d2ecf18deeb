package server_test

import (
	"context"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/detect"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/server"
)

// Whatever goes wrong in detection is counted and begun anew without what it failed at; charts go on.
func TestAFailureOfDetectionStopsNobody(t *testing.T) {
	place := dbtest.New(t)
	c := server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost"}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	poison := "" // the first event with a patient
	s, err := server.Open(context.WithoutCancel(t.Context()), c, server.Options{Verdict: func(v *detect.Verdict) {
		if poison == "" || poison == v.Event {
			poison = string([]byte(v.Event))
			panic("planted")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	running, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Watch.Run(running) }()
	defer func() { stop(); <-done }()
	catchUp := func() {
		t.Helper()
		soon, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Watch.CatchUp(soon); err != nil {
			t.Fatalf("%v, %+v", err, s.Watch.State())
		}
	}
	catchUp()
	for range 2 {
		doc, err := document.Parse([]byte(`{"resourceType":"Patient"}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: "Patient", Doc: doc}}); err != nil {
			t.Fatal(err)
		}
	}
	catchUp()
	if x := s.Watch.State(); x.Failures != 1 || x.Events == 0 || x.Standing != "" {
		t.Errorf("%+v", x)
	}
}
