package access_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// pcfRecords are the records by which the published consents are judged: id, sensitivity, confidentiality, when, author. The first five are
// those of the profile, in one encounter; mood and other are ours, so that consents about psychiatry, an author, an encounter and a
// year tell records apart. Other belongs to another encounter.
// Source: https://github.com/IHE/ITI.PCF, input/fsh/ex-sensitive.fsh.
const pcfRecords = `
alcohol  ETHUD R 2022-06-13                ex-author
sugar    -     N 2020-12-04T23:50:50-05:00 ex-author
pressure -     N 2004-12-25T23:50:50-05:00 ex-author
weight   -     N 2004-12-25T23:50:50-05:00 ex-author
weight2  -     N 2016-03-28                ex-author
mood     PSY   R 2016-03-28                ex-author
other    -     N 2022-03-01                ex-practitioner`

// pcfConsents is what each published consent leaves to its recipient (ex-practitioner) and to another doctor who treats the patient. The
// third column is the same for all: everything opens by the glass, to anybody who may break it, and is told (docs/adr/0192). A consent that speaks of
// another purpose, or has expired, leaves everything to the rules of the house (docs/adr/0192).
// Source: https://github.com/IHE/ITI.PCF, input/fsh/consent.fsh.
var pcfConsents = []struct{ name, provision, recipient, another string }{
	{"basic-treat", `"type":"permit",TPO`, "all", "all"},
	{"basic-treat-infant", `"type":"permit",TPO`, "all", "all"},
	{"basic-ink", `"type":"permit",TPO`, "all", "all"},
	{"expired-treat", `"type":"permit","period":{"end":"2022-12-31"},TPO`, "all", "all"},
	{"basic-reject", `"type":"deny",TPO`, "", ""},
	{"basic-research", `"type":"permit","purpose":[HRESCH]`, "all", "all"},
	{"intermediate-timeframe", `"type":"permit","dataPeriod":{"start":"2022-01-01","end":"2022-12-31"},TPO`, "alcohol other", "alcohol other"},
	{"intermediate-not-timeframe", `"type":"permit",TPO,"provision":[{"type":"deny","dataPeriod":{"start":"2022-01-01","end":"2022-12-31"}}]`,
		"sugar pressure weight weight2 mood", "sugar pressure weight weight2 mood"},
	{"intermediate-authoredby", `"type":"permit",TPO,"data":[{"meaning":"authoredby",EXPRACTITIONER}]`, "other", "other"},
	{"intermediate-not-authoredby", `"type":"permit",TPO,"provision":[{"type":"deny","data":[{"meaning":"authoredby",EXPRACTITIONER}]}]`,
		"alcohol sugar pressure weight weight2 mood", "alcohol sugar pressure weight weight2 mood"},
	{"intermediate-encounter", `"type":"permit",TPO,"data":[{"meaning":"related",EXENCOUNTER}]`, "alcohol sugar pressure weight weight2 mood", "alcohol sugar pressure weight weight2 mood"},
	{"intermediate-not-encounter", `"type":"permit",TPO,"provision":[{"type":"deny","data":[{"meaning":"related",EXENCOUNTER}]}]`, "other", "other"},
	{"intermediate-data", `"type":"permit",TPO,"data":[{"meaning":"instance",EXENCOUNTER},{"meaning":"instance",RECORD-weight2},{"meaning":"instance",RECORD-weight},
		{"meaning":"instance",RECORD-pressure},{"meaning":"instance",RECORD-sugar},{"meaning":"instance",RECORD-alcohol}]`,
		"alcohol sugar pressure weight weight2", "alcohol sugar pressure weight weight2"},
	{"intermediate-not-data", `"type":"permit",TPO,"provision":[{"type":"deny","data":[{"meaning":"instance",RECORD-alcohol}]}]`,
		"sugar pressure weight weight2 mood other", "sugar pressure weight weight2 mood other"},
	{"intermediate-purpose", `"type":"permit","purpose":[{"system":"http://example.org/policies/purposeOfUse","code":"FooBar"}],ACTOR-Organization/ex-org-researcher`, "all", "all"},
	{"dissent-intermediate-break-glass", `"type":"deny","provision":[{"type":"permit","purpose":[BTG],ACTOR-Group/ex-privileged}]`, "", ""},
	{"advanced-normal", `"type":"permit",TPO,"securityLabel":[N]`, "sugar pressure weight weight2 other", "sugar pressure weight weight2 other"},
	{"advanced-normal-restricted", `"type":"permit",TPO,"securityLabel":[N,R]`, "all", "all"},
	{"advanced-normal-not-restricted", `"type":"permit",TPO,"securityLabel":[N],"provision":[{"type":"deny","securityLabel":[R]}]`,
		"sugar pressure weight weight2 other", "sugar pressure weight weight2 other"},
	{"advanced-normal-focused-restricted", `"type":"permit",TPO,"securityLabel":[N],"provision":[{"type":"permit","securityLabel":[R],ACTOR-Practitioner/ex-practitioner}]`,
		"all", "sugar pressure weight weight2 other"},
	{"advanced-normal-focused-psy", `"type":"permit",TPO,"securityLabel":[N],"provision":[{"type":"permit","securityLabel":[PSY],ACTOR-Practitioner/ex-practitioner}]`,
		"sugar pressure weight weight2 mood other", "sugar pressure weight weight2 other"},
	{"advanced-normal-focused-psy-or-sdv", `"type":"permit",TPO,"securityLabel":[N],"provision":[{"type":"permit","securityLabel":[PSY,SDV],ACTOR-Practitioner/ex-practitioner}]`,
		"sugar pressure weight weight2 mood other", "sugar pressure weight weight2 other"},
	{"advanced-normal-break-glass-restricted", `"type":"permit",TPO,"securityLabel":[N],"provision":[{"type":"permit","purpose":[BTG],"securityLabel":[R],ACTOR-Group/ex-privileged}]`,
		"sugar pressure weight weight2 other", "sugar pressure weight weight2 other"},
}

var pcfWords = strings.NewReplacer(
	"TPO", `"purpose":[TREAT,HPAYMT,HOPERAT]`,
	"[TREAT,HPAYMT,HOPERAT]", `[{"code":"TREAT"},{"code":"HPAYMT"},{"code":"HOPERAT"}]`,
	"[HRESCH]", `[{"code":"HRESCH"}]`, "[BTG]", `[{"code":"BTG"}]`,
	"[N]", confidentiality("N"), "[R]", confidentiality("R"), "[N,R]", confidentiality("N", "R"), "[PSY]", sensitivity("PSY"), "[PSY,SDV]", sensitivity("PSY", "SDV"),
)

func confidentiality(codes ...string) string {
	return codings("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", codes...)
}

func sensitivity(codes ...string) string {
	return codings("http://terminology.hl7.org/CodeSystem/v3-ActCode", codes...)
}

func codings(system string, codes ...string) string {
	var out []string
	for _, code := range codes {
		out = append(out, `{"system":"`+system+`","code":"`+code+`"}`)
	}
	return "[" + strings.Join(out, ",") + "]"
}

const consentHead = `"status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
	"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"dateTime":"2022-06-13","policy":[{"uri":"http://example.org/policies/basePrivacyConsentPolicy.txt"}],`

func consentOf(patient, provision string) string {
	return `{"resourceType":"Consent",` + consentHead + `"patient":{"reference":"Patient/` + patient + `"},"provision":{` + provision + `}}`
}

// named stores resources under ids of ours.
func (w *ward) named(t testing.TB, bodies ...string) {
	t.Helper()
	var entries []access.Entry
	for _, body := range bodies {
		doc, err := document.Parse([]byte(body))
		if err != nil {
			t.Fatal(err, body)
		}
		entries = append(entries, access.Entry{Method: "PUT", URL: doc.Type() + "/" + doc.ID(), Doc: doc})
	}
	done, err := w.Gate.Import(t.Context(), access.Job("import"), entries)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range done {
		if d.Err != nil {
			t.Fatal(bodies[i], d.Err)
		}
	}
}

// trusted is a person who may see the labels of the examples.
func (w *ward) trusted(t testing.TB, name, role, practitioner string) *servertest.Client {
	t.Helper()
	made, err := w.Persons.CreateForTest(t.Context(), identityAgent, identity.NewPerson{Name: name, Roles: []string{role}, Practitioner: practitioner,
		Clearances: []string{"ETHUD", "PSY", "R"}, TrainingDue: w.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return w.SignIn(t, made, "")
}

func words(s string) string {
	return strings.Join(slices.Sorted(slices.Values(strings.Fields(s))), " ")
}

// The consents that IHE publishes with its profile Privacy Consent on FHIR, each on a chart of its own, asked by a read of each record and by a search.
func TestPCFExamples(t *testing.T) {
	w := &ward{Server: servertest.Start(t)}
	w.named(t, `{"resourceType":"Practitioner","id":"ex-practitioner"}`, `{"resourceType":"Practitioner","id":"ex-author"}`, `{"resourceType":"Practitioner","id":"ex-other"}`,
		`{"resourceType":"Organization","id":"ex-org-researcher","name":"Research"}`,
		`{"resourceType":"Group","id":"ex-privileged","active":true,"type":"practitioner","actual":true,"member":[{"entity":{"reference":"Practitioner/ex-practitioner"}}]}`)
	recipient, another := w.trusted(t, "Rea Cipient", "physician", "Practitioner/ex-practitioner"), w.trusted(t, "An Other", "physician", "Practitioner/ex-other")
	stranger := w.trusted(t, "Stra Nger", "nurse", "")
	all := ""
	for line := range strings.Lines(strings.TrimSpace(pcfRecords)) {
		all += " " + strings.Fields(line)[0]
	}
	for _, example := range pcfConsents {
		id := example.name
		subject := `"subject":{"reference":"Patient/` + id + `"}`
		encounter := func(name string) string {
			return `{"resourceType":"Encounter","id":"` + id + "-" + name + `","status":"in-progress","class":{"code":"AMB"},` + subject + `,"period":{"start":"2022-01-01"},
				"participant":[{"individual":{"reference":"Practitioner/ex-practitioner"}},{"individual":{"reference":"Practitioner/ex-other"}}]}`
		}
		bodies := []string{`{"resourceType":"Patient","id":"` + id + `","name":[{"family":"Okafor"}]}`, encounter("visit"), encounter("later")}
		for line := range strings.Lines(strings.TrimSpace(pcfRecords)) {
			f := strings.Fields(line)
			security := confidentiality(f[2])
			if f[1] != "-" {
				security = strings.TrimSuffix(security, "]") + "," + strings.TrimPrefix(sensitivity(f[1]), "[")
			}
			at := "visit"
			if f[0] == "other" {
				at = "later"
			}
			bodies = append(bodies, `{"resourceType":"Observation","id":"`+id+"-"+f[0]+`","meta":{"security":`+security+`},"status":"final","code":{"text":"`+f[0]+`"},`+subject+`,
				"encounter":{"reference":"Encounter/`+id+"-"+at+`"},"effectiveDateTime":"`+f[3]+`","performer":[{"reference":"Practitioner/`+f[4]+`"}]}`)
		}
		provision := pcfWords.Replace(pcfWords.Replace(example.provision))
		provision = strings.NewReplacer("EXPRACTITIONER", `"reference":{"reference":"Practitioner/ex-practitioner"}`, "EXENCOUNTER", `"reference":{"reference":"Encounter/`+id+`-visit"}`).Replace(provision)
		for _, name := range strings.Fields(all) {
			provision = strings.NewReplacer("RECORD-"+name+"}", `"reference":{"reference":"Observation/`+id+"-"+name+`"}}`).Replace(provision)
		}
		for _, actor := range []string{"Practitioner/ex-practitioner", "Group/ex-privileged", "Organization/ex-org-researcher"} {
			provision = strings.ReplaceAll(provision, "ACTOR-"+actor, `"actor":[{"role":{"coding":[{"code":"IRCP"}]},"reference":{"reference":"`+actor+`"}}]`)
		}
		bodies = append(bodies, `{"id":"`+id+`-consent",`+consentOf(id, provision)[1:])
		w.named(t, bodies...)
		sees := func(c *servertest.Client) string {
			read, found := []string{}, []string{}
			for _, name := range strings.Fields(all) {
				if got := c.Get(t, "/fhir/Observation/"+id+"-"+name); got.Status == http.StatusOK {
					read = append(read, name)
				} else if !strings.Contains(got.Body, "The patient restricted who may see this.") || !strings.Contains(got.Body, "break-glass-available") {
					t.Errorf("%s: the refusal of %s does not say why, or offers no glass: %d %s", id, name, got.Status, got.Body)
				}
			}
			var b struct {
				Entry []struct{ Resource struct{ ID string } }
			}
			if got := c.Get(t, "/fhir/Observation?patient="+id); got.Status == http.StatusOK {
				if err := json.Unmarshal([]byte(got.Body), &b); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range b.Entry {
				found = append(found, strings.TrimPrefix(e.Resource.ID, id+"-"))
			}
			slices.Sort(read)
			slices.Sort(found)
			if !slices.Equal(read, found) {
				t.Errorf("%s: reads %v, finds %v", id, read, found)
			}
			return strings.Join(read, " ")
		}
		if got, want := sees(recipient), words(strings.Replace(example.recipient, "all", all, 1)); got != want {
			t.Errorf("%s: the recipient sees %q, not %q", id, got, want)
		}
		if got, want := sees(another), words(strings.Replace(example.another, "all", all, 1)); got != want {
			t.Errorf("%s: another doctor sees %q, not %q", id, got, want)
		}
		if err := w.Gate.Grant(t.Context(), w.as(t, stranger), id, w.Now().Add(time.Hour)); err != nil { // a person opens one closed chart in ten seconds
			t.Fatal(err)
		}
		if got := sees(stranger); got != words(all) {
			t.Errorf("%s: by the glass %q", id, got)
		}
	}
}

// A restriction of one doctor who treats the patient: closed on every surface, with the glass as the one way in. It says nothing of what is
// hidden, cannot be lifted by the one it names, and ends with the next request.
func TestARestrictionOnEverySurface(t *testing.T) {
	w := newWard(t)
	w.named(t, `{"resourceType":"Practitioner","id":"dr-x","name":[{"family":"Exner"}]}`)
	w.checkIn(t, "Practitioner/dr-x", w.maren)
	w.checkIn(t, w.anna, w.maren)
	w.put(t, `{"resourceType":"DocumentReference","status":"current","subject":{"reference":"Patient/`+w.maren+`"},"description":"Asthma plan","content":[{"attachment":{"title":"Asthma plan"}}]}`)
	x, anna := w.trusted(t, "Xaver Exner", "physician", "Practitioner/dr-x"), w.trusted(t, "Anna Lindqvist", "physician", w.anna)
	surfaces := []string{"/fhir/Condition?patient=" + w.maren, "/fhir/Condition?_summary=count", "/fhir/DocumentReference?patient=" + w.maren, "/fhir/Patient/" + w.maren + "/$everything",
		"/fhir/Patient?_id=" + w.maren + "&_revinclude=Condition:patient", "/fhir/Patient?_has:Condition:patient:code:text=Asthma", "/fhir/Condition/_history", "/chart/" + w.maren, "/chart/" + w.maren + "/documents"}
	shown := func(c *servertest.Client) (out []string) {
		for _, path := range surfaces {
			if got := c.Get(t, path); strings.Contains(got.Body, "Asthma") {
				out = append(out, path)
			}
		}
		return out
	}
	if got := shown(x); len(got) < 5 {
		t.Fatalf("before the restriction only %v", got)
	}
	deny := `"type":"permit","provision":[{"type":"deny","actor":[{"role":{"coding":[{"code":"IRCP"}]},"reference":{"reference":"Practitioner/dr-x"}}]}]`
	if got := w.Person(t, "Nils", "nurse", w.anna).Do(t, "POST", "/fhir/Consent", consentOf(w.maren, deny)); got.Status != http.StatusForbidden {
		t.Errorf("a nurse enters a restriction: %d %s", got.Status, got.Body)
	}
	desk := w.Person(t, "Marcus Hale", "front-desk", "")
	if got := desk.Do(t, "POST", "/fhir/Consent", consentOf(w.maren, strings.ReplaceAll(deny, "Practitioner/dr-x", "Patient/"+w.otto))); got.Status != http.StatusBadRequest && got.Status != http.StatusUnprocessableEntity ||
		!strings.Contains(got.Body, "Consent.provision.provision.actor.reference") {
		t.Errorf("a restriction that cannot be kept is taken: %d %s", got.Status, got.Body)
	}
	made := desk.Do(t, "POST", "/fhir/Consent", consentOf(w.maren, deny))
	if made.Status != http.StatusCreated {
		t.Fatalf("the desk enters a restriction: %d %s", made.Status, made.Body)
	}
	var consent struct{ ID string }
	if err := json.Unmarshal([]byte(made.Body), &consent); err != nil {
		t.Fatal(err)
	}
	if got := shown(x); len(got) > 0 {
		t.Errorf("the restricted doctor is shown %v", got)
	}
	if got := x.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "The patient restricted who may see this.") || !strings.Contains(got.Body, "break-glass-available") {
		t.Errorf("the refusal: %d %s", got.Status, got.Body)
	}
	if got := x.Get(t, "/fhir/AllergyIntolerance?patient="+w.maren); !strings.Contains(got.Body, "Penicillin") && got.Status != http.StatusForbidden {
		t.Errorf("the allergy: %d %s", got.Status, got.Body)
	}
	if got := x.Get(t, "/fhir/Consent/"+consent.ID); got.Status != http.StatusForbidden || strings.Contains(got.Body, "dr-x") {
		t.Errorf("reads the consent that names him: %d %s", got.Status, got.Body)
	}
	lifted := strings.Replace(`{"id":"`+consent.ID+`",`+consentOf(w.maren, deny)[1:], `"active"`, `"inactive"`, 1)
	for name, got := range map[string]servertest.Answer{
		"changes":              x.Do(t, "PUT", "/fhir/Consent/"+consent.ID, lifted),
		"deletes":              x.Do(t, "DELETE", "/fhir/Consent/"+consent.ID, ""),
		"by the glass changes": x.Do(t, "PUT", "/fhir/Consent/"+consent.ID, lifted, "X-Break-Glass", "emergency"),
	} {
		if got.Status != http.StatusForbidden {
			t.Errorf("the restricted doctor %s the consent: %d %s", name, got.Status, got.Body)
		}
	}
	if got := shown(anna); len(got) < 5 {
		t.Errorf("her colleague is shown only %v", got)
	}
	if got := x.Get(t, "/fhir/Condition?patient="+w.maren, "X-Break-Glass", "emergency"); got.Status != http.StatusOK || !strings.Contains(got.Body, "Asthma") {
		t.Errorf("the glass does not open: %d %s", got.Status, got.Body)
	}
	if got := shown(x); len(got) < 5 {
		t.Errorf("with the glass only %v", got)
	}
	if err := w.Gate.GiveBack(t.Context(), w.as(t, x), w.maren); err != nil {
		t.Fatal(err)
	}
	if got := shown(x); len(got) > 0 {
		t.Errorf("after the glass was given back: %v", got)
	}
	if got := desk.Do(t, "PUT", "/fhir/Consent/"+consent.ID, lifted); got.Status != http.StatusOK {
		t.Fatalf("the desk ends the restriction: %d %s", got.Status, got.Body)
	}
	if got := shown(x); len(got) < 5 {
		t.Errorf("after the end of the restriction only %v", got)
	}
}
