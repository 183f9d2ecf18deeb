package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/server/servertest"
)

// A check-in that names patient and physician by their numbers opens the chart to that physician; what such a reference finds is what
// its writer may see, and an entry that it fails is named and undoes the whole.
func TestCheckInByNumbers(t *testing.T) {
	s := servertest.Start(t)
	file := filepath.Join(t.TempDir(), "a.ndjson")
	lines := `{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:mrn","value":"4711"}],"name":[{"family":"Okafor"}]}
{"resourceType":"Practitioner","id":"d","identifier":[{"system":"urn:npi","value":"1"}]}
{"resourceType":"Practitioner","id":"twin-1","identifier":[{"system":"urn:npi","value":"2"}]}
{"resourceType":"Practitioner","id":"twin-2","identifier":[{"system":"urn:npi","value":"2"}]}`
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Import(t, file)
	visit := func(patient, doctor string) string {
		return `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Slot","status":"free","start":"2026-01-01T10:00:00Z","end":"2026-01-01T11:00:00Z","schedule":{"display":"x"}},"request":{"method":"POST","url":"Slot"}},
		{"resource":{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"` + patient +
			`"},"participant":[{"individual":{"reference":"` + doctor + `"}}]},"request":{"method":"POST","url":"Encounter"}}]}`
	}
	clerk := s.Person(t, "Dana Whitlock", "front-desk", "")
	physician := s.Person(t, "Mara Lindqvist", "physician", "Practitioner/d")
	if got := physician.Get(t, "/chart/p"); got.Status != http.StatusForbidden {
		t.Fatal(got.Status)
	}
	for name, refs := range map[string][2]string{
		"nobody": {"Patient?identifier=urn:mrn|4711", "Practitioner?identifier=urn:npi|9"}, "two": {"Patient?identifier=urn:mrn|4711", "Practitioner?identifier=urn:npi|2"},
		"no patient": {"Patient?identifier=urn:mrn|1", "Practitioner?identifier=urn:npi|1"}, "by name": {"Patient?identifier=urn:mrn|4711", "Practitioner?name=x"},
		"a chain": {"Patient?identifier=urn:mrn|4711", "Practitioner?organization.name=x"},
	} {
		got := clerk.Do(t, "POST", "/fhir", visit(refs[0], refs[1]))
		if got.Status < 400 || got.Status >= 500 || !strings.Contains(got.Body, "Bundle.entry[1] Encounter.") {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if got := clerk.Get(t, "/fhir/Slot?_summary=count"); !strings.Contains(got.Body, `"total":0`) {
		t.Error("half a transaction is there:", got.Body)
	}
	// To somebody who may not see the patient, she is as much here as one who is not.
	stranger := s.Person(t, "Ines Bauer", "hr", "")
	there := stranger.Do(t, "POST", "/fhir", visit("Patient?identifier=urn:mrn|4711", "Practitioner?identifier=urn:npi|1"))
	absent := stranger.Do(t, "POST", "/fhir", visit("Patient?identifier=urn:mrn|9999", "Practitioner?identifier=urn:npi|1"))
	if there.Status != absent.Status || there.Body != absent.Body || there.Status < 400 {
		t.Errorf("%d %s\n%d %s", there.Status, there.Body, absent.Status, absent.Body)
	}
	if refusals, err := s.Log.Range(t.Context(), audit.Span{Kinds: []audit.Kind{audit.Refusal}}, audit.Page{Limit: 100}); err != nil || !asked(refusals, "4711") || !asked(refusals, "9999") {
		t.Error("nobody knows that somebody asked for numbers:", len(refusals), err)
	}
	if got := clerk.Do(t, "POST", "/fhir", visit("Patient?identifier=urn:mrn|4711", "Practitioner?identifier=urn:npi|1")); got.Status != http.StatusOK {
		t.Fatal(got.Status, got.Body)
	}
	if got := physician.Get(t, "/chart/p"); got.Status != http.StatusOK {
		t.Error("her patient's chart is closed:", got.Status)
	}
}

func asked(entries []audit.Read, number string) bool {
	return slices.ContainsFunc(entries, func(e audit.Read) bool { return strings.Contains(e.Event.Query, number) })
}
