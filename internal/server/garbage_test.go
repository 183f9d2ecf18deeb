package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/server/servertest"
)

// garbage makes requests that are wrong in several ways at once, the same ones for the same seed.
type garbage struct {
	*rand.Rand
	patient, observation string
}

func (g garbage) of(choices ...string) string { return choices[g.IntN(len(choices))] }

// sometimes gives a text in one case of n, else nothing.
func (g garbage) sometimes(n int, text func() string) string {
	if g.IntN(n) > 0 {
		return ""
	}
	return text()
}

func (g garbage) id() string {
	return g.of(g.patient, g.observation, "x", "", "%20", "%00", "%ff", "..", "%2e%2e%2f", "a%2Fb", "$x", "_x", "*", "-", ".", "é", strings.Repeat("a", 26), strings.Repeat("9", 65),
		strings.Repeat("z", 3000), "1;drop", "'", "%25", "a|b", "0", "-1", "99999999999999999999")
}

func (g garbage) typ() string {
	return g.of("Observation", "Observation", "Patient", "Patient", "Encounter", "Practitioner", "Bundle", "Binary", "Parameters", "OperationOutcome", "Resource", "observation", "Nobody", "", "%50atient", "$x", "_history", "metadata", "AuditEvent")
}

var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// path fills in the wildcards of a pattern.
func (g garbage) path(pattern string) string {
	out := wildcard.ReplaceAllStringFunc(pattern, func(w string) string {
		switch w {
		case "{$}":
			return ""
		case "{type}":
			return g.typ()
		case "{id}", "{patient}":
			return g.id()
		case "{entry...}":
			return g.of("x", "x/1", "x/y/99", "%00/1", "a/-1", "a/9999999999999999999999", "") + g.sometimes(4, g.id)
		}
		return g.id()
	})
	return out + g.sometimes(20, func() string {
		return g.of("/", "//", "/x", "/$x", "/%00", "#", ";a=b", "/_history", "/_history/1", "/_search")
	})
}

func (g garbage) value() string {
	switch g.IntN(8) {
	case 0:
		return g.id()
	case 1:
		return g.of("eq", "ge", "ap", "sa", "xx", "-", "") + g.of("2020", "2020-13-45", "9999-12-31T23:59:60Z", "0000", "1e400", "-0", "NaN", "1.", ".5", "2020-01-01T10:00:00%2B99:99", "1|2|3", "%E2%80%8B")
	case 2:
		return g.of("|", "||", "a|b|c", "%5C", "%5C|", ",", ",,,", "$", "$$", "a$b$c", "%2C", "\\")
	case 3:
		return g.of("Patient/"+g.patient, "Patient/", "Nobody/1", "http://", "http://a/b|c", "urn:uuid:", "#x", "Patient?identifier=1", "Patient/"+g.patient+"/_history/x")
	case 4:
		return strings.Repeat(g.of("a", "a,", "|", "%20", "%C3%A9", "9", "("), 1+g.IntN(2500))
	case 5:
		return g.of("-1", "0", "99999999999999999999", "-99999999999999999999", "1.5", "1e9", "true", "maybe", "null", "count", "data", "text", "accurate", "estimate")
	case 6:
		return g.of("%zz", "%", "%0", "%c3%28", "%f0%9f%98%80", "%00", "%0d%0aX-Evil:%201", "+", "<script>", "{{7*7}}", "'--")
	}
	return g.of("*", "Observation:subject", "Observation:patient:Patient", "Observation:nonsense", ":", "::", "date", "-date", "-date,status,_id", "code", "final", "8867-4")
}

func (g garbage) name() string {
	deep := func(n int) string { return strings.Repeat(g.of("subject.", "organization.", "partof.", "patient."), n) }
	return g.of("_id", "_lastUpdated", "_count", "_sort", "_include", "_revinclude", "_include:iterate", "_total", "_summary", "_elements", "_has:Observation:patient:code", "_has:Encounter:subject:_has:Observation:encounter:code",
		"_tag", "_profile", "_security", "_source", "_text", "_content", "_filter", "_list", "_query", "_type", "_format", "_pretty", "_cursor", "_since", "_at", "code", "date", "patient", "subject", "status", "value-quantity", "code-value-quantity",
		"name", "family", "birthdate", "identifier", "general-practitioner", "encounter", "combo-code", "start", "end", "x", "", "mode") +
		g.sometimes(4, func() string {
			return ":" + g.of("exact", "contains", "missing", "not", "text", "in", "not-in", "above", "below", "of-type", "identifier", "iterate", "Patient", "Nobody", "x", "", ":")
		}) +
		g.sometimes(6, func() string { return "." + deep(g.IntN(12)) + g.of("name", "identifier", "", "x") })
}

func (g garbage) query() string {
	var b strings.Builder
	if g.IntN(3) > 0 {
		b.WriteString("patient=" + g.patient)
	}
	for range g.IntN(5) {
		b.WriteString(g.of("&", "&", "&", "&", ";", "&&") + g.name() + g.of("=", "=", "=", "=", "", "==") + g.value())
	}
	return b.String()
}

func (g garbage) header() (name, value string) {
	switch g.IntN(9) {
	case 0:
		return "Accept", g.of("application/fhir+json", "application/json;q=0", "text/html, */*;q=0.1", "application/fhir+xml", ";;;", ",,,", "*/*;q=x", "application/fhir+json; fhirVersion=4.0", "application/fhir+json; fhirVersion=9", strings.Repeat("a/b,", 5000), "\t")
	case 1:
		return "Content-Type", g.of("application/fhir+json; charset=utf-8", "application/fhir+json; charset=utf-16", "application/fhir+json; charset=\"", "application/json-patch+json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "", ";", "application/fhir+xml")
	case 2:
		return "If-Match", g.of(`W/"1"`, `"1"`, "1", "*", `W/"`, `W/"1", W/"2"`, "-1", "0", "99999999999999999999", "é", strings.Repeat("9", 4000))
	case 3:
		return "If-None-Match", g.of("*", `W/"1"`, `"`, ",,,", "x", strings.Repeat(`W/"1",`, 3000))
	case 4:
		return "If-Modified-Since", g.of("x", "2020", "Sat, 29 Oct 1994 19:43:31 GMT", "Sat, 99 Oct 1994 19:43:31 GMT", "2020-01-01T00:00:00Z")
	case 5:
		return "Prefer", g.of("return=minimal", "return=representation", "return=OperationOutcome", "return=", "return", ";;=", "handling=strict", "handling=lenient, return=\"minimal\"", "respond-async", strings.Repeat("a=b,", 5000))
	case 6:
		return "If-None-Exist", g.of("identifier=1", "identifier=%zz", "_id=x&_count=0", "x=1", "?", "&", "identifier=", strings.Repeat("a", 5000))
	case 7:
		return g.of("Range", "X-Break-Glass", "X-HTTP-Method-Override", "Content-Encoding", "Expect", "Transfer-Encoding", "X-Forwarded-For", "Origin", "Cookie", "Accept-Encoding", "Accept-Language"),
			g.of("bytes=0-1", "bytes=9-1,-", "emergency", "nonsense", "DELETE", "gzip", "x", "null", "a=b; =; ;", "999.999.999.999", strings.Repeat("x", 9000))
	}
	return "Authorization", g.of("Bearer x", "Bearer", "Basic x", "x", "Bearer "+strings.Repeat("a", 9000), "Bearer \xff")
}

func (g garbage) resource() string {
	o := `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + g.patient + `"}}`
	swap := func(old, with string) string { return strings.Replace(o, old, with, 1) }
	return g.of(o, o, swap("Patient/"+g.patient, g.value()), swap(`"final"`, g.of("1", "null", "[]", "{}", `"x"`, `""`)), swap(`{"text":"x"}`, g.of("[]", "{}", `[{"text":"x"}]`, `"x"`)),
		swap(`"status"`, `"id":"`+g.of(g.observation, "x y", "", "é")+`","status"`), swap(`"status"`, `"contained":[{"resourceType":"Patient","id":"p","link":[{"other":{"reference":"#p"},"type":"seealso"}]}],"status"`),
		swap(`"status"`, `"meta":{"versionId":"x","lastUpdated":"x"},"status"`), swap(`"status"`, `"hasMember":[{"reference":"Observation/`+g.observation+`"}],"status"`), swap(`"status"`, `"extension":[`+strings.Repeat(`{"url":"x","extension":[`, 70)+strings.Repeat(`]}`, 70)+`],"status"`),
		swap(`"x"`, `"`+strings.Repeat("é", 20000)+`"`), swap(`"x"`, `"\ud800"`), o[:len(o)/2], o+o, "[]", "null", "{}", `{"resourceType":"Patient"}`, `{"resourceType":"Nobody"}`, "\xef\xbb\xbf"+o, "\x00", strings.Repeat(`{"a":`, 3000), strings.Repeat("[", 3000))
}

func (g garbage) bundle() string {
	var entries []string
	for range g.IntN(6) {
		name := g.of("urn:uuid:1", "urn:uuid:1", "urn:uuid:2", "urn:uuid:", "http://x/fhir/Observation/1", "http://x/fhir/Observation/1/_history/2", "", "x")
		resource := g.resource()
		if g.IntN(3) == 0 { // they refer to each other
			resource = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + g.patient + `"},"hasMember":[{"reference":"` + g.of("urn:uuid:1", "urn:uuid:2", "urn:uuid:3", "Observation/1", "#x") + `"}]}`
		}
		request := fmt.Sprintf(`{"method":%s,"url":%s%s}`, g.of(`"POST"`, `"POST"`, `"PUT"`, `"PATCH"`, `"DELETE"`, `"GET"`, `"HEAD"`, `"x"`, `1`, `null`, `""`),
			g.of(`"Observation"`, `"Observation"`, `"Observation/`+g.observation+`"`, `"Observation?code=x"`, `"Observation?_id=%zz"`, `"Patient/`+g.patient+`"`, `""`, `1`, `"../../x"`, `"//"`, `"?"`, `"_history"`, `"Observation/`+g.observation+`/_history/x"`, `"http://elsewhere/Observation"`, `"Patient/`+g.patient+`/$everything"`),
			g.sometimes(3, func() string {
				return `,` + g.of(`"ifMatch":"x"`, `"ifMatch":"W/\"1\""`, `"ifMatch":1`, `"ifNoneExist":"identifier=1"`, `"ifNoneExist":"%zz"`, `"ifNoneMatch":"*"`, `"ifModifiedSince":"x"`)
			}))
		entries = append(entries, g.of(
			`{"fullUrl":"`+name+`","resource":`+resource+`,"request":`+request+`}`, `{"fullUrl":"`+name+`","resource":`+resource+`,"request":`+request+`}`,
			`{"resource":`+resource+`,"request":`+request+`}`, `{"request":`+request+`}`, `{"fullUrl":"`+name+`","resource":`+resource+`}`, `{}`, `null`, `[]`))
	}
	return `{"resourceType":` + g.of(`"Bundle"`, `"Bundle"`, `"Bundle"`, `"Patient"`, `1`) + `,"type":` + g.of(`"transaction"`, `"transaction"`, `"batch"`, `"batch"`, `"x"`, `1`, `"history"`) + `,"entry":[` + strings.Join(entries, ",") + g.of("]}", "]}", "]}", "]}", "]", "}")
}

func (g garbage) body() (text, kind string) {
	switch g.IntN(6) {
	case 0:
		return g.bundle(), "application/fhir+json"
	case 1:
		return g.of("[]", "{}", "[1]", `[{"op":"remove","path":"/subject"}]`, `[{"op":"test","path":"/x","value":1}]`, `[{"op":"move","from":"/code","path":"/code/text"}]`, `[{"op":"add","path":"/note/-","value":{"text":"x"}}]`,
			`[{"op":"replace","path":"`+g.of("", "/", "//", "/~", "/~2", "/status/9999999999999999999", "/code/coding/-1")+`","value":`+g.of("1", "null", "{}", `"x"`)+`}]`, `[`+strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"/a","value":1},`, 3000), ",")+`]`), "application/json-patch+json"
	case 2:
		return g.query(), "application/x-www-form-urlencoded"
	case 3:
		return "", ""
	}
	return g.resource(), "application/fhir+json"
}

// TestGarbage sends to every route requests that are wrong in several ways at once. Whatever comes, the answer is no fault of the server
// and, below /fhir, a refusal is an OperationOutcome that says something.
func TestGarbage(t *testing.T) {
	const each = 25 // of each route, beside 25 of each for each interaction of FHIR
	s := servertest.Start(t)
	admin := s.Person(t, "Ruth Adeyemi", "administrator", "")
	practitioner := "Practitioner/" + idOf(t, admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner"}`).Body)
	clerk := s.Person(t, "Dana Whitlock", "front-desk", "")
	patient := idOf(t, clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`).Body)
	clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/`+patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}]}`)
	physician := s.Person(t, "Anna Lindqvist", "physician", practitioner)
	observation := idOf(t, physician.Do(t, "POST", "/fhir/Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+patient+`"}}`).Body)
	g := garbage{rand.New(rand.NewPCG(5, 6)), patient, observation}
	who := []*servertest.Client{physician, physician, admin, clerk, s.Person(t, "Priya Nair", "privacy", ""), s.Patient(t, "Maren Okafor", patient), {Client: &http.Client{}, Base: s.URL}}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"}
	sent, refused := 0, 0
	for _, route := range s.Routes() {
		switch route.Pattern {
		case "/session/test", "/sign-out", "/lock", "/events", "/admin/people/{person}/end", "/admin/people/{person}/reset", "/admin/people/{person}/roles": // they end sessions, or do not end
			continue
		}
		times := each
		if strings.HasPrefix(route.Pattern, "/fhir") {
			times *= 4
		}
		for range times {
			method := route.Method
			if method == "" || g.IntN(8) == 0 {
				method = methods[g.IntN(len(methods))]
			}
			target := g.path(route.Pattern)
			if g.IntN(3) > 0 {
				target += "?" + g.query()
			}
			body, kind := g.body()
			if method == "GET" || method == "HEAD" {
				body, kind = "", ""
			}
			if sendGarbage(t, g, s.URL, who, route, method, target, body, kind) {
				refused++
			}
			sent++
		}
	}
	for i, c := range who[:6] { // nothing of it cost anybody the session or the server its wits
		if got := c.Get(t, "/fhir/Practitioner"); got.Status != http.StatusOK && got.Status != http.StatusForbidden {
			t.Errorf("afterwards %d: %d %s", i, got.Status, got.Body)
		}
	}
	if t.Log(sent, "requests,", refused, "refusals below /fhir"); sent < 3000 || refused < 500 {
		t.Error("that is too few")
	}
}

// sendGarbage sends one request and judges the answer; true for a refusal below /fhir.
func sendGarbage(t *testing.T, g garbage, base string, who []*servertest.Client, route access.Route, method, target, body, kind string) bool {
	t.Helper()
	at, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(strings.ReplaceAll(target, " ", "%20"), "?")
	path, _, _ = strings.Cut(path, "#")
	if at.Path, err = url.PathUnescape(path); err != nil {
		return false // no server of net/http takes it
	}
	at.RawPath, at.RawQuery = path, query
	if _, err := url.ParseRequestURI(at.RequestURI()); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(body))
	if err != nil {
		return false
	}
	req.URL = at
	if body == "" {
		req.Body = http.NoBody
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for range g.IntN(3) {
		name, value := g.header()
		if name != "Expect" && name != "Transfer-Encoding" && name != "Cookie" {
			req.Header.Set(name, value)
		}
	}
	name := fmt.Sprintf("%s %.200s %.200v %.300s (of %s)", method, at.RequestURI(), req.Header, body, route.Pattern)
	client := *who[g.IntN(len(who))].Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(req)
	if err != nil {
		if !strings.Contains(err.Error(), "invalid") { // a header or method that no client sends
			t.Errorf("%s: no answer: %v", name, err)
		}
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if answer.StatusCode >= 500 {
		t.Errorf("%s: %d %.300s", name, answer.StatusCode, text)
	}
	if answer.StatusCode < 400 || method == "HEAD" || path != "/fhir" && !strings.HasPrefix(path, "/fhir/") || strings.HasPrefix(path, "/fhir/.well-known") {
		return false
	}
	var c complaint
	if err := json.Unmarshal(text, &c); err != nil || c.ResourceType != "OperationOutcome" || len(c.Issue) == 0 || c.Issue[0].Details.Text == "" {
		t.Errorf("%s: %d, no OperationOutcome: %.300s", name, answer.StatusCode, text)
	}
	return true
}
