package access

import (
	"regexp"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
)

func shieldOf(names ...string) *shield {
	s := &shield{base: "http://localhost/fhir/", whose: map[string]string{}}
	var forms []string
	for i, name := range names {
		s.people = append(s.people, shielded{id: name, alias: "Staff " + string(rune('A'+i)), practitioner: "Practitioner/p" + string(rune('a'+i))})
		for _, f := range namesOf(name) {
			s.whose[strings.ToLower(f)] = s.people[i].alias
			forms = append(forms, regexp.QuoteMeta(f))
		}
	}
	s.any = matcher(forms)
	return s
}

func TestShieldFindsNamesInTexts(t *testing.T) {
	s := shieldOf("Dr. Anna Maria Östberg", "Li Wu")
	for said, want := range map[string]string{
		"":                                 "",
		"Östberg":                          "Staff A",
		"seen by Dr. ÖSTBERG.":             "seen by Dr. Staff A.",
		"Östberg, Anna Maria":              "Staff A",
		"Anna Maria Östberg and Wu, Li":    "Staff A and Staff B",
		"Anna Östberg (A. Östberg)":        "Staff A (Staff A)",
		"Östbergs Wunde, Wunder, Kungfuwu": "Östbergs Wunde, Wunder, Kungfuwu", // parts of words
		"<b>Östberg</b>":                   "<b>Staff A</b>",
		"Anna called":                      "Anna called", // a given name tells nobody whom to look for
	} {
		if got := s.text(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	if a := s.agent(audit.Agent{Person: "Li Wu", Name: "Li Wu", Practitioner: "Practitioner/pb", Role: "nurse"}); a.Name != "Staff B" || a.Practitioner != "" || a.Role != "nurse" {
		t.Errorf("%+v", a)
	}
	var nobody *shield
	if nobody.text("Östberg") != "Östberg" || nobody.agent(audit.Agent{Person: "x", Name: "y"}).Name != "y" {
		t.Error("a nil shield hides")
	}
}

func TestShieldKeepsTheNameOfANamesake(t *testing.T) {
	s := shieldOf("Anna Berg")
	for text, want := range map[string]string{
		`{"resourceType":"Patient","name":[{"family":"Berg"}],"generalPractitioner":[{"reference":"Practitioner/pa","display":"Anna Berg"}]}`:                     `"family":"Berg"`,
		`{"resourceType":"Observation","performer":[{"reference":"http://localhost/fhir/Practitioner/pa/_history/2","identifier":{"value":"77"},"display":"x"}]}`: `"display":"Staff A"`,
	} {
		d, err := document.Parse([]byte(text))
		if err == nil {
			d, err = s.doc(d)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := string(d.AppendJSON(nil))
		if !strings.Contains(got, want) || strings.Contains(got, "Anna Berg") || strings.Contains(got, `"77"`) {
			t.Error(got)
		}
	}
}

// Whatever a document holds, what a patient gets is a document, and says no whole name of hers in a text.
func FuzzShield(f *testing.F) {
	s := shieldOf("Anna Berg", "Li Wu")
	f.Add(`{"resourceType":"Condition","note":[{"text":"Anna Berg &#66;erg"}],"asserter":{"reference":"Practitioner/pa"},"x":{"data":"QmVyZw=="}}`)
	f.Add(`{"resourceType":"Practitioner","id":"pa","name":{"text":"Berg"},"active":true}`)
	f.Add(`{"resourceType":"PractitionerRole","practitioner":{"reference":"Practitioner/pb","display":"Li Wu"},"meta":[1]}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := document.Parse([]byte(text))
		if err != nil {
			return
		}
		out, err := s.doc(d)
		if err != nil {
			return // refused, so nothing is given
		}
		again, err := document.Parse(out.AppendJSON(nil))
		if err != nil {
			t.Fatalf("%q became %q: %v", text, out.AppendJSON(nil), err)
		}
		for n := range again.Root().All() {
			if n.Kind() == document.String && n.Name() == "text" && !ownName(again, n) && s.text(n.Text()) != n.Text() {
				t.Fatalf("%q still says %q", text, n.Text())
			}
		}
	})
}
