package record

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search/searchtest"
)

// askable is what the data of TestFilterEqualsStripped can be asked by.
var askable = searchtest.World{
	Conditions: map[string][]string{
		"Patient":      {"family=family0", "family:exact=Family1", "name:contains=mily2", "birthdate=ge1970", "birthdate=lt1980", "gender=male", "gender:not=male", "birthdate:missing=true", "general-practitioner=Practitioner/doc1", "_id=pat0,pat2,pat4"},
		"Encounter":    {"status=finished", "status:not=finished", "class=AMB", "class:missing=true", "date=ge2014", "date=lt2013", "subject=pat0,pat1", "participant=Practitioner/doc2", "participant:missing=true"},
		"Observation":  {"code=c0", "code=s|c1,s|c2", "code:not=c2", "code:missing=true", "status=amended", "date=2012,2015", "date=gt2014", "encounter=enc1,enc5,enc9", "performer:missing=false"},
		"Practitioner": {"name=healer0", "family=healer", "telecom=555-1", "telecom:missing=true", "_id=doc0,doc2"},
	},
	Sorts: map[string][]string{"Patient": {"birthdate", "family", "gender"}, "Encounter": {"date", "status"}, "Observation": {"date", "code"}, "Practitioner": {"name"}},
	Links: []searchtest.Link{{From: "Patient", Param: "general-practitioner", To: "Practitioner"}, {From: "Encounter", Param: "subject", To: "Patient"}, {From: "Encounter", Param: "participant", To: "Practitioner"},
		{From: "Observation", Param: "subject", To: "Patient"}, {From: "Observation", Param: "encounter", To: "Encounter"}, {From: "Observation", Param: "performer", To: "Patient"}},
}

// TestFilterEqualsStripped: whatever is hidden, by chart, by record or by element, every answer equals that of a store that holds only
// the rest, cut to what may be seen: to fixed questions, and to questions drawn at random.
func TestFilterEqualsStripped(t *testing.T) {
	rounds, asked, met := 20, 0, 0 // 1,120 fixed questions and 1,200 drawn ones
	if testing.Short() {
		rounds = 3
	}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		whole, stripped := newWorld(t), newWorld(t)
		hiddenChart := map[fhir.PatientID]bool{}
		hiddenRecord := map[string]bool{}
		masks := map[string]string{"Observation": pickOne(r, []string{"", "code", "status"}), "Encounter": pickOne(r, []string{"", "participant", "class"}),
			"Practitioner": pickOne(r, []string{"", "telecom", "name"}), "Patient": pickOne(r, []string{"", "birthDate", "name"})}
		mask := func(s *Sealed) func(string) bool {
			if m := masks[s.Type()]; m != "" {
				return func(element string) bool { return element == m }
			}
			return nil
		}
		store := func(typ, id, text string) {
			d := doc(t, `{"resourceType":"`+typ+`","id":"`+id+`"`+text+`}`)
			s := whole.must(Write{Op: Update, Type: typ, ID: id, Doc: d})[0]
			if typ == patientType {
				hiddenChart[s.Patient()] = r.IntN(3) == 0
			}
			hiddenRecord[s.Ref()] = r.IntN(4) == 0
			if hiddenRecord[s.Ref()] || slices.ContainsFunc(s.Patients(), func(p fhir.PatientID) bool { return hiddenChart[p] }) {
				return
			}
			x, err := s.Masked(mask(s))
			must(t, err)
			cut := x.found().doc
			stripped.must(Write{Op: Update, Type: typ, ID: id, Doc: cut})
		}
		for i := range 3 {
			store("Practitioner", fmt.Sprint("doc", i), fmt.Sprintf(`,"name":[{"family":"Healer%d"}],"telecom":[{"system":"phone","value":"555-%d"}]`, i%2, i))
		}
		for i := range 5 {
			id := fmt.Sprint("pat", i)
			store("Patient", id, fmt.Sprintf(`,"name":[{"family":"Family%d"}],"birthDate":"19%d0-01-01","gender":%q,"generalPractitioner":[{"reference":"Practitioner/doc%d"}]`, i%3, 5+i, pickOne(r, []string{"male", "female"}), r.IntN(3)))
			if hiddenRecord["Patient/"+id] { // a chart whose Patient alone is hidden cannot be built in the stripped store
				p, err := whole.Patient(t.Context(), id)
				must(t, err)
				hiddenChart[p] = true
			}
		}
		for i := range 25 {
			p := r.IntN(5)
			store("Encounter", fmt.Sprint("enc", i), fmt.Sprintf(`,"status":%q,"class":{"code":%q},"subject":{"reference":"Patient/pat%d"},"participant":[{"individual":{"reference":"Practitioner/doc%d"}}],"period":{"start":"20%02d-01-01"}`,
				pickOne(r, []string{"finished", "planned"}), pickOne(r, []string{"AMB", "IMP"}), p, r.IntN(3), 10+r.IntN(9)))
			for j := range 3 {
				performer := ""
				if r.IntN(4) == 0 {
					performer = fmt.Sprintf(`,"performer":[{"reference":"Patient/pat%d"}]`, r.IntN(5))
				}
				store("Observation", fmt.Sprint("obs", i, "-", j), fmt.Sprintf(`,"status":%q,"code":{"coding":[{"system":"s","code":"c%d"}]},"subject":{"reference":"Patient/pat%d"},"encounter":{"reference":"Encounter/enc%d"},"effectiveDateTime":"20%02d-01-01"%s`,
					pickOne(r, []string{"final", "amended"}), r.IntN(3), p, r.IntN(i+1), 10+r.IntN(9), performer))
			}
		}
		eyes := SearchRequest{Permits: func(p fhir.PatientID) bool { return !hiddenChart[p] }, Allows: func(s *Sealed) bool { return !hiddenRecord[s.Ref()] }, Mask: mask, Principal: "p"}
		var questions [][2]string
		for _, c := range [][2]string{{"Encounter", ""}, {"Encounter", "status=finished&_sort=-date"}, {"Encounter", "subject:Patient.family=family1"}, {"Encounter", "participant:Practitioner.family=healer1"},
			{"Encounter", "subject=pat0,pat1,pat3"}, {"Encounter", "participant=Practitioner/doc1&date=ge2013"}, {"Encounter", "class:not=AMB"}, {"Encounter", "class:missing=true"}, {"Encounter", "_has:Observation:encounter:code=c1"},
			{"Encounter", "_include=Encounter:subject&_include=Encounter:participant&_revinclude=Observation:encounter&status=planned"}, {"Encounter", "_id=enc1,enc2,enc3,enc4"},
			{"Observation", "code=c1"}, {"Observation", "code:not=c1&_sort=date"}, {"Observation", "encounter:Encounter.class=IMP"}, {"Observation", "encounter:Encounter.participant:Practitioner.family=healer0"},
			{"Observation", "subject:Patient.gender=male&_include=Observation:encounter&_include:iterate=Encounter:participant"}, {"Observation", "performer:Patient.birthdate=ge1960"}, {"Observation", "performer:missing=false"},
			{"Patient", "_has:Observation:patient:code=c2"}, {"Patient", "_has:Encounter:patient:_has:Observation:encounter:status=amended"}, {"Patient", "general-practitioner:Practitioner.family=healer0"},
			{"Patient", "family=family"}, {"Patient", "birthdate=ge1970&_sort=-birthdate"}, {"Patient", "_revinclude=Encounter:subject&gender=female"},
			{"Practitioner", "_has:Encounter:participant:class=IMP"}, {"Practitioner", "telecom=555-1"}, {"Practitioner", "_revinclude=Encounter:participant"}, {"Practitioner", "name=healer&_sort=name"}} {
			questions = append(questions, [2]string{c[0], c[1] + "&_count=3"}, [2]string{c[0], c[1] + "&_count=500"})
		}
		for range 60 {
			typ, text := askable.Draw(r)
			questions = append(questions, [2]string{typ, text})
		}
		for _, c := range questions {
			typ, text := c[0], strings.TrimPrefix(c[1], "&")
			request := eyes
			request.Query, request.Text = query(t, typ, text), text
			plain := SearchRequest{Query: request.Query, Text: text, Principal: "p"}
			for page := 0; ; page++ {
				got, err := whole.Search(t.Context(), request)
				must(t, err)
				wanted, err := stripped.Search(t.Context(), plain)
				must(t, err)
				if a, b := refsOf(got.Hits), refsOf(wanted.Hits); !slices.Equal(a, b) {
					t.Fatalf("seed %d, %s?%s, page %d: %v, stripped %v (masks %v)", seed, typ, text, page, a, b, masks)
				}
				a, b := refsOf(got.Included), refsOf(wanted.Included)
				slices.Sort(a)
				slices.Sort(b)
				if !slices.Equal(a, b) || got.Total != wanted.Total || (got.Next == "") != (wanted.Next == "") {
					t.Fatalf("seed %d, %s?%s, page %d: includes %v, stripped %v; totals %d, %d", seed, typ, text, page, a, b, got.Total, wanted.Total)
				}
				if asked++; len(got.Hits) > 0 {
					met++
				}
				if got.Next == "" {
					break
				}
				if request.After, err = whole.OpenCursor("p", got.Next); err != nil {
					t.Fatal(err)
				}
				if plain.After, err = stripped.OpenCursor("p", wanted.Next); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	// Where most answers are empty, equal answers say little.
	if t.Logf("%d pages, %d with hits", asked, met); asked < rounds*116 || met < asked/2 {
		t.Error("too few")
	}
}
