package fhirapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/server/servertest"
)

// check is what an answer must be: its status, what its body must and must not hold.
type check struct {
	got    servertest.Answer
	status int
	has    string
	lacks  string
}

func verify(t *testing.T, cases map[string]check) {
	t.Helper()
	for name, c := range cases {
		if c.got.Status != c.status || !strings.Contains(c.got.Body, c.has) || c.lacks != "" && strings.Contains(c.got.Body, c.lacks) {
			t.Errorf("%s: %d, want %d with %q without %q: %.600s", name, c.got.Status, c.status, c.has, c.lacks, c.got.Body)
		}
		if c.got.Status >= 400 && !strings.Contains(c.got.Body, "OperationOutcome") && c.got.Body != "" {
			t.Errorf("%s: the error is no OperationOutcome: %s", name, c.got.Body)
		}
		if c.got.Status < 400 && c.got.Header.Get("X-Audit-Entry") == "" {
			t.Errorf("%s: no X-Audit-Entry", name)
		}
	}
}

func TestContentNegotiation(t *testing.T) {
	d := open(t)
	made := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "71.40"))
	at := "/fhir/Observation/" + id(t, made)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	verify(t, map[string]check{
		"Accept fhir+json":               {d.physician.Get(t, at, "Accept", "application/fhir+json"), 200, "71.40", ""},
		"Accept with a version":          {d.physician.Get(t, at, "Accept", "application/fhir+json; fhirVersion=4.0"), 200, "71.40", ""},
		"Accept another version":         {d.physician.Get(t, at, "Accept", "application/fhir+json; fhirVersion=5.0"), 406, "", "71.40"},
		"Accept xml or json":             {d.physician.Get(t, at, "Accept", "application/fhir+xml, application/json;q=0.5"), 200, "71.40", ""},
		"Accept xml":                     {d.physician.Get(t, at, "Accept", "application/fhir+xml"), 406, "not-supported", "71.40"},
		"_format=json":                   {d.physician.Get(t, at+"?_format=json"), 200, "71.40", ""},
		"_format wins over Accept":       {d.physician.Get(t, at+"?_format=application/fhir%2Bjson", "Accept", "application/fhir+xml"), 200, "71.40", ""},
		"_format with a bare plus":       {d.physician.Get(t, at+"?_format=application/fhir+json"), 200, "71.40", ""},
		"_format=xml":                    {d.physician.Get(t, at+"?_format=xml"), 406, "_format", "71.40"},
		"_pretty=true":                   {d.physician.Get(t, at+"?_pretty=true"), 200, "\n  \"resourceType\": \"Observation\"", ""},
		"_pretty keeps digits":           {d.physician.Get(t, at+"?_pretty=true"), 200, "71.40", ""},
		"_pretty=false":                  {d.physician.Get(t, at+"?_pretty=false"), 200, "71.40", "{\n"},
		"_pretty=maybe":                  {d.physician.Get(t, at+"?_pretty=maybe"), 400, "_pretty", "71.40"},
		"_pretty of an error":            {d.physician.Get(t, "/fhir/Observation/nothing?_pretty=true"), 404, "\n  \"resourceType\": \"OperationOutcome\"", ""},
		"_pretty in the body":            {d.physician.Do(t, "POST", "/fhir/Observation/_search", "_pretty=true&patient="+d.patient, form...), 200, "\n  ", ""},
		"_format in the body":            {d.physician.Do(t, "POST", "/fhir/Observation/_search", "_format=ttl&patient="+d.patient, form...), 406, "", "71.40"},
		"search: another kind of body":   {d.physician.Do(t, "POST", "/fhir/Observation/_search", "{}"), 415, "Content-Type", ""},
		"search: URL and body":           {d.physician.Do(t, "POST", "/fhir/Observation/_search?patient="+d.patient, "code=8867-4", form...), 200, `"total":0`, ""},
		"search: URL alone":              {d.physician.Do(t, "POST", "/fhir/Observation/_search?patient="+d.patient, ""), 200, `"total":1`, ""},
		"search: escapes in the body":    {d.physician.Do(t, "POST", "/fhir/Observation/_search", "patient="+d.patient+"&code=http%3A%2F%2Floinc.org%7C29463-7", form...), 200, `"total":1`, ""},
		"search: broken escape in body":  {d.physician.Do(t, "POST", "/fhir/Observation/_search", "patient=%zz", form...), 400, "", ""},
		"search: broken escape in URL":   {d.physician.Get(t, "/fhir/Observation?patient="+d.patient+"&code=%zz"), 400, "", ""},
		"search: the same twice":         {d.physician.Do(t, "POST", "/fhir/Observation/_search?_count=1", "_count=2&patient="+d.patient, form...), 400, "_count", ""},
		"search: unknown, lenient":       {d.physician.Get(t, "/fhir/Observation?colour=red&patient="+d.patient, "Prefer", "return=minimal; handling=lenient"), 200, "71.40", ""},
		"search: unknown, strict":        {d.physician.Get(t, "/fhir/Observation?colour=red&patient="+d.patient, "Prefer", "handling=strict"), 400, "colour", ""},
		"search: _total=none":            {d.physician.Get(t, "/fhir/Observation?_total=none&patient="+d.patient), 200, "71.40", `"total"`},
		"search: _total=accurate":        {d.physician.Get(t, "/fhir/Observation?_total=accurate&patient="+d.patient), 200, `"total":1`, ""},
		"search: _total of another kind": {d.physician.Get(t, "/fhir/Observation?_total=many&patient="+d.patient), 400, "_total", ""},
		"search: _summary=true":          {d.physician.Get(t, "/fhir/Observation?_summary=true&patient="+d.patient), 200, "71.40", `"text"`},
		"search: _summary=data":          {d.physician.Get(t, "/fhir/Observation?_summary=data&patient="+d.patient), 200, "71.40", "SUBSETTED"},
		"search: _summary=false":         {d.physician.Get(t, "/fhir/Observation?_summary=false&patient="+d.patient), 200, "71.40", "SUBSETTED"},
		"search: _summary=count":         {d.physician.Get(t, "/fhir/Observation?_summary=count&patient="+d.patient), 200, `"total":1`, "entry"},
		"read: _summary=text":            {d.physician.Get(t, at+"?_summary=text"), 200, "SUBSETTED", "71.40"},
		"read: _elements":                {d.physician.Get(t, at+"?_elements=subject"), 200, `"subject"`, "71.40"},
		"read: _elements keeps the must": {d.physician.Get(t, at+"?_elements=subject"), 200, `"code"`, ""},
		"read: _summary=count":           {d.physician.Get(t, at+"?_summary=count"), 400, "_summary", "71.40"},
		"read: unknown parameter":        {d.physician.Get(t, at+"?colour=red"), 400, "", "71.40"},
		"read: unknown, lenient":         {d.physician.Get(t, at+"?colour=red", "Prefer", "handling=lenient"), 200, "71.40", ""},
		"vread: _elements":               {d.physician.Get(t, at+"/_history/1?_elements=subject"), 200, "SUBSETTED", "71.40"},
	})
	for _, kind := range []string{"application/fhir+xml", "text/plain", ""} {
		if got := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("1", "1"), "Content-Type", kind); got.Status != http.StatusUnsupportedMediaType {
			t.Errorf("a body of %q: %d", kind, got.Status)
		}
	}
}

// A client that has a version already is told so; that, too, is an access.
func TestConditionalRead(t *testing.T) {
	d := open(t)
	made := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "71"))
	at := "/fhir/Observation/" + id(t, made)
	modified := made.Header.Get("Last-Modified")
	changed, err := http.ParseTime(modified)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"the ETag":                 {[]string{"If-None-Match", `W/"1"`}, 304},
		"without W/":               {[]string{"If-None-Match", `"1"`}, 304},
		"one of several":           {[]string{"If-None-Match", `W/"7", W/"1"`}, 304},
		"any":                      {[]string{"If-None-Match", "*"}, 304},
		"another":                  {[]string{"If-None-Match", `W/"2"`}, 200},
		"since the change":         {[]string{"If-Modified-Since", modified}, 304},
		"since before":             {[]string{"If-Modified-Since", changed.Add(-time.Hour).Format(http.TimeFormat)}, 200},
		"no time":                  {[]string{"If-Modified-Since", "yesterday"}, 200},
		"the ETag decides of both": {[]string{"If-None-Match", `W/"2"`, "If-Modified-Since", modified}, 200},
	} {
		for _, path := range []string{at, at + "/_history/1"} {
			got := d.physician.Get(t, path, c.header...)
			if got.Status != c.want || got.Header.Get("X-Audit-Entry") == "" || c.want == 304 && got.Body != "" {
				t.Errorf("%s: %d, want %d, entry %q", name, got.Status, c.want, got.Header.Get("X-Audit-Entry"))
			}
		}
	}
	stranger := d.Person(t, "Sam Rivera", "nurse", "")
	if got := stranger.Get(t, at, "If-None-Match", `W/"1"`); got.Status != http.StatusForbidden {
		t.Errorf("who may not read is told %d", got.Status)
	}
}

func TestHead(t *testing.T) {
	d := open(t)
	made := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "71"))
	at := "/fhir/Observation/" + id(t, made)
	got, whole := d.physician.Do(t, "HEAD", at, ""), d.physician.Get(t, at)
	if got.Status != 200 || got.Body != "" || got.Header.Get("ETag") != `W/"1"` || got.Header.Get("Content-Length") != whole.Header.Get("Content-Length") || got.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("%d %v", got.Status, got.Header)
	}
}

func TestPreferReturn(t *testing.T) {
	d := open(t)
	for prefer, want := range map[string]string{"return=minimal": "", "handling=strict, return=minimal": "", `return="OperationOutcome"`: "informational",
		"return=representation": "valueQuantity", "": "valueQuantity", "return=something": "valueQuantity"} {
		got := d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "70"), "Prefer", prefer)
		if got.Status != http.StatusCreated || want == "" != (got.Body == "") || !strings.Contains(got.Body, want) || got.Header.Get("ETag") == "" || got.Header.Get("X-Audit-Entry") == "" {
			t.Errorf("%q: %d %s", prefer, got.Status, got.Body)
		}
	}
}

// What the CapabilityStatement says of interactions, routes stand behind.
func TestCapabilityStatementIsTheRoutes(t *testing.T) {
	d := open(t)
	var c struct {
		Rest []struct {
			Interaction []struct{ Code string }
			Resource    []struct {
				Type        string
				Interaction []struct{ Code string }
			}
		}
	}
	if err := json.Unmarshal([]byte(d.clerk.Get(t, "/fhir/metadata").Body), &c); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, i := range c.Rest[0].Interaction {
		said[i.Code] = true
	}
	for _, i := range c.Rest[0].Resource[0].Interaction {
		said[i.Code] = true
	}
	for code, method := range map[string]string{"read": "GET /fhir/{type}/{id}", "vread": "GET /fhir/{type}/{id}/_history/{vid}", "update": "PUT /fhir/{type}/{id}",
		"patch": "PATCH /fhir/{type}/{id}", "delete": "DELETE /fhir/{type}/{id}", "create": "POST /fhir/{type}", "search-type": "GET /fhir/{type}",
		"history-instance": "GET /fhir/{type}/{id}/_history", "history-type": "GET /fhir/{type}/_history", "history-system": "GET /fhir/_history",
		"transaction": "POST /fhir/{$}", "batch": "POST /fhir"} {
		served := false
		for _, r := range d.Routes() {
			served = served || r.Method+" "+r.Pattern == method
		}
		if served != said[code] {
			t.Errorf("%s: said %t, served %t", code, said[code], served)
		}
	}
	if got := d.clerk.Get(t, "/fhir/metadata?_format=xml"); got.Status != http.StatusNotAcceptable {
		t.Errorf("metadata as XML: %d", got.Status)
	}
}
