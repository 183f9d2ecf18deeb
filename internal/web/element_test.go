package web

import (
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
)

// vienna is a zone with an offset, so that a date written in the wrong zone shows.
var vienna = func() *time.Location {
	z, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		panic(err)
	}
	return z
}()

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, vienna)

func parse(t testing.TB, json string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMomentsKeepTheirPrecisionAndZone(t *testing.T) {
	for _, c := range []struct{ json, day, since, recent, whole string }{
		{`"2026-11-20T23:30:00Z"`, "21 Nov 2026", "21 Nov", "00:30", "Sat 21 Nov 2026, 00:30"},
		{`"2026-11-21"`, "21 Nov 2026", "21 Nov", "21 Nov 2026", "21 Nov 2026"},
		{`"2022-03"`, "Mar 2022", "Mar 2022", "Mar 2022", "Mar 2022"},
		{`"2026"`, "2026", "2026", "2026", "2026"},
		{`{"start":"2019-07-01T10:00:00+02:00"}`, "1 Jul 2019", "1 Jul 2019", "1 Jul 2019", "Mon 1 Jul 2019, 10:00"},
		{`"soon"`, "", "", "", ""},
	} {
		m := momentOf(vienna, document.Node{}, parse(t, `{"resourceType":"X","at":`+c.json+`}`).Root().Get("at"))
		got := [4]string{m.day().Text(), m.since(noon).Text(), m.recent(noon).Text(), m.whole().Text()}
		if got != [4]string{c.day, c.since, c.recent, c.whole} {
			t.Errorf("%s: %q", c.json, got)
		}
	}
}

func TestNamesAreFamilyThenGiven(t *testing.T) {
	for json, want := range map[string]string{
		`[{"use":"maiden","family":"Ullrich"},{"use":"official","family":"Okafor","given":["Maren","A."]}]`: "Okafor, Maren A.",
		`[{"family":"Suharto"}]`:          "Suharto",
		`[{"text":"Unknown man, bed 9"}]`: "Unknown man, bed 9",
		`[{"given":["Björk"]}]`:           "Björk",
		`[{"use":"usual","family":"Mbeki"},{"use":"old","family":"Ndlovu"}]`: "Mbeki",
		`[]`: "",
	} {
		if got := access.HumanName(parse(t, `{"resourceType":"Patient","name":`+json+`}`).Root().Get("name")); got != want {
			t.Errorf("%s: %q", json, got)
		}
	}
}

func TestWordsOfConcepts(t *testing.T) {
	for json, want := range map[string]string{
		`{"text":"High blood pressure","coding":[{"display":"Hypertensive disorder"}]}`: "High blood pressure",
		`{"coding":[{"code":"1"},{"code":"2","display":"Stress (finding)"}]}`:           "Stress",
		`{"coding":[{"code":"E11.9"}]}`:                                                 "E11.9",
		`{"text":"Creatinine (serum)"}`:                                                 "Creatinine (serum)",
		`{}`:                                                                            "",
	} {
		if got := words(parse(t, `{"resourceType":"X","c":`+json+`}`).Root().Get("c")); got != want {
			t.Errorf("%s: %q", json, got)
		}
	}
}
