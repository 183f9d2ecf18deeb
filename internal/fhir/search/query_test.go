package search

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/outcome"
)

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		code outcome.Code
		says string
	}{
		{"subject.nonesuch=Okafor", outcome.NotSupported, "no such search parameter"},
		{"subject:Practitioner.name=Okafor", outcome.Invalid, "never refers"},
		{"status.name=Okafor", outcome.Invalid, "reference"},
		{"focus.name=Okafor", outcome.Invalid, "may name anything"},
		{"subject:Patient.=Okafor", outcome.Invalid, "without a parameter"},
		{"subject:Patient._sort=Okafor", outcome.Invalid, "shapes"},
		{"subject:Patient.organization.partof.partof.partof.name=Okafor", outcome.TooCostly, "four"},
		{"_has:Condition:subject:code=Okafor", outcome.Invalid, "never refers to a Observation"},
		{"_has:Condition:code:code=Okafor", outcome.NotSupported, "third a reference"},
		{"_has:Condition:subject=Okafor", outcome.Invalid, "_has:Type:reference:parameter"},
		{"_include=Observation:status", outcome.NotSupported, "no reference parameter"},
		{"_include=Okafor", outcome.Invalid, "Type:reference"},
		{"_include=Observation:subject:Practitioner", outcome.Invalid, "never names"},
		{"_include:recurse=Observation:subject", outcome.NotSupported, ":iterate"},
		{"_revinclude=Condition:subject", outcome.Invalid, "never refers"},
		{"_text=Okafor", outcome.NotSupported, "not supported"},
		{"_content=Okafor", outcome.NotSupported, "not supported"},
		{"_filter=Okafor", outcome.NotSupported, "not supported"},
		{"_list=Okafor", outcome.NotSupported, "no such"},
		{"nonesuch=Okafor", outcome.NotSupported, "no such"},
		{"nonesuch:exact=Okafor", outcome.NotSupported, "no such"},
		{"code:in=http://Okafor", outcome.NotSupported, "modifier"},
		{"code:not-in=http://Okafor", outcome.NotSupported, "modifier"},
		{"code:above=Okafor", outcome.NotSupported, "modifier"},
		{"code:exact=Okafor", outcome.NotSupported, "modifier"},
		{"date:not=2019", outcome.NotSupported, "modifier"},
		{"value-string:text=Okafor", outcome.NotSupported, "modifier"},
		{"subject:Practitioner=Okafor", outcome.Invalid, "targets"},
		{"subject=Practitioner/Okafor", outcome.Invalid, "targets"},
		{"subject:Patient=Group/Okafor", outcome.Invalid, "targets"},
		{"subject=Okafor/Okafor", outcome.Invalid, "reference"},
		{"date=Okafor", outcome.Invalid, "date"},
		{"date=2019-13", outcome.Invalid, "date"},
		{"date=2019-02-29", outcome.Invalid, "date"},
		{"date=2019-2-3", outcome.Invalid, "date"},
		{"date=2019-02-03T10", outcome.Invalid, "date"},
		{"date=2019-02-03T25:00", outcome.Invalid, "date"},
		{"date=2019-02-03T24:00:01", outcome.Invalid, "date"},
		{"date=2019-02-03T10:00:61Z", outcome.Invalid, "date"},
		{"date=2019-02-03T10:00:00.Z", outcome.Invalid, "date"},
		{"date=2019-02-03T10:00:00%2B1:00", outcome.Invalid, "date"},
		{"date=xx2019", outcome.Invalid, "date"},
		{"date=0000", outcome.Invalid, "date"},
		{"value-quantity=Okafor", outcome.Invalid, "quantity"},
		{"value-quantity=1|mg", outcome.Invalid, "quantity"},
		{"value-quantity=0x10", outcome.Invalid, "quantity"},
		{"value-quantity=1e999", outcome.Invalid, "quantity"},
		{"value-quantity=NaN", outcome.Invalid, "quantity"},
		{"value-quantity=1.2.3", outcome.Invalid, "quantity"},
		{"code=a|b|c", outcome.Invalid, "system|code"},
		{"code=|", outcome.Invalid, "system|code"},
		{"code=", outcome.Invalid, "empty"},
		{"code=a,", outcome.Invalid, "empty"},
		{"code:text=-", outcome.Invalid, "word"},
		{"identifier:of-type=a|b", outcome.Invalid, "system|code|value"},
		{"value-string=%CC%88", outcome.Invalid, "letter"},
		{"value-string=%FFOkafor", outcome.Invalid, "UTF-8"},
		{"code:missing=yes", outcome.Invalid, "true or false"},
		{"code-value-quantity=a", outcome.Invalid, "code$value-quantity"},
		{"code-value-quantity=a$1$2", outcome.Invalid, "code$value-quantity"},
		{"code-value-quantity=$1", outcome.Invalid, "empty"},
		{"code-value-quantity=a$Okafor", outcome.Invalid, "quantity"},
		{"code=" + strings.Repeat("a,", 2000) + "a", outcome.TooCostly, "2000"},
		{strings.Repeat("code:missing=true&", 2001), outcome.TooCostly, "2000"},
		{"_sort=" + strings.Repeat("date,", 16) + "date", outcome.TooCostly, "16"},
		{"_count=-1", outcome.Invalid, "_count"},
		{"_count=Okafor", outcome.Invalid, "_count"},
		{"_count=1&_count=2", outcome.Invalid, "more than once"},
		{"_sort=nonesuch", outcome.NotSupported, "sorted"},
		{"_sort=code-value-quantity", outcome.NotSupported, "sorted"},
		{"_sort=", outcome.NotSupported, "sorted"},
		{"_total=many", outcome.Invalid, "_total"},
		{"_summary=maybe", outcome.Invalid, "_summary"},
		{"_elements=a,,b", outcome.Invalid, "_elements"},
		{"_contained=true", outcome.NotSupported, "contained"},
	} {
		_, err := Parse("Observation", parameters(t, c.text), testOptions)
		name, _, _ := strings.Cut(c.text, "=")
		switch {
		case err == nil:
			t.Errorf("%s is taken", c.text)
		case outcome.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: %s %v", c.text, outcome.CodeOf(err), err)
		case !strings.Contains(err.Error(), strings.TrimSuffix(strings.Split(name, ":")[0], ".name")):
			t.Errorf("%s: %q does not name the parameter", c.text, err)
		case strings.Contains(err.Error(), "Okafor"):
			t.Errorf("%s: the error quotes the value: %v", c.text, err)
		}
	}
	if _, err := Parse("Okafor", nil, testOptions); !outcome.Is(err, outcome.NotSupported) || strings.Contains(err.Error(), "Okafor") {
		t.Errorf("an unknown type: %v", err)
	}
	if _, err := Parse("Patient", url.Values{"Okafor, Maren": {"x"}}, testOptions); err == nil || strings.Contains(err.Error(), "Okafor") {
		t.Errorf("a value in place of a name: %v", err)
	}
}

func TestAloneRefusesOtherResources(t *testing.T) {
	for _, text := range []string{"subject:Patient.name=x", "_has:Provenance:target:agent=x"} {
		if _, err := Parse("Observation", parameters(t, text), Options{Alone: true}); !outcome.Is(err, outcome.NotSupported) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLenientPassesOverWhatIsUnknown(t *testing.T) {
	q, err := Parse("Observation", parameters(t, "nonesuch=1&code=x&_sort=-date,nope"), Options{})
	if err != nil || !slices.Equal(q.Ignored, []string{"_sort", "nonesuch"}) || len(q.Clauses()) != 1 || len(q.Sort) != 1 {
		t.Errorf("%v, %v", q, err)
	}
	for _, text := range []string{"subject.nonesuch=x", "_has:A:b:c=d", "code:in=x", "_text=x", "date=x", "nonesuch:exact=1"} {
		if _, err := Parse("Observation", parameters(t, text), Options{}); err == nil {
			t.Errorf("%s is passed over, which would widen the answer", text)
		}
	}
}

func TestResultParameters(t *testing.T) {
	q := query(t, "Observation", "_count=20&_sort=-date,code&_sort=status&_total=accurate&_summary=data&_elements=code,value&_format=json&_pretty=true&_contained=false")
	if q.Count != 20 || fmt.Sprint(q.Sort) != "[-date code status]" || q.Total != "accurate" || q.Summary != "data" || fmt.Sprint(q.Elements) != "[code value]" || len(q.Clauses()) != 0 {
		t.Errorf("%+v", *q)
	}
	if q := query(t, "Observation", ""); q.Count != -1 {
		t.Errorf("_count is %d when not given", q.Count)
	}
}

func TestPatientOfAQuery(t *testing.T) {
	for text, want := range map[string]string{
		"Observation?patient=85":                                  "85",
		"Observation?patient=Patient/85":                          "85",
		"Observation?patient=https://ehr.example/fhir/Patient/85": "85",
		"Observation?patient:Patient=85&code=x":                   "85",
		"Observation?subject=Patient/85":                          "85",
		"Observation?subject:Patient=85":                          "85",
		"Observation?subject=85":                                  "", // perhaps a group
		"Observation?subject=Group/85":                            "",
		"Observation?performer=Patient/85":                        "",
		"Observation?patient=85,86":                               "",
		"Observation?patient:missing=true":                        "",
		"Observation?patient:identifier=85":                       "",
		"Observation?patient=https://other.example/Patient/85":    "",
		"Observation?code=85":                                     "",
		"Coverage?beneficiary=85":                                 "85",
		"Patient?_id=85":                                          "85",
		"Patient?_id:not=85":                                      "",
		"Observation?_id=85":                                      "",
	} {
		kind, rest, _ := strings.Cut(text, "?")
		if id, ok := query(t, kind, rest).Patient(); id != want || ok != (want != "") {
			t.Errorf("%s fixes %q, want %q", text, id, want)
		}
	}
}

func TestNormalisedFormIsOneForAllSpellings(t *testing.T) {
	same := func(a, b string, want bool) {
		t.Helper()
		x, y := query(t, "Observation", a).Normalised(), query(t, "Observation", b).Normalised()
		if (x == y) != want {
			t.Errorf("%s: %s\n%s: %s\nthe same: %t, want %t", a, x, b, y, x == y, want)
		}
	}
	same("code=a&date=2019", "date=eq2019&code=a", true)
	same("code=b,a&_count=10", "code=a,b,a&_count=20", true)
	same("code=a&code=b", "code=b&code=a&code=a", true)
	same("patient=85", "patient=https://ehr.example/fhir/Patient/85", true)
	same("subject:Patient=85", "subject=Patient/85/_history/2", true)
	same("value-string=ZO%C3%8B", "value-string=zoe", true)
	same("date=2019-01-01T00:00:00+01:00", "date=2019-01-01T00:00:00%2B01:00", true)
	same("value-quantity=1e2||mg", "value-quantity=eq1E2||mg", true)
	same("_sort=-date", "_sort=-date", true)
	for _, b := range []string{"code=a", "code=a|", "code=|a", `code=a\,b`, "code=a&code=b", "code:not=a,b", "status=a,b", "code=a,b&_sort=date", "code:missing=true", "code:missing=false"} {
		same("code=a,b", b, false)
	}
	same("_sort=date", "_sort=-date", false)
	same(`code=a\|b`, "code=a|b", false)
	same("value-string:exact=Zoe", "value-string:exact=zoe", false)
	same(`code-value-quantity=a\$1$2`, `code-value-quantity=a$1`, false)
	same("value-quantity=1", "value-quantity=1.0", false)
}

func TestQueriesAndValuesCannotBePrinted(t *testing.T) {
	q := query(t, "Patient", "name=Okafor&identifier=urn:mrn|Okafor&birthdate=ge1960&name:exact=Okafor")
	values := Values(doc(t, `{"resourceType":"Patient","id":"1","name":[{"family":"Okafor"}],"identifier":[{"value":"Okafor"}]}`), Options{})
	inner := struct {
		query   *Query
		clauses any
	}{q, struct{ c func() []Clause }{q.Clauses}}
	for _, x := range []any{q, *q, inner, &inner, q.Clauses(), q.Clauses()[0].Any, q.Clauses()[0].Any[0].Value, values, values[0], fmt.Errorf("wrapped: %w", outcome.New(outcome.Invalid, fmt.Sprint(q)))} {
		asJSON, _ := json.Marshal(x)
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "x", x)
		for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %d %q %x", x, x, x, x, x, x, x), string(asJSON), logged.String()} {
			if strings.Contains(text, "Okafor") || strings.Contains(text, "okafor") || strings.Contains(text, "4f6b61666f72") {
				t.Errorf("%T prints its content: %s", x, text)
			}
		}
	}
	if got := fmt.Sprint(q); got != "Patient?birthdate&identifier&name:exact&name" {
		t.Errorf("a query prints as %s", got)
	}
	if fmt.Sprint((*Query)(nil), &Query{}) == "" {
		t.Error("an empty query does not print")
	}
}
