package fhirapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/server/servertest"
)

// numbered is an observation with an identifier, and the criteria that find it.
func (d desk) numbered(number, value string) (body, criteria string) {
	return strings.Replace(d.observation("29463-7", value), `"status"`, `"identifier":[{"system":"urn:lab","value":"`+number+`"}],"status"`, 1),
		"patient=" + d.patient + "&identifier=urn:lab|" + number
}

func TestConditionalCreate(t *testing.T) {
	d := open(t)
	body, criteria := d.numbered("1", "70")
	none := d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", criteria)
	made := id(t, none)
	one := d.physician.Do(t, "POST", "/fhir/Observation", strings.Replace(body, "70", "99", 1), "If-None-Exist", criteria)
	if one.Status != http.StatusOK || !strings.Contains(one.Body, `"value":70`) || !strings.HasSuffix(one.Header.Get("Location"), made+"/_history/1") || one.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("one match: %d %s", one.Status, one.Body)
	}
	id(t, d.physician.Do(t, "POST", "/fhir/Observation", body))
	verify(t, map[string]check{
		"several matches":      {d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", criteria), 412, "narrow", ""},
		"a broken query":       {d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", "identifier=%zz"), 400, "If-None-Exist", ""},
		"no criteria":          {d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", "_format=json"), 400, "If-None-Exist", ""},
		"an unknown parameter": {d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", "colour=red"), 400, "If-None-Exist", ""},
		"a result parameter":   {d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", criteria+"&_sort=date"), 400, "If-None-Exist", ""},
		"an invalid resource":  {d.physician.Do(t, "POST", "/fhir/Observation", `{"resourceType":"Observation"}`, "If-None-Exist", "patient="+d.patient+"&identifier=urn:lab|5"), 400, "Observation", ""},
	})
	stranger := d.Person(t, "Sam Rivera", "nurse", "")
	if got := stranger.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", criteria); got.Status != http.StatusForbidden {
		t.Errorf("who may not search: %d %s", got.Status, got.Body)
	}
	if gone := d.physician.Do(t, "DELETE", "/fhir/Observation/"+made, ""); gone.Status != http.StatusNoContent {
		t.Fatal(gone.Status)
	}
	if got := d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", criteria); got.Status != http.StatusOK {
		t.Errorf("one of two deleted: %d %s", got.Status, got.Body)
	}
}

// Of many who create at the same time by the same criteria one does, and the rest are given what it made.
func TestConditionalCreatesAtOnceMakeOne(t *testing.T) {
	d := open(t)
	for name, make := range map[string]func() (who *servertest.Client, path, body, criteria string){
		"in a chart": func() (*servertest.Client, string, string, string) {
			body, criteria := d.numbered("7", "70")
			return d.physician, "Observation", body, criteria
		},
		"a patient": func() (*servertest.Client, string, string, string) {
			return d.clerk, "Patient", `{"resourceType":"Patient","name":[{"family":"Brandt","given":["Otto"]}],"birthDate":"1950-01-02"}`, "family=Brandt&given=Otto&birthdate=1950-01-02"
		},
	} {
		who, path, body, criteria := make()
		answers := createAtOnce(t, who, path, body, criteria)
		created, ids := 0, map[string]bool{}
		for _, a := range answers {
			var r struct{ ID string }
			if err := json.Unmarshal([]byte(a.Body), &r); err != nil || a.Status != http.StatusOK && a.Status != http.StatusCreated {
				t.Fatalf("%s: %d %s", name, a.Status, a.Body)
			}
			ids[r.ID] = true
			if a.Status == http.StatusCreated {
				created++
			}
		}
		if created != 1 || len(ids) != 1 {
			t.Errorf("%s: %d created, %d ids", name, created, len(ids))
		}
	}
}

func createAtOnce(t *testing.T, who *servertest.Client, path, body, criteria string) []servertest.Answer {
	const clients = 32
	answers := make([]servertest.Answer, clients)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() { answers[i] = who.Do(t, "POST", "/fhir/"+path, body, "If-None-Exist", criteria) })
	}
	group.Wait()
	return answers
}

func TestConditionalUpdate(t *testing.T) {
	d := open(t)
	body, criteria := d.numbered("1", "70")
	named := func(id string) string { return strings.Replace(body, `"identifier"`, `"id":"`+id+`","identifier"`, 1) }
	at := "/fhir/Observation?" + strings.ReplaceAll(criteria, "|", "%7C")
	made := id(t, d.physician.Do(t, "PUT", at, body))
	changed := d.physician.Do(t, "PUT", at, strings.Replace(body, "70", "71", 1))
	if changed.Status != http.StatusOK || changed.Header.Get("ETag") != `W/"2"` || !strings.Contains(changed.Body, made) {
		t.Fatalf("one match: %d %s", changed.Status, changed.Body)
	}
	other, elsewhere := d.numbered("2", "70")
	verify(t, map[string]check{
		"the id of the match":   {d.physician.Do(t, "PUT", at, named(made)), 200, made, ""},
		"another id":            {d.physician.Do(t, "PUT", at, named("else")), 400, "Observation.id", ""},
		"If-Match holds":        {d.physician.Do(t, "PUT", at, strings.Replace(body, "70", "73", 1), "If-Match", `W/"3"`), 200, "73", ""},
		"If-Match holds no":     {d.physician.Do(t, "PUT", at, body, "If-Match", `W/"1"`), 412, "", ""},
		"If-Match and no match": {d.physician.Do(t, "PUT", "/fhir/Observation?"+strings.ReplaceAll(elsewhere, "|", "%7C"), other, "If-Match", `W/"1"`), 412, "", ""},
		"no criteria":           {d.physician.Do(t, "PUT", "/fhir/Observation", body), 400, "url", ""},
		"another type":          {d.physician.Do(t, "PUT", "/fhir/Condition?patient="+d.patient, body), 400, "resourceType", ""},
		"none, with an id": {d.physician.Do(t, "PUT", "/fhir/Observation?"+strings.ReplaceAll(elsewhere, "|", "%7C"),
			strings.Replace(other, `"identifier"`, `"id":"my-own","identifier"`, 1)), 201, `"id":"my-own"`, ""},
	})
	id(t, d.physician.Do(t, "POST", "/fhir/Observation", body))
	if got := d.physician.Do(t, "PUT", at, body); got.Status != http.StatusPreconditionFailed {
		t.Errorf("several matches: %d", got.Status)
	}
}

func TestConditionalDelete(t *testing.T) {
	d := open(t)
	body, criteria := d.numbered("1", "70")
	at := "/fhir/Observation?" + strings.ReplaceAll(criteria, "|", "%7C")
	made := id(t, d.physician.Do(t, "POST", "/fhir/Observation", body))
	id(t, d.physician.Do(t, "POST", "/fhir/Observation", body))
	if got := d.physician.Do(t, "DELETE", at, ""); got.Status != http.StatusPreconditionFailed {
		t.Errorf("several matches: %d", got.Status)
	}
	d.physician.Do(t, "DELETE", "/fhir/Observation/"+made, "")
	verify(t, map[string]check{
		"an old If-Match": {d.physician.Do(t, "DELETE", at, "", "If-Match", `W/"9"`), 412, "", ""},
		"one match":       {d.physician.Do(t, "DELETE", at, ""), 204, "", ""},
		"no match":        {d.physician.Do(t, "DELETE", at, ""), 204, "", ""},
		"everything":      {d.physician.Do(t, "DELETE", "/fhir/Observation", ""), 400, "url", ""},
	})
	if got := d.physician.Get(t, at); !strings.Contains(got.Body, `"total":0`) {
		t.Errorf("left: %s", got.Body)
	}
}

func TestPutOnlyWhereNothingIs(t *testing.T) {
	d := open(t)
	body := strings.Replace(d.observation("29463-7", "70"), `"status"`, `"id":"mine","status"`, 1)
	id(t, d.physician.Do(t, "PUT", "/fhir/Observation/mine", body, "If-None-Match", "*"))
	stranger := d.Person(t, "Sam Rivera", "nurse", "")
	verify(t, map[string]check{
		"there already":           {d.physician.Do(t, "PUT", "/fhir/Observation/mine", body, "If-None-Match", "*"), 412, "", ""},
		"another form":            {d.physician.Do(t, "PUT", "/fhir/Observation/mine", body, "If-None-Match", `W/"1"`), 400, "If-None-Match", ""},
		"a stranger":              {stranger.Do(t, "PUT", "/fhir/Observation/mine", body, "If-None-Match", "*"), 403, "", ""},
		"a stranger with a guess": {stranger.Do(t, "PUT", "/fhir/Observation/mine", body, "If-Match", `W/"7"`), 403, "", ""},
	})
}

// A record that the writer may not see is neither revealed nor doubled in silence: the write goes on as if it were not there, and the
// log tells those who may know.
func TestConditionalCreateBesideAHiddenRecord(t *testing.T) {
	d := open(t)
	body, criteria := d.numbered("1", "70")
	hidden, err := document.Parse([]byte(strings.Replace(body, `"identifier"`, `"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},"identifier"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if done, err := d.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: "Observation", Doc: hidden}}); err != nil || done[0].Err != nil {
		t.Fatal(err, done)
	}
	if got := d.physician.Get(t, "/fhir/Observation?"+strings.ReplaceAll(criteria, "|", "%7C")); !strings.Contains(got.Body, `"total":0`) {
		t.Fatalf("the physician sees what is labelled: %s", got.Body)
	}
	got := d.physician.Do(t, "POST", "/fhir/Observation", body, "If-None-Exist", "identifier=urn:lab|1") // across all charts
	if got.Status != http.StatusCreated {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	reads, err := d.Log.Range(t.Context(), audit.Span{From: d.Now().Add(-time.Hour), Kinds: []audit.Kind{audit.Job}}, audit.Page{})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, r := range reads {
		if r.Event.Interaction == "duplicate" && len(r.Event.Patients) == 1 && len(r.Event.Patients[0].Records) == 2 {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the log tells of %d duplicates", told)
	}
}

// Who does not see the numbers of patients cannot register by them: a refusal, the same whether or not somebody has the number.
func TestConditionalCreateByWhatIsHidden(t *testing.T) {
	d := open(t)
	body := `{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"77"}],"name":[{"family":"Brandt"}]}`
	before := d.clerk.Do(t, "POST", "/fhir/Patient", body, "If-None-Exist", "identifier=urn:mrn|77")
	id(t, d.clerk.Do(t, "POST", "/fhir/Patient", body))
	after := d.clerk.Do(t, "POST", "/fhir/Patient", body, "If-None-Exist", "identifier=urn:mrn|77")
	if before.Status != http.StatusForbidden || before.Body != after.Body {
		t.Errorf("%d %s\n%d %s", before.Status, before.Body, after.Status, after.Body)
	}
	verify(t, map[string]check{
		"nobody of that name":             {d.clerk.Do(t, "POST", "/fhir/Patient", strings.Replace(body, "Brandt", "Weber", 1), "If-None-Exist", "family=Weber"), 201, "Weber", ""},
		"somebody of that name":           {d.clerk.Do(t, "POST", "/fhir/Patient", body, "If-None-Exist", "family=Brandt"), 200, "Brandt", ""},
		"a physician, who sees no others": {d.physician.Do(t, "POST", "/fhir/Patient", body, "If-None-Exist", "family=Brandt"), 403, "", "Brandt"},
		"her own patient":                 {d.physician.Do(t, "POST", "/fhir/Patient", body, "If-None-Exist", "family=Okafor"), 200, "Okafor", ""},
	})
}

func TestConditionalEntriesOfATransaction(t *testing.T) {
	d := open(t)
	body, criteria := d.numbered("1", "70")
	other, elsewhere := d.numbered("2", "71")
	entry := func(method, url, fullURL, resource, more string) string {
		e := `{"request":{"method":"` + method + `","url":"` + url + `"` + more + `}`
		if resource != "" {
			e += `,"resource":` + resource
		}
		if fullURL != "" {
			e += `,"fullUrl":"` + fullURL + `"`
		}
		return e + `}`
	}
	bundle := func(kind string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	unless := func(criteria string) string { return `,"ifNoneExist":"` + criteria + `"` }
	report := `{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + d.patient + `"},"result":[{"reference":"urn:uuid:a"},{"reference":"urn:uuid:b"}]}`
	both := bundle("transaction", entry("POST", "Observation", "urn:uuid:a", body, unless(criteria)), entry("POST", "Observation", "urn:uuid:b", body, unless(criteria)),
		entry("POST", "DiagnosticReport", "", report, ""), entry("PUT", "Observation?"+elsewhere, "", other, ""))
	for round, want := range []string{"201 200 201 201", "200 200 201 200"} {
		got := d.physician.Do(t, "POST", "/fhir", both, "Prefer", "return=representation")
		if all := statuses(t, got); all != want {
			t.Fatalf("round %d: %s, want %s: %s", round, all, want, got.Body)
		}
		if strings.Contains(got.Body, "urn:uuid") {
			t.Errorf("round %d: a reference was left: %s", round, got.Body)
		}
	}
	if got := d.physician.Get(t, "/fhir/Observation?"+strings.ReplaceAll(criteria, "|", "%7C")); !strings.Contains(got.Body, `"total":1`) {
		t.Errorf("two entries with one condition: %s", got.Body)
	}
	referring := func(to string) string {
		return bundle("transaction", entry("POST", "Observation", "", strings.Replace(body, `"status"`, `"derivedFrom":[{"reference":"`+to+`"}],"status"`, 1), ""))
	}
	verify(t, map[string]check{
		"a conditional reference":            {d.physician.Do(t, "POST", "/fhir", referring("Observation?"+elsewhere)), 200, "201", ""},
		"one that finds nothing":             {d.physician.Do(t, "POST", "/fhir", referring("Observation?patient="+d.patient+"&identifier=urn:lab|404")), 412, "Bundle.entry[0]", ""},
		"a conditional update and a twin":    {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("PUT", "Observation?patient="+d.patient+"&identifier=urn:lab|9", "", body, ""), entry("PUT", "Observation?patient="+d.patient+"&identifier=urn:lab|9", "", body, ""))), 409, "Bundle.entry[1]", ""},
		"the same fullUrl twice":             {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("POST", "Observation", "urn:uuid:a", body, ""), entry("POST", "Observation", "urn:uuid:a", body, ""))), 409, "Bundle.entry[1]", ""},
		"a fullUrl of a version":             {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("POST", "Observation", "http://x/Observation/1/_history/2", body, ""))), 400, "fullUrl", ""},
		"ifNoneExist of a PUT":               {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("PUT", "Observation/x", "", strings.Replace(body, `"status"`, `"id":"x","status"`, 1), unless("code=1")))), 400, "Bundle.entry[0]", ""},
		"an absolute URL below the base":     {d.physician.Do(t, "POST", "/fhir", bundle("batch", entry("GET", "http://localhost/fhir/Patient/"+d.patient, "", "", ""))), 200, `"status":"200"`, ""},
		"a slash in front":                   {d.physician.Do(t, "POST", "/fhir", bundle("batch", entry("GET", "/Patient/"+d.patient, "", "", ""))), 200, `"status":"200"`, ""},
		"ifNoneMatch":                        {d.physician.Do(t, "POST", "/fhir", bundle("batch", entry("GET", "Patient/"+d.patient, "", "", `,"ifNoneMatch":"W/\"1\""`))), 200, `"status":"304"`, "birthDate"},
		"a conditional delete in a batch":    {d.physician.Do(t, "POST", "/fhir", bundle("batch", entry("DELETE", "Observation?"+elsewhere, "", "", ""), entry("DELETE", "Observation?patient="+d.patient+"&identifier=urn:lab|404", "", "", ""))), 200, `"status":"204"`, "outcome"},
		"an old ifMatch stops a transaction": {d.physician.Do(t, "POST", "/fhir", bundle("transaction", entry("POST", "Observation", "", body, ""), entry("PUT", "Observation/x", "", strings.Replace(body, `"status"`, `"id":"x","status"`, 1), `,"ifMatch":"W/\"3\""`))), 412, "Bundle.entry[1]", ""},
		"no request":                         {d.physician.Do(t, "POST", "/fhir", `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":`+body+`}]}`), 400, "Bundle.entry[0]", ""},
	})
}

// statuses are those of a bundle's entries, with spaces between.
func statuses(t *testing.T, a servertest.Answer) string {
	t.Helper()
	var b struct {
		Entry []struct{ Response struct{ Status string } }
	}
	if err := json.Unmarshal([]byte(a.Body), &b); err != nil {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var out []string
	for _, e := range b.Entry {
		out = append(out, e.Response.Status)
	}
	return strings.Join(out, " ")
}

func TestThousandEntries(t *testing.T) {
	d := open(t)
	bundle := func(n int, last string) string {
		entries := make([]string, n)
		for i := range entries {
			entries[i] = `{"fullUrl":"urn:uuid:` + fmt.Sprint(i) + `","resource":` + d.observation("29463-7", fmt.Sprint(i)) + `,"request":{"method":"POST","url":"Observation"}}`
		}
		return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(append(entries, last), ",") + `]}`
	}
	bad := `{"resource":{"resourceType":"Observation","status":"final"},"request":{"method":"POST","url":"Observation"}}`
	if got := d.physician.Do(t, "POST", "/fhir", bundle(999, bad)); got.Status != http.StatusBadRequest || !strings.Contains(got.Body, "Bundle.entry[999]") {
		t.Fatalf("%d %.300s", got.Status, got.Body)
	}
	count := "/fhir/Observation?_summary=count&patient=" + d.patient
	if got := d.physician.Get(t, count); !strings.Contains(got.Body, `"total":0`) {
		t.Fatalf("a bundle that failed left something: %s", got.Body)
	}
	good := `{"resource":` + d.observation("29463-7", "5") + `,"request":{"method":"POST","url":"Observation"}}`
	if got := d.physician.Do(t, "POST", "/fhir", bundle(999, good)); strings.Count(statuses(t, got), "201") != 1000 {
		t.Fatalf("%d %.300s", got.Status, got.Body)
	}
	if got := d.physician.Get(t, count); !strings.Contains(got.Body, `"total":1000`) {
		t.Fatal(got.Body)
	}
}
