package fhirapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const jsonPatch = "application/json-patch+json"

func TestPatch(t *testing.T) {
	d := open(t)
	body, criteria := d.numbered("1", "71.40")
	made := d.physician.Do(t, "POST", "/fhir/Observation", body)
	at := "/fhir/Observation/" + id(t, made)
	found := "/fhir/Observation?" + strings.ReplaceAll(criteria, "|", "%7C")
	set := func(v string) string { return `[{"op":"replace","path":"/valueQuantity/value","value":` + v + `}]` }
	patched := d.physician.Do(t, "PATCH", at, set("71.50"), "Content-Type", jsonPatch)
	want := strings.Replace(made.Body, "71.40", "71.50", 1)
	if patched.Status != http.StatusOK || patched.Header.Get("ETag") != `W/"2"` || stripMeta(patched.Body) != stripMeta(want) {
		t.Fatalf("%d\n%s\nwant\n%s", patched.Status, patched.Body, want)
	}
	patch := func(path, text string, header ...string) check {
		return check{got: d.physician.Do(t, "PATCH", path, text, append([]string{"Content-Type", jsonPatch}, header...)...)}
	}
	is := func(c check, status int, has string) check { c.status, c.has = status, has; return c }
	stranger := d.Person(t, "Sam Rivera", "nurse", "")
	verify(t, map[string]check{
		"If-Match holds":              is(patch(at, set("72.10"), "If-Match", `W/"2"`), 200, "72.10"),
		"If-Match does not hold":      is(patch(at, set("73"), "If-Match", `W/"2"`), 412, ""),
		"by criteria":                 is(patch(found, set("74.00")), 200, "74.00"),
		"by criteria that fit none":   is(patch(found+"9", set("74.00")), 404, ""),
		"without criteria":            is(patch("/fhir/Observation", set("74.00")), 400, ""),
		"a test that holds":           is(patch(at, `[{"op":"test","path":"/valueQuantity/value","value":74},{"op":"add","path":"/valueQuantity/code","value":"kg"}]`), 200, `"code":"kg"`),
		"a test that does not":        is(patch(at, `[{"op":"add","path":"/note","value":[{"text":"x"}]},{"op":"test","path":"/status","value":"draft"}]`), 409, "operation 2 (test /status)"),
		"nothing at the path":         is(patch(at, `[{"op":"remove","path":"/gone"}]`), 422, "operation 1 (remove /gone)"),
		"no patch":                    is(patch(at, `{"op":"remove"}`), 400, ""),
		"what comes out is not valid": is(patch(at, `[{"op":"replace","path":"/status","value":"nonsense"}]`), 422, "Observation.status"),
		"a required element removed":  is(patch(at, `[{"op":"remove","path":"/code"}]`), 400, "Observation"),
		"another id":                  is(patch(at, `[{"op":"replace","path":"/id","value":"else"}]`), 400, "id"),
		"another type":                is(patch(at, `[{"op":"replace","path":"","value":{"resourceType":"Basic"}}]`), 400, "type"),
		"another patient":             is(patch(at, `[{"op":"replace","path":"/subject/reference","value":"Patient/nobody"}]`), 400, ""),
		"what is not there":           is(patch("/fhir/Observation/nothing", set("1")), 404, ""),
		"another media type":          {d.physician.Do(t, "PATCH", at, set("1")), 415, "json-patch", ""},
		"by a stranger":               {stranger.Do(t, "PATCH", at, `[{"op":"test","path":"/status","value":"final"}]`, "Content-Type", jsonPatch), 403, "", "operation"},
	})
	if got := d.physician.Get(t, at); !strings.Contains(got.Body, `"code":"kg"`) || strings.Contains(got.Body, "note") {
		t.Errorf("a patch that failed left something: %s", got.Body)
	}
	d.physician.Do(t, "DELETE", at, "")
	if got := patch(at, set("1")).got; got.Status != http.StatusGone {
		t.Errorf("a deleted one: %d", got.Status)
	}
}

// stripMeta is a resource without its version and time.
func stripMeta(body string) string {
	start := strings.Index(body, `"meta":{`)
	return body[:start] + body[start+strings.IndexByte(body[start:], '}'):]
}

// The front desk sees no numbers of patients: a patch that looks at them is refused, one that does not leaves them as they are.
func TestPatchUnderAMask(t *testing.T) {
	d := open(t)
	made := id(t, d.clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"00482217"}],"name":[{"family":"Brandt"}]}`))
	for name, text := range map[string]string{
		"test":    `[{"op":"test","path":"/identifier/0/value","value":"00482217"}]`,
		"a guess": `[{"op":"test","path":"/identifier/0/value","value":"1"}]`,
		"copy":    `[{"op":"copy","from":"/identifier/0/value","path":"/name/0/text"}]`,
		"add":     `[{"op":"add","path":"/identifier/-","value":{"value":"2"}}]`,
		"whole":   `[{"op":"test","path":"","value":{}}]`,
	} {
		got := d.clerk.Do(t, "PATCH", "/fhir/Patient/"+made, text, "Content-Type", jsonPatch)
		if got.Status != http.StatusForbidden || strings.Contains(got.Body, "00482217") || strings.Contains(got.Body, "operation") {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	got := d.clerk.Do(t, "PATCH", "/fhir/Patient/"+made, `[{"op":"add","path":"/telecom","value":[{"system":"phone","value":"555-0100"}]}]`, "Content-Type", jsonPatch)
	if got.Status != http.StatusOK || strings.Contains(got.Body, "00482217") || !strings.Contains(got.Body, "REDACTED") {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	var staff struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(d.physician.Get(t, "/fhir/Practitioner?name=lind").Body), &staff); err != nil || len(staff.Entry) != 1 {
		t.Fatal(err)
	}
	id(t, d.clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/`+made+`"},
		"participant":[{"individual":{"reference":"Practitioner/`+staff.Entry[0].Resource.ID+`"}}],"period":{"start":"`+d.Now().UTC().Format(time.RFC3339)+`"}}`))
	if whole := d.physician.Get(t, "/fhir/Patient/"+made); !strings.Contains(whole.Body, "00482217") || !strings.Contains(whole.Body, "555-0100") {
		t.Errorf("what the clerk does not see is lost: %s", whole.Body)
	}
	if again := d.clerk.Do(t, "PATCH", "/fhir/Patient/"+made, `[{"op":"test","path":"/telecom/0/value","value":"555-0100"}]`, "Content-Type", jsonPatch); again.Status != http.StatusOK || again.Header.Get("ETag") != `W/"2"` {
		t.Errorf("a patch that changes nothing: %d %s", again.Status, again.Header.Get("ETag"))
	}
}

// Patches without a version that come at the same time all hold.
func TestPatchesAtOnce(t *testing.T) {
	d := open(t)
	made := id(t, d.physician.Do(t, "POST", "/fhir/Observation", strings.Replace(d.observation("29463-7", "70"), `"status"`, `"note":[{"text":"first"}],"status"`, 1)))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for {
				got := d.physician.Do(t, "PATCH", "/fhir/Observation/"+made, fmt.Sprintf(`[{"op":"add","path":"/note/-","value":{"text":"n%d"}}]`, i), "Content-Type", jsonPatch)
				if got.Status == http.StatusOK {
					return
				}
				if got.Status != http.StatusConflict {
					t.Errorf("%d %s", got.Status, got.Body)
					return
				}
			}
		})
	}
	group.Wait()
	got := d.physician.Get(t, "/fhir/Observation/"+made)
	for i := range 4 {
		if !strings.Contains(got.Body, fmt.Sprintf(`"n%d"`, i)) {
			t.Errorf("patch %d is lost: %s", i, got.Body)
		}
	}
}

func TestPatchEntries(t *testing.T) {
	d := open(t)
	body, criteria := d.numbered("1", "70")
	made := id(t, d.physician.Do(t, "POST", "/fhir/Observation", body))
	entry := func(url, text, more string) string {
		return `{"resource":{"resourceType":"Binary","contentType":"` + jsonPatch + `","data":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"},"request":{"method":"PATCH","url":"` + url + `"` + more + `}}`
	}
	bundle := func(kind string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	set := func(v string) string { return `[{"op":"replace","path":"/valueQuantity/value","value":` + v + `}]` }
	create := `{"resource":` + d.observation("8867-4", "80") + `,"request":{"method":"POST","url":"Observation"}}`
	verify(t, map[string]check{
		"a batch":                     {d.physician.Do(t, "POST", "/fhir", bundle("batch", entry("Observation/"+made, set("71"), ""))), 200, `"status":"200"`, "outcome"},
		"a transaction":               {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("Observation/"+made, set("72"), ""), create)), 200, `"status":"201"`, "outcome"},
		"by criteria":                 {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("Observation?"+criteria, set("73"), ""))), 200, `"status":"200"`, ""},
		"an old ifMatch":              {d.physician.Do(t, "POST", "/fhir", bundle("transaction", create, entry("Observation/"+made, set("74"), `,"ifMatch":"W/\"1\""`))), 412, "Bundle.entry[1]", ""},
		"a test that fails":           {d.physician.Do(t, "POST", "/fhir", bundle("transaction", create, entry("Observation/"+made, `[{"op":"test","path":"/status","value":"x"}]`, ""))), 409, "Bundle.entry[1] operation 1 (test /status)", ""},
		"what comes out is not valid": {d.physician.Do(t, "POST", "/fhir", bundle("transaction", create, entry("Observation/"+made, `[{"op":"remove","path":"/code"}]`, ""))), 400, "Bundle.entry[1]", ""},
		"Parameters":                  {d.physician.Do(t, "POST", "/fhir", bundle("transaction", `{"resource":{"resourceType":"Parameters"},"request":{"method":"PATCH","url":"Observation/`+made+`"}}`)), 400, "Binary", ""},
		"no base64":                   {d.physician.Do(t, "POST", "/fhir", bundle("transaction", `{"resource":{"resourceType":"Binary","contentType":"`+jsonPatch+`","data":"!"},"request":{"method":"PATCH","url":"Observation/`+made+`"}}`)), 400, "Binary.data", ""},
		"patch and update of one":     {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("Observation/"+made, set("75"), ""), `{"request":{"method":"DELETE","url":"Observation/`+made+`"}}`)), 409, "Bundle.entry[0]", ""},
	})
	if got := d.physician.Get(t, "/fhir/Observation?_summary=count&code=8867-4&patient="+d.patient); !strings.Contains(got.Body, `"total":1`) {
		t.Errorf("a bundle that failed left something: %s", got.Body)
	}
}
