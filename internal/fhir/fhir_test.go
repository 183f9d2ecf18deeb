package fhir

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/fhir/document"
)

func parse(t testing.TB, s string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSchema(t *testing.T) {
	if n := len(ResourceTypes()); n != 146 || !slices.IsSorted(ResourceTypes()) {
		t.Errorf("%d resource types, R4 has 146", n)
	}
	if !IsResourceType("Patient") || IsResourceType("DomainResource") || IsResourceType("HumanName") || IsResourceType("") || IsResourceType("patient") {
		t.Error("what is a resource type")
	}
	for i := range table.types {
		typ := &table.types[i]
		for j := range typ.Elements {
			if e := &typ.Elements[j]; typ.Element(e.Name) != e {
				t.Errorf("%s.%s is not found", typ.Name, e.Name)
			}
		}
		for _, none := range []string{"", "x", "_id", "Id", strings.Repeat("n", 255)} {
			if typ.Element(none) != nil {
				t.Errorf("%s has %q", typ.Name, none)
			}
		}
	}
	patient := TypeNamed("Patient")
	for name, want := range map[string]string{
		"id": "id false false", "name": "HumanName true false", "deceasedBoolean": "boolean false false", "birthDate": "date false false",
		"contact": "Patient.contact true false", "contained": "Resource true false",
	} {
		e := patient.Element(name)
		if got := fmt.Sprint(e.Type.Name, " ", e.Repeats, " ", e.Required); got != want {
			t.Errorf("Patient.%s: %s, want %s", name, got, want)
		}
	}
	gender := patient.Element("gender")
	if !gender.Codes.Has("unknown") || gender.Codes.Has("Male") || !gender.Codes.HasIn("http://hl7.org/fhir/administrative-gender", "male") || gender.Codes.HasIn("x", "male") {
		t.Error("codes of gender")
	}
	if e := patient.Element("deceasedDateTime"); e.Choice != "deceased" || !e.Modifier || !e.Summary {
		t.Errorf("%+v", e)
	}
	if e := TypeNamed("Questionnaire.item").Element("item"); e.Type.Name != "Questionnaire.item" {
		t.Error("an element that refers to its own kind")
	}
	if e := TypeNamed("Attachment").Element("contentType"); !e.Codes.Open || !e.Codes.Has("x/y") {
		t.Error("media types are open")
	}
	if e := TypeNamed("Observation").Element("subject"); len(e.Targets) != 4 || e.Targets[2].Name != "Location" && e.Targets[0].Name != "Device" {
		t.Errorf("%v", e.Targets)
	}
	if e := TypeNamed("Provenance").Element("target"); e.Targets != nil || !e.Required || !e.Repeats {
		t.Error("a reference to anything")
	}
	if age := TypeNamed("Age"); !age.Is("Quantity") || !age.Is("Element") || age.Is("Range") || !TypeNamed("code").Is("string") || !TypeNamed("canonical").Is("uri") {
		t.Error("subtypes")
	}
}

func TestParseReference(t *testing.T) {
	for s, want := range map[string]string{
		"Patient/1": "Patient/1", "Patient/a-B.9/_history/3": "Patient/a-B.9", "Patient/": "", "Patient": "", "/1": "", "": "", "#p": "", "urn:uuid:1": "",
		"patient/1": "", "Nobody/1": "", "Patient/1/2": "", "Patient/1/_history": "", "Patient/1/_history/": "", "Patient/1/_history/1/2": "", "Patient?x=1": "",
		"Patient/1|2": "Patient/1", "Patient/1|2.0": "Patient/1", "Patient/1|": "", "Patient/|2": "", "Patient/1|2|3": "", "Patient/1/_history/2|3": "", "Patient/1|a b": "",
		"Patient/a b": "", "Patient/" + strings.Repeat("1", 65): "", "http://a.example/fhir/Patient/1": "", "Patient/1#x": "", "Patient/é": "",
	} {
		ref, ok := ParseReference(s)
		if ref.String() != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", s, ref, ok, want)
		}
	}
	for s, want := range map[string]string{
		"http://a.example/fhir/Patient/1": "Patient/1", "Patient/1": "Patient/1", "http://b.example/fhir/Patient/1": "", "http://a.example/fhirPatient/1": "",
	} {
		for _, base := range []string{"http://a.example/fhir", "http://a.example/fhir/"} {
			if ref, _ := LocalReference(base, s); ref.String() != want {
				t.Errorf("%q below %s: %q, want %q", s, base, ref, want)
			}
		}
	}
}

func TestPatientRefs(t *testing.T) {
	for s, want := range map[string]string{
		`{"resourceType":"Patient","id":"1","link":[{"other":{"reference":"Patient/2"}}]}`: "[Patient/1]",
		`{"resourceType":"Patient"}`: "[]",
		`{"resourceType":"Observation","subject":{"reference":"Patient/1/_history/2"},"performer":[{"reference":"Practitioner/9"},{"reference":"Patient/1"}]}`: "[Patient/1]",
		`{"resourceType":"Observation","subject":{"reference":"Group/1"}}`:                                                                                     "[]",
		`{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"}}`:                                                                                  "[]",
		`{"resourceType":"Observation","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p"}]}`:                                        "[]",
		`{"resourceType":"Observation","subject":"Patient/1"}`:                                                                                                 "[]",
		`{"resourceType":"Coverage","policyHolder":{"reference":"Patient/parent"},"beneficiary":{"reference":"Patient/child"}}`:                                "[Patient/child Patient/parent]",
		`{"resourceType":"Appointment","participant":[{"actor":{"reference":"Practitioner/1"}},{"actor":{"reference":"Patient/1"}},{}]}`:                       "[Patient/1]",
		`{"resourceType":"AuditEvent","agent":[{"who":{"reference":"Patient/2"}}],"entity":[{"what":{"reference":"Patient/1"}}]}`:                              "[Patient/2 Patient/1]",
		`{"resourceType":"Task","for":{"reference":"Patient/1"}}`:                                                                                              "[Patient/1]",
		`{"resourceType":"Practitioner","id":"1"}`:                                                                                                             "[]",
		`{"resourceType":"Group","member":[{"entity":{"reference":"Patient/1"}},{"entity":{"reference":"Patient/2"}}]}`:                                        "[Patient/1 Patient/2]",
	} {
		if got := fmt.Sprint(PatientRefs(parse(t, s))); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	if !InPatientCompartment("Observation") || !InPatientCompartment("Patient") || InPatientCompartment("Organization") {
		t.Error("types of the compartment")
	}
	var refs []Ref
	for r := range Refs(parse(t, `{"resourceType":"Basic","subject":{"reference":"Patient/1"},"contained":[{"x":{"reference":"Location/2"}}],"author":{"reference":"#a"}}`)) {
		refs = append(refs, r)
	}
	if fmt.Sprint(refs) != "[Patient/1 Location/2]" {
		t.Error(refs)
	}
}

// A date without a zone is one of the site.
func TestMainDateIsOfTheSite(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	for s, want := range map[string]string{
		`{"resourceType":"Condition","recordedDate":"2019-05-06"}`:                  "2019-05-05T22:00:00Z",
		`{"resourceType":"Condition","recordedDate":"2019"}`:                        "2018-12-31T22:00:00Z",
		`{"resourceType":"Observation","effectiveDateTime":"2019-05-06T01:00:00Z"}`: "2019-05-06T01:00:00Z",
	} {
		if got, _ := MainDate(parse(t, s), zone); got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
}

func TestConditionalReference(t *testing.T) {
	for s, want := range map[string]string{
		"Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999933692": "Practitioner map[identifier:[http://hl7.org/fhir/sid/us-npi|9999933692]]",
		"https://ehr.example/fhir/Patient?identifier=a%7Cb&active=true":     "Patient map[active:[true] identifier:[a|b]]",
		"https://other.example/fhir/Patient?identifier=a":                   "", "Patient/1": "", "Patient?": "", "Nobody?identifier=1": "", "?identifier=1": "",
		"urn:uuid:1?x=1": "", "Patient?identifier=%zz": "", "": "",
	} {
		typ, query, ok := ConditionalReference("https://ehr.example/fhir/", s)
		got := ""
		if ok {
			got = fmt.Sprint(typ, " ", query)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

func TestReferenceElements(t *testing.T) {
	d := parse(t, `{"resourceType":"Encounter","subject":{"identifier":{"value":"1","assigner":{"display":"x"}}},"participant":[{"individual":{"reference":"Practitioner/1"}}],
		"contained":[{"resourceType":"Condition","subject":{"display":"y"}}],"nonsense":{"subject":{"reference":"z"}}}`)
	var got []string
	for n, e := range ReferenceElements(d) {
		got = append(got, n.Expression()+" "+e.Name)
	}
	want := "[Encounter.subject subject Encounter.subject.identifier.assigner assigner Encounter.participant[0].individual individual Encounter.contained[0].subject subject]"
	if fmt.Sprint(got) != want {
		t.Error(got)
	}
}

func TestMainDate(t *testing.T) {
	for s, want := range map[string]string{
		`{"resourceType":"Observation","issued":"2020-01-02T00:00:00Z","effectiveDateTime":"2019-05"}`:             "2019-05-01T00:00:00Z",
		`{"resourceType":"Observation","effectivePeriod":{"end":"2019"},"issued":"2020-01-02T03:04:05.678+02:00"}`: "2020-01-02T01:04:05.678Z",
		`{"resourceType":"Observation","effectiveTiming":{"event":["2018","2019"]}}`:                               "2018-01-01T00:00:00Z",
		`{"resourceType":"Encounter","period":{"start":"2016-12-31T23:59:60Z"}}`:                                   "2016-12-31T23:59:59Z",
		`{"resourceType":"Condition","onsetString":"in spring","recordedDate":"2019-05-06"}`:                       "2019-05-06T00:00:00Z",
		`{"resourceType":"Specimen","collection":{"collectedPeriod":{"start":"2019-05-06"}}}`:                      "2019-05-06T00:00:00Z",
		`{"resourceType":"DocumentReference","context":{"period":{"start":"2019-05-06"}}}`:                         "2019-05-06T00:00:00Z",
		`{"resourceType":"Encounter"}`: "", `{"resourceType":"Patient","birthDate":"1970-01-01"}`: "", `{"resourceType":"Encounter","period":{"start":7}}`: "",
	} {
		got, ok := MainDate(parse(t, s), time.UTC)
		text := ""
		if ok {
			text = got.UTC().Format(time.RFC3339Nano)
		}
		if text != want {
			t.Errorf("%s: %s, want %s", s, text, want)
		}
	}
	for typ, list := range mainDates {
		for _, path := range list {
			at := TypeNamed(typ)
			for name := range strings.SplitSeq(path, ".") {
				e := at.Element(name)
				if e == nil {
					t.Fatalf("%s.%s does not exist", typ, path)
				}
				at = e.Type
			}
			if !slices.Contains([]string{"date", "dateTime", "instant", "Period"}, at.Name) {
				t.Errorf("%s.%s is a %s", typ, path, at.Name)
			}
		}
	}
	for _, person := range []string{"Patient", "RelatedPerson", "Person", "Practitioner"} {
		if mainDates[person] != nil {
			t.Errorf("%s has a main date: birth dates would stand in clear", person)
		}
	}
}

func TestFieldGroups(t *testing.T) {
	for _, c := range []struct {
		typ, element string
		want         Group
	}{
		{"Patient", "birthDate", GroupDemographics}, {"Patient", "identifier", GroupIdentifiers}, {"Patient", "_telecom", GroupContact}, {"Patient", "text", GroupIdentifiers},
		{"Observation", "valueQuantity", GroupResults}, {"AllergyIntolerance", "code", GroupClinical}, {"Encounter", "period", GroupScheduling},
		{"Encounter", "diagnosis", GroupClinical}, {"Slot", "start", GroupDirectory}, {"Unheard", "of", GroupClinical}, {"Device", "patient", GroupClinical},
	} {
		if got := ElementGroup(c.typ, c.element); got != c.want {
			t.Errorf("%s.%s: %s, want %s", c.typ, c.element, got, c.want)
		}
	}
	patient := slices.Clone(ElementGroups("Patient"))
	slices.Sort(patient[1:])
	if !slices.Equal(patient, []Group{GroupDemographics, GroupContact, GroupIdentifiers}) || !slices.Equal(ElementGroups("Observation"), []Group{GroupResults}) {
		t.Error("mixed types")
	}
	for typ, g := range typeGroups {
		if !IsResourceType(typ) || !slices.Contains(Groups(), g) {
			t.Errorf("%s in %s", typ, g)
		}
		if g == GroupDirectory && InPatientCompartment(typ) && typ != "Schedule" {
			t.Errorf("%s is of a patient's compartment and cannot be directory", typ)
		}
	}
	for name, g := range elementGroups {
		typ, element, _ := strings.Cut(name, ".")
		if !IsResourceType(typ) || TypeNamed(typ).Element(element) == nil || !slices.Contains(Groups(), g) {
			t.Errorf("%s in %s", name, g)
		}
	}
}

// TestFieldGroupsDocument keeps the page that people review equal to the table. UPDATE=1 writes it.
func TestFieldGroupsDocument(t *testing.T) {
	const page = "../../docs/formats/field-groups.md"
	var b strings.Builder
	b.WriteString("# Field groups\n\nWhat kind of data a resource or an element is, for the minimum necessary: policy permits groups, masks hide them, audit entries\nname them. A type that is not listed is clinical. An element belongs to the group of its type unless it is listed itself; the\nnarrative (`text`) and `contained` of a type with mixed elements count as its most guarded part.\n\nThis page is the table of `internal/fhir/group.go`; a test keeps both equal (`UPDATE=1 go test -run FieldGroups ./internal/fhir`).\n\n| group | resource types | single elements |\n|---|---|---|\n")
	for _, g := range Groups() {
		var types, elements []string
		for _, typ := range ResourceTypes() {
			if typeGroups[typ] == g || g == GroupClinical && typeGroups[typ] == "" {
				types = append(types, typ)
			}
		}
		for name, of := range elementGroups {
			if of == g {
				elements = append(elements, name)
			}
		}
		slices.Sort(elements)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", g, strings.Join(types, ", "), strings.Join(elements, ", "))
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != b.String() {
		t.Errorf("%s is not the table (%v)", page, err)
	}
}

func TestLabelsAndRelease(t *testing.T) {
	security := func(codings string) *document.Doc {
		return parse(t, `{"resourceType":"DocumentReference","meta":{"security":[`+codings+`]}}`)
	}
	const act, conf = "http://terminology.hl7.org/CodeSystem/v3-ActCode", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	for codings, want := range map[string]string{
		``: "[]", `{"system":"` + act + `","code":"PSY"},{"system":"` + act + `","code":"HIV"},{"system":"` + act + `","code":"PSY"}`: "[HIV PSY]",
		`{"system":"` + conf + `","code":"N"}`: "[]", `{"system":"` + conf + `","code":"R"}`: "[R]", `{"code":"V"}`: "[V]",
		`{"system":"http://other.example","code":"R"}`: "[]", `{"system":"` + act + `","code":"R"}`: "[]", `{"system":"` + act + `","code":"NODSCLCD"}`: "[]",
	} {
		if got := fmt.Sprint(Labels(security(codings))); got != want {
			t.Errorf("%s: %s, want %s", codings, got, want)
		}
	}
	for s, want := range map[string]bool{
		`{"resourceType":"Observation","status":"final"}`: true, `{"resourceType":"Observation","status":"preliminary"}`: false,
		`{"resourceType":"DiagnosticReport","status":"partial"}`: false, `{"resourceType":"MedicationRequest","status":"draft"}`: false,
		`{"resourceType":"DocumentReference","status":"current","docStatus":"preliminary"}`: false, `{"resourceType":"Patient"}`: true,
		`{"resourceType":"Condition","verificationStatus":{"coding":[{"code":"entered-in-error"}]}}`: false, `{"resourceType":"Flag","status":"active"}`: false,
		`{"resourceType":"DocumentReference","status":"current","meta":{"security":[{"code":"PSYTHPN"}]}}`: false,
		`{"resourceType":"DocumentReference","status":"current","meta":{"security":[{"code":"PSY"}]}}`:     true,
	} {
		if got := Released(parse(t, s)); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(schemaText)
	}
}

func BenchmarkElement(b *testing.B) {
	typ := TypeNamed("Observation")
	for b.Loop() {
		if typ.Element("valueQuantity") == nil || typ.Element("status") == nil || typ.Element("nothing") != nil {
			b.Fatal()
		}
	}
}
