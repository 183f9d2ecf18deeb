package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/server/servertest"
)

// marker stands for a value that a message must not repeat.
const marker = "Zzyzxmarker"

// complaint is what a refusal says.
type complaint struct {
	ResourceType string
	Issue        []struct {
		Severity, Code string
		Details        struct{ Text string }
		Expression     []string
	}
}

// refused checks an answer to bad input: a status of the client's fault, an OperationOutcome that says what to mend and, when place is
// not empty, where; and none of the values that were sent.
func refused(t testing.TB, name string, answer servertest.Answer, place string) {
	t.Helper()
	if answer.Status < 400 || answer.Status > 499 {
		t.Errorf("%s: %d %.300s", name, answer.Status, answer.Body)
		return
	}
	var c complaint
	if err := json.Unmarshal([]byte(answer.Body), &c); err != nil || c.ResourceType != "OperationOutcome" || len(c.Issue) == 0 {
		t.Errorf("%s: %d, no OperationOutcome: %v %.300s", name, answer.Status, err, answer.Body)
		return
	}
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/fhir+json") {
		t.Errorf("%s: Content-Type %q", name, answer.Header.Get("Content-Type"))
	}
	named := place == ""
	for _, issue := range c.Issue {
		if len(issue.Details.Text) < 15 {
			t.Errorf("%s: %q says too little", name, issue.Details.Text)
		}
		for _, e := range issue.Expression {
			named = named || strings.Contains(e, place)
		}
		named = named || strings.Contains(issue.Details.Text, place)
	}
	if !named {
		t.Errorf("%s: %s is not named: %s", name, place, answer.Body)
	}
	if strings.Contains(strings.ToLower(answer.Body), strings.ToLower(marker)) {
		t.Errorf("%s: the answer repeats a value: %s", name, answer.Body)
	}
}

// kept is how much an installation holds: resources, versions, intents to write.
func kept(t testing.TB, s *servertest.Server) string {
	t.Helper()
	intents, err := s.Log.Range(t.Context(), audit.Span{Kinds: []audit.Kind{audit.Intent}}, audit.Page{Limit: 100000})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(value[int64](t, s.Dir, "records.db", `select count(*) from resource`), " resources, ",
		value[int64](t, s.Dir, "records.db", `select count(*) from version`), " old versions, ",
		value[int64](t, s.Dir, "records.db", `select count(*) from alias`), " names, ", len(intents), " intents")
}

func TestBadResources(t *testing.T) {
	in := install(t)
	s := servertest.Open(t, in.dir)
	doctor := in.physician.at(s.URL)
	patient := in.patients[0]
	with := func(more string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + patient + `"}` + more + `}`
	}
	if got := doctor.want(t, http.StatusCreated, "POST", "/fhir/Observation", with("")); got.Body == "" {
		t.Fatal("the good one is not taken")
	}
	before := kept(t, s)
	for name, c := range map[string]struct{ body, place string }{
		"only spaces":                     {"   ", ""},
		"cut short":                       {`{"resourceType":"Observation","status":"fi`, "byte"},
		"an array":                        {`[]`, ""},
		"a string":                        {`"` + marker + `"`, ""},
		"null":                            {`null`, ""},
		"a number":                        {`12345`, ""},
		"something behind":                {with("") + `{}`, "byte"},
		"a byte order mark":               {"\xef\xbb\xbf" + with(""), ""},
		"the same key twice":              {with(`,"status":"amended"`), "Observation"},
		"the same key below":              {with(`,"valueQuantity":{"value":1,"value":2}`), "valueQuantity"},
		"broken UTF-8":                    {with(`,"device":{"display":"a` + "\xff\xfe" + `b"}`), "byte"},
		"half a surrogate pair":           {with(`,"device":{"display":"\ud800"}`), ""},
		"a control character":             {with(`,"device":{"display":"a` + "\x01" + `b"}`), ""},
		"deep arrays":                     {with(`,"component":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), ""},
		"deep objects":                    {with(`,"x":` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)), ""},
		"deep and unclosed":               {strings.Repeat(`{"a":[`, 200_000), ""},
		"many keys":                       {`{` + strings.TrimSuffix(manyKeys(200_000), ",") + `}`, ""},
		"an unknown element":              {with(`,"foo":"` + marker + `"`), "Observation.foo"},
		"no type":                         {`{"status":"final"}`, "resourceType"},
		"an unknown type":                 {`{"resourceType":"` + marker + `"}`, "resourceType"},
		"another type":                    {`{"resourceType":"Patient"}`, "resourceType"},
		"a status of the wrong type":      {strings.Replace(with(""), `"final"`, `5`, 1), "Observation.status"},
		"a status that does not exist":    {strings.Replace(with(""), `"final"`, `"`+marker+`"`, 1), "Observation.status"},
		"no status":                       {strings.Replace(with(""), `"status":"final",`, ``, 1), "Observation.status"},
		"a code that is a string":         {strings.Replace(with(""), `{"text":"x"}`, `"`+marker+`"`, 1), "Observation.code"},
		"a subject that is an array":      {`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":[]}`, "Observation.subject"},
		"two subjects":                    {`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":[{"display":"a"},{"display":"b"}]}`, "Observation.subject"},
		"an empty object":                 {with(`,"method":{}`), "Observation.method"},
		"an empty array":                  {with(`,"note":[]`), "Observation.note"},
		"null in the middle":              {with(`,"method":null`), "Observation.method"},
		"a date that is none":             {with(`,"effectiveDateTime":"` + marker + `"`), "effective"},
		"the thirteenth month":            {with(`,"effectiveDateTime":"2020-13-01"`), "effective"},
		"the thirtieth of February":       {with(`,"effectiveDateTime":"2020-02-30"`), "effective"},
		"the year nought":                 {with(`,"effectiveDateTime":"0000-01-01"`), "effective"},
		"a time without a zone":           {with(`,"effectiveDateTime":"2020-01-01T10:00:00"`), "effective"},
		"the twenty-fifth hour":           {with(`,"effectiveDateTime":"2020-01-01T25:00:00Z"`), "effective"},
		"two effectives":                  {with(`,"effectiveDateTime":"2020-01-01","effectiveInstant":"2020-01-01T10:00:00Z"`), "effective"},
		"a number with a leading nought":  {with(`,"valueQuantity":{"value":007}`), ""},
		"a number that is a string":       {with(`,"valueQuantity":{"value":"7"}`), "value"},
		"a boolean that is a string":      {with(`,"valueBoolean":"true"`), "value"},
		"a patient who is not here":       {strings.Replace(with(""), patient, "nobody", 1), "Observation.subject.reference"},
		"a reference to no type":          {strings.Replace(with(""), "Patient/"+patient, "Foo/1", 1), "Observation.subject.reference"},
		"a reference elsewhere":           {with(`,"performer":[{"reference":"Practitioner/nobody"}]`), "Observation.performer[0].reference"},
		"an extension without url":        {with(`,"extension":[{"valueString":"` + marker + `"}]`), "extension"},
		"a contained resource of no type": {with(`,"contained":[{"id":"a"}]`), "contained"},
	} {
		answer, err := doctor.do("POST", "/fhir/Observation", c.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		refused(t, name, answer, c.place)
	}
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		place              string
	}{
		"XML":                      {"POST", "/fhir/Observation", "<Observation/>", []string{"Content-Type", "application/fhir+xml"}, "Content-Type"},
		"a form":                   {"POST", "/fhir/Observation", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, "Content-Type"},
		"no media type":            {"POST", "/fhir/Observation", with(""), []string{"Content-Type", ""}, "Content-Type"},
		"a broken media type":      {"POST", "/fhir/Observation", with(""), []string{"Content-Type", "application/;;;" + marker}, "Content-Type"},
		"zipped":                   {"POST", "/fhir/Observation", "\x1f\x8b\x08\x00", []string{"Content-Encoding", "gzip"}, ""},
		"an id that is not that":   {"PUT", "/fhir/Observation/other", with(`,"id":"this"`), nil, "id"},
		"an id that is too long":   {"PUT", "/fhir/Observation/" + strings.Repeat("a", 65), with(`,"id":"` + strings.Repeat("a", 65) + `"`), nil, "id"},
		"an id with a slash":       {"PUT", "/fhir/Observation/a%2F..%2Fb", with(`,"id":"a/../b"`), nil, "id"},
		"an update without id":     {"PUT", "/fhir/Observation/this", with(""), nil, "id"},
		"a broken If-Match":        {"PUT", "/fhir/Observation/this", with(`,"id":"this"`), []string{"If-Match", marker}, "If-Match"},
		"an old If-Match":          {"PUT", "/fhir/Observation/this", with(`,"id":"this"`), []string{"If-Match", `W/"7"`}, ""},
		"a delete of nothing":      {"DELETE", "/fhir/Observation/nothing", "", nil, ""},
		"a condition":              {"POST", "/fhir/Observation", with(""), []string{"If-None-Exist", "colour=" + marker}, "If-None-Exist"},
		"a method that is not":     {"PATCH", "/fhir/Observation/x", "[]", []string{"Content-Type", "application/json-patch+json"}, ""},
		"a create without a type":  {"POST", "/fhir/" + marker, with(""), nil, ""},
		"an operation that is not": {"POST", "/fhir/Patient/" + patient + "/$everything", "{}", nil, ""},
	} {
		answer, err := doctor.do(c.method, c.path, c.body, c.header...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		refused(t, name, answer, c.place)
	}
	large := with(`,"note":[{"text":"` + strings.Repeat("a", 17<<20) + `"}]`)
	refused(t, "17 MiB", sent(t, doctor, "/fhir/Observation", strings.NewReader(large), int64(len(large))), "16 MiB")
	if after := kept(t, s); after != before {
		t.Errorf("bad input left something: %s, then %s", before, after)
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":%d,`, i, i)
	}
	return b.String()
}

// sent posts a body of its own length on a plain connection, and reads the answer even when the server stops reading.
func sent(t testing.TB, c caller, path string, body io.Reader, length int64) servertest.Answer {
	t.Helper()
	address := strings.TrimPrefix(c.base, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		w := bufio.NewWriter(conn)
		fmt.Fprintf(w, "POST %s HTTP/1.1\r\nHost: %s\r\nCookie: chartwarden=%s\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n", path, address, c.token, length)
		_, _ = io.Copy(w, body) // the server may close when it has read enough
		_ = w.Flush()
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return servertest.Answer{Status: answer.StatusCode, Header: answer.Header, Body: string(b)}
}

// endless is a bundle that goes on and on.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	const head, entry = `{"resourceType":"Bundle","type":"transaction","entry":[`, `{"resource":{"resourceType":"Basic","code":{"text":"x"}},"request":{"method":"POST","url":"Basic"}},`
	n := 0
	for n < len(b) {
		if e.n < len(head) {
			b[n] = head[e.n]
		} else {
			b[n] = entry[(e.n-len(head))%len(entry)]
		}
		n++
		e.n++
	}
	return n, nil
}

func TestBadBundles(t *testing.T) {
	in := install(t)
	s := servertest.Open(t, in.dir)
	doctor := in.physician.at(s.URL)
	before := kept(t, s)
	subject := `"subject":{"reference":"Patient/` + in.patients[0] + `"}`
	good := `{"fullUrl":"urn:uuid:10000000-0000-4000-8000-000000000001","resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},` + subject + `},"request":{"method":"POST","url":"Observation"}}`
	bundle := func(kind string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	entry := func(resource, method, url string) string {
		return `{"resource":` + resource + `,"request":{"method":"` + method + `","url":"` + url + `"}}`
	}
	bad := map[string]string{
		"a status that does not exist": entry(`{"resourceType":"Observation","status":"`+marker+`","code":{"text":"x"},`+subject+`}`, "POST", "Observation"),
		"a dangling reference":         entry(`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/nobody"}}`, "POST", "Observation"),
		"a dangling urn":               entry(`{"resourceType":"Observation","status":"final","code":{"text":"x"},`+subject+`,"encounter":{"reference":"urn:uuid:20000000-0000-4000-8000-000000000009"}}`, "POST", "Observation"),
		"no request":                   `{"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},` + subject + `}}`,
		"no method":                    `{"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},` + subject + `},"request":{"url":"Observation"}}`,
		"an unknown method":            entry(`{"resourceType":"Observation","status":"final","code":{"text":"x"},`+subject+`}`, "BREW", "Observation"),
		"another type than the url":    entry(`{"resourceType":"Observation","status":"final","code":{"text":"x"},`+subject+`}`, "POST", "Condition"),
		"an update without id":         entry(`{"resourceType":"Observation","status":"final","code":{"text":"x"},`+subject+`}`, "PUT", "Observation"),
		"a delete of nothing":          `{"request":{"method":"DELETE","url":"Observation/nothing"}}`,
		"a search that is none":        `{"request":{"method":"GET","url":"Observation?nonsense=1"}}`,
		"a condition":                  entry(`{"resourceType":"Observation","status":"final","code":{"text":"x"},`+subject+`}`, "PUT", "Observation?colour="+marker),
		"an entry that is a string":    `"` + marker + `"`,
		"an empty entry":               `{}`,
		"a bundle in the bundle":       entry(bundle("transaction", good), "POST", "Bundle"),
		"the same name again":          good,
		"a strange chart":              entry(`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+in.patients[0]+`"},"performer":[{"reference":"Practitioner/nobody"}]}`, "POST", "Observation"),
	}
	for name, one := range bad {
		answer, err := doctor.do("POST", "/fhir", bundle("transaction", good, one, strings.Replace(good, "000001", "000002", 1)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		refused(t, "transaction with "+name, answer, "Bundle.entry[1]")
	}
	for name, c := range map[string]struct{ body, place string }{
		"no bundle":                  {`{"resourceType":"Observation"}`, "Bundle"},
		"no type":                    {`{"resourceType":"Bundle","entry":[]}`, "Bundle.type"},
		"an unknown type":            {bundle(marker, good), "Bundle.type"},
		"a searchset":                {bundle("searchset", good), "Bundle.type"},
		"entries that are an object": {`{"resourceType":"Bundle","type":"transaction","entry":{}}`, "entry"},
		"cut short":                  {`{"resourceType":"Bundle","type":"transaction","entry":[` + good, ""},
		"cut short in an entry":      {`{"resourceType":"Bundle","type":"transaction","entry":[` + good + `,{"resource":{"resour`, ""},
		"something behind":           {bundle("transaction", good) + "x", ""},
		"too many entries":           {bundle("transaction", strings.TrimSuffix(strings.Repeat(`{"request":{"method":"GET","url":"Patient/x"}},`, 5001), ",")), ""},
		"a depth bomb":               {`{"resourceType":"Bundle","type":"transaction","entry":` + strings.Repeat("[", 200_000), ""},
	} {
		answer, err := doctor.do("POST", "/fhir/", c.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		refused(t, name, answer, c.place)
	}
	refused(t, "100 MB", sent(t, doctor, "/fhir", io.LimitReader(&endless{}, 100<<20), 100<<20), "")
	if after := kept(t, s); after != before {
		t.Errorf("bad bundles left something: %s, then %s", before, after)
	}

	nothing := `{"request":{"method":"GET","url":"Observation/nothing"}}`
	answer := doctor.want(t, http.StatusOK, "POST", "/fhir", bundle("batch", good, bad["a status that does not exist"], bad["a dangling reference"], nothing))
	var got struct {
		Entry []struct {
			Response struct {
				Status  string
				Outcome complaint
			}
		}
	}
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || len(got.Entry) != 4 || !strings.HasPrefix(got.Entry[0].Response.Status, "201") {
		t.Fatalf("batch: %v %s", err, answer.Body)
	}
	for i, e := range got.Entry[1:] {
		if !strings.HasPrefix(e.Response.Status, "4") || len(e.Response.Outcome.Issue) == 0 || e.Response.Outcome.Issue[0].Details.Text == "" {
			t.Errorf("batch entry %d: %+v", i+1, e)
		}
	}
}

func TestBadRequests(t *testing.T) {
	in := install(t)
	s := servertest.Open(t, in.dir)
	doctor := in.physician.at(s.URL)
	patient := in.patients[0]
	before := kept(t, s)
	for path, place := range map[string]string{
		"/fhir/Foo":                                                            "url",
		"/fhir/Foo/1":                                                          "url",
		"/fhir/" + marker:                                                      "url",
		"/fhir/Patient/%00":                                                    "",
		"/fhir/Patient/%2e%2e%2f%2e%2e":                                        "",
		"/fhir/Patient/..%2f..%2fetc":                                          "",
		"/fhir/Patient/" + strings.Repeat("a", 5000):                           "",
		"/fhir/Patient/" + patient + "/_history/abc":                           "",
		"/fhir/Patient/" + patient + "/_history/-1":                            "",
		"/fhir/Patient/" + patient + "/_history/0":                             "",
		"/fhir/Patient/" + patient + "/_history/9":                             "",
		"/fhir/Patient/" + patient + "/_history/99999999999999999999":          "",
		"/fhir/Patient/" + patient + "/" + marker:                              "",
		"/fhir/Patient?nonsense=" + marker:                                     "nonsense",
		"/fhir/Patient?name:nonsense=" + marker:                                "name",
		"/fhir/Patient?birthdate=" + marker:                                    "birthdate",
		"/fhir/Patient?birthdate=ge2020-99":                                    "birthdate",
		"/fhir/Patient?birthdate=2020-02-30":                                   "birthdate",
		"/fhir/Patient?_count=abc":                                             "_count",
		"/fhir/Patient?_count=-1":                                              "_count",
		"/fhir/Patient?_count=99999999999999999999":                            "_count",
		"/fhir/Patient?_sort=" + marker:                                        "_sort",
		"/fhir/Patient?_summary=" + marker:                                     "_summary",
		"/fhir/Patient?_total=" + marker:                                       "_total",
		"/fhir/Patient?_lastUpdated=" + marker:                                 "_lastUpdated",
		"/fhir/Patient?_cursor=" + marker:                                      "",
		"/fhir/Patient?_cursor=" + strings.Repeat("A", 10_000):                 "",
		"/fhir/Patient?_has:Observation:code:code=1":                           "_has",
		"/fhir/Patient?name=%ZZ":                                               "",
		"/fhir/Patient?name=%ff%fe":                                            "",
		"/fhir/Patient?name=" + strings.Repeat("a", 200_000):                   "",
		"/fhir/Patient?" + strings.Repeat("name=a&", 20_000):                   "",
		"/fhir/Patient?name=" + strings.Repeat("a,", 50_000):                   "",
		"/fhir/Patient?a;b":                                                    "",
		"/fhir/Observation?patient=" + patient + "&value-quantity=" + marker:   "value-quantity",
		"/fhir/Observation?patient=" + patient + "&date=" + marker:             "date",
		"/fhir/Observation?patient=" + patient + "&_include=" + marker:         "_include",
		"/fhir/Observation?patient=" + patient + "&subject.nonsense=" + marker: "subject",
		"/fhir/Observation?patient=" + patient + "&patient=" + in.patients[1]:  "",
		"/fhir/Observation?patient=" + patient + "&_sort=nonsense":             "_sort",
		"/fhir/Condition?patient=%00":                                          "",
		"/audit/receipt/x/1":                                                   "",
		"/audit/receipt/" + marker + "/99999999999999999999":                   "",
	} {
		answer, err := doctor.do("GET", path, "")
		if err != nil {
			t.Errorf("%.80s: %v", path, err)
			continue
		}
		if answer.Status == http.StatusOK { // finding nobody is an answer
			if found := resourcesIn(t, answer.Body); len(found) > 0 {
				t.Errorf("%.80s finds %d resources", path, len(found))
			} else if strings.Contains(answer.Body, marker) || place != "" {
				t.Errorf("%.80s: %d %.300s", path, answer.Status, answer.Body)
			}
			continue
		}
		refused(t, fmt.Sprintf("%.80s", path), answer, place)
	}
	for name, c := range map[string]struct {
		who    caller
		header []string
		status int
	}{
		"a bearer token of nobody":     {caller{}, []string{"Authorization", "Bearer " + marker}, http.StatusUnauthorized},
		"basic authentication":         {caller{}, []string{"Authorization", "Basic QWxhZGRpbjpvcGVu"}, http.StatusUnauthorized},
		"a cookie of nobody":           {caller{token: marker}, nil, http.StatusUnauthorized},
		"a long cookie":                {caller{token: strings.Repeat("a", 4000)}, nil, http.StatusUnauthorized},
		"nobody":                       {caller{}, nil, http.StatusUnauthorized},
		"another site":                 {in.physician, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 0},
		"an unknown code at the glass": {in.colleague, []string{"X-Break-Glass", marker}, 0},
	} {
		method, body := "GET", ""
		if c.header != nil && c.header[0] == "Origin" {
			method, body = "POST", observation(patient, "60")
		}
		path := "/fhir/Observation"
		if method == "GET" {
			path += "?patient=" + patient
		}
		answer, err := c.who.at(s.URL).do(method, path, body, c.header...)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status < 400 || answer.Status > 499 || c.status != 0 && answer.Status != c.status || strings.Contains(answer.Body, marker) {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Body)
		}
	}
	if after := kept(t, s); after != before {
		t.Errorf("bad requests left something: %s, then %s", before, after)
	}
}

// Whatever stands in the place of an id or a form's field, no route of the server fails, for whomever.
func TestHostileAddressesFailNoRoute(t *testing.T) {
	in := install(t)
	s := servertest.Open(t, in.dir)
	hostile := []string{"%00", "..%2f..", marker, strings.Repeat("9", 30), "-1", "%F0%9F%A6%A0", "a%20b", "%3Cscript%3E", strings.Repeat("a", 3000)}
	people := map[string]caller{"physician": in.physician, "front desk": in.clerk, "administrator": in.admin, "nobody": {}}
	for _, role := range []string{"privacy", "auditor", "patient"} {
		if role == "patient" {
			people[role] = tokenOf(t, s.Patient(t, "Kim Patient", in.patients[1]))
			continue
		}
		people[role] = tokenOf(t, s.Person(t, "Kim "+role, role, ""))
	}
	tried := 0
	for _, route := range s.Routes() {
		if route.Pattern == "/events" || route.Pattern == "/session/test" {
			continue // a stream does not end; sign-in is slowed on purpose
		}
		for i, filling := range hostile {
			path := filled(route.Pattern, filling)
			if path == route.Pattern && i > 0 {
				break
			}
			for who, c := range people {
				methods := []string{route.Method}
				if route.Method == "" {
					methods = []string{"GET", "POST", "DELETE"}
				}
				for _, method := range methods {
					body, kind := "", "application/x-www-form-urlencoded"
					if method == "POST" || method == "PUT" {
						body = "code=" + marker + "&text=%00&patient=" + filling + "&id=" + filling + "&role=" + marker + "&at=" + marker + "&confirm=1"
					}
					if strings.HasPrefix(path, "/fhir") {
						kind = "application/fhir+json"
					}
					answer, err := c.at(s.URL).do(method, path, body, "Content-Type", kind)
					if err != nil {
						t.Fatalf("%s %.80s for %s: %v", method, path, who, err)
					}
					tried++
					if answer.Status >= 500 {
						t.Errorf("%s %.80s for %s: %d %.200s", method, path, who, answer.Status, answer.Body)
					}
				}
			}
		}
	}
	t.Logf("%d requests", tried)
}

// filled puts something in the place of every wildcard of a pattern.
func filled(pattern, with string) string {
	parts := strings.Split(strings.ReplaceAll(pattern, "{$}", ""), "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = with
		}
	}
	return strings.Join(parts, "/")
}

// tokenOf is a client of servertest as a caller.
func tokenOf(t testing.TB, c *servertest.Client) caller {
	t.Helper()
	r, err := http.NewRequest("GET", c.Base, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range c.Jar.Cookies(r.URL) {
		if cookie.Name == "chartwarden" {
			return caller{token: cookie.Value}.at(c.Base)
		}
	}
	t.Fatal("no session cookie")
	return caller{}
}

// What keeps the program from running is said in one line with the mend, and it ends with 2.
func TestWhatStopsAStart(t *testing.T) {
	in := install(t)
	other := filepath.Join(t.TempDir(), "other")
	must(t, "init", "--data", other, "--sandbox")
	copied := func() string {
		dir := filepath.Join(t.TempDir(), "data")
		duplicate(t, dir, in.dir)
		return dir
	}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	running := copied()
	serve(t, running)
	for name, c := range map[string]struct {
		args func() []string
		says string
	}{
		"two servers": {func() []string { return []string{"serve", "--data", running} }, "stop it first"},
		"no key file": {func() []string {
			dir := copied()
			if err := os.Remove(filepath.Join(dir, "custodian.key")); err != nil {
				t.Fatal(err)
			}
			return []string{"serve", "--data", dir}
		}, "key"},
		"another installation's key file": {func() []string {
			dir := copied()
			b, err := os.ReadFile(filepath.Join(other, "custodian.key"))
			if err != nil {
				t.Fatal(err)
			}
			write(filepath.Join(dir, "custodian.key"), string(b))
			return []string{"serve", "--data", dir}
		}, "key"},
		"a key file that is none": {func() []string {
			dir := copied()
			write(filepath.Join(dir, "custodian.key"), marker)
			return []string{"serve", "--data", dir}
		}, "key"},
		"newer records": {func() []string {
			dir := copied()
			statements(t, dir, "records.db", `insert into record_schema(version_id, is_applied) values(9999, true)`)
			return []string{"serve", "--data", dir}
		}, "newer version"},
		"a newer log": {func() []string {
			dir := copied()
			statements(t, dir, "audit.db", `insert into audit_schema(version_id, is_applied) values(9999, true)`)
			return []string{"serve", "--data", dir}
		}, "newer version"},
		"records that are no database": {func() []string {
			dir := copied()
			if urlOf(dir) != "" {
				lies(dir, "postgres://nobody@127.0.0.1:1/none")
			}
			write(filepath.Join(dir, "records.db"), strings.Repeat(marker, 1000))
			return []string{"serve", "--data", dir}
		}, map[bool]string{false: "records.db", true: "cannot be reached"}[urlOf(in.dir) != ""]},
		"no installation":         {func() []string { return []string{"serve", "--data", t.TempDir()} }, "chartwarden init"},
		"no directory":            {func() []string { return []string{"serve"} }, "--data"},
		"init twice":              {func() []string { return []string{"init", "--data", in.dir} }, "already"},
		"a sandbox for the world": {func() []string { return []string{"serve", "--data", copied(), "--listen", "0.0.0.0:0"} }, "127.0.0.1"},
		"an address that is none": {func() []string { return []string{"serve", "--data", copied(), "--listen", "nowhere"} }, "host:port"},
		"half a certificate":      {func() []string { return []string{"serve", "--data", copied(), "--tls-cert", "x"} }, "--tls-key"},
		"an unknown flag":         {func() []string { return []string{"serve", "--nonsense"} }, "nonsense"},
		"an unknown command":      {func() []string { return []string{"nonsense"} }, "help"},
		"an import of nothing":    {func() []string { return []string{"import", "--data", in.dir} }, "at least one"},
		"an import of no file":    {func() []string { return []string{"import", "--data", in.dir, filepath.Join(t.TempDir(), "no.json")} }, "no.json"},
		"a role that is none":     {func() []string { return []string{"person", "add", "--data", in.dir, "--name", "A B", "--role", marker} }, "role"},
		"a head that is not here": {func() []string {
			return []string{"audit", "verify", "--data", in.dir, "--head", filepath.Join(t.TempDir(), "head")}
		}, "head"},
	} {
		_, complaint, code := run(t, c.args()...)
		if code != 2 || strings.Count(strings.TrimSpace(complaint), "\n") > 0 && !strings.Contains(name, "flag") || !strings.Contains(complaint, c.says) {
			t.Errorf("%s: exit %d, %q; it should say %q", name, code, complaint, c.says)
		}
	}
}
