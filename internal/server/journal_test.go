package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/server/servertest"
)

// The audit database is lost. The server starts all the same: who treats a patient reads on by the sealed journal, and nothing is written,
// exported or found out.
func TestStartsWithoutTheAuditDatabase(t *testing.T) {
	onFiles(t)
	s := servertest.Start(t)
	admin := s.Person(t, "Ruth Adeyemi", "administrator", "")
	practitioner := "Practitioner/" + idOf(t, admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`).Body)
	clerk := s.Person(t, "Dana Whitlock", "front-desk", "")
	patient := idOf(t, clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`).Body)
	in := clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
		"subject":{"reference":"Patient/`+patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}],"period":{"start":"`+s.Now().UTC().Format(time.RFC3339)+`"}}`)
	if in.Status != http.StatusCreated {
		t.Fatal(in.Body)
	}
	physician := s.Person(t, "Anna Lindqvist", "physician", practitioner)
	jar := physician.Jar
	s.Stop()
	if err := os.Remove(filepath.Join(s.Dir, "audit.db")); err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"-wal", "-shm"} {
		_ = os.Remove(filepath.Join(s.Dir, "audit.db"+tail))
	}
	if err := os.Mkdir(filepath.Join(s.Dir, "audit.db"), 0o700); err != nil { // a place where no file can be
		t.Fatal(err)
	}
	again := servertest.Open(t, s.Dir)
	again.Adopt(t, physician, jar, s.URL)
	if got := physician.Get(t, "/fhir/Patient/"+patient); got.Status != http.StatusOK || got.Header.Get("X-Audit-Entry") == "" || !strings.Contains(got.Body, "Okafor") {
		t.Fatalf("an explained read: %d %s", got.Status, got.Body)
	}
	if got := physician.Do(t, "POST", "/fhir/Condition", `{"resourceType":"Condition","subject":{"reference":"Patient/`+patient+`"}}`); got.Status != http.StatusServiceUnavailable {
		t.Fatalf("a write without a log: %d %s", got.Status, got.Body)
	}
	if got := physician.Get(t, "/readyz"); got.Status != http.StatusServiceUnavailable {
		t.Fatalf("readyz: %d", got.Status)
	}
}
