package server_test

import (
	"slices"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/server/servertest"
)

// A crash between intent and outcome leaves a dangling intent; the next start finds out what became of it and says so.
func TestStartConcludesWhatACrashHid(t *testing.T) {
	w := servertest.Start(t)
	intent, err := w.Log.Intend(t.Context(), audit.Event{Agent: audit.Agent{Job: "test"}, Interaction: "create", Class: audit.Machine,
		Patients: []audit.PatientPart{{Patient: 4711, Ref: "Patient/never", Records: []audit.Record{{Record: 4711, Version: 1, Hash: [32]byte{1}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	again := servertest.Open(t, w.Dir)
	if left, err := again.Log.Dangling(t.Context()); err != nil || len(left) != 0 {
		t.Fatalf("%d intents dangle, %v", len(left), err)
	}
	ends, err := again.Log.Range(t.Context(), audit.Span{Kinds: []audit.Kind{audit.Conclusion}}, audit.Page{Limit: 5})
	if err != nil || !slices.ContainsFunc(ends, func(r audit.Read) bool { return r.Event.Intent == intent.Index() && r.Event.Outcome == 8 }) {
		t.Fatalf("the intent is not concluded as not stored: %v", err)
	}
}
