package fhirapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// request is one that no client should send.
type request struct {
	method, path, body string
	header             []string
}

// malformed lists requests that are wrong in one way each. P and O stand for a patient and an observation that are there.
func malformed() (out []request) {
	get := func(paths ...string) {
		for _, p := range paths {
			out = append(out, request{"GET", p, "", nil})
		}
	}
	long := strings.Repeat("a", 5000)
	// Paths, types, ids and versions.
	get("/fhir", "/fhir/", "/fhir//", "/fhir/Nobody", "/fhir/patient/P", "/fhir/Patient/", "/fhir/Patient//", "/fhir/Patient/P/", "/fhir/Patient/P/x", "/fhir/Patient/P/$everything",
		"/fhir/$validate", "/fhir/Patient/$nonsense", "/fhir/Resource/1", "/fhir/DomainResource", "/fhir/Patient/"+long, "/fhir/Patient/a%20b", "/fhir/Patient/a%00b", "/fhir/Patient/%ff%fe",
		"/fhir/Patient/a_b", "/fhir/Patient/%2e%2e", "/fhir/Patient/..%2f..", "/fhir/Patient/'or'1'='1", "/fhir/Patient/P%3Bdrop", "/fhir/Patient/ä", "/fhir/Patient/P?_format=", "/fhir/Patient/P?_format=xml",
		"/fhir/Patient/P?_format=text/turtle", "/fhir/Patient/P?_format=%00", "/fhir/Patient/P?_summary=nonsense", "/fhir/Patient/P?_elements=", "/fhir/Patient/P?_elements=a.b.c", "/fhir/Patient/P?_elements=%ff",
		"/fhir/Patient/P?nonsense=1", "/fhir/Patient/P?_pretty=maybe", "/fhir/Observation/P", "/fhir/Patient/O", "/fhir/Observation/"+strings.Repeat("a", 26), "/fhir/Observation/"+strings.Repeat("7", 26),
		"/fhir/Patient/P/_history/", "/fhir/Patient/P/_history/0", "/fhir/Patient/P/_history/-1", "/fhir/Patient/P/_history/99999999999999999999", "/fhir/Patient/P/_history/1.5", "/fhir/Patient/P/_history/one",
		"/fhir/Patient/P/_history/"+long, "/fhir/Patient/P/_history/%00", "/fhir/Patient/P/_history/1/x", "/fhir/Patient/P/_history?_count=-1", "/fhir/Patient/P/_history?_count=x", "/fhir/Patient/P/_history?_since=x",
		"/fhir/Patient/P/_history?_at=2020-13", "/fhir/Patient/P/_history?_page=x", "/fhir/Patient/_history", "/fhir/_history", "/fhir/_search", "/fhir/Patient/_search", "/fhir/metadata/x", "/fhir/metadata?mode=nonsense",
		"/fhir/Patient/P/Observation", "/fhir/Patient/P/*", "/fhir/Nobody/1", "/fhir/Nobody/1/_history", "/fhir/Nobody/1/_history/1", "/fhir/Binary/1", "/fhir/Patient/%252e", "/fhir/%50atient", "/fhir/Patient/P#x",
		"/audit/receipt/", "/audit/receipt/x", "/audit/receipt/x/y", "/audit/receipt/%00/1", "/audit/receipt/a/99999999999999999999", "/audit/receipt/a/-1")
	// Parameters, modifiers, prefixes and values of a search.
	for _, q := range []string{"_count=-1", "_count=x", "_count=99999999999999999999", "_count=1.5", "_count=", "_count=1&_count=2", "_sort=", "_sort=nonsense", "_sort=--date", "_sort=date,,", "_sort=-", "_sort=" + long,
		"_sort:desc=date", "_total=maybe", "_total=", "_summary=maybe", "_summary=count&_elements=id", "_elements=", "_elements=" + long, "_include=", "_include=x", "_include=Observation", "_include=Observation:nonsense",
		"_include=Observation:subject:Nobody", "_include:iterate=Observation:subject", "_include:nonsense=Observation:subject", "_include=*", "_revinclude=", "_revinclude=x:y", "_revinclude=*", "_has=", "_has:Observation=1", "_has:Nobody:subject:code=1",
		"_has:Observation:nonsense:code=1", "_has:Observation:subject:nonsense=1", "_has:a:b:c:d=1", "_filter=a eq b", "_content=x", "_text=x", "_query=x", "_list=x", "_type=Patient", "_contained=maybe", "_containedType=x",
		"_id=", "_id=" + long, "_id=a,b,,", "_id=%00", "_id:exact=x", "_id:missing=maybe", "_lastUpdated=", "_lastUpdated=x", "_lastUpdated=xx2020", "_lastUpdated=2020-13-01", "_lastUpdated=ge", "_lastUpdated=ge2020-01-01T25:00:00Z",
		"_lastUpdated=2020-01-01T10:00:00%2B99:00", "_lastUpdated:exact=2020", "_tag=|||", "_security=%ff", "_profile=::", "_profile:above=x", "_cursor=", "_cursor=x", "_cursor=" + long, "_cursor=%00", "_page=x", "_cursor=a&_cursor=b",
		"date=", "date=x", "date=0000", "date=99999", "date=2020-02-30", "date=eq", "date=zz2020", "date=2020-01-01T", "date=2020-01-01T10", "date=ap99999999", "date=-2020", "date=2020-1-1", "date:missing=x", "date:nonsense=2020", "date=2020,x",
		"code=", "code=|", "code=||", "code=a|b|c", "code=%5C", "code=a%5C", "code=,", "code:in=http://x", "code:not-in=x", "code:below=x", "code:above=x", "code:text=", "code:of-type=x", "code:nonsense=x", "code:missing=", "code=" + long, "code:=x", "code::x=y",
		"value-quantity=", "value-quantity=x", "value-quantity=1|2|3|4", "value-quantity=gt", "value-quantity=1e999", "value-quantity=--1", "value-quantity=0x10", "value-quantity=NaN", "value-quantity=Infinity", "value-quantity=1,x", "value-quantity=ge|x",
		"value-quantity=1e-99999999", "code-value-quantity=", "code-value-quantity=a", "code-value-quantity=a$", "code-value-quantity=$", "code-value-quantity=a$x", "code-value-quantity=a$1$2", "component-code-value-quantity=$$$",
		"patient=", "patient=%00", "patient=Nobody/1", "patient=Patient/", "patient=/", "patient=Patient/P/", "patient=Observation/O", "patient=http://", "patient=urn:x", "patient:Nobody=1", "patient:identifier=", "patient:identifier=a|b|c", "patient:missing=x",
		"patient.nonsense=x", "patient.name.x=1", "patient..name=x", "patient.=x", ".name=x", "subject:Patient.organization.partof.partof.partof.partof.name=x", "subject:Nobody.name=x", "patient=" + long, "subject=P", "encounter=,", "focus=x", "nonsense=1", "nonsense:x=1", "=x", "&&&", "=", "%=1", "a%ZZ=1",
		"%00=1", "code=%ZZ", "code=a;date=b", "patient=P&code=" + strings.Repeat("a,", 3000), "status:not=", "status=" + strings.Repeat("x,", 10), "_format=xml", "_format=json&_format=xml", "_pretty=x", "ProbABly=1", "_source=", "combo-code=", "near=1|2|3"} {
		if !strings.Contains(q, "patient=") && !strings.Contains(q, "cursor") {
			q = "patient=P&" + q
		}
		get("/fhir/Observation?" + strings.ReplaceAll(q, " ", "%20"))
	}
	get("/fhir/Observation", "/fhir/Patient?birthdate=x", "/fhir/Patient?gender=", "/fhir/Patient?name:exact=", "/fhir/Patient?name="+long, "/fhir/Patient?identifier=|", "/fhir/Patient?family=%ff", "/fhir/Patient?general-practitioner.name=x", "/fhir/Patient?_has:Observation:patient:code=x",
		"/fhir/Patient?address:contains=", "/fhir/Patient?death-date=x", "/fhir/Patient?active=maybe", "/fhir/Patient?link:Nobody=1", "/fhir/Patient?phonetic=x", "/fhir/Location?near=1|2|3|x", "/fhir/ValueSet?url=::%00", "/fhir/Encounter?length=x")
	// Methods, headers and content types.
	for _, m := range []string{"PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "NONSENSE", "PROPFIND"} {
		for _, p := range []string{"/fhir", "/fhir/Nobody", "/fhir/Nobody/1", "/fhir/Observation/O/_history", "/fhir/Observation/O/_history/1", "/fhir/metadata", "/fhir/Observation/_search"} {
			out = append(out, request{m, p, "", nil})
		}
	}
	good := `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/P"}}`
	for _, h := range [][]string{{"Content-Type", ""}, {"Content-Type", "text/plain"}, {"Content-Type", "application/fhir+xml"}, {"Content-Type", "application/json; charset=utf-16"}, {"Content-Type", ";;;"}, {"Content-Type", "multipart/form-data"},
		{"Content-Type", "application/fhir+json; fhirVersion=3.0"}, {"Accept", "application/fhir+xml"}, {"Accept", "text/turtle"}, {"Accept", ";;;"}, {"Accept", "application/fhir+json;fhirVersion=1.0"}, {"Accept", "application/fhir+json;q=x"}, {"Prefer", "return=nonsense"}, {"Prefer", ";;="},
		{"Prefer", "handling=nonsense"}, {"If-None-Exist", ""}, {"If-None-Exist", "nonsense=1"}, {"If-None-Exist", "_count=1"}, {"If-None-Exist", "%zz"}, {"If-None-Exist", "identifier=" + long}, {"If-Match", "x"}, {"Content-Encoding", "gzip"}, {"Content-Encoding", "nonsense"},
		{"X-Break-Glass", "nonsense"}, {"X-Break-Glass", "emergency; drop"}, {"Authorization", "Bearer x"}, {"Authorization", "Basic eDp5"}, {"Authorization", "x"}, {"Authorization", "Bearer " + long}, {"X-HTTP-Method-Override", "DELETE"}} {
		out = append(out, request{"POST", "/fhir/Observation", good, h}, request{"GET", "/fhir/Observation/O", "", h})
	}
	for _, h := range [][]string{{"If-Match", ""}, {"If-Match", "x"}, {"If-Match", `W/"x"`}, {"If-Match", `W/"0"`}, {"If-Match", `W/"-1"`}, {"If-Match", `W/"99999999999999999999"`}, {"If-Match", `"1", "2"`}, {"If-Match", `W/"7"`}, {"If-None-Match", "x"}, {"If-None-Match", `W/"1"`}} {
		out = append(out, request{"PUT", "/fhir/Observation/O", strings.Replace(good, `"status"`, `"id":"O","status"`, 1), h}, request{"DELETE", "/fhir/Observation/" + strings.Repeat("a", 26), "", h}, request{"PATCH", "/fhir/Observation/O", `[]`, append(h, "Content-Type", "application/json-patch+json")})
	}
	get("/fhir/Observation/O?_since=x")
	for _, h := range [][]string{{"If-Modified-Since", "x"}, {"If-Modified-Since", "2020"}, {"If-None-Match", ";;;"}} {
		out = append(out, request{"GET", "/fhir/Observation/O", "", h})
	}
	// Bodies.
	for _, b := range []string{" ", "{", "[]", "null", "1", `"x"`, "{}", `{"resourceType":1}`, `{"resourceType":null}`, `{"resourceType":"Nobody"}`, `{"resourceType":"Patient"}`, `{"resourceType":"Observation"}`, `{"resourceType":"Bundle"}`, "\xef\xbb\xbf" + good, "\xff\xfe", good + good,
		strings.Replace(good, "Patient/P", "Patient/", 1), strings.Replace(good, "Patient/P", "Patient?identifier=nobody", 1), strings.Replace(good, "Patient/P", "Patient?nonsense", 1), strings.Replace(good, "Patient/P", "Patient?", 1), strings.Replace(good, "Patient/P", "#x", 1), strings.Replace(good, "Patient/P", "urn:uuid:x", 1),
		strings.Replace(good, "Patient/P", long, 1), strings.Replace(good, `"x"`, `"`+strings.Repeat("x", 1<<20)+`"`, 1), strings.Replace(good, `"final"`, `"final","valueInteger":1e99`, 1), strings.Replace(good, `"final"`, `"final","id":"O"`, 1) + "x", strings.Repeat("[", 200), strings.Repeat(`{"a":`, 200)} {
		out = append(out, request{"POST", "/fhir/Observation", b, nil}, request{"PUT", "/fhir/Observation/O", b, nil}, request{"POST", "/fhir", b, nil})
	}
	for _, b := range []string{"", " ", "{", "{}", "[1]", `[{"op":"nonsense"}]`, `[{"op":"replace","path":"x"}]`, `[{"op":"replace","path":"/nonsense/9","value":1}]`, `[{"op":"remove","path":""}]`, `[{"op":"add","path":"/status","value":{}}]`, `[{"op":"test","path":"/status","value":"x"}]`, `[{"op":"copy","from":"/x","path":"/y"}]`,
		`[{"op":"remove","path":"/resourceType"}]`, `[{"op":"replace","path":"/id","value":"x"}]`, `[{"op":"remove","path":"/subject"}]`, `[{"op":"replace","path":"/status/~2","value":"x"}]`, `[{"op":"add","path":"/note/-1","value":{"text":"x"}}]`} {
		out = append(out, request{"PATCH", "/fhir/Observation/O", b, []string{"Content-Type", "application/json-patch+json"}})
	}
	out = append(out, request{"PATCH", "/fhir/Observation/O", `{"resourceType":"Parameters"}`, nil}, request{"PATCH", "/fhir/Observation/O", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"nonsense"}]}]}`, nil},
		request{"PATCH", "/fhir/Observation/O", good, nil}, request{"PATCH", "/fhir/Observation/O", `<x/>`, []string{"Content-Type", "application/xml-patch+xml"}}, request{"PATCH", "/fhir/Observation?x=1", `[]`, []string{"Content-Type", "application/json-patch+json"}})
	for _, q := range []string{"", "nonsense=1", "identifier=", "%zz", "_id=O,x&_count=1", "subject.name=x"} {
		out = append(out, request{"PUT", "/fhir/Observation?" + q, good, nil}, request{"DELETE", "/fhir/Observation?" + q, "", nil})
	}
	for _, b := range []string{"%zz", "code=%zz", "a=1&a=2", "_count=-1", "\x00", strings.Repeat("code=a&", 20000)} {
		out = append(out, request{"POST", "/fhir/Observation/_search", b, []string{"Content-Type", "application/x-www-form-urlencoded"}}, request{"POST", "/fhir/Observation/_search?patient=P", b, []string{"Content-Type", "application/json"}})
	}
	// Entries of bundles.
	for _, e := range []string{"", "null", "1", "[]", "{}", `{"request":{}}`, `{"request":1}`, `{"request":{"method":"GET"}}`, `{"request":{"method":"GET","url":""}}`, `{"request":{"method":"GET","url":"Nobody/1"}}`, `{"request":{"method":"GET","url":"Observation?nonsense=1"}}`, `{"request":{"method":"GET","url":"Observation?%zz"}}`,
		`{"request":{"method":"GET","url":"Observation/O/_history/x"}}`, `{"request":{"method":"GET","url":"../../x"}}`, `{"request":{"method":"GET","url":"https://elsewhere.example/fhir/Patient/1"}}`, `{"request":{"method":"HEAD","url":"Patient/P"}}`, `{"request":{"method":"NONSENSE","url":"Patient/P"}}`, `{"request":{"method":"get","url":"Patient/P"}}`,
		`{"request":{"method":"POST","url":"Observation"}}`, `{"request":{"method":"POST","url":"Patient"},"resource":` + good + `}`, `{"request":{"method":"POST","url":"Observation/x"},"resource":` + good + `}`, `{"request":{"method":"POST","url":"Observation?x=1"},"resource":` + good + `}`, `{"request":{"method":"POST","url":"Observation","ifNoneExist":"%zz"},"resource":` + good + `}`,
		`{"request":{"method":"POST","url":"Observation","ifNoneExist":"nonsense=1"},"resource":` + good + `}`, `{"request":{"method":"PUT","url":"Observation"},"resource":` + good + `}`, `{"request":{"method":"PUT","url":"Observation/x"},"resource":` + good + `}`, `{"request":{"method":"PUT","url":"Observation/O","ifMatch":"x"},"resource":` + strings.Replace(good, `"status"`, `"id":"O","status"`, 1) + `}`,
		`{"request":{"method":"PUT","url":"Observation?"},"resource":` + good + `}`, `{"request":{"method":"DELETE","url":"Observation"}}`, `{"request":{"method":"DELETE","url":"Nobody/1"}}`, `{"request":{"method":"DELETE","url":"Observation?"}}`, `{"request":{"method":"DELETE","url":"Observation/` + strings.Repeat("a", 26) + `"}}`, `{"request":{"method":"PATCH","url":"Observation/O"}}`,
		`{"request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Observation"}}`, `{"request":{"method":"POST","url":"Observation"},"resource":null}`, `{"request":{"method":"POST","url":"Observation"},"resource":[]}`, `{"fullUrl":1,"request":{"method":"POST","url":"Observation"},"resource":` + good + `}`, `{"fullUrl":"urn:uuid:1/_history/2","request":{"method":"POST","url":"Observation"},"resource":` + good + `}`,
		`{"request":{"method":"POST","url":"Observation"},"resource":` + strings.Replace(good, "Patient/P", "Practitioner?identifier=1", 1) + `}`, `{"request":{"method":"POST","url":"Observation"},"resource":` + strings.Replace(good, "Patient/P", "Patient?identifier=1|2|3", 1) + `}`, `{"request":{"method":"POST","url":"Observation"},"resource":` + strings.Replace(good, "Patient/P", "urn:uuid:nobody", 1) + `}`,
		`{"fullUrl":"urn:uuid:1","request":{"method":"POST","url":"Observation"},"resource":` + good + `},{"fullUrl":"urn:uuid:1","request":{"method":"POST","url":"Observation"},"resource":` + good + `}`} {
		for _, kind := range []string{"transaction", "batch"} {
			out = append(out, request{"POST", "/fhir", `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + e + `]}`, nil})
		}
	}
	for _, kind := range []string{`"collection"`, `"searchset"`, `"document"`, `"nonsense"`, `1`, `null`, `""`} {
		out = append(out, request{"POST", "/fhir", `{"resourceType":"Bundle","type":` + kind + `,"entry":[]}`, nil})
	}
	return append(out, request{"POST", "/fhir", `{"resourceType":"Bundle","entry":[]}`, nil}, request{"POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":{}}`, nil}, request{"POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[],"entry":[]}`, nil})
}

// Whatever is wrong with a request, the server answers as FHIR: never a fault of its own, always an OperationOutcome that names the
// place where the sender has something to mend.
func TestMalformedRequests(t *testing.T) {
	d := open(t)
	o := id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "71.40")))
	fill := strings.NewReplacer("Patient/P", "Patient/"+d.patient, "patient=P", "patient="+d.patient, "subject=P", "subject="+d.patient, `"id":"O"`, `"id":"`+o+`"`, "_id=O", "_id="+o)
	there := regexp.MustCompile(`/O\b`)
	all := malformed()
	if len(all) < 300 {
		t.Fatal("only", len(all))
	}
	refused := 0
	for _, r := range all {
		r.path, r.body = there.ReplaceAllString(fill.Replace(r.path), "/"+o), there.ReplaceAllString(fill.Replace(r.body), "/"+o)
		name := fmt.Sprint(r.method, " ", r.path[:min(len(r.path), 120)], " ", r.header, " ", r.body[:min(len(r.body), 260)])
		req, err := http.NewRequestWithContext(t.Context(), r.method, d.URL+r.path, strings.NewReader(r.body))
		if err != nil {
			continue // no client can send it
		}
		if r.body == "" {
			req.Body = http.NoBody
		} else {
			req.Header.Set("Content-Type", "application/fhir+json")
		}
		for i := 0; i+1 < len(r.header); i += 2 {
			req.Header.Set(r.header[i], r.header[i+1])
		}
		answer, err := d.physician.Client.Do(req)
		if err != nil {
			t.Errorf("%s: no answer: %v", name, err)
			continue
		}
		body := new(strings.Builder)
		_, _ = fmt.Fprint(body, readAll(answer))
		if answer.StatusCode >= 500 {
			t.Errorf("%s: %d %s", name, answer.StatusCode, body)
			continue
		}
		if answer.StatusCode < 400 || r.method == "HEAD" {
			continue
		}
		refused++
		var outcome struct {
			ResourceType string
			Issue        []struct {
				Code       string
				Details    struct{ Text string }
				Expression []string
			}
		}
		if err := json.Unmarshal([]byte(body.String()), &outcome); err != nil || outcome.ResourceType != "OperationOutcome" || len(outcome.Issue) == 0 || outcome.Issue[0].Details.Text == "" {
			t.Errorf("%s: %d, no OperationOutcome: %.300s", name, answer.StatusCode, body)
			continue
		}
		switch answer.StatusCode {
		case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotAcceptable, http.StatusUnsupportedMediaType, http.StatusMethodNotAllowed:
			if place := outcome.Issue[0]; len(place.Expression) == 0 && !strings.Contains(place.Details.Text, "byte") {
				t.Errorf("%s: %d names no place: %s", name, answer.StatusCode, place.Details.Text)
			}
		}
	}
	t.Log(len(all), "requests,", refused, "refused")
}

func readAll(answer *http.Response) string {
	defer answer.Body.Close()
	b := new(strings.Builder)
	buf := make([]byte, 4096)
	for {
		n, err := answer.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}
