package access_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
	"chartwarden/internal/server/servertest"
)

// pairs is a hospital drawn from a seed: who works where, who is whose patient and since when, and charts of all kinds of records.
type pairs struct {
	*ward
	*rand.Rand
	patients, people []string // ids; Practitioner/id
	departments      []string
	entries          []access.Entry
}

func (w *pairs) chance(p float64) bool { return w.Float64() < p }

func (w *pairs) one(from []string) string { return from[w.IntN(len(from))] }

// when is a moment near a boundary of some window, or not.
func (w *pairs) when() string {
	hours := []int{-800, -720, -100, -72, -30, -1, 0, 1, 24, 48, 100, 700}[w.IntN(12)]
	return w.Now().Add(time.Duration(hours)*time.Hour + time.Duration(w.IntN(7200)-3600)*time.Second).UTC().Format(time.RFC3339)
}

// add keeps a resource of a chosen id for the next import and returns its reference.
func (w *pairs) add(t testing.TB, id, body string) string {
	typ, _, _ := strings.Cut(body[len(`{"resourceType":"`):], `"`)
	body = `{"id":"` + id + `",` + body[1:]
	doc, err := document.Parse([]byte(body))
	if err != nil {
		t.Fatal(err, body)
	}
	w.entries = append(w.entries, access.Entry{Method: "PUT", URL: typ + "/" + id, Doc: doc})
	return typ + "/" + id
}

func (w *pairs) store(t testing.TB) {
	t.Helper()
	for len(w.entries) > 0 {
		n := min(400, len(w.entries))
		done, err := w.Gate.Import(t.Context(), access.Job("import"), w.entries[:n])
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range done {
			if d.Err != nil {
				t.Fatal(w.entries[i].URL, d.Err)
			}
		}
		w.entries = w.entries[n:]
	}
}

func (w *pairs) hospital(t testing.TB, people, patients int) {
	for i := range 4 {
		w.departments = append(w.departments, w.add(t, fmt.Sprint("dep", i), `{"resourceType":"Organization","name":"Ward"}`))
	}
	for i := range people {
		who := w.add(t, fmt.Sprint("who", i), `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`)
		w.people = append(w.people, who)
		if w.chance(.7) {
			role := w.add(t, fmt.Sprint("role", i), `{"resourceType":"PractitionerRole","active":true,"practitioner":{"reference":"`+who+`"},"organization":{"reference":"`+w.one(w.departments)+`"}}`)
			schedule := w.add(t, fmt.Sprint("schedule", i), `{"resourceType":"Schedule","actor":[{"reference":"`+role+`"}]}`)
			from := w.Now().Add(time.Duration(w.IntN(24)-14) * time.Hour)
			w.add(t, fmt.Sprint("slot", i), `{"resourceType":"Slot","schedule":{"reference":"`+schedule+`"},"status":"busy","start":"`+from.UTC().Format(time.RFC3339)+`","end":"`+from.Add(9*time.Hour).UTC().Format(time.RFC3339)+`"}`)
		}
	}
	w.store(t)
	for i := range patients {
		id := fmt.Sprint("p", i)
		w.patients = append(w.patients, id)
		first := len(w.entries)
		w.add(t, id, `{"resourceType":"Patient","name":[{"family":"Okafor"}],"birthDate":"1961-03-14"}`)
		subject := `"subject":{"reference":"Patient/` + id + `"}`
		n := 0
		next := func() string { n++; return fmt.Sprint(id, "-", n) }
		for range w.IntN(3) {
			w.add(t, next(), `{"resourceType":"CareTeam","status":"active",`+subject+`,"participant":[{"member":{"reference":"`+w.one(w.people)+`"}}]}`)
		}
		for range w.IntN(4) {
			status, end := "in-progress", ""
			if w.chance(.6) {
				status, end = "finished", `,"end":"`+w.when()+`"`
			}
			w.add(t, next(), `{"resourceType":"Encounter",`+w.meta()+`"status":"`+status+`","class":{"code":"AMB"},`+subject+`,"participant":[{"individual":{"reference":"`+w.one(w.people)+`"}}],"period":{"start":"2020-01-01T00:00:00Z"`+end+`}}`)
		}
		if w.chance(.4) {
			with, start := "", w.Now().Add(time.Duration(w.IntN(200)-100)*time.Hour).UTC()
			if i > 0 && w.chance(.3) {
				with = `,{"actor":{"reference":"Patient/` + w.one(w.patients[:i]) + `"},"status":"accepted"}`
			}
			w.add(t, next(), `{"resourceType":"Appointment","status":"booked","start":"`+start.Format(time.RFC3339)+`","end":"`+start.Add(time.Hour).Format(time.RFC3339)+`",
				"participant":[{"actor":{"reference":"Patient/`+id+`"},"status":"accepted"},{"actor":{"reference":"`+w.one(w.people)+`"},"status":"accepted"}`+with+`]}`)
		}
		if w.chance(.3) {
			w.add(t, next(), `{"resourceType":"ServiceRequest",`+w.meta()+`"status":"active","intent":"order",`+subject+`,"performer":[{"reference":"`+w.one(w.departments)+`"}],"authoredOn":"`+w.when()+`"}`)
		}
		if w.chance(.2) {
			w.add(t, next(), `{"resourceType":"Task","status":"requested","intent":"order","for":{"reference":"Patient/`+id+`"},"owner":{"reference":"`+w.one(w.people)+`"}}`)
		}
		if w.chance(.1) {
			w.add(t, next(), `{"resourceType":"Flag","status":"active",`+subject+`,"code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"VIP"}]}}`)
		}
		for range 2 + w.IntN(3) {
			w.add(t, next(), `{"resourceType":"Condition",`+w.meta()+subject+`,"code":{"text":"Asthma"}}`)
			w.add(t, next(), `{"resourceType":"Observation",`+w.meta()+`"status":"final","code":{"text":"Glucose"},`+subject+`,"effectiveDateTime":"2025-03-04"}`)
		}
		w.add(t, next(), `{"resourceType":"AllergyIntolerance",`+w.meta()+`"patient":{"reference":"Patient/`+id+`"},"code":{"text":"Penicillin"}}`)
		w.add(t, next(), `{"resourceType":"Coverage","status":"active","beneficiary":{"reference":"Patient/`+id+`"},"payor":[{"reference":"`+w.departments[0]+`"}]}`)
		w.add(t, next(), `{"resourceType":"MedicationRequest",`+w.meta()+`"status":"active","intent":"order","medicationCodeableConcept":{"text":"Insulin"},`+subject+`}`)
		w.add(t, next(), `{"resourceType":"DocumentReference",`+w.meta()+`"status":"current",`+subject+`,"content":[{"attachment":{"title":"Letter"}}]}`)
		if w.chance(.4) {
			var own []string
			for _, e := range w.entries[first:] {
				own = append(own, e.URL)
			}
			w.add(t, next(), w.consent(id, w.provision(`"type":"`+w.one([]string{"permit", "deny"})+`",`, own, 2)))
		}
	}
	w.store(t)
}

// meta labels one record in five.
func (w *pairs) meta() string {
	if !w.chance(.2) {
		return ""
	}
	return `"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"` + w.one([]string{"PSY", "HIV", "ETH", "PSYTHPN"}) + `"}]},`
}

// consent is what a patient agreed to, seldom no more or not yet.
func (w *pairs) consent(patient, provision string) string {
	status := "active"
	if w.chance(.1) {
		status = "inactive"
	}
	return `{"resourceType":"Consent","status":"` + status + `","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"reference":"Patient/` + patient + `"},"policy":[{"uri":"http://example.org/base"}],"provision":` + provision + `}`
}

// provision draws one of every form that is read, with exceptions down to some depth.
func (w *pairs) provision(head string, own []string, depth int) string {
	out := head
	add := func(chance float64, element string) {
		if w.chance(chance) {
			out += element + ","
		}
	}
	const v3 = `"system":"http://terminology.hl7.org/CodeSystem/v3-`
	add(.2, `"period":{"end":"`+w.when()+`"}`)
	actor := w.one(w.people)
	if w.chance(.3) {
		actor = w.one(w.departments)
	}
	add(.5, `"actor":[{"role":{"coding":[{"code":"IRCP"}]},"reference":{"reference":"`+actor+`"}}]`)
	add(.3, `"purpose":[{`+v3+`ActReason","code":"`+w.one([]string{"TREAT", "HPAYMT", "HOPERAT", "BTG"})+`"}]`)
	add(.2, `"securityLabel":[{`+v3+`Confidentiality","code":"`+w.one([]string{"N", "R"})+`"}]`)
	add(.2, `"class":[{"system":"http://hl7.org/fhir/resource-types","code":"`+w.one([]string{"Observation", "Condition", "Encounter", "DocumentReference", "AllergyIntolerance"})+`"}]`)
	add(.2, `"dataPeriod":{"start":"2025","end":"`+w.one([]string{"2025-02", "2025-03-04", "2025-12-31"})+`"}`)
	add(.2, `"data":[{"meaning":"`+w.one([]string{"instance", "related", "authoredby"})+`","reference":{"reference":"`+w.one(append(own, actor))+`"}}]`)
	if depth > 0 && w.chance(.6) {
		out += `"provision":[` + w.provision(`"type":"`+w.one([]string{"permit", "deny"})+`",`, own, depth-1) + `],`
	}
	return "{" + strings.TrimSuffix(out, ",") + "}"
}

// asker is somebody of the hospital under drawn circumstances.
func (w *pairs) asker(sessions []*identity.Session) access.Principal {
	s := *sessions[w.IntN(len(sessions))]
	s.Person.TrainingDue = w.Now().Add(time.Duration(w.IntN(3)-1) * time.Hour)
	s.Person.Clearances = nil
	for _, label := range []string{"PSY", "HIV", "PSYTHPN"} {
		if w.chance(.2) {
			s.Person.Clearances = append(s.Person.Clearances, label)
		}
	}
	s.Person.Active = !w.chance(.03)
	s.Trust = w.one([]string{policy.Managed, policy.Registered, policy.Unknown})
	s.Zone = w.one([]string{policy.Hospital, policy.Hospital, policy.VPN, policy.Internet})
	s.AAL = 1 + w.IntN(3)
	return access.Person(&s)
}

// What a search across charts gives to somebody is what a decision on each record by itself allows: on a real store, over relations as
// care keeps them, under every kind of circumstance. FILTER_PAIRS says how many pairs of asker and record; `make pairs` asks for
// 5,000,000 on each engine. In a practice, where everybody who treats stands to everybody of the last 24 months, too.
func TestASearchGivesWhatDecisionsAllow(t *testing.T) {
	t.Run("hospital", func(t *testing.T) { searchGivesWhatDecisionsAllow(t, false) })
	t.Run("practice", func(t *testing.T) { searchGivesWhatDecisionsAllow(t, true) })
}

func searchGivesWhatDecisionsAllow(t *testing.T, practice bool) {
	want, patients := 200_000, 100
	if testing.Short() {
		want, patients = 5_000, 45
	}
	if n, err := strconv.Atoi(os.Getenv("FILTER_PAIRS")); err == nil {
		want, patients = n, 300
	}
	if practice {
		want, patients = want/4, patients/2
	}
	place := dbtest.New(t)
	clock := servertest.ClockAt(time.Date(2036, 3, 11, 9, 0, 0, 0, time.UTC)) // the start of the day's clinic
	servertest.StartAt(t, place).Stop()
	w := &pairs{ward: &ward{Server: servertest.OpenOn(t, place.Dir, clock)}, Rand: rand.New(rand.NewPCG(5, 7))}
	w.hospital(t, 40, patients)
	var sessions []*identity.Session
	const people = 60
	for i := range people {
		if i == people/2 {
			clock.Add(901 * time.Second) // the sign-ins of the first half are not fresh
		}
		n := identity.NewPerson{Name: "Some Body", Roles: []string{identity.Roles()[w.IntN(12)]}, TrainingDue: w.Now().AddDate(1, 0, 0)}
		if i < len(w.people) {
			n.Practitioner = w.people[i]
			if w.chance(.75) {
				n.Roles = []string{w.one([]string{identity.Physician, identity.Nurse})}
			}
		}
		if practice && i >= 14 { // more clinicians are no practice
			n.Roles = []string{w.one([]string{identity.FrontDesk, identity.Billing, identity.Privacy, identity.Auditor})}
		}
		capacity := ""
		if i%6 == 0 {
			n.Patient = "Patient/" + w.patients[i%len(w.patients)]
			n.Roles = append(n.Roles, identity.Patient)
			if capacity = identity.StaffCapacity; w.chance(.5) {
				capacity = identity.PatientCapacity
			}
		}
		made, err := w.Persons.CreateForTest(t.Context(), identityAgent, n)
		if err != nil {
			t.Fatal(err)
		}
		p := w.as(t, w.SignIn(t, made, capacity))
		sessions = append(sessions, p.Session)
		for range 2 {
			if err := w.Gate.Grant(t.Context(), p, w.one(w.patients), w.Now().Add(time.Duration(1-2*w.IntN(2))*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if practice {
		if err := w.Gate.DeclarePractice(t.Context(), access.Job(access.Operator), ""); err != nil || !w.Gate.IsPractice() {
			t.Fatal(err)
		}
	}
	shared, withheld := 0, 0
	queries := map[string]*search.Query{}
	all := map[string][]*record.Sealed{}
	for _, typ := range []string{"Patient", "CareTeam", "Consent", "Encounter", "Appointment", "ServiceRequest", "Task", "Condition", "Observation", "AllergyIntolerance", "Coverage", "MedicationRequest", "DocumentReference", "Organization", "Slot"} {
		q, err := search.Parse(typ, url.Values{}, search.Options{Zone: time.UTC, Base: "http://localhost", Now: w.Now(), Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		queries[typ] = q
		if all[typ], err = w.Gate.All(t.Context(), q, ""); err != nil {
			t.Fatal(err)
		}
		for _, x := range all[typ] {
			shared += len(x.Also())
		}
	}
	compared, allowed, askers := 0, 0, 0
	for ; compared < want; askers++ {
		p := w.asker(sessions)
		may := w.Gate.Decider(t.Context(), p)
		for typ, q := range queries {
			found, err := w.Gate.Filtered(t.Context(), p, q, "")
			if err != nil {
				t.Fatal(typ, err)
			}
			for _, x := range all[typ] {
				yes, err := may(x)
				if err != nil {
					t.Fatal(err)
				}
				ref := typ + "/" + x.ID()
				if yes != found[ref] {
					t.Fatalf("%s: decided %v, found %v\n%+v", ref, yes, found[ref], p.Session)
				}
				if w.Gate.Withheld(t.Context(), p, x) {
					withheld++
				}
				if yes {
					allowed++
					delete(found, ref)
				}
			}
			if len(found) > 0 {
				t.Fatalf("%s: found what is not there: %v", typ, found)
			}
			compared += len(all[typ])
		}
	}
	t.Logf("%d pairs of %d askers, %d allowed, %d withheld by patients", compared, askers, allowed, withheld)
	if withheld < compared/100 || withheld > compared/2 {
		t.Errorf("patients withhold %d of %d: the draw asks nothing", withheld, compared)
	}
	if shared == 0 {
		t.Error("no record is about two patients")
	}
	if allowed < compared/50 || allowed > compared/2 {
		t.Errorf("%d of %d allowed: the draw asks nothing", allowed, compared)
	}
}
