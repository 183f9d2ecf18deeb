package validate

import (
	"fmt"
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

const secret = "Okafor"

func parse(t testing.TB, s string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRules has one line for each rule: what a Patient or another resource says, and code and place of each issue.
func TestRules(t *testing.T) {
	patient := func(members string) string { return `{"resourceType":"Patient",` + members + `}` }
	observation := func(members string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"x"},` + members + `}`
	}
	condition := func(members string) string {
		return `{"resourceType":"Condition","subject":{"reference":"Patient/1"},` + members + `}`
	}
	for _, c := range []struct{ name, text, want string }{
		{"valid", patient(`"id":"1","active":true,"name":[{"given":["a",null],"_given":[null,{"extension":[{"url":"u","valueCode":"x"}]}]}]`), ""},
		{"unknown type", `{"resourceType":"Okafor"}`, "structure Resource"},
		{"abstract type", `{"resourceType":"DomainResource"}`, "structure DomainResource"},
		{"data type", `{"resourceType":"HumanName"}`, "structure HumanName"},

		{"unknown element", patient(`"Okafor":1`), "structure Patient.Okafor"},
		{"wrong case", patient(`"birthdate":"1970"`), "structure Patient.birthdate"},
		{"name that is none", patient(`"Maren Okafor":1`), "structure Patient.?"},
		{"unknown in depth", patient(`"contact":[{"name":{"given":["a"]}},{"name":{"x":1}}]`), "structure Patient.contact[1].name.x"},
		{"sibling of an object", patient(`"_name":[]`), "structure Patient._name"},
		{"sibling of nothing", patient(`"_x":{}`), "structure Patient._x"},
		{"comments", patient(`"fhir_comments":["x"]`), "structure Patient.?"},
		{"type in a data type", patient(`"name":[{"resourceType":"HumanName"}]`), "structure Patient.name[0].resourceType"},

		{"scalar for array", patient(`"name":{"text":"x"}`), "structure Patient.name"},
		{"array for scalar", patient(`"birthDate":["1970"]`), "structure Patient.birthDate"},
		{"array of arrays", patient(`"name":[[{"text":"x"}]]`), "structure Patient.name[0]"},
		{"empty array", patient(`"name":[]`), "structure Patient.name"},
		{"empty object", patient(`"name":[{}]`), "structure Patient.name[0]"},
		{"null object", patient(`"name":[null]`), "structure Patient.name[0]"},
		{"null scalar", patient(`"maritalStatus":null`), "structure Patient.maritalStatus"},
		{"text for object", patient(`"maritalStatus":"Okafor"`), "structure Patient.maritalStatus"},

		{"null", patient(`"birthDate":null`), "value Patient.birthDate"},
		{"null in an array", patient(`"name":[{"given":["a",null]}]`), "structure Patient.name[0].given"},
		{"empty string", patient(`"name":[{"text":""}]`), "value Patient.name[0].text"},
		{"string for boolean", patient(`"active":"true"`), "value Patient.active"},
		{"number for string", patient(`"gender":7`), "value Patient.gender"},
		{"string for number", patient(`"multipleBirthInteger":"2"`), "value Patient.multipleBirth.ofType(integer)"},
		{"object for date", patient(`"birthDate":{"Okafor":1}`), "value Patient.birthDate"},

		{"choice twice", patient(`"deceasedBoolean":true,"deceasedDateTime":"2020"`), "structure Patient.deceased[x]"},
		{"choice and other sibling", patient(`"deceasedBoolean":true,"_deceasedDateTime":{"extension":[{"url":"u","valueCode":"x"}]}`), "structure Patient.deceased[x]"},
		{"choice and own sibling", patient(`"deceasedBoolean":true,"_deceasedBoolean":{"id":"x"}`), ""},
		{"choice without type", observation(`"value":1`), "structure Observation.value"},
		{"choice of a wrong type", observation(`"valueMoney":{"value":1}`), "structure Observation.valueMoney"},
		{"in a choice", observation(`"valueQuantity":{"value":"1"}`), "value Observation.value.ofType(Quantity).value"},

		{"required", `{"resourceType":"Observation","code":{"text":"x"}}`, "required Observation.status"},
		{"required twice", `{"resourceType":"Observation"}`, "structure "},
		{"required by sibling", `{"resourceType":"Observation","_status":{"extension":[{"url":"u","valueCode":"x"}]},"code":{"text":"x"}}`, ""},
		{"required choice", `{"resourceType":"Immunization","status":"completed","vaccineCode":{"text":"x"},"patient":{"reference":"Patient/1"}}`, "required Immunization.occurrence[x]"},
		{"required in depth", patient(`"communication":[{"preferred":true}]`), "required Patient.communication[0].language"},
		{"extension without url", patient(`"extension":[{"valueCode":"x"}]`), "required Patient.extension[0].url"},

		{"lonely sibling", patient(`"_birthDate":{"id":"x"}`), "structure Patient.birthDate"},
		{"sibling with extension", patient(`"_birthDate":{"extension":[{"url":"u","valueCode":"x"}]}`), ""},
		{"sibling with a wrong extension", patient(`"_birthDate":{"extension":[{"url":"u","valuePeriod":{"start":"x"}}]}`), "value Patient.birthDate.extension[0].value.ofType(Period).start"},
		{"sibling with more", patient(`"birthDate":"1970","_birthDate":{"value":"1970"}`), "structure Patient.birthDate.value"},
		{"sibling no array", patient(`"name":[{"given":["a"],"_given":{"id":"x"}}]`), "structure Patient.name[0].given"},
		{"siblings too few", patient(`"name":[{"given":["a","b"],"_given":[{"id":"x"}]}]`), "structure Patient.name[0].given"},
		{"nothing and nothing", patient(`"name":[{"given":["a",null],"_given":[{"id":"x"},null]}]`), "structure Patient.name[0].given[1]"},

		{"date", patient(`"birthDate":"1970-13-01"`), "value Patient.birthDate"},
		{"code", patient(`"gender":" male"`), "value Patient.gender"},
		{"code of the set", patient(`"gender":"Okafor"`), "code-invalid Patient.gender"},
		{"long set", patient(`"text":{"status":"generated","div":"<div>x</div>"},"contained":[{"resourceType":"Encounter","status":"x","class":{"code":"AMB"}}]`), "code-invalid Patient.contained[0].status"},
		{"concept of the set", condition(`"clinicalStatus":{"coding":[{"system":"x","code":"x"},{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}`), ""},
		{"concept outside the set", condition(`"clinicalStatus":{"coding":[{"system":"http://snomed.info/sct","code":"active"}]}`), "code-invalid Condition.clinicalStatus"},
		{"concept with text only", condition(`"clinicalStatus":{"text":"active"}`), "code-invalid Condition.clinicalStatus"},
		{"open set", patient(`"photo":[{"contentType":"x-anything/at-all"}]`), ""},
		{"open concept with text only", `{"resourceType":"MolecularSequence","coordinateSystem":0,"structureVariant":[{"variantType":{"text":"x"}}]}`, ""},
		{"narrative", patient(`"text":{"status":"generated","div":"Okafor"}`), "value Patient.text.div"},
		{"control character", patient(`"name":[{"text":"a\u0000"}]`), "value Patient.name[0].text"},
		{"line ends", patient(`"name":[{"text":"a\r\n\tb"}]`), ""},

		{"contained", patient(`"contained":[{"resourceType":"Practitioner","id":"a b"}]`), "value Patient.contained[0].id"},
		{"own id", patient(`"id":"` + strings.Repeat("x", 99) + `"`), ""},
		{"contained of no type", patient(`"contained":[{"id":"a"}]`), "structure Patient.contained[0]"},
		{"contained of unknown type", patient(`"contained":[{"resourceType":"Nobody"}]`), "structure Patient.contained[0]"},
		{"contained no object", patient(`"contained":["x"]`), "structure Patient.contained[0]"},
		{"entry", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","birthDate":"x"}}]}`, "value Bundle.entry[0].resource.birthDate"},
		{"parameter", `{"resourceType":"Parameters","parameter":[{"name":"x","valueDate":"x"}]}`, "value Parameters.parameter[0].value.ofType(date)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "required twice" {
				c.want = "required Observation.status, required Observation.code"
			}
			var got []string
			for _, is := range Check(parse(t, c.text)) {
				got = append(got, string(is.Code)+" "+is.Expression)
				if strings.Contains(is.Public, secret) || is.Public == "" || !strings.Contains(is.Public, ":") {
					t.Errorf("%q must name a mend and no value", is.Public)
				}
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func TestWrittenForms(t *testing.T) {
	for typ, forms := range map[string]struct{ right, wrong string }{
		"date":         {"1970|1970-01|1970-01-31|2020-02-29", "0000|70|1970-1-1|1970-00|1970-13|1970-02-29|1970-02-30|1970-04-31|19700101|1970-01-01T00:00:00Z|1970-01-|1970-01-011| 1970"},
		"dateTime":     {"1970|1970-01|1970-01-31|2016-12-31T23:59:60Z|1970-01-01T00:00:00.123456+14:00|1970-01-01T00:00:00-01:30", "1970-01-01T00:00:00|1970-01-01T00:00Z|1970-01-01T24:00:00Z|1970-01-01T00:60:00Z|1970-01-01T00:00:00+14:30|1970-01-01T00:00:00+1:00|1970-01-01T00:00:00.Z|1970-01-01 00:00:00Z|1970-01-01T|1970-01-01T00:00:00z"},
		"instant":      {"1970-01-01T00:00:00Z|1970-01-01T00:00:00.1+01:00", "1970|1970-01|1970-01-01|1970-01-01T00:00:00"},
		"time":         {"00:00:00|23:59:59.999", "24:00:00|00:00|00:00:00Z|0:00:00"},
		"id":           {"a|A-1.b", "a b|a_b|" + strings.Repeat("x", 65)},
		"code":         {"a|a b|<=", " a|a |a  b|a\tb\n"},
		"uri":          {"urn:x|a b", ""},
		"url":          {"http://x", "http://x y|\thttp://x"},
		"canonical":    {"http://x|#a", "a b"},
		"oid":          {"urn:oid:1.2.3|urn:oid:0.0", "1.2.3|urn:oid:3.1|urn:oid:1|urn:oid:1.02|urn:oid:1..2|urn:oid:1.2.|urn:oid:x.1"},
		"uuid":         {"urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "c757873d-ec9a-4326-a141-556f43239520|urn:uuid:c757873dec9a4326a141556f43239520|urn:uuid:c757873d-ec9a-4326-a141-556f4323952g"},
		"integer":      {"0|-1|2147483647", "1.0|1e2|2147483648|-2147483649"},
		"unsignedInt":  {"0|7", "-1|-0|1.5"},
		"positiveInt":  {"1", "0|-1"},
		"base64Binary": {"QUJD|QUI=|QQ==|QU JD\n", "QUJ|Q===|QUJD=|QU=D|QU-D| "},
		"string":       {"a| |é", "\x00|\x1f"},
		"markdown":     {"a\n\tb", "\x07"},
		"xhtml":        {"<div>x</div>| <div/>", "x|<p>x</p>"},
		"decimal":      {"1.10|1e5", ""},
	} {
		right, wrong := strings.Split(forms.right, "|"), strings.Split(forms.wrong, "|")
		if typ == "uri" {
			right, wrong = []string{"urn:x"}, []string{"a b"}
		}
		for _, s := range right {
			if mend := writtenForm(typ, s); mend != "" {
				t.Errorf("%s %q: %s", typ, s, mend)
			}
		}
		for _, s := range wrong {
			if s != "" && writtenForm(typ, s) == "" {
				t.Errorf("%s %q is accepted", typ, s)
			}
		}
	}
}

func TestIssuesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	if got := len(Check(parse(t, `{"resourceType":"Patient"`+b.String()+`}`))); got != MaxIssues+1 {
		t.Fatalf("%d issues", got)
	}
	err := outcome.Invalids(Check(parse(t, `{"resourceType":"Patient","x":1}`)))
	if !outcome.Is(err, outcome.Structure) {
		t.Fatal(err)
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		`{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"x"}]}],"contained":[{"resourceType":"Basic"}]}`,
		`{"resourceType":"Parameters","parameter":[{"name":"x","resource":{"resourceType":"Bundle"}},{"part":[{}]}]}`,
		`{"resourceType":"Questionnaire","item":[{"item":[{"item":[1]}]}]}`, `{"resourceType":"Observation","_valueString":[],"valueTime":"00:00:60"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := document.Parse(b)
		if err != nil {
			return
		}
		for _, is := range Check(d) {
			if is.Expression == "" || is.Public == "" || is.Code == "" {
				t.Fatalf("%+v says too little", is)
			}
		}
	})
}
