package consent

import (
	"math/rand/v2"
	"testing"
	"time"

	"chartwarden/internal/fhir/document"
)

func doc(t testing.TB, text string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var noon = time.Date(2026, 3, 11, 12, 0, 0, 0, time.UTC)

func asker(refs ...string) Asker {
	return Asker{At: noon, Purposes: []string{"TREAT"}, Is: func(ref string) bool {
		for _, x := range refs {
			if x == ref {
				return true
			}
		}
		return false
	}}
}

func counted(provision string) string {
	return `{"resourceType":"Consent","id":"c1","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},"provision":` + provision + `}`
}

// What counts, what does not, and what is read as the stricter of two meanings.
func TestRead(t *testing.T) {
	observation := doc(t, `{"resourceType":"Observation","id":"o1","status":"final"}`)
	for text, want := range map[string]struct{ counts, withholds, unclear bool }{
		counted(`{"type":"deny"}`): {true, true, false},
		`{"resourceType":"Consent","status":"inactive","scope":{"coding":[{"code":"patient-privacy"}]},"provision":{"type":"deny"}}`: {},
		`{"resourceType":"Consent","status":"active","scope":{"coding":[{"code":"research"}]},"provision":{"type":"deny"}}`:          {},
		counted(`{"type":"deny","period":{"end":"2026-03-11"}}`):                                                                     {true, true, false},
		counted(`{"type":"deny","period":{"end":"2026-03-10"}}`):                                                                     {true, false, false},
		counted(`{"type":"deny","period":{"start":"2026-03-12"}}`):                                                                   {true, false, false},
		counted(`{"type":"deny","actor":[{"reference":{"reference":"Patient/p1"}}]}`):                                                {true, true, true},
		counted(`{"type":"permit","provision":[{"type":"permit","actor":[{"reference":{"reference":"Device/d1"}}]}]}`):               {true, false, true},
		counted(`{"type":"deny","provision":[{"type":"permit","actor":[{"reference":{"display":"my son"}}]}]}`):                      {true, true, true},
		counted(`{"type":"deny","class":[{"code":"urn:hl7-org:v3"}]}`):                                                               {true, true, true},
		counted(`{"type":"deny","class":[{"code":"Condition"}]}`):                                                                    {true, false, false},
		counted(`{"type":"deny","dataPeriod":{"start":"2026"}}`):                                                                     {true, true, false}, // it has no date
		counted(`{"type":"deny","purpose":[{"code":"HPAYMT"}]}`):                                                                     {true, false, false},
		counted(`{"actor":[{"reference":{"reference":"Practitioner/x"}}],"provision":[{"type":"deny"}]}`):                            {true, true, false},
		counted(`{"type":"permit","action":[{"coding":[{"code":"collect"}]}]}`):                                                      {true, true, true},
		counted(`{"type":"permit","provision":[{"type":"deny","provision":[{"type":"permit","class":[{"code":"Observation"}]}]}]}`):  {true, false, false},
	} {
		c, unclear, counts := Read(doc(t, text), time.UTC)
		if counts != want.counts || len(unclear) > 0 != want.unclear {
			t.Errorf("%s: counts %v, unclear %v", text, counts, unclear)
		}
		if counts && For([]*Consent{c}, asker("Practitioner/x"), time.UTC).Withholds("Observation", observation) != want.withholds {
			t.Errorf("%s: withholds is not %v", text, want.withholds)
		}
	}
}

// Laws over drawn consents: what is withheld by the type alone is withheld whatever the record says; what is not withheld of an unknown
// record is not withheld of any; one consent more never opens anything; a silent view withholds nothing.
func TestViewLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 13))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var draw func(depth int) string
	draw = func(depth int) string {
		out := `{"type":"` + pick("permit", "deny") + `"`
		add := func(element string) {
			if r.IntN(4) == 0 {
				out += "," + element
			}
		}
		add(`"actor":[{"reference":{"reference":"` + pick("Practitioner/x", "Practitioner/y", "Patient/z") + `"}}]`)
		add(`"purpose":[{"code":"` + pick("TREAT", "HPAYMT") + `"}]`)
		add(`"class":[{"code":"` + pick("Observation", "Condition", "text/xml") + `"}]`)
		add(`"securityLabel":[{"code":"` + pick("N", "R", "PSY") + `"}]`)
		add(`"dataPeriod":{"start":"2025"}`)
		add(`"data":[{"meaning":"` + pick("instance", "related", "authoredby") + `","reference":{"reference":"` + pick("Observation/o1", "Encounter/e1", "Practitioner/y") + `"}}]`)
		if depth > 0 && r.IntN(2) == 0 {
			out += `,"provision":[` + draw(depth-1)
			if r.IntN(2) == 0 {
				out += "," + draw(depth-1)
			}
			out += "]"
		}
		return out + "}"
	}
	withheld := 0
	for range 5_000 {
		record := doc(t, `{"resourceType":"Observation","id":"`+pick("o1", "o2")+`","meta":{"security":[{"code":"`+pick("N", "PSY")+`"}]},"effectiveDateTime":"`+pick("2024-01-01", "2026-01-01")+`",
			"encounter":{"reference":"Encounter/`+pick("e1", "e2")+`"},"performer":[{"reference":"Practitioner/`+pick("x", "y")+`"}]}`)
		one, _, _ := Read(doc(t, counted(draw(3))), time.UTC)
		two, _, _ := Read(doc(t, counted(draw(3))), time.UTC)
		a := asker("Practitioner/x")
		v, both := For([]*Consent{one}, a, time.UTC), For([]*Consent{one, two}, a, time.UTC)
		got := v.Withholds("Observation", record)
		if got {
			withheld++
		}
		switch {
		case v.WithholdsAll("Observation") && !got:
			t.Fatalf("all of the type is withheld, not the record\n%+v\n%s", one, record)
		case !v.Withholds("Observation", nil) && got:
			t.Fatalf("withheld, but not while unknown\n%+v", one)
		case got && !both.Withholds("Observation", record):
			t.Fatalf("another consent opens it\n%+v\n%+v", one, two)
		case v.Silent() && got:
			t.Fatal("a silent view withholds")
		}
	}
	if withheld < 500 || withheld > 4_500 {
		t.Errorf("%d of 5000 withheld: the draw asks nothing", withheld)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(counted(`{"type":"deny","provision":[{"type":"permit","data":[{"meaning":"instance","reference":{"reference":"Observation/o1"}}]}]}`)))
	f.Add([]byte(counted(`{"type":"permit","dataPeriod":{"start":"2022","end":"2022-13"},"code":[{"text":"x"}],"actor":[{}],"action":[{}]}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := document.Parse(b)
		if err != nil {
			return
		}
		c, _, counts := Read(d, time.UTC)
		if !counts {
			return
		}
		c.Groups()
		v := For([]*Consent{c}, asker("Practitioner/x"), time.UTC)
		if v.WithholdsAll("Consent") && !v.Withholds("Consent", d) {
			t.Error("the type is withheld and not the record")
		}
	})
}
