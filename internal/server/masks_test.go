package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/server/servertest"
)

// marked is a patient each of whose field groups carries a word of its own, in every kind of element that can hold it, so that what
// comes out of a surface tells which groups came out.
type marked struct {
	*servertest.Server
	patient string
	ids     map[string][]string // of what is in the chart, by type
	staff   map[string]string   // Practitioner/id by role
}

// word marks a group. It is nothing that a page would say by itself.
func word(group string) string { return "Q" + group + "q" }

// words are the forms in which a mark can come out.
func words(group string) []string {
	return []string{word(group), base64.StdEncoding.EncodeToString([]byte(word(group)))}
}

var markedGroups = strings.Fields("demographics identifiers contact scheduling billing medications results clinical notes allergy label therapy draft")

func newMarked(t *testing.T) *marked {
	t.Helper()
	m := &marked{Server: servertest.Start(t), ids: map[string][]string{}, staff: map[string]string{}}
	for _, role := range []string{"physician", "nurse", "medical-assistant", "pharmacist", "technician"} {
		m.staff[role] = "Practitioner/" + m.put(t, `{"resourceType":"Practitioner","name":[{"family":"Of","given":["`+role+`"]}]}`)
	}
	// SSN, insurance and passport numbers, narrative and contained resources are identifiers; the rest is demographics and contact.
	m.patient = m.put(t, `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{identifiers}</div>"},
		"contained":[{"resourceType":"Organization","id":"o","name":"{identifiers}"}],"managingOrganization":{"reference":"#o"},
		"identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"{identifiers}"},{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"value":"{identifiers}"}],
		"name":[{"family":"{demographics}","given":["Maren"]}],"birthDate":"1961-03-14","gender":"female",
		"telecom":[{"system":"phone","value":"{contact}"},{"system":"email","value":"{contact}@example.org"}],"address":[{"line":["{contact}"],"city":"{contact}"}],
		"contact":[{"name":{"family":"{contact}"},"telecom":[{"system":"phone","value":"{contact}"}]}]}`)
	now := m.Now().UTC()
	at := func(minutes int) string {
		return now.Add(time.Duration(minutes) * time.Minute).Format("2006-01-02T15:04:05Z")
	}
	var taking []string
	for _, role := range []string{"physician", "nurse", "medical-assistant", "pharmacist", "technician"} {
		taking = append(taking, `{"individual":{"reference":"`+m.staff[role]+`"}}`)
	}
	const subject = `"subject":{"reference":"Patient/{patient}"}`
	for _, body := range []string{
		`{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},` + subject + `,
			"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{clinical}</div>"},"serviceType":{"text":"{scheduling}"},"type":[{"text":"{clinical}"}],
			"reasonCode":[{"text":"{clinical}"}],"hospitalization":{"dietPreference":[{"text":"{clinical}"}]},"identifier":[{"value":"{scheduling}"}],
			"participant":[` + strings.Join(taking, ",") + `],"period":{"start":"` + at(-60) + `"}}`,
		`{"resourceType":"Appointment","status":"booked","serviceType":[{"text":"{scheduling}"}],"description":"{clinical}","comment":"{clinical}","patientInstruction":"{clinical}","reasonCode":[{"text":"{clinical}"}],
			"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{clinical}</div>"},"start":"` + at(30) + `","end":"` + at(50) + `",
			"participant":[{"actor":{"reference":"Patient/{patient}"},"status":"accepted"},{"actor":{"reference":"` + m.staff["physician"] + `"},"status":"accepted"}]}`,
		`{"resourceType":"RelatedPerson","patient":{"reference":"Patient/{patient}"},"identifier":[{"value":"{identifiers}"}],"name":[{"family":"{contact}"}],"telecom":[{"system":"phone","value":"{contact}"}]}`,
		`{"resourceType":"Coverage","status":"active","beneficiary":{"reference":"Patient/{patient}"},"subscriberId":"{billing}","payor":[{"display":"{billing}"}],"class":[{"type":{"text":"group"},"value":"{billing}"}]}`,
		`{"resourceType":"Account","status":"active","name":"{billing}","subject":[{"reference":"Patient/{patient}"}]}`,
		`{"resourceType":"Claim","status":"active","type":{"text":"{billing}"},"use":"claim","patient":{"reference":"Patient/{patient}"},"created":"2026-01-01","provider":{"display":"{billing}"},
			"priority":{"text":"normal"},"insurance":[{"sequence":1,"focal":true,"coverage":{"display":"{billing}"}}],"total":{"value":120,"currency":"USD"}}`,
		`{"resourceType":"MedicationRequest","status":"active","intent":"order","medicationCodeableConcept":{"text":"{medications}"},` + subject + `,"dosageInstruction":[{"text":"{medications}"}],"authoredOn":"` + at(-90) + `"}`,
		`{"resourceType":"MedicationStatement","status":"active","medicationCodeableConcept":{"text":"{medications}"},` + subject + `}`,
		`{"resourceType":"MedicationAdministration","status":"completed","medicationCodeableConcept":{"text":"{medications}"},` + subject + `,"effectiveDateTime":"` + at(-30) + `"}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"{results}"},` + subject + `,"valueString":"{results}","note":[{"text":"{results}"}],"effectiveDateTime":"` + at(-40) + `"}`,
		`{"resourceType":"Observation","status":"preliminary","code":{"text":"{draft}"},` + subject + `,"valueString":"{draft}","effectiveDateTime":"` + at(-41) + `"}`,
		`{"resourceType":"DiagnosticReport","status":"final","code":{"text":"{results}"},` + subject + `,"conclusion":"{results}","effectiveDateTime":"` + at(-40) + `"}`,
		`{"resourceType":"Condition","code":{"text":"{clinical}"},` + subject + `,"note":[{"text":"{clinical}"}],"recordedDate":"` + at(-90) + `"}`,
		`{"resourceType":"Condition",` + security("PSY") + `"code":{"text":"{label}"},` + subject + `,"note":[{"text":"{label}"}],"recordedDate":"` + at(-91) + `"}`,
		`{"resourceType":"Procedure","status":"completed","code":{"text":"{clinical}"},` + subject + `}`,
		`{"resourceType":"Procedure","status":"completed",` + security("HIV") + `"code":{"text":"{label}"},` + subject + `}`,
		`{"resourceType":"Observation","status":"final",` + security("SDV") + `"code":{"text":"{label}"},` + subject + `,"valueString":"{label}","effectiveDateTime":"` + at(-42) + `"}`,
		`{"resourceType":"MedicationRequest","status":"active","intent":"order",` + security("SUD") + `"medicationCodeableConcept":{"text":"{label}"},` + subject + `,"authoredOn":"` + at(-92) + `"}`,
		`{"resourceType":"Encounter","status":"finished",` + security("BH") + `"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},` + subject + `,"serviceType":{"text":"{label}"},
			"period":{"start":"` + at(-900) + `","end":"` + at(-800) + `"}}`,
		`{"resourceType":"Appointment","status":"booked",` + security("ETH") + `"serviceType":[{"text":"{label}"}],"start":"` + at(60) + `","end":"` + at(80) + `",
			"participant":[{"actor":{"reference":"Patient/{patient}"},"status":"accepted"}]}`,
		`{"resourceType":"AllergyIntolerance",` + security("PSY") + `"code":{"text":"{allergy}"},"patient":{"reference":"Patient/{patient}"},"reaction":[{"manifestation":[{"text":"{allergy}"}]}]}`,
		`{"resourceType":"Immunization","status":"completed","vaccineCode":{"text":"{clinical}"},"patient":{"reference":"Patient/{patient}"},"occurrenceDateTime":"` + at(-3000) + `"}`,
		`{"resourceType":"CarePlan","status":"active","intent":"plan","title":"{clinical}",` + subject + `}`,
		`{"resourceType":"DocumentReference","status":"current","docStatus":"final","description":"{notes}",` + subject + `,"type":{"text":"{notes}"},
			"content":[{"attachment":{"contentType":"text/plain","title":"{notes}","data":"{notes64}"}}],"date":"` + at(-70) + `"}`,
		`{"resourceType":"DocumentReference","status":"current","docStatus":"final",` + security("PSYTHPN") + `"description":"{therapy}",` + subject + `,"type":{"text":"{therapy}"},
			"content":[{"attachment":{"contentType":"text/plain","title":"{therapy}","data":"{therapy64}"}}],"date":"` + at(-71) + `"}`,
		`{"resourceType":"Communication","status":"completed",` + subject + `,"payload":[{"contentString":"{notes}"}]}`,
	} {
		m.put(t, body)
	}
	return m
}

func security(label string) string {
	return `"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"` + label + `"}]},`
}

// put stores a resource, with words for its marks, as the importer and gives its id.
func (m *marked) put(t testing.TB, body string) string {
	t.Helper()
	body = strings.ReplaceAll(body, "{patient}", m.patient)
	for _, group := range markedGroups {
		body = strings.ReplaceAll(body, "{"+group+"}", word(group))
		body = strings.ReplaceAll(body, "{"+group+"64}", words(group)[1])
	}
	doc, err := document.Parse([]byte(body))
	if err != nil {
		t.Fatal(err, body)
	}
	done, err := m.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		t.Fatalf("%s: %v", doc.Type(), err)
	}
	id := done[0].Written.ID
	m.ids[doc.Type()] = append(m.ids[doc.Type()], id)
	return id
}

// ways are all requests that could bring something of the patient out, for a person of any role.
func (m *marked) ways() (out []request) {
	get := func(path string) { out = append(out, request{method: "GET", path: path}) }
	form := func(path string, fields url.Values) {
		out = append(out, request{"POST", path, fields.Encode(), "application/x-www-form-urlencoded"})
	}
	var types []string
	for typ := range m.ids {
		types = append(types, typ)
	}
	slices.Sort(types)
	var batch []string
	for _, typ := range types {
		of := "?patient=" + m.patient
		if typ == "Patient" {
			of = "?_id=" + m.patient
		}
		if typ == "Practitioner" {
			of = "?_count=5"
		}
		for _, more := range []string{"", "&_summary=text", "&_summary=data", "&_elements=text,identifier,code,description,serviceType,type", "&_total=accurate", "&_include=" + typ + ":patient", "&_include=" + typ + ":subject", "&_include=*"} {
			get("/fhir/" + typ + of + more)
		}
		get("/fhir/" + typ)
		get("/fhir/" + typ + "?_sort=-_lastUpdated&_count=2")
		get("/fhir/" + typ + "/_history")
		form("/fhir/"+typ+"/_search", url.Values{"patient": {m.patient}})
		get("/fhir/Patient?_id=" + m.patient + "&_revinclude=" + typ + ":patient&_revinclude=" + typ + ":subject")
		batch = append(batch, `{"request":{"method":"GET","url":"`+typ+of+`"}}`)
		for _, id := range m.ids[typ] {
			batch = append(batch, `{"request":{"method":"GET","url":"`+typ+"/"+id+`"}}`)
			for _, more := range []string{"", "?_summary=text", "?_elements=text", "/_history", "/_history/1"} {
				get("/fhir/" + typ + "/" + id + more)
			}
		}
	}
	get("/fhir/_history")
	get("/fhir/Patient/" + m.patient + "/$everything")
	out = append(out, request{"POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[` + strings.Join(batch, ",") + `]}`, "application/fhir+json"})
	for _, r := range m.Routes() {
		switch {
		case strings.HasPrefix(r.Pattern, "/fhir"), strings.HasPrefix(r.Pattern, "/static"), r.Pattern == "/events", r.Pattern == "/session/test", strings.HasPrefix(r.Pattern, "/scim"):
		case r.Method == "GET" || r.Method == "":
			for _, path := range m.fill(r.Pattern) {
				get(path)
			}
		case strings.HasSuffix(r.Pattern, "/print"):
			for _, path := range m.fill(r.Pattern) {
				form(path, url.Values{})
			}
		}
	}
	for _, q := range []url.Values{{"name": {word("demographics")}, "birthdate": {"1961-03-14"}}, {"name": {word("demographics")}}, {"mrn": {word("identifiers")}}, {"q": {word("demographics")}}} {
		form("/find", q)
		form("/desk/new", q)
	}
	get("/billing?q=" + word("demographics"))
	get("/desk?q=" + word("demographics"))
	return out
}

type request struct{ method, path, body, kind string }

// fill puts what there is into the wildcards of a route.
func (m *marked) fill(pattern string) []string {
	out := []string{pattern}
	each := func(wildcard string, values ...string) {
		var more []string
		for _, p := range out {
			if !strings.Contains(p, wildcard) {
				more = append(more, p)
				continue
			}
			for _, v := range values {
				more = append(more, strings.ReplaceAll(p, wildcard, v))
			}
		}
		out = more
	}
	var entries []string
	state := m.Log.State()
	for i := max(0, state.Size-6); i < state.Size; i++ {
		entries = append(entries, fmt.Sprintf("%s/%d", state.Origin, i))
	}
	each("{patient}", m.patient)
	each("{item}", slices.Concat(m.ids["Observation"], m.ids["DiagnosticReport"], m.ids["Condition"], []string{"1"})...)
	each("{note}", slices.Concat(m.ids["DocumentReference"], m.ids["Communication"])...)
	each("{document}", slices.Concat(m.ids["DocumentReference"], m.ids["Communication"])...)
	each("{appointment}", m.ids["Appointment"]...)
	each("{review}", "1", "2")
	each("{entry...}", entries...)
	each("{entry}", entries...)
	each("{$}", "")
	for _, rest := range []string{"{person}", "{link}", "{case}", "{passkey}", "{authorization}", "{question}", "{id}", "{vid}", "{type}"} {
		each(rest, "1")
	}
	return out
}

// Every role asks for everything on every surface. Only words of the groups come out that the role may see of this patient, whatever
// the way; and each of those does come out somewhere, so that the silence of the others means something.
func TestMasksOnEverySurface(t *testing.T) {
	if testing.Short() {
		t.Skip("walks every route: runs without -short")
	}
	m := newMarked(t)
	treats := strings.Fields("demographics identifiers contact scheduling billing medications results clinical notes allergy draft")
	type asker struct {
		name string
		*servertest.Client
		sees []string
		asks []string // marks that the asker knows already, by asking with them, and pages show in their fields
	}
	var all []asker
	for _, role := range []string{"physician", "nurse", "medical-assistant", "pharmacist", "technician"} {
		all = append(all, asker{role, m.Person(t, "Kim "+role, role, m.staff[role]), treats, nil},
			asker{"unrelated " + role, m.Person(t, "Sam "+role, role, ""), []string{"demographics"}, nil})
	}
	all = append(all,
		asker{"front-desk", m.Person(t, "Dana Desk", "front-desk", ""), strings.Fields("demographics contact scheduling"), nil},
		asker{"billing", m.Person(t, "Bo Bill", "billing", ""), strings.Fields("demographics billing"), nil},
		asker{"hr", m.Person(t, "Hanna Hr", "hr", ""), nil, nil},
		asker{"privacy", m.Person(t, "Petra Privacy", "privacy", ""), []string{"demographics"}, nil},
		asker{"security", m.Person(t, "Sol Security", "security", ""), nil, nil},
		asker{"administrator", m.Person(t, "Ada Admin", "administrator", ""), nil, nil},
		asker{"auditor", m.Person(t, "Otto Auditor", "auditor", ""), nil, nil},
		asker{"patient", m.Patient(t, "Maren", m.patient), strings.Fields("demographics identifiers contact scheduling billing medications results clinical notes allergy label"), nil})
	ways := m.ways()
	for _, who := range all {
		seen := map[string]bool{}
		for _, w := range ways {
			header := []string{"Sec-Fetch-Site", "same-origin"}
			if w.kind != "" {
				header = append(header, "Content-Type", w.kind)
			}
			got := who.Do(t, w.method, w.path, w.body, header...)
			if got.Status >= http.StatusInternalServerError {
				t.Errorf("%s %s %s: %d %s", who.name, w.method, w.path, got.Status, got.Body)
			}
			for _, group := range markedGroups {
				for _, form := range words(group) {
					if strings.Contains(w.path+w.body, form) { // a field shows what was typed into it
						continue
					}
					if !strings.Contains(got.Body, form) {
						continue
					}
					if seen[group] = true; !slices.Contains(who.sees, group) {
						t.Errorf("%s sees %s by %s %s: %d …%s…", who.name, group, w.method, w.path, got.Status, excerpt(got.Body, form))
					}
				}
			}
		}
		for _, group := range who.sees {
			if !seen[group] && !strings.HasPrefix(who.name, "unrelated") && who.name != "privacy" { // who only finds, asks by the name
				t.Errorf("%s sees nothing of %s anywhere", who.name, group)
			}
		}
	}
	t.Logf("%d ways, %d people", len(ways), len(all))
}
