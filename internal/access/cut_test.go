package access_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/server/servertest"
)

// The audit database is put back to an older state while the head file remembers a newer one: the log is cut. Care goes on under a new
// log; deletions wait until a person takes note.
func TestCutLogStopsDeletionsNotCare(t *testing.T) {
	if dbtest.Engine() != db.SQLite {
		t.Skip("rolls a file back; the log's own tests do the same to tables")
	}
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	physician := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	admin := w.Person(t, "Hollis Brackett", "administrator", "")
	_, condition, _ := strings.Cut(w.put(t, condition(w.maren, "")), "/")
	former := w.URL
	w.Stop()
	file := filepath.Join(w.Dir, "audit.db")
	older, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	again := servertest.Open(t, w.Dir)
	again.Adopt(t, physician, physician.Jar, former)
	if physician.Get(t, "/fhir/Patient/"+w.maren).Status != http.StatusOK {
		t.Fatal("not open before")
	}
	former = again.URL
	again.Stop()
	for _, tail := range []string{"-wal", "-shm"} {
		_ = os.Remove(file + tail)
	}
	if err := os.WriteFile(file, older, 0o600); err != nil {
		t.Fatal(err)
	}
	cut := servertest.Open(t, w.Dir)
	cut.Adopt(t, physician, physician.Jar, former)
	if !cut.Log.State().Cut {
		t.Fatal("the roll-back went unnoticed")
	}
	if got := physician.Get(t, "/fhir/Patient/"+w.maren); got.Status != http.StatusOK {
		t.Fatalf("care after a cut: %d %s", got.Status, got.Body)
	}
	if got := physician.Do(t, "DELETE", "/fhir/Condition/"+condition, ""); got.Status != http.StatusServiceUnavailable || !strings.Contains(got.Body, "log.cut") {
		t.Fatalf("a deletion after a cut: %d %s", got.Status, got.Body)
	}
	sessions, err := cut.Persons.Sessions(t.Context(), admin.Person.Person)
	if err != nil || len(sessions) != 1 {
		t.Fatal(err)
	}
	if err := cut.Gate.AcknowledgeCut(t.Context(), access.Person(sessions[0])); err != nil {
		t.Fatal(err)
	}
	if got := physician.Do(t, "DELETE", "/fhir/Condition/"+condition, ""); got.Status != http.StatusNoContent {
		t.Fatalf("a deletion after somebody took note: %d %s", got.Status, got.Body)
	}
}
