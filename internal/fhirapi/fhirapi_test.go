package fhirapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/server/servertest"
	"chartwarden/internal/tlog"
)

// desk is a server with one patient whom a physician treats.
type desk struct {
	*servertest.Server
	clerk, physician *servertest.Client
	patient          string
}

func open(t *testing.T) desk {
	t.Helper()
	d := desk{Server: servertest.Start(t)}
	admin := d.Person(t, "Hollis Brackett", "administrator", "")
	practitioner := "Practitioner/" + id(t, admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`))
	d.clerk = d.Person(t, "Marcus Hale", "front-desk", "")
	d.patient = id(t, d.clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`))
	id(t, d.clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
		"subject":{"reference":"Patient/`+d.patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}],"period":{"start":"`+d.Now().UTC().Format(time.RFC3339)+`"}}`))
	d.physician = d.Person(t, "Anna Lindqvist", "physician", practitioner)
	return d
}

func id(t *testing.T, a servertest.Answer) string {
	t.Helper()
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(a.Body), &r); err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return r.ID
}

func (d desk) observation(code, value string) string {
	return `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"` + code + `"}]},
		"subject":{"reference":"Patient/` + d.patient + `"},"effectiveDateTime":"2026-11-20T08:00:00Z","valueQuantity":{"value":` + value + `,"unit":"kg"}}`
}

func TestReadGivesBackTheBytesSent(t *testing.T) {
	d := open(t)
	made := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "71.40"))
	got := d.physician.Get(t, "/fhir/Observation/"+id(t, made))
	if got.Body != made.Body || !strings.Contains(got.Body, "71.40") {
		t.Fatalf("sent back as\n%s\nread as\n%s", made.Body, got.Body)
	}
	if got.Header.Get("ETag") != `W/"1"` || got.Header.Get("Last-Modified") == "" || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/fhir+json") {
		t.Fatalf("headers %v", got.Header)
	}
	if again := d.physician.Get(t, "/fhir/Observation/"+id(t, made), "If-None-Match", `W/"1"`); again.Status != http.StatusNotModified || again.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("If-None-Match: %d", again.Status)
	}
}

func TestPrefer(t *testing.T) {
	d := open(t)
	if got := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "70"), "Prefer", "return=minimal"); got.Status != http.StatusCreated || got.Body != "" || got.Header.Get("Location") == "" {
		t.Fatalf("%d %q", got.Status, got.Body)
	}
	if got := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "70"), "Prefer", "return=OperationOutcome"); !strings.Contains(got.Body, "OperationOutcome") {
		t.Fatal(got.Body)
	}
}

func TestSearchByURLAndBody(t *testing.T) {
	d := open(t)
	for _, v := range []string{"70", "71", "72"} {
		id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", v)))
	}
	id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("8867-4", "88")))
	for name, c := range map[string]struct {
		got  servertest.Answer
		want int
	}{
		"code":      {d.physician.Get(t, "/fhir/Observation?patient="+d.patient+"&code=http://loinc.org|29463-7"), 3},
		"reference": {d.physician.Get(t, "/fhir/Observation?patient=Patient/"+d.patient+"&code=8867-4"), 1},
		"quantity":  {d.physician.Get(t, "/fhir/Observation?patient="+d.patient+"&value-quantity=gt71"), 2},
		"date":      {d.physician.Get(t, "/fhir/Observation?patient="+d.patient+"&date=lt2026-11-01"), 0},
		"body":      {d.physician.Do(t, "POST", "/fhir/Observation/_search", "patient="+d.patient+"&code=8867-4", "Content-Type", "application/x-www-form-urlencoded"), 1},
		"directory": {d.clerk.Get(t, "/fhir/Patient?name=oka&birthdate=1961-03-14"), 1},
		"staff":     {d.physician.Get(t, "/fhir/Practitioner?name=lind"), 1},
	} {
		var b struct {
			Total int
			Entry []json.RawMessage
		}
		if err := json.Unmarshal([]byte(c.got.Body), &b); err != nil || c.got.Status != http.StatusOK || len(b.Entry) != c.want || c.got.Header.Get("X-Audit-Entry") == "" {
			t.Errorf("%s: %d, %d entries, want %d: %s", name, c.got.Status, len(b.Entry), c.want, c.got.Body)
		}
	}
	for who, want := range map[*servertest.Client]int{d.physician: 3, d.Person(t, "Sam Rivera", "nurse", ""): 0} {
		var b struct{ Entry []json.RawMessage }
		got := who.Get(t, "/fhir/Observation?code=29463-7")
		if err := json.Unmarshal([]byte(got.Body), &b); err != nil || got.Status != http.StatusOK || len(b.Entry) != want || got.Header.Get("X-Audit-Entry") == "" {
			t.Fatalf("across patients: %d, %d entries, want %d: %s", got.Status, len(b.Entry), want, got.Body)
		}
	}
	if got := d.physician.Get(t, "/fhir/Observation?patient="+d.patient+"&colour=red"); got.Status != http.StatusBadRequest {
		t.Errorf("unknown parameter: %d", got.Status)
	}
	if got := d.physician.Get(t, "/fhir/Observation?patient="+d.patient+"&_elements=status"); strings.Contains(got.Body, "valueQuantity") || !strings.Contains(got.Body, `"code":{`) || !strings.Contains(got.Body, "SUBSETTED") {
		t.Errorf("_elements: %s", got.Body)
	}
	if got := d.physician.Get(t, "/fhir/Patient?_id="+d.patient+"&_summary=text"); strings.Contains(got.Body, "birthDate") || !strings.Contains(got.Body, "SUBSETTED") {
		t.Errorf("_summary: %s", got.Body)
	}
	if got := d.physician.Get(t, "/fhir/Observation?patient="+d.patient+"&_summary=count"); strings.Contains(got.Body, `"entry"`) || !strings.Contains(got.Body, `"total":4`) {
		t.Errorf("_summary=count: %s", got.Body)
	}
}

func TestBatchEntriesAreIndependent(t *testing.T) {
	d := open(t)
	got := d.physician.Do(t, "POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[
		{"resource":`+d.observation("29463-7", "70")+`,"request":{"method":"POST","url":"Observation"}},
		{"request":{"method":"GET","url":"Patient/`+d.patient+`"}},
		{"request":{"method":"GET","url":"Observation?patient=`+d.patient+`"}},
		{"request":{"method":"GET","url":"Observation/nothing"}},
		{"request":{"method":"PATCH","url":"Observation/nothing"}}]}`)
	var b struct {
		Entry []struct {
			Response struct{ Status string }
		}
	}
	if err := json.Unmarshal([]byte(got.Body), &b); err != nil || len(b.Entry) != 5 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	for i, want := range []string{"201", "200", "200", "404", "400"} {
		if b.Entry[i].Response.Status != want {
			t.Errorf("entry %d: %s, want %s", i, b.Entry[i].Response.Status, want)
		}
	}
	if !strings.Contains(got.Header.Get("X-Audit-Entry"), ", ") {
		t.Error("each part of the answer has its entry")
	}
}

func TestMetadataListsWhatWorks(t *testing.T) {
	d := open(t)
	got := d.clerk.Get(t, "/fhir/metadata")
	var c struct {
		FHIRVersion string
		Rest        []struct {
			Resource []struct{ Type string }
		}
	}
	if err := json.Unmarshal([]byte(got.Body), &c); err != nil || c.FHIRVersion != "4.0.1" || len(c.Rest[0].Resource) < 140 {
		t.Fatalf("%v %d", err, len(got.Body))
	}
}

func TestRefusalsAreOutcomes(t *testing.T) {
	d := open(t)
	for path, want := range map[string]int{"/fhir/Nonsense": 404, "/fhir/Patient/" + d.patient + "/$nonsense": 400, "/fhir/Observation/x/_history/0": 404, "/fhir/Patient/x/y/z": 400} {
		if got := d.physician.Get(t, path); got.Status != want || !strings.Contains(got.Body, "OperationOutcome") {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	anonymous := &servertest.Client{Client: &http.Client{}, Base: d.URL}
	if got := anonymous.Get(t, "/fhir/Patient/"+d.patient); got.Status != http.StatusUnauthorized || !strings.Contains(got.Body, "OperationOutcome") {
		t.Errorf("nobody signed in: %d %s", got.Status, got.Body)
	}
}

// The receipt of an entry proves that it is in the log, to whoever keeps it, without this server.
func TestReceiptProvesOffline(t *testing.T) {
	d := open(t)
	read := d.physician.Get(t, "/fhir/Patient/"+d.patient)
	name := read.Header.Get("X-Audit-Entry")
	got := d.physician.Get(t, "/audit/receipt/"+name)
	if got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	proof, err := tlog.ParseProof([]byte(got.Body))
	if err != nil {
		t.Fatal(err)
	}
	v, err := tlog.ParseVerifier(d.Log.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := proof.Check(proof.Extra, v); err != nil {
		t.Fatalf("the receipt does not hold: %v", err)
	}
	proof.Extra[len(proof.Extra)-1] ^= 1
	if _, _, err := proof.Check(proof.Extra, v); err == nil {
		t.Fatal("a changed entry passes")
	}
	other := d.Person(t, "Sam Rivera", "nurse", "")
	foreign, missing := other.Get(t, "/audit/receipt/"+name), other.Get(t, "/audit/receipt/"+name+"999")
	if foreign.Status != http.StatusNotFound || foreign.Body != missing.Body {
		t.Fatalf("another's entry: %d %s, no entry: %s", foreign.Status, foreign.Body, missing.Body)
	}
}
