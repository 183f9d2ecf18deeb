package server_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"chartwarden/internal/server/servertest"
)

// The main job, end to end: real records in, another person checks the patient in, her physician opens the chart without a prompt, a
// colleague without a link meets the closed chart and opens it by breaking the glass.
func TestSliceEndToEnd(t *testing.T) {
	s := servertest.Start(t)
	data := servertest.Data(t, "fhir", "synthea")
	files, err := filepath.Glob(filepath.Join(data, "[A-B]*.json.gz"))
	if err != nil || len(files) < 3 {
		t.Fatal("no Synthea files", err)
	}
	report := s.Import(t, files...)
	if again := s.Import(t, files...); again.Stored != 0 || again.Skipped != report.Stored+report.Skipped {
		t.Fatalf("a second run stored %d and skipped %d of %d", again.Stored, again.Skipped, report.Stored)
	}

	clerk := s.Person(t, "Dana Whitlock", "front-desk", "")
	admin := s.Person(t, "Ruth Adeyemi", "administrator", "")
	made := admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	if made.Status != http.StatusCreated {
		t.Fatalf("practitioner: %d %s", made.Status, made.Body)
	}
	practitioner := "Practitioner/" + idOf(t, made.Body)
	physician := s.Person(t, "Anna Lindqvist", "physician", practitioner)
	colleague := s.Person(t, "Sam Rivera", "physician", "")

	found := clerk.Get(t, "/fhir/Patient?_count=1")
	if found.Status != http.StatusOK || found.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("clerk finds nobody: %d %s", found.Status, found.Body)
	}
	patient := firstID(t, found.Body)

	if got := physician.Get(t, "/fhir/Patient/"+patient); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "break-glass-available") {
		t.Fatalf("before check-in: %d %s", got.Status, got.Body)
	}
	in := clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
		"subject":{"reference":"Patient/`+patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}],"period":{"start":"`+s.Now().UTC().Format("2006-01-02T15:04:05Z")+`"}}`)
	if in.Status != http.StatusCreated {
		t.Fatalf("check-in: %d %s", in.Status, in.Body)
	}
	if got := physician.Get(t, "/fhir/Patient/"+patient); got.Status != http.StatusOK || got.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("after check-in: %d %s", got.Status, got.Body)
	}
	if got := physician.Get(t, "/fhir/Observation?patient="+patient+"&_count=5"); got.Status != http.StatusOK || !strings.Contains(got.Body, `"searchset"`) {
		t.Fatalf("search in the chart: %d %s", got.Status, got.Body)
	}
	if got := clerk.Get(t, "/fhir/Condition?patient="+patient); got.Status != http.StatusForbidden {
		t.Fatalf("front desk sees conditions: %d %s", got.Status, got.Body)
	}
	if got := colleague.Get(t, "/fhir/Condition?patient="+patient); got.Status != http.StatusForbidden {
		t.Fatalf("colleague without a link: %d %s", got.Status, got.Body)
	}
	if got := colleague.Get(t, "/fhir/Condition?patient="+patient, "X-Break-Glass", "emergency"); got.Status != http.StatusOK {
		t.Fatalf("colleague with the glass: %d %s", got.Status, got.Body)
	}
	if got := admin.Get(t, "/fhir/Patient/"+patient); got.Status == http.StatusOK {
		t.Fatal("an administrator reads charts")
	}
}

func idOf(t *testing.T, body string) string {
	t.Helper()
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func firstID(t *testing.T, bundle string) string {
	t.Helper()
	var b struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(bundle), &b); err != nil || len(b.Entry) == 0 {
		t.Fatalf("no entry: %v %s", err, bundle)
	}
	return b.Entry[0].Resource.ID
}
