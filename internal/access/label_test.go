package access_test

import (
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

const (
	depressed = `"code":{"coding":[{"system":"http://snomed.info/sct","code":"370143000"}]},`
	hivTest   = `"code":{"coding":[{"system":"http://loinc.org","code":"56888-1"}]},`
)

// cleared is a signed-in person with clearances.
func (w *ward) cleared(t *testing.T, role, practitioner string, labels ...string) *servertest.Client {
	t.Helper()
	made, err := w.Persons.CreateForTest(t.Context(), identityAgent, identity.NewPerson{Name: "Cleared " + role, Roles: strings.Fields(role), Practitioner: practitioner,
		Clearances: labels, TrainingDue: w.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return w.SignIn(t, made, "")
}

// Published patients and coded rows beside them: as many carry a label as an oracle, reading the files on its own, counts.
func TestLabelsEqualAnOracles(t *testing.T) {
	if testing.Short() && dbtest.Engine() == db.SQLite {
		t.Skip("one goroutine, many records: not for the race detector")
	}
	w := newWard(t)
	files, err := filepath.Glob(filepath.Join(servertest.Data(t, "fhir", "synthea"), "*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	// The few codes of these files, and of the rows below, that the rules speak of, written down a second time.
	oracle := map[string]*regexp.Regexp{
		"PSY": regexp.MustCompile(`^(sct (192127007|370143000|36923009|79094001|88848003|736254008|718347000|225337009|304822001)|icd-10-cm F32.*)$`),
		"ETH": regexp.MustCompile(`^(sct (55680006|5602001|56876005|266707007|60112009|61480009|313071005)|icd-10-cm F10.*)$`),
		"HIV": regexp.MustCompile(`^(sct 31676001|loinc.org 55277-8|icd-10-cm B20)$`),
		"SDV": regexp.MustCompile(`^(loinc.org 28245-9|icd-10-cm T74.*)$`),
	}
	sensitive := regexp.MustCompile(`192127007|370143000|36923009|79094001|88848003|736254008|718347000|225337009|304822001|55680006|5602001|56876005|266707007|60112009|61480009|313071005|31676001|55277-8|28245-9`)
	want := map[string]map[string]int{}
	count := func(resource map[string]any) {
		codes := codesIn(resource)
		for label, codesOf := range oracle {
			if slices.ContainsFunc(codes, codesOf.MatchString) {
				typ := resource["resourceType"].(string)
				if want[typ] == nil {
					want[typ] = map[string]int{}
				}
				want[typ][label]++
			}
		}
	}
	var taken []string
	most := 6
	if testing.Short() {
		most = 4
	}
	for _, name := range files {
		staff := strings.Contains(name, "Information")
		if !staff && len(taken) > most {
			continue
		}
		text := unzipped(t, name)
		if !staff && !sensitive.Match(text) {
			continue
		}
		taken = append(taken, name)
		var bundle struct {
			Entry []struct{ Resource map[string]any }
		}
		if err := json.Unmarshal(text, &bundle); err != nil {
			t.Fatal(err)
		}
		for _, e := range bundle.Entry {
			count(e.Resource)
		}
	}
	w.Import(t, taken...)
	const icd = `"http://hl7.org/fhir/sid/icd-10-cm"`
	for code, n := range map[string]int{"F32.1": 3, "F10.20": 2, "B20": 4, "T74.11XA": 1, "J45": 2, "F17.210": 1} {
		for range n {
			body := `{"resourceType":"Condition","code":{"coding":[{"system":` + icd + `,"code":"` + code + `"}]},"subject":{"reference":"Patient/` + w.maren + `"}}`
			w.put(t, body)
			var resource map[string]any
			if err := json.Unmarshal([]byte(body), &resource); err != nil {
				t.Fatal(err)
			}
			count(resource)
		}
	}
	want["Condition"]["PSY"] += 2 // the ward's own, labelled by hand
	want["AllergyIntolerance"] = map[string]int{"PSY": 2}
	checked := 0
	for typ, labels := range want {
		for label, n := range labels {
			q, err := search.Parse(typ, url.Values{"_security": {"http://terminology.hl7.org/CodeSystem/v3-ActCode|" + label}, "_summary": {"count"}}, search.Options{Strict: true})
			if err != nil {
				t.Fatal(err)
			}
			page, err := w.Gate.Search(t.Context(), access.Job("import"), q, "_security="+label)
			if err != nil || page.Total != n {
				t.Errorf("%s %s: %d carry it, the oracle counts %d (%v)", typ, label, page.Total, n, err)
			}
			checked += n
		}
	}
	t.Logf("%d files, %d labels: %v", len(taken), checked, want)
	if checked < 20 {
		t.Error("too few to learn anything")
	}
	if n, err := w.Gate.LabelAll(t.Context(), func(int) {}); n != 0 || err != nil {
		t.Errorf("%d were stored without their label: %v", n, err)
	}
}

func unzipped(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var raw json.RawMessage
	if err := json.NewDecoder(z).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

// codesIn are the codings of a resource, as "last part of the system, code".
func codesIn(x any) (out []string) {
	switch x := x.(type) {
	case map[string]any:
		system, _ := x["system"].(string)
		code, _ := x["code"].(string)
		if system != "" && code != "" {
			out = append(out, system[strings.LastIndex(system, "/")+1:]+" "+code)
		}
		for name, y := range x {
			if name != "meta" {
				out = append(out, codesIn(y)...)
			}
		}
	case []any:
		for _, y := range x {
			out = append(out, codesIn(y)...)
		}
	}
	return out
}

// A label set by rule closes the record to who is not cleared, its writer included, and takes nothing but a clearance, the relation and a
// fresh sign-in to be lowered; then it stays so.
func TestLoweringALabel(t *testing.T) {
	w := newWard(t)
	plain := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	bea := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Brandt","given":["Bea"]}]}`)
	psychiatrist := w.cleared(t, "physician", bea, "PSY")
	stranger := w.cleared(t, "physician", "", "PSY")
	w.checkIn(t, w.anna, w.maren)
	w.checkIn(t, bea, w.maren)
	made := plain.Do(t, "POST", "/fhir/Condition", `{"resourceType":"Condition",`+depressed+`"subject":{"reference":"Patient/`+w.maren+`"}}`)
	if made.Status != http.StatusCreated || !strings.Contains(made.Body, `"code":"PSY","userSelected":false`) {
		t.Fatalf("who is not cleared records a depression: %d %s", made.Status, made.Body)
	}
	var it struct{ ID string }
	if err := json.Unmarshal([]byte(made.Body), &it); err != nil {
		t.Fatal(err)
	}
	path := "/fhir/Condition/" + it.ID
	if got := plain.Get(t, path); got.Status != http.StatusForbidden || strings.Contains(got.Body, "370143000") {
		t.Errorf("who is not cleared reads it: %d", got.Status)
	}
	if got := plain.Get(t, "/chart/"+w.maren); !strings.Contains(got.Body, "2 records are restricted and not shown to you. Who") || strings.Contains(got.Body, "PSY") {
		t.Errorf("the chart does not say that something is restricted")
	}
	if got := psychiatrist.Do(t, "PUT", path, `{"resourceType":"Condition","id":"`+it.ID+`",`+depressed+`"subject":{"reference":"Patient/`+w.maren+`"},"note":[{"text":"better"}]}`); got.Status != http.StatusOK || !strings.Contains(got.Body, "PSY") {
		t.Errorf("an update loses the label: %d %s", got.Status, got.Body)
	}
	lower := func(c *servertest.Client, code string) servertest.Answer {
		return c.Do(t, "POST", path+"/$meta-delete", `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"`+code+`"}]}}]}`)
	}
	for name, c := range map[string]*servertest.Client{"not cleared": plain, "a stranger": stranger, "the front desk": w.Person(t, "Marcus Hale", "front-desk", ""), "the privacy office": w.cleared(t, "privacy", "", "PSY")} {
		if got := lower(c, "PSY"); got.Status != http.StatusForbidden {
			t.Errorf("%s lowers the label: %d %s", name, got.Status, got.Body)
		}
	}
	if got := lower(psychiatrist, "HIV"); got.Status != http.StatusBadRequest && got.Status != http.StatusUnprocessableEntity {
		t.Errorf("a label that is not there: %d %s", got.Status, got.Body)
	}
	done := lower(psychiatrist, "PSY")
	if done.Status != http.StatusOK || done.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("%d %s", done.Status, done.Body)
	}
	if got := plain.Get(t, path); got.Status != http.StatusOK || strings.Contains(got.Body, "PSY") {
		t.Errorf("lowered, and still closed: %d %s", got.Status, got.Body)
	}
	if got := plain.Do(t, "PUT", path, `{"resourceType":"Condition","id":"`+it.ID+`",`+depressed+`"subject":{"reference":"Patient/`+w.maren+`"},"note":[{"text":"well"}]}`); got.Status != http.StatusOK || strings.Contains(got.Body, "PSY") {
		t.Errorf("the rule took no notice: %d %s", got.Status, got.Body)
	}
	if n, err := w.Gate.LabelAll(t.Context(), func(int) {}); n != 0 || err != nil {
		t.Errorf("%d labelled again: %v", n, err)
	}
}

// A label outlives its record's deletion: whoever deletes and writes anew under the same id sheds nothing.
func TestALabelOutlivesADeletion(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	plain := `{"resourceType":"Condition","subject":{"reference":"Patient/` + w.maren + `"},"code":{"text":"Fall"}`
	labelled := plain + `,"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"SDV"}]}}`
	id := w.put(t, labelled)
	plain = strings.Replace(plain, `"subject"`, `"id":"`+strings.TrimPrefix(id, "Condition/")+`","subject"`, 1)
	if got := anna.Get(t, "/fhir/"+id); got.Status != http.StatusForbidden {
		t.Fatal("without a clearance:", got.Status)
	}
	if got := anna.Get(t, "/fhir/"+id, "X-Break-Glass", "emergency"); got.Status != http.StatusOK {
		t.Fatal("with the glass:", got.Status, got.Body)
	}
	if got := anna.Do(t, "DELETE", "/fhir/"+id, ""); got.Status >= 300 {
		t.Fatal("the glass deletes nothing: then nothing is to be guarded here", got.Status)
	}
	if got := anna.Do(t, "PUT", "/fhir/"+id, plain+"}", "Content-Type", "application/fhir+json"); got.Status < 300 && !strings.Contains(got.Body, "SDV") {
		t.Error("written anew without its label:", got.Status, got.Body)
	}
	ben := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Osei"}]}`)
	w.checkIn(t, ben, w.maren)
	if got := w.Person(t, "Ben Osei", "physician", ben).Get(t, "/fhir/"+id); got.Status != http.StatusForbidden {
		t.Error("somebody else without a clearance reads it:", got.Status)
	}
}

// A sign-in of an hour ago lowers nothing.
func TestLoweringAsksForAFreshSignIn(t *testing.T) {
	place := newWard(t)
	bea := place.put(t, `{"resourceType":"Practitioner","name":[{"family":"Brandt","given":["Bea"]}]}`)
	made, err := place.Persons.CreateForTest(t.Context(), identityAgent, identity.NewPerson{Name: "Bea Brandt", Roles: []string{"physician"}, Practitioner: bea,
		Clearances: []string{"HIV"}, TrainingDue: place.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	place.checkIn(t, bea, place.maren)
	found := place.put(t, `{"resourceType":"Observation","status":"final",`+hivTest+`"subject":{"reference":"Patient/`+place.maren+`"}}`)
	place.Stop()
	clock := servertest.ClockAt(time.Now())
	s := servertest.OpenOn(t, place.Dir, clock)
	c := s.SignIn(t, made, "")
	for range 16 { // she works on, so that the session does not lock
		clock.Add(time.Minute)
		c.Get(t, "/day")
	}
	body := `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]}}]}`
	if got := c.Do(t, "POST", "/fhir/"+found+"/$meta-delete", body); got.Status != http.StatusForbidden && got.Status != http.StatusUnauthorized || !strings.Contains(got.Body, "step-up") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
