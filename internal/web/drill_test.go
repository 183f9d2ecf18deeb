package web_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The page Integrity shows the report of the last drill, when there should be one.
func TestTheLastDrillIsShown(t *testing.T) {
	o := newOffice(t)
	olu := o.staff("Olu Privacy", "privacy")
	o.hides(olu.page("/integrity"), "Last restore drill")
	o.stop()
	o.drill = filepath.Join(t.TempDir(), "last.json")
	o.open()
	o.clock.pass(time.Minute) // a code works once
	olu.signIn()
	olu.page("/integrity", "Last restore drill", "No report is here")
	_, name, _ := strings.Cut(o.Log.State().Origin, "/sandbox/")
	report := func(at time.Time, holds, installation string) {
		t.Helper()
		o.must(os.WriteFile(o.drill, []byte(`{"at":"`+at.UTC().Format(time.RFC3339)+`","taken":"2046-11-18T04:00:00Z","installation":"`+installation+`","verification":{"holds":`+holds+`}}`), 0o600))
	}
	report(o.clock.Now().Add(-48*time.Hour), "true", name)
	olu.page("/integrity", "Holds: tried", "18 Nov 2046", "nothing signs that")
	report(o.clock.Now().Add(-9*24*time.Hour), "true", name)
	olu.page("/integrity", "overdue")
	report(o.clock.Now(), "false", name)
	olu.page("/integrity", "The copy does not hold")
	report(o.clock.Now(), "true", "another")
	olu.page("/integrity", "No report is here")
	o.must(os.WriteFile(o.drill, []byte("{"), 0o600))
	olu.page("/integrity", "No report is here")
}
