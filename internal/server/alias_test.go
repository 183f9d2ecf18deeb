package server_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"chartwarden/internal/server/servertest"
)

// The name of a member of staff in danger, written in every place of a chart that can hold it.
const (
	inDanger  = "Valbona Quarenta"
	herFamily = "quarenta"
	herNumber = "1093817465" // that anybody can look up elsewhere
)

var pendingItem = regexp.MustCompile(`/admin/pending/[a-z0-9]+`)

// plant writes her into the chart and gives her Practitioner.
func (m *marked) plant(t *testing.T) string {
	t.Helper()
	her := "Practitioner/" + m.put(t, `{"resourceType":"Practitioner","active":true,"identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"`+herNumber+`"}],
		"name":[{"family":"Quarenta","given":["Valbona"]}],"telecom":[{"system":"phone","value":"`+herNumber+`"}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Dr. Valbona Quarenta</div>"}}`)
	called := `"reference":"` + her + `","display":"Dr. V. Quarenta, MD","identifier":{"value":"` + herNumber + `"}`
	role := "PractitionerRole/" + m.put(t, `{"resourceType":"PractitionerRole","active":true,"practitioner":{`+called+`},"telecom":[{"system":"phone","value":"`+herNumber+`"}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">QUARENTA</div>"}}`)
	const subject = `"subject":{"reference":"Patient/{patient}"}`
	letter := base64.StdEncoding.EncodeToString([]byte("Seen by Quarenta, Valbona, and by V. Quarenta again."))
	for _, body := range []string{
		`{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP"},` + subject + `,"participant":[{"individual":{` + called + `}}],"period":{"start":"` + m.Now().UTC().Add(-3600e9).Format("2006-01-02T15:04:05Z") + `"}}`,
		`{"resourceType":"CareTeam","status":"active","name":"Team Quarenta",` + subject + `,"participant":[{"member":{"reference":"` + role + `","display":"Quarenta Valbona"}}]}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"Glucose"},` + subject + `,"performer":[{` + called + `}],"note":[{"authorString":"Valbona Quarenta","text":"told Dr. Quarenta’s colleague"}],"valueString":"see QUARENTA"}`,
		`{"resourceType":"Condition",` + subject + `,"code":{"text":"Asthma"},"asserter":{` + called + `},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><b>Valbona</b> Quarenta, &#81;uarenta</div>"}}`,
		`{"resourceType":"MedicationRequest","status":"active","intent":"order","medicationCodeableConcept":{"text":"Insulin"},` + subject + `,"requester":{` + called + `},"dosageInstruction":[{"text":"as Dr Quarenta said"}]}`,
		`{"resourceType":"DocumentReference","status":"current","docStatus":"final","description":"Letter of Dr. Quarenta",` + subject + `,"author":[{` + called + `}],"content":[{"attachment":{"contentType":"text/plain","title":"Quarenta.txt","data":"` + letter + `"}}]}`,
		`{"resourceType":"Communication","status":"completed",` + subject + `,"sender":{` + called + `},"payload":[{"contentString":"Yours, Valbona Quarenta"}]}`,
		`{"resourceType":"Appointment","status":"booked","start":"` + m.Now().UTC().Add(7200e9).Format("2006-01-02T15:04:05Z") + `","end":"` + m.Now().UTC().Add(9000e9).Format("2006-01-02T15:04:05Z") + `","description":"With Quarenta",
			"participant":[{"actor":{"reference":"Patient/{patient}"},"status":"accepted"},{"actor":{` + called + `},"status":"accepted"}]}`,
		`{"resourceType":"Provenance","target":[{"reference":"Patient/{patient}"}],"recorded":"2026-01-01T00:00:00Z","agent":[{"who":{` + called + `}}]}`,
		`{"resourceType":"CarePlan","status":"active","intent":"plan","title":"By Quarenta",` + subject + `,"contained":[{"resourceType":"Practitioner","id":"p","name":[{"family":"Quarenta"}]}],"author":{"reference":"#p"}}`,
	} {
		m.put(t, body)
	}
	return her
}

// leaks tells what of her an answer says, in clear or in base64.
func leaks(body string) string {
	for _, form := range []string{herFamily, herNumber} {
		if strings.Contains(strings.ToLower(body), form) {
			return form
		}
	}
	for _, run := range encoded.FindAllString(body, -1) {
		if plain, err := base64.StdEncoding.DecodeString(run); err == nil && strings.Contains(strings.ToLower(string(plain)), herFamily) {
			return herFamily
		}
	}
	return ""
}

var encoded = regexp.MustCompile(`[A-Za-z0-9+/]{24,}={0,2}`)

// A member of staff in danger stands before patients under an alias, on every way on which a patient gets anything. Two people want it and two
// take it back; officers and the entry keep the person.
func TestPatientsReadAnAliasOnEverySurface(t *testing.T) {
	if testing.Short() {
		t.Skip("walks every route twice: runs without -short")
	}
	m := newMarked(t)
	her := m.plant(t)
	val := m.Person(t, inDanger, "physician", her)
	kim := m.Person(t, "Kim Colleague", "nurse", "")
	ada, ben := m.Person(t, "Ada Admin", "administrator", ""), m.Person(t, "Ben Admin", "administrator", "")
	petra := m.Person(t, "Petra Privacy", "privacy", "")
	maren := m.Patient(t, "Maren", m.patient)
	if a := val.Get(t, "/fhir/Patient/"+m.patient); a.Status != http.StatusOK {
		t.Fatal(a.Status, a.Body)
	}
	entry := val.Get(t, "/fhir/Condition?patient="+m.patient).Header.Get("X-Audit-Entry")
	broken := kim.Get(t, "/fhir/Patient/"+m.patient, "X-Break-Glass", "consulted")
	if broken.Status != http.StatusOK {
		t.Fatal(broken.Status, broken.Body)
	}

	look := func() (found []string) {
		val.Get(t, "/fhir/Condition?patient="+m.patient) // so that the newest lines of the record are hers
		var ways []request
		for _, q := range []string{"/me", "/me/report", "/me/report?format=csv", "/audit/" + entry, "/fhir/Practitioner?name=Quarenta", "/fhir/Practitioner?family=Quarenta", "/fhir/Practitioner?identifier=" + herNumber, "/fhir/Practitioner?_id=" + strings.TrimPrefix(her, "Practitioner/"),
			"/fhir/Encounter?patient=" + m.patient + "&_include=Encounter:participant", "/fhir/" + her + "/_history", "/fhir/PractitionerRole?_include=PractitionerRole:practitioner", "/audit/receipt/" + entry} {
			ways = append(ways, request{method: "GET", path: q})
		}
		for _, w := range append(ways, m.ways()...) {
			header := []string{"Sec-Fetch-Site", "same-origin"}
			if w.kind != "" {
				header = append(header, "Content-Type", w.kind)
			}
			got := maren.Do(t, w.method, w.path, w.body, header...)
			if got.Status >= http.StatusInternalServerError {
				t.Errorf("%s %s: %d %s", w.method, w.path, got.Status, got.Body)
			}
			body := got.Body
			for _, asked := range []string{w.path, url.QueryEscape(w.path)} {
				body = strings.ReplaceAll(body, asked, "")
			}
			body = strings.NewReplacer("name=Quarenta", "", "family=Quarenta", "", "identifier="+herNumber, "").Replace(body) // what she asked with comes back in links
			if form := leaks(body); form != "" {
				found = append(found, w.method+" "+w.path+": …"+excerpt(strings.ToLower(body), form)+"…")
			}
		}
		return found
	}
	if found := look(); len(found) < 20 {
		t.Fatalf("her name comes out in %d ways before she has an alias: the walk proves nothing", len(found))
	}

	agree := func(asks, agrees *servertest.Client, alias string) {
		t.Helper()
		if a := asks.Form(t, "/admin/people/"+val.Person.Person+"/alias", "alias", alias); a.Status != http.StatusSeeOther {
			t.Fatal(a.Status, a.Body)
		}
		item := pendingItem.FindString(agrees.Get(t, "/admin/people").Body)
		if a := asks.Form(t, item, "act", "approve"); a.Status != http.StatusForbidden {
			t.Fatalf("one alone: %d", a.Status)
		}
		if a := agrees.Form(t, item, "act", "approve"); a.Status != http.StatusSeeOther {
			t.Fatal(a.Status, a.Body)
		}
	}
	agree(ada, ben, "yes")
	found := look()
	for _, where := range found[:min(len(found), 12)] {
		t.Error("a patient reads her name by ", where)
	}
	val.Get(t, "/fhir/Condition?patient="+m.patient)
	alias := m.Persons.Alias(val.Person.Person)
	for _, path := range []string{"/me", "/me/report", "/audit/" + entry, "/fhir/" + her, "/fhir/Encounter?patient=" + m.patient} {
		if a := maren.Get(t, path); !strings.Contains(a.Body, alias) {
			t.Errorf("%s does not say the alias: %d", path, a.Status)
		}
	}
	if a := maren.Get(t, "/fhir/Practitioner?name=Quarenta"); strings.Contains(a.Body, strings.TrimPrefix(her, "Practitioner/")) {
		t.Error("who knows the name finds the alias")
	}
	if a := val.Get(t, "/fhir/"+her); !strings.Contains(a.Body, "Quarenta") {
		t.Error("staff no longer reads the name")
	}
	if a := petra.Get(t, "/audit/"+entry); !strings.Contains(a.Body, "Quarenta") {
		t.Errorf("the officer reads no name: %d", a.Status)
	}
	cut := strings.LastIndexByte(entry, '/')
	number, err := strconv.ParseInt(entry[cut+1:], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	index, err := m.Log.Find(entry[:cut], number)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := m.Log.Entry(t.Context(), index)
	if err != nil || seen.Event.Agent.Name != inDanger || seen.Event.Agent.Person != val.Person.Person {
		t.Errorf("the entry lost the person: %+v %v", seen.Event.Agent, err)
	}
	if report, err := m.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("%+v %v", report, err)
	}
	agree(ben, ada, "no")
	if a := maren.Get(t, "/me"); !strings.Contains(a.Body, inDanger) {
		t.Error("two people took it back, and the alias stays")
	}
}
