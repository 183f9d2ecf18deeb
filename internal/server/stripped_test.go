package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search/searchtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// strippedWorld is what the records of ward can be asked by. Patients' numbers, addresses and telephones, what an appointment is for and
// the type of a visit are held back from some who may see the rest of the record.
var strippedWorld = searchtest.World{
	Conditions: map[string][]string{
		"Patient":           {"family=family0", "birthdate=ge1970", "gender=male", "gender:not=male", "identifier=n|3,n|4,n|5", "identifier:missing=false", "phone=555-2", "address-city=town1", "general-practitioner=Practitioner/doc1", "_id=pat0,pat2,pat4,pat6"},
		"Encounter":         {"status=finished", "class=AMB", "class:not=AMB", "type=t0", "type:missing=false", "reason-code=r1", "date=ge2026", "subject=pat0,pat1,pat2", "participant=Practitioner/doc2"},
		"Observation":       {"code=c0", "code=s|c1,s|c2", "code:not=c2", "status=final", "status:not=final", "date=lt2026", "_security=PSY", "_security:not=PSY", "value-quantity=gt5"},
		"Condition":         {"code=c0", "code:not=c1", "clinical-status=active", "recorded-date=ge2026", "_security=HIV"},
		"MedicationRequest": {"code=c0,c1", "status=active", "authoredon=ge2026", "intent=order"},
		"Appointment":       {"status=booked", "date=ge2026", "reason-code=r0,r2", "reason-code:missing=true", "actor=Practitioner/doc0"},
		"Coverage":          {"status=active", "subscriber-id:missing=false", "payor:missing=false", "beneficiary=pat1,pat3"},
		"Practitioner":      {"name=healer0", "family=healer", "telecom=555-91", "_id=doc0,doc2"},
	},
	Sorts: map[string][]string{"Patient": {"birthdate", "family", "address-city", "identifier"}, "Encounter": {"date", "status", "type"}, "Observation": {"date", "code"},
		"Condition": {"code"}, "Appointment": {"date", "status"}, "Practitioner": {"name"}},
	Links: []searchtest.Link{{From: "Patient", Param: "general-practitioner", To: "Practitioner"}, {From: "Encounter", Param: "subject", To: "Patient"}, {From: "Encounter", Param: "participant", To: "Practitioner"},
		{From: "Observation", Param: "subject", To: "Patient"}, {From: "Observation", Param: "encounter", To: "Encounter"}, {From: "Observation", Param: "performer", To: "Practitioner"},
		{From: "Condition", Param: "subject", To: "Patient"}, {From: "Condition", Param: "encounter", To: "Encounter"}, {From: "MedicationRequest", Param: "subject", To: "Patient"},
		{From: "MedicationRequest", Param: "requester", To: "Practitioner"}, {From: "Appointment", Param: "patient", To: "Patient"}, {From: "Coverage", Param: "beneficiary", To: "Patient"}},
}

// ward draws records of eight patients, as JSON in the order in which they are stored.
func ward(r *rand.Rand, now time.Time) (out []string) {
	one := func(from ...string) string { return from[r.IntN(len(from))] }
	add := func(format string, values ...any) { out = append(out, fmt.Sprintf(format, values...)) }
	label := func() string { return one("", "", "", "", security("PSY"), security("HIV")) }
	at := func(days int) string { return now.AddDate(0, 0, -days).UTC().Format(time.RFC3339) }
	for i := range 3 {
		add(`{"resourceType":"Practitioner","id":"doc%d","name":[{"family":"Healer%d"}],"telecom":[{"system":"phone","value":"555-9%d"}]}`, i, i%2, i)
	}
	for i := range 8 {
		add(`{"resourceType":"Patient","id":"pat%d","identifier":[{"system":"n","value":"%d"}],"name":[{"family":"Family%d"}],"telecom":[{"system":"phone","value":"555-%d"}],"address":[{"city":"Town%d"}],
			"birthDate":"19%d0-01-01","gender":%q,"generalPractitioner":[{"reference":"Practitioner/doc%d"}]}`, i, i, i%3, i%4, r.IntN(3), 5+i%5, one("male", "female"), r.IntN(3))
	}
	for p := range 8 {
		for e := range 3 {
			old := "" // what is hidden of a chart never opens it, since its place in the stripped server would be shut
			if e > 0 {
				old = label()
			}
			add(`{"resourceType":"Encounter","id":"enc%d-%d",%s"status":%q,"class":{"code":%q},"type":[{"coding":[{"code":"t%d"}]}],"reasonCode":[{"coding":[{"code":"r%d"}]}],"subject":{"reference":"Patient/pat%d"},
				"participant":[{"individual":{"reference":"Practitioner/doc%d"}}],"period":{"start":%q,"end":%q}}`, p, e, old, "finished", one("AMB", "IMP"), r.IntN(2), r.IntN(3), p, r.IntN(3), at(3+300*e), at(2+300*e))
			for o := range 3 {
				in := fmt.Sprintf(`"subject":{"reference":"Patient/pat%d"},"encounter":{"reference":"Encounter/enc%d-%d"}`, p, p, r.IntN(e+1))
				add(`{"resourceType":"Observation","id":"obs%d-%d-%d",%s"status":%q,"code":{"coding":[{"system":"s","code":"c%d"}]},%s,"performer":[{"reference":"Practitioner/doc%d"}],"effectiveDateTime":%q,"valueQuantity":{"value":%d}}`,
					p, e, o, label(), one("final", "final", "preliminary"), r.IntN(3), in, r.IntN(3), at(3+300*e), r.IntN(9))
				if o == 0 {
					add(`{"resourceType":"Condition","id":"con%d-%d",%s"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":%q}]},"code":{"coding":[{"system":"s","code":"c%d"}]},%s,"recordedDate":%q}`,
						p, e, label(), one("active", "resolved"), r.IntN(3), in, at(3+300*e))
				}
			}
		}
		add(`{"resourceType":"MedicationRequest","id":"med%d","status":"active","intent":"order","medicationCodeableConcept":{"coding":[{"code":"c%d"}]},"subject":{"reference":"Patient/pat%d"},"requester":{"reference":"Practitioner/doc%d"},"authoredOn":%q}`,
			p, r.IntN(3), p, r.IntN(3), at(3))
		add(`{"resourceType":"Appointment","id":"app%d","status":"booked","reasonCode":[{"coding":[{"code":"r%d"}]}],"start":%q,"end":%q,"participant":[{"actor":{"reference":"Patient/pat%d"},"status":"accepted"},{"actor":{"reference":"Practitioner/doc%d"},"status":"accepted"}]}`,
			p, r.IntN(3), at(-1-r.IntN(40)), at(-41), p, r.IntN(3))
		add(`{"resourceType":"Coverage","id":"cov%d","status":%q,"subscriberId":"S%d","beneficiary":{"reference":"Patient/pat%d"},"payor":[{"reference":"Patient/pat%d"}]}`, p, one("active", "cancelled"), p, p, p)
	}
	return out
}

// take stores a record under the id that it names, also where what it refers to is not there.
func take(t *testing.T, s *servertest.Server, text []byte) {
	t.Helper()
	doc, err := document.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Gate.ImportPart(t.Context(), access.Job("import"), []access.Entry{{Method: "PUT", URL: doc.Type() + "/" + doc.ID(), Doc: doc}}, func(string) bool { return true })
	if err == nil {
		err = done[0].Err
	}
	if err != nil || done[0].Later {
		t.Fatalf("%s: %v, later %v", text, err, done[0].Later)
	}
}

// bare is a resource as JSON without what its server alone says of it.
func bare(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var x map[string]any
	if err := json.Unmarshal(text, &x); err != nil {
		t.Fatal(err)
	}
	if meta, _ := x["meta"].(map[string]any); meta != nil {
		delete(meta, "versionId")
		delete(meta, "lastUpdated")
		labels, _ := meta["security"].([]any)
		labels = slices.DeleteFunc(labels, func(l any) bool { return l.(map[string]any)["code"] == "REDACTED" })
		if meta["security"] = labels; len(labels) == 0 {
			delete(meta, "security")
		}
		if len(meta) == 0 {
			delete(x, "meta")
		}
	}
	return x
}

// reply is what an answer to a search says: what it holds, in order, how many there are, and where it goes on.
type reply struct {
	Status int
	Total  any
	Modes  []string
	Held   []map[string]any
	next   string
}

func ask(t *testing.T, c *servertest.Client, at string) (p reply) {
	t.Helper()
	answer := c.Get(t, at)
	if p.Status = answer.Status; p.Status != http.StatusOK {
		return p
	}
	var b struct {
		Total any
		Link  []struct{ Relation, URL string }
		Entry []struct {
			Search   struct{ Mode string }
			Resource json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(answer.Body), &b); err != nil {
		t.Fatal(err)
	}
	p.Total = b.Total
	for _, e := range b.Entry {
		p.Modes, p.Held = append(p.Modes, e.Search.Mode), append(p.Held, bare(t, e.Resource))
	}
	for _, l := range b.Link {
		if l.Relation == "next" {
			_, p.next, _ = strings.Cut(l.URL, "/fhir/")
			p.next = "/fhir/" + p.next
		}
	}
	return p
}

func (p reply) String() string {
	text, _ := json.Marshal(p)
	return fmt.Sprintf("%s, more: %v", text, p.next != "")
}

// A5, over HTTP. For each of several people and what each may read, record by record, of a ward: to every question that can be drawn the
// server gives the answer that another server gives, which holds nothing else than that, cut as it was read.
func TestSearchesEqualAStrippedServer(t *testing.T) {
	questions := 170 // of each, over a thousand in all
	if testing.Short() {
		questions = 25
	}
	r := rand.New(rand.NewPCG(5, 1))
	whole := servertest.Start(t)
	now := whole.Now()
	records := ward(r, now)
	for _, text := range records {
		take(t, whole, []byte(text))
	}
	asked, met, kept, cut := 0, 0, 0, 0
	for _, role := range []string{"physician doc0", "nurse doc1", "front-desk", "billing", "privacy", "patient pat2"} {
		kind, of, _ := strings.Cut(role, " ")
		enter := func(s *servertest.Server) *servertest.Client {
			if kind == identity.Patient {
				return s.Patient(t, "Maren", of)
			}
			practitioner := ""
			if of != "" {
				practitioner = "Practitioner/" + of
			}
			return s.Person(t, "Kim", kind, practitioner)
		}
		stripped := servertest.Start(t)
		whoWhole := enter(whole)
		seen := map[string]map[string]any{}
		for _, text := range records {
			original := bare(t, []byte(text))
			ref := original["resourceType"].(string) + "/" + original["id"].(string)
			got := whoWhole.Get(t, "/fhir/"+ref)
			if got.Status != http.StatusOK {
				continue
			}
			kept++
			seen[ref] = bare(t, []byte(got.Body))
			if !reflect.DeepEqual(seen[ref], original) {
				cut++
			}
			rest, err := json.Marshal(seen[ref])
			if err != nil {
				t.Fatal(err)
			}
			take(t, stripped, rest)
		}
		whoStripped := enter(stripped)
		for ref, read := range seen { // nothing of the second server is hidden, else equal answers would say little
			if got := whoStripped.Get(t, "/fhir/"+ref); got.Status != http.StatusOK || !reflect.DeepEqual(bare(t, []byte(got.Body)), read) {
				t.Fatalf("%s: the stripped server hides of %s: %d %s, of %v", role, ref, got.Status, got.Body, read)
			}
		}
		t.Logf("%s reads %d of %d", role, len(seen), len(records))
		for range questions {
			typ, query := strippedWorld.Draw(r)
			a, b := "/fhir/"+typ+"?"+query, "/fhir/"+typ+"?"+query
			for a != "" {
				got, wanted := ask(t, whoWhole, a), ask(t, whoStripped, b)
				a, b = got.next, wanted.next
				if got.String() != wanted.String() {
					t.Fatalf("%s asks %s?%s:\n%s\nstripped:\n%s", role, typ, query, got, wanted)
				}
				if asked++; len(got.Held) > 0 {
					met++
				}
			}
		}
	}
	if t.Logf("%d pages, %d with something; %d readable, %d of them cut", asked, met, kept, cut); asked < 6*questions || met < asked/4 || cut == 0 {
		t.Error("too little was asked")
	}
}
