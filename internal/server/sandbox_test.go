package server_test

import (
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/server/servertest"
)

// The flag of a sandbox is where nobody can take it away: in the log's name and in its first entry (decisions 23).
func TestSandboxIsInTheFirstEntry(t *testing.T) {
	s := servertest.Start(t)
	if !strings.Contains(s.Log.State().Origin, "/sandbox/") {
		t.Errorf("origin %q", s.Log.State().Origin)
	}
	first, err := s.Log.Entry(t.Context(), 0)
	if err != nil || first.Event.Kind != audit.Opened || !strings.Contains(strings.ToLower(first.Event.Text), "sandbox") {
		t.Fatalf("first entry %+v, %v", first.Event, err)
	}
}
