package scope_test

import (
	"net/url"
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/scope"
)

func parse(t *testing.T, text string) scope.Set {
	t.Helper()
	s, err := scope.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestGrammar(t *testing.T) {
	for text, want := range map[string]string{
		"patient/Observation.rs":                  "patient/Observation.rs",
		"user/*.cruds":                            "user/*.cruds",
		"system/Patient.read":                     "system/Patient.read",
		"patient/*.* patient/Patient.write":       "patient/*.* patient/Patient.write",
		"patient/Patient.r patient/Patient.s":     "patient/Patient.rs",
		"patient/Patient.read patient/Patient.cu": "patient/Patient.crus",
		"openid  openid fhirUser":                 "openid fhirUser",
		"patient/Observation.rs?code=b&code=a":    "patient/Observation.rs?code=a&code=b",
		"patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory": "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
	} {
		if got := parse(t, text).String(); got != want {
			t.Errorf("%s reads as %s, want %s", text, got, want)
		}
	}
	for _, bad := range []string{
		"patient/Observation.sr", "patient/Observation.rr", "patient/Observation.", "patient/Observation", "patient/Nothing.rs", "observer/Patient.rs",
		"patient/*.rs?_id=1", "patient/Observation.read?category=laboratory", "patient/Observation.rs?", "patient/Observation.rs?nothing=1",
		"patient/Observation.rs?subject.name=x", "patient/Observation.rs?_count=1", "patient/Observation.rs?_include=Observation:subject",
		"patient/Observation.rs?_has:Provenance:target:agent=1", "launch/encounter", "patient/patient.rs", "*/*.cruds", "/.", "Patient.rs",
	} {
		if s, err := scope.Parse("openid " + bad); err == nil {
			t.Errorf("%s is taken, as %s", bad, s)
		} else if !strings.Contains(err.Error(), "scope 2") {
			t.Errorf("%s: %v does not say where", bad, err)
		}
		if s, err := scope.ParseKnown("openid " + bad); err != nil || s.String() != "openid" {
			t.Errorf("asking for %s gives %s, %v", bad, s, err)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct{ asked, registered, want string }{
		{"system/Observation.cruds", "system/Observation.rs", "system/Observation.rs"},
		{"system/*.rs", "system/Patient.r system/Observation.rs", "system/Patient.r system/Observation.rs"},
		{"system/Patient.rs", "system/*.cruds", "system/Patient.rs"},
		{"patient/Patient.rs", "system/Patient.rs user/Patient.rs", ""},
		{"patient/Observation.rs", "patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=laboratory"},
		{"patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=laboratory"},
		{"patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=vital-signs", "patient/Observation.rs?category=laboratory&category=vital-signs"},
		{"patient/Observation.rs?code=1", "patient/*.s", "patient/Observation.s?code=1"},
		{"openid offline_access patient/*.rs", "openid patient/*.r", "openid patient/*.r"},
		{"patient/*.rs", "patient/Observation.rs?category=laboratory patient/Patient.r", "patient/Observation.rs?category=laboratory patient/Patient.r"},
	} {
		got := parse(t, c.asked).Within(parse(t, c.registered))
		if got.String() != c.want {
			t.Errorf("%s within %s is %s, want %s", c.asked, c.registered, got, c.want)
		}
	}
}

func query(t *testing.T, text string) *search.Query {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	q, err := search.Parse("Observation", values, search.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestReach(t *testing.T) {
	s := parse(t, "patient/Observation.rs?category=http://c|laboratory patient/Observation.s?category=http://c|vital-signs patient/Patient.r user/Condition.cu")
	reach := s.Reach(scope.Search, "Observation", scope.Patient, scope.Person)
	for text, want := range map[string]bool{
		"patient=1":                                                  false,
		"patient=1&category=laboratory":                              true,
		"patient=1&category=http://c|laboratory":                     true,
		"patient=1&category=http://other|laboratory":                 false,
		"patient=1&category=laboratory,vital-signs":                  true,
		"patient=1&category=laboratory,exam":                         false,
		"patient=1&category:not=exam":                                false,
		"patient=1&category=vital-signs":                             true,
		"patient=1&code=laboratory":                                  false,
		"patient=1&category=http://c|":                               false,
		"category=laboratory&category=exam&patient=1&code=http://l|": true, // a narrower search still
	} {
		if got := reach.Admits(query(t, text)); got != want {
			t.Errorf("%s: admitted %t", text, got)
		}
	}
	doc, err := document.Parse([]byte(`{"resourceType":"Observation","category":[{"coding":[{"system":"http://c","code":"vital-signs"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	matches := func(q *search.Query) bool { return search.Match(doc, q) }
	if !reach.Holds(matches) {
		t.Error("a search does not reach vital signs")
	}
	if s.Reach(scope.Read, "Observation", scope.Patient).Holds(matches) {
		t.Error("reading reaches vital signs, which only a search may")
	}
	for _, none := range []scope.Reach{s.Reach(scope.Read, "Observation", scope.Person), s.Reach(scope.Search, "Patient", scope.Patient), s.Reach(scope.Delete, "Condition", scope.Person), {}} {
		if !none.None() || none.Holds(func(*search.Query) bool { return true }) || none.Admits(query(t, "patient=1")) {
			t.Error("something is reached that no scope names")
		}
	}
	if !s.Reach(scope.Update, "Condition", scope.Person).Whole() {
		t.Error("user/Condition.cu does not reach an update")
	}
}

// FuzzParse holds the laws of the grammar: what is read prints as what reads the same, a set lies within itself, and what lies within
// a limit reaches no further than the limit does.
func FuzzParse(f *testing.F) {
	f.Add("patient/Observation.rs?category=laboratory openid", "patient/*.cruds")
	f.Add("system/*.read launch/patient", "system/Patient.rs system/Observation.s?code=a|b,c&status=final")
	f.Add("user/Patient.*", "user/Patient.rs?name=%20x")
	doc, err := document.Parse([]byte(`{"resourceType":"Observation","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"coding":[{"system":"a","code":"b"}]}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		asked, err := scope.ParseKnown(a)
		if err != nil {
			return
		}
		again, err := scope.Parse(asked.String())
		if err != nil || again.String() != asked.String() {
			t.Fatalf("%q reads as %q, which reads as %q: %v", a, asked, again, err)
		}
		limit, err := scope.ParseKnown(b)
		if err != nil {
			return
		}
		both := asked.Within(limit)
		contexts := []scope.Context{scope.Patient, scope.Person, scope.System}
		for _, typ := range []string{"Observation", "Patient"} {
			for i := scope.Create; i <= scope.Search; i <<= 1 {
				for _, c := range contexts {
					matches := func(q *search.Query) bool { return q.Type == typ && search.Match(doc, q) }
					got := both.Reach(i, typ, c)
					if got.Holds(matches) && !(asked.Reach(i, typ, c).Holds(matches) && limit.Reach(i, typ, c).Holds(matches)) {
						t.Fatalf("%q within %q is %q: it reaches further", a, b, both)
					}
				}
			}
		}
		if self := asked.Within(asked); len(asked.Resources()) > 0 && len(self.Resources()) == 0 {
			t.Fatalf("%q is not within itself", asked)
		}
	})
}
