package access_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

var identityAgent = audit.Agent{Job: "test"}

// ward is a small hospital: two patients with a little chart each, made through the door.
type ward struct {
	*servertest.Server
	maren, otto string // patient ids
	anna        string // Practitioner/id of the attending physician
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{Server: servertest.Start(t)}
	w.people(t)
	return w
}

// people brings in the physician and the two patients.
func (w *ward) people(t *testing.T) {
	t.Helper()
	w.anna = w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}],"telecom":[{"system":"phone","value":"555-0100"}]}`)
	for family, id := range map[string]*string{"Okafor": &w.maren, "Brandt": &w.otto} {
		_, *id, _ = strings.Cut(w.put(t, `{"resourceType":"Patient","name":[{"family":"`+family+`","given":["M"]}],"birthDate":"1961-03-14","gender":"female",
			"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"value":"00482217"}],
			"telecom":[{"system":"phone","value":"555-0199"}]}`), "/")
		w.put(t, condition(*id, ""))
		w.put(t, condition(*id, `"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},`))
		w.put(t, `{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/`+*id+`"},
			"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},"code":{"text":"Penicillin"}}`)
	}
}

func condition(patient, meta string) string {
	return `{"resourceType":"Condition",` + meta + `"subject":{"reference":"Patient/` + patient + `"},"code":{"text":"Asthma"}}`
}

// put stores a resource as the importer and returns Type/id.
func (w *ward) put(t testing.TB, body string) string {
	t.Helper()
	doc, err := document.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	done, err := w.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc.Type() + "/" + done[0].Written.ID
}

// checkIn opens an encounter between a practitioner and a patient, by somebody else.
func (w *ward) checkIn(t *testing.T, practitioner, patient string) string {
	return w.put(t, `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
		"subject":{"reference":"Patient/`+patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}],
		"period":{"start":"`+w.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`"}}`)
}

func total(t *testing.T, a servertest.Answer) int {
	t.Helper()
	var b struct{ Entry []json.RawMessage }
	if err := json.Unmarshal([]byte(a.Body), &b); err != nil || a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return len(b.Entry)
}

// Every role meets a stranger's chart: what opens, what does not, and whether the glass is offered.
func TestRolesAtAStrangersChart(t *testing.T) {
	w := newWard(t)
	clinical := []string{"physician", "nurse", "medical-assistant", "pharmacist", "technician"}
	for _, role := range identity.Roles() {
		if role == identity.Patient {
			continue
		}
		c := w.Person(t, "Some "+role, role, "")
		got := c.Get(t, "/fhir/Condition?patient="+w.maren)
		if got.Status != http.StatusForbidden {
			t.Errorf("%s reads conditions of a stranger: %d", role, got.Status)
		}
		if offered := strings.Contains(got.Body, "break-glass-available"); offered != slices.Contains(clinical, role) {
			t.Errorf("%s: glass offered is %v", role, offered)
		}
		if strings.Contains(got.Body, "Asthma") || strings.Contains(got.Body, "Okafor") {
			t.Errorf("%s: the refusal holds patient data", role)
		}
		patient := c.Get(t, "/fhir/Patient/"+w.maren)
		if sees := patient.Status == http.StatusOK; sees != (role == "front-desk" || role == "billing") {
			t.Errorf("%s reads the Patient: %d", role, patient.Status)
		}
		if c.Get(t, "/fhir/Condition/"+strings.Repeat("a", 26)).Status != refusedOrAbsent(slices.Contains(clinical, role)) {
			t.Errorf("%s can tell what does not exist from what is closed", role)
		}
	}
}

func refusedOrAbsent(offered bool) int {
	if offered {
		return http.StatusNotFound
	}
	return http.StatusForbidden
}

func TestFrontDeskSeesAMaskedPatient(t *testing.T) {
	w := newWard(t)
	c := w.Person(t, "Marcus Hale", "front-desk", "")
	got := c.Get(t, "/fhir/Patient/"+w.maren)
	if got.Status != http.StatusOK || strings.Contains(got.Body, "00482217") || !strings.Contains(got.Body, "REDACTED") || !strings.Contains(got.Body, "555-0199") {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if put := c.Do(t, "PUT", "/fhir/Patient/"+w.maren, got.Body); put.Status != http.StatusConflict || !strings.Contains(put.Body, "use PATCH") {
		t.Fatalf("a masked copy was put back: %d %s", put.Status, put.Body)
	}
	patch := `[{"op":"replace","path":"/telecom/0/value","value":"555-0123"}]`
	if done := c.Do(t, "PATCH", "/fhir/Patient/"+w.maren, patch, "Content-Type", "application/json-patch+json"); done.Status != http.StatusOK || strings.Contains(done.Body, "00482217") {
		t.Fatalf("a patch of what she sees: %d %s", done.Status, done.Body)
	}
	if n := total(t, c.Get(t, "/fhir/Patient?identifier=00482217")); n != 0 {
		t.Fatalf("a search by a hidden element finds %d", n)
	}
}

// A part of a resource put back as the whole would lose the rest, also where nothing was hidden from the writer.
func TestAPartIsNotPutBack(t *testing.T) {
	w := newWard(t)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	w.checkIn(t, w.anna, w.maren)
	for _, some := range []string{"?_elements=name", "?_summary=text"} {
		path := "/fhir/Patient/" + w.maren
		part := c.Get(t, path+some)
		if part.Status != http.StatusOK || !strings.Contains(part.Body, "SUBSETTED") || strings.Contains(part.Body, "555-0199") {
			t.Fatalf("%s: %d %s", some, part.Status, part.Body)
		}
		if put := c.Do(t, "PUT", path, part.Body); put.Status != http.StatusConflict || !strings.Contains(put.Body, "use PATCH") {
			t.Errorf("%s: a part was put back: %d %s", some, put.Status, put.Body)
		}
		if whole := c.Get(t, path); !strings.Contains(whole.Body, "555-0199") {
			t.Errorf("%s: the rest is lost: %s", some, whole.Body)
		}
	}
}

func TestRelationOpensAndEnds(t *testing.T) {
	w := newWard(t)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	encounter := w.checkIn(t, w.anna, w.maren)
	if n := total(t, c.Get(t, "/fhir/Condition?patient="+w.maren)); n != 1 {
		t.Fatalf("sees %d conditions, want the one without a label", n)
	}
	if n := total(t, c.Get(t, "/fhir/AllergyIntolerance?patient="+w.maren)); n != 1 {
		t.Fatal("an allergy is never hidden from who treats")
	}
	if got := c.Get(t, "/fhir/Condition?patient="+w.otto); got.Status != http.StatusForbidden {
		t.Fatalf("the other patient opens: %d", got.Status)
	}
	_, id, _ := strings.Cut(encounter, "/")
	if _, err := w.Gate.Delete(t.Context(), access.Job("import"), "Encounter", id, 0); err != nil {
		t.Fatal(err)
	}
	if got := c.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusForbidden {
		t.Fatalf("the relation is gone and the chart still opens: %d", got.Status)
	}
}

// A visit that a physician opens for herself is no key.
func TestSelfMadeVisitOpensNothing(t *testing.T) {
	w := newWard(t)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	made := c.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
		"subject":{"reference":"Patient/`+w.maren+`"},"participant":[{"individual":{"reference":"`+w.anna+`"}}],"period":{"start":"`+w.Now().UTC().Format(time.RFC3339)+`"}}`)
	if made.Status != http.StatusCreated {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	if got := c.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusForbidden {
		t.Fatalf("a self-made visit opened the chart: %d", got.Status)
	}
	if c.Get(t, "/fhir/Condition?patient="+w.maren, "X-Break-Glass", "emergency").Status != http.StatusOK {
		t.Fatal("the glass does not open")
	}
	if wrote := c.Do(t, "POST", "/fhir/Condition", condition(w.maren, "")); wrote.Status != http.StatusCreated {
		t.Fatalf("the emergency visit and the glass together let her write: %d %s", wrote.Status, wrote.Body)
	}
}

func TestGlass(t *testing.T) {
	w := newWard(t)
	nurse := w.Person(t, "Théo Moreau", "nurse", "")
	path := "/fhir/Condition?patient=" + w.maren
	if got := nurse.Get(t, path, "X-Break-Glass", "because"); got.Status != http.StatusBadRequest {
		t.Fatalf("an unknown code: %d %s", got.Status, got.Body)
	}
	if got := nurse.Get(t, path, "X-Break-Glass", "emergency"); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	} else if n := total(t, got); n != 2 {
		t.Fatalf("the glass lifts labels: sees %d conditions of 2", n)
	}
	if got := nurse.Do(t, "POST", "/fhir/Condition", condition(w.maren, "")); got.Status != http.StatusForbidden {
		t.Fatalf("a grant writes: %d", got.Status)
	}
	if got := nurse.Get(t, "/fhir/Condition?patient="+w.otto, "X-Break-Glass", "emergency"); got.Status != http.StatusTooManyRequests {
		t.Fatalf("a second glass within ten seconds: %d", got.Status)
	}
	clerk := w.Person(t, "Marcus Hale", "front-desk", "")
	if got := clerk.Get(t, path, "X-Break-Glass", "emergency"); got.Status != http.StatusForbidden {
		t.Fatalf("the front desk breaks the glass: %d", got.Status)
	}
	officer := w.Person(t, "Ruth Adeyemi", "privacy", "")
	session, err := w.Persons.Sessions(t.Context(), officer.Person.Person)
	if err != nil || len(session) != 1 {
		t.Fatal(err)
	}
	found, err := w.Gate.Reviews(t.Context(), access.Person(session[0]), access.ReviewsOpen, 0, 50)
	list := found.Reviews
	if err != nil || len(list) == 0 || list[0].Kind != "glass" || list[0].PatientID != w.maren || list[0].Person != nurse.Person.Person {
		t.Fatalf("the officer's list: %+v %v", list, err)
	}
	if err := w.Gate.Decide(t.Context(), access.Person(session[0]), list[0].ID, "explained", "Covered the night."); err != nil {
		t.Fatal(err)
	}
	seen, err := w.Gate.WhoLooked(t.Context(), access.Person(session[0]), w.maren, access.Window{})
	if err != nil || !slices.ContainsFunc(seen.Lines, func(l access.Line) bool { return l.Glass && l.Agent.Person == nurse.Person.Person && l.Sentence != "" }) {
		t.Fatalf("the glass does not stand in the patient's list: %v", err)
	}
}

// A nurse who is also a patient here gains nothing in either capacity from the other.
func TestCapacities(t *testing.T) {
	w := newWard(t)
	made, err := w.Persons.CreateForTest(t.Context(), identityAgent, identity.NewPerson{Name: "Dana Whitlock", Roles: []string{"nurse", "patient"},
		Patient: "Patient/" + w.maren, TrainingDue: w.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	staff := w.SignIn(t, made, identity.StaffCapacity)
	if got := staff.Get(t, "/fhir/Condition?patient="+w.maren, "X-Break-Glass", "emergency"); got.Status != http.StatusForbidden {
		t.Fatalf("staff open their own chart: %d", got.Status)
	}
	patient := w.Patient(t, "Otto Brandt", w.otto)
	if got := patient.Get(t, "/fhir/Condition?patient="+w.otto); got.Status != http.StatusOK {
		t.Fatalf("a patient reads the own chart: %d %s", got.Status, got.Body)
	}
	if got := patient.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusForbidden || strings.Contains(got.Body, "break-glass") {
		t.Fatalf("a patient reads another's chart: %d %s", got.Status, got.Body)
	}
}

func TestWritesVersionsAndHistory(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	made := c.Do(t, "POST", "/fhir/Condition", condition(w.maren, ""))
	if made.Status != http.StatusCreated || made.Header.Get("X-Audit-Entry") == "" || made.Header.Get("ETag") != `W/"1"` {
		t.Fatalf("%d %v %s", made.Status, made.Header, made.Body)
	}
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(made.Body), &r); err != nil {
		t.Fatal(err)
	}
	path := "/fhir/Condition/" + r.ID
	changed := strings.Replace(made.Body, "Asthma", "Asthma, mild", 1)
	if got := c.Do(t, "PUT", path, changed, "If-Match", `W/"7"`); got.Status != http.StatusPreconditionFailed {
		t.Fatalf("If-Match of another version: %d", got.Status)
	}
	if got := c.Do(t, "PUT", path, changed, "If-Match", `W/"1"`); got.Status != http.StatusOK || got.Header.Get("ETag") != `W/"2"` {
		t.Fatalf("update: %d %s", got.Status, got.Body)
	}
	if got := c.Get(t, path+"/_history/1"); got.Status != http.StatusOK || strings.Contains(got.Body, "mild") {
		t.Fatalf("vread: %d %s", got.Status, got.Body)
	}
	if got := c.Do(t, "DELETE", path, ""); got.Status != http.StatusNoContent {
		t.Fatalf("delete: %d %s", got.Status, got.Body)
	}
	if got := c.Get(t, path); got.Status != http.StatusGone {
		t.Fatalf("read after delete: %d", got.Status)
	}
	if n := total(t, c.Get(t, path+"/_history")); n != 3 {
		t.Fatalf("history has %d versions, want 3", n)
	}
}

// Who names no version has the last word, each in turn; of those who name one, the first.
func TestUpdatesAtTheSameMoment(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	made := c.Do(t, "POST", "/fhir/Condition", condition(w.maren, ""))
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(made.Body), &r); err != nil {
		t.Fatal(err)
	}
	path := "/fhir/Condition/" + r.ID
	next := 0
	together := func(header ...string) map[int]int {
		var mu sync.Mutex
		statuses := map[int]int{}
		var group sync.WaitGroup
		for range 4 {
			next++
			changed := strings.Replace(made.Body, "Asthma", fmt.Sprint("Asthma, ", next), 1)
			group.Go(func() {
				got := c.Do(t, "PUT", path, changed, header...)
				mu.Lock()
				defer mu.Unlock()
				statuses[got.Status]++
			})
		}
		group.Wait()
		return statuses
	}
	for range 3 {
		if got := together(); got[http.StatusOK] != 4 {
			t.Fatalf("without a version: %v", got)
		}
	}
	if got := together("If-Match", `W/"13"`); got[http.StatusOK] != 1 || got[http.StatusPreconditionFailed] != 3 {
		t.Fatalf("with one: %v", got)
	}
	if n := total(t, c.Get(t, path+"/_history")); n != 14 {
		t.Fatalf("history has %d versions, want 14", n)
	}
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	entry := func(url, body string) string {
		return `{"fullUrl":"urn:uuid:` + url + `","resource":` + body + `,"request":{"method":"POST","url":"` + strings.Split(strings.Split(body, `"resourceType":"`)[1], `"`)[0] + `"}}`
	}
	obs := `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + w.maren + `"},"focus":[{"reference":"urn:uuid:aaaaaaaa-0000-4000-8000-000000000001"}]}`
	bundle := func(entries ...string) string {
		return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
	}
	good := c.Do(t, "POST", "/fhir", bundle(entry("aaaaaaaa-0000-4000-8000-000000000001", condition(w.maren, "")), entry("aaaaaaaa-0000-4000-8000-000000000002", obs)))
	if good.Status != http.StatusOK || strings.Count(good.Body, `"201"`) != 2 {
		t.Fatalf("%d %s", good.Status, good.Body)
	}
	if again := c.Do(t, "POST", "/fhir", bundle(entry("aaaaaaaa-0000-4000-8000-000000000001", condition(w.maren, "")))); strings.Count(again.Body, `"201"`) != 1 {
		t.Fatalf("a fullUrl counts inside its own transaction only: %s", again.Body)
	}
	before := total(t, c.Get(t, "/fhir/Condition?patient="+w.maren))
	bad := c.Do(t, "POST", "/fhir", bundle(entry("aaaaaaaa-0000-4000-8000-000000000003", condition(w.maren, "")), entry("aaaaaaaa-0000-4000-8000-000000000004", condition(w.otto, ""))))
	if bad.Status != http.StatusForbidden || !strings.Contains(bad.Body, "Bundle.entry[1]") {
		t.Fatalf("a forbidden entry: %d %s", bad.Status, bad.Body)
	}
	if after := total(t, c.Get(t, "/fhir/Condition?patient="+w.maren)); after != before {
		t.Fatalf("half a transaction was stored: %d, then %d", before, after)
	}
}

func TestPagesBelongToWhoAsked(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	other := w.Person(t, "Sam Rivera", "physician", w.anna)
	for i := range 5 {
		w.put(t, fmt.Sprintf(`{"resourceType":"Observation","status":"final","code":{"text":"n%d"},"subject":{"reference":"Patient/%s"},"effectiveDateTime":"2026-01-0%d"}`, i, w.maren, i+1))
	}
	first := c.Get(t, "/fhir/Observation?patient="+w.maren+"&_count=2")
	next := nextOf(t, first.Body)
	if next == "" || strings.Contains(next, w.maren) {
		t.Fatalf("next link %q", next)
	}
	if n := total(t, c.Get(t, next)); n != 2 {
		t.Fatalf("second page has %d", n)
	}
	if got := other.Get(t, next); got.Status != http.StatusBadRequest {
		t.Fatalf("another person follows the link: %d", got.Status)
	}
}

func nextOf(t *testing.T, body string) string {
	t.Helper()
	var b struct {
		Link []struct{ Relation, URL string }
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatal(err)
	}
	for _, l := range b.Link {
		if l.Relation == "next" {
			return l.URL[strings.Index(l.URL, "/fhir/"):]
		}
	}
	return ""
}

func TestImportRejectsOneByOne(t *testing.T) {
	w := newWard(t)
	var entries []access.Entry
	add := func(url, body string) {
		doc, err := document.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, access.Entry{Index: len(entries), FullURL: url, Method: "POST", URL: doc.Type(), Doc: doc})
	}
	add("urn:uuid:1", condition(w.maren, ""))
	add("urn:uuid:2", `{"resourceType":"Condition","subject":{"reference":"Patient/`+w.maren+`"},"onsetDateTime":"not a date"}`)
	add("urn:uuid:3", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+w.maren+`"},"focus":[{"reference":"urn:uuid:2"}]}`)
	add("urn:uuid:4", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/nowhere"}}`)
	got, err := w.Gate.Import(t.Context(), access.Job("import"), entries)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil || got[1].Err == nil || got[2].Err == nil || got[3].Err == nil {
		t.Fatalf("%+v", got)
	}
	if !strings.Contains(got[2].Err.Error(), "was rejected") || !outcome.Is(got[1].Err, outcome.Value) && !outcome.Is(got[1].Err, outcome.Invalid) {
		t.Fatalf("%v; %v", got[1].Err, got[2].Err)
	}
	again, err := w.Gate.Import(t.Context(), access.Job("import"), entries[:1])
	if err != nil || !again[0].Skipped || again[0].Written.ID != got[0].Written.ID {
		t.Fatalf("a second run stores again: %+v %v", again, err)
	}
}

func TestTerminationEndsEverything(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	if c.Get(t, "/fhir/Condition?patient="+w.maren).Status != http.StatusOK {
		t.Fatal("not open before")
	}
	if _, err := w.Persons.Terminate(t.Context(), identityAgent, c.Person.Person, "left"); err != nil {
		t.Fatal(err)
	}
	if got := c.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusUnauthorized {
		t.Fatalf("a dead session reads: %d", got.Status)
	}
}

// A sandbox takes only so many patients; those who are here already may come again.
func TestSandboxIsBounded(t *testing.T) {
	w := newWard(t) // two patients
	w.Gate.Bound(3)
	var entries []access.Entry
	for i := range 3 {
		doc, err := document.Parse([]byte(`{"resourceType":"Patient"}`))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, access.Entry{Index: i, FullURL: fmt.Sprintf("urn:uuid:p%d", i), Method: "POST", URL: "Patient", Doc: doc})
	}
	for range 2 {
		got, err := w.Gate.Import(t.Context(), access.Job("import"), entries)
		if err != nil || got[0].Err != nil || !outcome.Is(got[1].Err, outcome.TooCostly) || !outcome.Is(got[2].Err, outcome.TooCostly) {
			t.Fatalf("%+v %v", got, err)
		}
	}
}

// What the glass gives ends with the visit, is told on the page, and can be had again.
func TestGlassEndsAtDischarge(t *testing.T) {
	w := newWard(t)
	visit := w.checkIn(t, w.anna, w.maren)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	reads := func() int { return sam.Get(t, "/fhir/Condition?patient="+w.maren).Status }
	if reads() != http.StatusForbidden {
		t.Fatal("the chart is open to a stranger")
	}
	if got := sam.Form(t, "/glass", "patient", w.maren, "code", "emergency"); got.Status != http.StatusSeeOther || reads() != http.StatusOK {
		t.Fatal(got.Status, got.Body)
	}
	if page := sam.Get(t, "/chart/"+w.maren).Body; !strings.Contains(page, "until the patient’s visit ends") {
		t.Error("the page does not say until when")
	}
	if page := sam.Get(t, "/chart/"+w.otto).Body; !strings.Contains(page, "until discharge, at most 72 hours") {
		t.Error("the closed chart does not say for how long")
	}
	finish := func(status, end string) {
		t.Helper()
		doc, err := document.Parse([]byte(`{"resourceType":"Encounter","id":"` + strings.TrimPrefix(visit, "Encounter/") + `","status":"` + status + `","class":{"code":"IMP"},
			"subject":{"reference":"Patient/` + w.maren + `"},"period":{"start":"` + w.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"` + end + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		done, err := w.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "PUT", URL: visit, Doc: doc}})
		if err != nil || done[0].Err != nil {
			t.Fatal(err, done)
		}
	}
	finish("onleave", "")
	if reads() != http.StatusOK {
		t.Error("a leave ended the grant")
	}
	finish("finished", `,"end":"`+w.Now().Add(time.Second).UTC().Format(time.RFC3339)+`"`)
	w.Stop()
	later := servertest.OpenAt(t, w.Dir, w.Now().Add(time.Minute))
	later.Adopt(t, sam, sam.Jar, w.URL)
	if got := sam.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "break-glass-available") {
		t.Error("after discharge:", got.Status)
	}
	if got := sam.Form(t, "/glass", "patient", w.maren, "code", "emergency"); got.Status != http.StatusSeeOther || reads() != http.StatusOK {
		t.Error("it does not open again:", got.Status)
	}
}

// A visit that is cancelled ends the grant as one that is over does.
func TestGlassEndsWithACancelledVisit(t *testing.T) {
	w := newWard(t)
	visit := w.checkIn(t, w.anna, w.maren)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	if got := sam.Get(t, "/fhir/Condition?patient="+w.maren, "X-Break-Glass", "emergency"); got.Status != http.StatusOK {
		t.Fatal(got.Status)
	}
	doc, err := document.Parse([]byte(`{"resourceType":"Encounter","id":"` + strings.TrimPrefix(visit, "Encounter/") + `","status":"cancelled","class":{"code":"IMP"},"subject":{"reference":"Patient/` + w.maren + `"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if done, err := w.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "PUT", URL: visit, Doc: doc}}); err != nil || done[0].Err != nil {
		t.Fatal(err, done)
	}
	if got := sam.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusForbidden {
		t.Error("after the cancellation:", got.Status)
	}
}
