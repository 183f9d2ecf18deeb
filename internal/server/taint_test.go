package server_test

import (
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// walker is one person who does random things.
type walker struct {
	caller
	role   string
	person string // id
}

// taint is what a random walk over the whole server knows: whose ids and names must never stand in an answer without an entry.
type taint struct {
	*testing.T
	s        *servertest.Server
	in       installation
	random   *rand.Rand
	families map[string]string   // patient id to family name
	known    map[string][]string // type to ids
	next     []string            // next links, by whoever got them
}

// Persons of every role do random things, by the API and by the pages. Each patient who occurs in an answer, by id or by name, is
// named in an entry of the log that the answer refers to, made for that person; and of an API read, exactly what came out is logged.
func TestWhatComesOutIsLogged(t *testing.T) {
	in := install(t)
	s := servertest.Open(t, in.dir)
	seed := rand.Uint64()
	if n, err := strconv.ParseUint(os.Getenv("TAINT_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("TAINT_SEED=%d", seed)
	w := &taint{T: t, s: s, in: in, random: rand.New(rand.NewPCG(seed, 1)), families: map[string]string{}, known: map[string][]string{}}
	doctor, clerk := in.physician.at(s.URL), in.clerk.at(s.URL)
	for _, id := range in.patients {
		w.families[id] = familyOf(t, clerk.want(t, http.StatusOK, "GET", "/fhir/Patient/"+id, "").Body)
		for _, typ := range []string{"Observation", "Condition", "Encounter", "Procedure", "MedicationRequest", "Immunization", "Claim", "DocumentReference"} {
			for _, r := range resourcesIn(t, doctor.want(t, http.StatusOK, "GET", "/fhir/"+typ+"?patient="+id+"&_count=8", "").Body) {
				w.known[typ] = append(w.known[typ], r.ID)
			}
		}
	}
	var walkers []walker
	for _, role := range []string{"nurse", "medical-assistant", "pharmacist", "technician", "billing", "hr", "privacy", "security", "auditor"} {
		c := s.Person(t, "Kim "+role, role, "")
		walkers = append(walkers, walker{tokenOf(t, c), role, c.Person.Person})
	}
	for _, id := range in.patients[:2] {
		c := s.Patient(t, "Patient "+id[:4], id)
		walkers = append(walkers, walker{tokenOf(t, c), "patient", c.Person.Person})
	}
	walkers = append(walkers, walker{doctor, "physician", ""}, walker{doctor, "physician", ""}, walker{doctor, "physician", ""}, walker{in.colleague.at(s.URL), "colleague", ""},
		walker{clerk, "front-desk", ""}, walker{in.admin.at(s.URL), "administrator", ""})
	steps := 600
	if testing.Short() {
		steps = 120
	}
	if n, err := strconv.Atoi(os.Getenv("TAINT_STEPS")); err == nil {
		steps = n
	}
	answered := map[string]int{}
	for range steps {
		if w.step(walkers[w.random.IntN(len(walkers))], answered); t.Failed() {
			break
		}
	}
	t.Log(answered)
	if answered["read"] < steps/40 || answered["page"] < steps/40 {
		t.Errorf("too little came out to learn anything: %v", answered)
	}
}

func familyOf(t testing.TB, patient string) string {
	t.Helper()
	var p struct{ Name []struct{ Family string } }
	if err := json.Unmarshal([]byte(patient), &p); err != nil || len(p.Name) == 0 || len(p.Name[0].Family) < 4 {
		t.Fatalf("a patient without a family name: %v", err)
	}
	return p.Name[0].Family
}

func (w *taint) pick(of []string) string {
	if len(of) == 0 {
		return "none"
	}
	return of[w.random.IntN(len(of))]
}

func (w *taint) patient() string { return w.pick(w.in.patients) }

func (w *taint) typ() string {
	return w.pick([]string{"Observation", "Condition", "Encounter", "Procedure", "MedicationRequest", "Immunization", "Claim", "DocumentReference"})
}

// step does one random thing and holds its answer against the log.
func (w *taint) step(who walker, answered map[string]int) {
	method, path, body, kind := "GET", "", "", "application/fhir+json"
	var header []string
	typ, id := w.typ(), w.patient()
	switch w.random.IntN(16) {
	case 0:
		path = "/fhir/Patient/" + id
	case 1:
		path = "/fhir/" + typ + "/" + w.pick(w.known[typ]) + w.pick([]string{"", "", "/_history", "/_history/1"})
	case 2:
		path = "/fhir/Patient?" + w.pick([]string{"_count=1", "_count=3", "name=" + url.QueryEscape(w.families[id]), "_id=" + id, "gender=female", "_elements=name"})
	case 3, 4:
		path = "/fhir/" + typ + "?" + w.pick([]string{"patient", "subject"}) + "=" + id + w.pick([]string{"&_count=2", "", "&_sort=-_lastUpdated", "&_elements=status", "&_count=2"})
	case 5:
		if path = w.pick(w.next); path == "none" {
			path = "/fhir/Patient?_count=1"
		}
	case 6:
		method, path, body = "POST", "/fhir/Patient/_search", "name="+url.QueryEscape(w.families[id])
		kind = "application/x-www-form-urlencoded"
	case 7:
		path, header = "/fhir/"+typ+"?patient="+id+"&_count=3", []string{"X-Break-Glass", w.pick([]string{"emergency", "covering", "nonsense"})}
	case 8:
		method, path, body = "POST", "/fhir/Observation", observation(id, strconv.Itoa(w.random.IntN(200)))
	case 9:
		one := w.pick(w.known["Observation"])
		method, path, body = "PUT", "/fhir/Observation/"+one, strings.Replace(observation(id, "60"), `"Observation",`, `"Observation","id":"`+one+`",`, 1)
	case 10:
		method, path, body = "POST", "/fhir", w.bundle()
	case 11:
		method, path, kind = "POST", "/find", "application/x-www-form-urlencoded"
		body = url.Values{"name": {w.families[id]}, "birthdate": {""}, "mrn": {""}, "q": {w.families[id]}}.Encode()
	case 12:
		method, path, kind = "POST", "/glass", "application/x-www-form-urlencoded"
		body = url.Values{"patient": {id}, "code": {"covering"}, "text": {"covering for a colleague tonight"}}.Encode()
	default:
		path = w.page(id)
	}
	w.judge(who, method, path, body, answered, append([]string{"Content-Type", kind, "Sec-Fetch-Site", "same-origin"}, header...)...)
}

// page is a random page, with ids that are there.
func (w *taint) page(patient string) string {
	var pages []string
	for _, r := range w.s.Routes() {
		if r.Method == "GET" && !strings.HasPrefix(r.Pattern, "/fhir") && !strings.HasPrefix(r.Pattern, "/static") && r.Pattern != "/events" {
			pages = append(pages, r.Pattern)
		}
	}
	at := w.pick(pages)
	for _, wildcard := range []struct{ name, with string }{
		{"{patient}", patient}, {"{item}", w.pick(w.known["Observation"])}, {"{note}", w.pick(w.known["DocumentReference"])},
		{"{document}", w.pick(w.known["DocumentReference"])}, {"{review}", strconv.Itoa(1 + w.random.IntN(5))},
		{"{entry...}", fmt.Sprintf("%s/%d", w.s.Log.State().Origin, w.random.Int64N(w.s.Log.State().Size))},
		{"{person}", "nobody"}, {"{link}", "none"}, {"{$}", ""},
	} {
		at = strings.ReplaceAll(at, wildcard.name, wildcard.with)
	}
	return at
}

func (w *taint) bundle() string {
	var entries []string
	for range 1 + w.random.IntN(4) {
		typ, id := w.typ(), w.patient()
		entries = append(entries, w.pick([]string{
			`{"request":{"method":"GET","url":"Patient/` + id + `"}}`,
			`{"request":{"method":"GET","url":"` + typ + `?patient=` + id + `&_count=2"}}`,
			`{"request":{"method":"GET","url":"` + typ + `/` + w.pick(w.known[typ]) + `"}}`,
			`{"resource":` + observation(id, "61") + `,"request":{"method":"POST","url":"Observation"}}`,
		}))
	}
	return `{"resourceType":"Bundle","type":"` + w.pick([]string{"batch", "transaction"}) + `","entry":[` + strings.Join(entries, ",") + `]}`
}

// judge sends a request and checks what came out against the entries that the answer names.
func (w *taint) judge(who walker, method, path, body string, answered map[string]int, header ...string) {
	w.Helper()
	asked := who.role + " " + method + " " + path
	answer, err := who.do(method, path, body, header...)
	if err != nil {
		w.Fatalf("%s: %v", asked, err)
	}
	entries := answer.Header.Get("X-Audit-Entry")
	var named, records []string
	for _, event := range eventsOf(w, w.s, entries) {
		if who.person != "" && event.Agent.Person != who.person {
			w.Errorf("%s: its entry %s is of another agent", asked, entries)
		}
		if answer.Status < 300 && event.Outcome != 0 {
			w.Errorf("%s: %d under entry %s of a refusal", asked, answer.Status, entries)
		}
		for _, part := range event.Patients {
			named = append(named, strings.TrimPrefix(part.Ref, "Patient/"))
			if event.Kind != audit.Intent {
				for _, r := range part.Records {
					records = append(records, r.Ref)
				}
			}
		}
	}
	api := strings.HasPrefix(path, "/fhir")
	text := html.UnescapeString(answer.Body)
	for _, id := range w.in.patients {
		text := strings.ReplaceAll(text, "name="+w.families[id], "") // the words of a search, in its entry, are of nobody in particular
		holdsID, holdsName := strings.Contains(answer.Body, id), strings.Contains(text, w.families[id])
		if !api { // a page may show the address that was asked for, and the words in the field
			holdsID = holdsID && !(answer.Status >= 400 && strings.Contains(path+body, id))
			holdsName = holdsName && !strings.Contains(body, w.families[id])
		}
		if (holdsID || holdsName) && !slices.Contains(named, id) {
			w.Errorf("%s: %d, the answer holds a patient whom no entry of %q names\n%s", asked, answer.Status, entries, excerpt(text, id, w.families[id]))
		}
	}
	switch {
	case answer.Status >= 500:
		w.Errorf("%s: %d %s", asked, answer.Status, answer.Body)
	case answer.Status >= 400:
		answered["refused"]++
	case !api:
		if len(named) > 0 {
			answered["page"]++
		}
	case answer.Body != "" && path != "/fhir/metadata":
		w.exact(asked, method, path, answer, records)
		answered["read"]++
	}
}

// exact holds the records of an API answer against those of its entries: no more came out, and of a read no less.
func (w *taint) exact(asked, method, path string, answer servertest.Answer, records []string) {
	w.Helper()
	var out []string
	for _, r := range resourcesIn(w, answer.Body) {
		out = append(out, r.ref())
		if (method == "POST" && path == "/fhir/Observation" || method == "PUT") && len(out) == 1 {
			w.known["Observation"] = append(w.known["Observation"], r.ID)
			return // what was written is named in the intent, which covered looks at
		}
		if !slices.Contains(records, r.ref()) {
			w.Errorf("%s: %s came out and is not in an entry of %q", asked, r.ref(), answer.Header.Get("X-Audit-Entry"))
		}
	}
	for _, ref := range records {
		if !slices.Contains(out, ref) {
			w.Errorf("%s: %s is logged and did not come out", asked, ref)
		}
	}
	var bundle struct {
		Link []struct{ Relation, URL string }
	}
	if err := json.Unmarshal([]byte(answer.Body), &bundle); err != nil {
		w.Fatal(err)
	}
	for _, link := range bundle.Link {
		if at := strings.Index(link.URL, "/fhir/"); link.Relation == "next" && at >= 0 {
			w.next = append(w.next, link.URL[at:])
		}
	}
}

// excerpt is what stands around the first thing found.
func excerpt(text string, any ...string) string {
	for _, one := range any {
		if at := strings.Index(text, one); at >= 0 {
			return text[max(0, at-200):min(len(text), at+200)]
		}
	}
	return ""
}

// A question that brought nothing names a patient all the same: who reads its entry learns of her, and the reading says so.
func TestWhoReadsAQuestionReadsOfItsPatient(t *testing.T) {
	in := install(t)
	s := servertest.Open(t, in.dir)
	patient := in.patients[0]
	for _, query := range []string{"Observation?_count=2&subject=" + patient, "Observation?subject=Patient%2F" + patient + ",Patient%2Fnone"} {
		asks := s.Person(t, "Kim Asks", "auditor", "")
		roles := []string{identity.Auditor, identity.Nurse} // who searches, and reads her own question
		if _, _, err := s.Persons.Change(t.Context(), audit.Agent{Job: "test"}, asks.Person.Person, identity.Change{Roles: &roles}); err != nil {
			t.Fatal(err)
		}
		answer := asks.Get(t, "/audit/"+asks.Get(t, "/fhir/"+query).Header.Get("X-Audit-Entry"))
		if !strings.Contains(answer.Body, patient) {
			t.Fatalf("%d: the question is not shown", answer.Status)
		}
		named := false
		for _, event := range eventsOf(t, s, answer.Header.Get("X-Audit-Entry")) {
			named = named || slices.ContainsFunc(event.Patients, func(p audit.PatientPart) bool { return p.Ref == "Patient/"+patient })
		}
		if !named {
			t.Errorf("%s: the reading of its entry names nobody", query)
		}
	}
}
