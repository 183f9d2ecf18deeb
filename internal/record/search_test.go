package record

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

func query(t testing.TB, typ, text string) *search.Query {
	t.Helper()
	v, err := url.ParseQuery(text)
	must(t, err)
	q, err := search.Parse(typ, v, search.Options{Strict: true})
	must(t, err)
	return q
}

// all follows the pages to the end and gives the ids in order.
func (w *world) all(r SearchRequest) (ids []string) {
	w.t.Helper()
	for range 1000 {
		page, err := w.Search(w.t.Context(), r)
		must(w.t, err)
		for _, h := range page.Hits {
			ids = append(ids, h.ID())
		}
		if page.Next == "" {
			return ids
		}
		if r.After, err = w.OpenCursor(r.Principal, page.Next); err != nil {
			w.t.Fatal(err)
		}
		if r.After.Served() != len(ids) || r.After.Type() != r.Query.Type || r.After.Query() != r.Text || r.After.Patient() != r.Patient {
			w.t.Fatal("the cursor forgot what it is about")
		}
	}
	w.t.Fatal("pages without end")
	return nil
}

func TestSearchInAChartEqualsBruteForce(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(3, 4))
	a, b := w.patient("Adler", "Ada", "1970-01-02"), w.patient("Birke", "Bo", "1980-01-02")
	var stored []*Sealed
	for i := range 80 {
		p := a
		if i%5 == 0 {
			p = b
		}
		s := w.observation(p, fmt.Sprintf("%d-1", r.IntN(4)), fmt.Sprintf("20%02d-0%d-01", 10+r.IntN(4), 1+r.IntN(9)))
		if i%9 == 0 {
			s = w.put(s.ID(), strings.Replace(w.open(s), "final", "amended", 1))
		}
		stored = append(stored, s)
	}
	for _, text := range []string{"", "code=1-1", "code=1-1,2-1&date=ge2011", "date=lt2012&_sort=date", "_sort=-date", "status=amended", "code:not=1-1&_sort=-date",
		"code=1-1&_total=accurate", "_sort=code,-date", "date=2099"} {
		for _, count := range []int{1, 7, 100} {
			full := strings.TrimPrefix(fmt.Sprintf("%s&_count=%d", text, count), "&")
			q := query(t, "Observation", full)
			var expected []*Sealed
			for _, s := range stored {
				if s.Patient() == a.Patient() && search.Match(s.found().doc, q) {
					expected = append(expected, s)
				}
			}
			slices.SortFunc(expected, func(x, y *Sealed) int {
				return compareHits(hit{candidate{sealed: x}, q.SortKey(x.found().doc)}.position(), hit{candidate{sealed: y}, q.SortKey(y.found().doc)}.position())
			})
			var ids []string
			for _, s := range expected {
				ids = append(ids, s.ID())
			}
			request := SearchRequest{Query: q, Text: full, Patient: a.Patient(), Principal: "p1"}
			if got := w.all(request); !slices.Equal(got, ids) {
				t.Fatalf("%s: %d hits, want %d", full, len(got), len(ids))
			}
			page, err := w.Search(t.Context(), request)
			must(t, err)
			if page.Total != len(ids) && (page.Total != -1 || q.Total == "accurate" || len(ids) <= count) {
				t.Fatalf("%s: total %d of %d", full, page.Total, len(ids))
			}
		}
	}
	for _, text := range []string{"code=1-1&_count=0", "code=1-1&_summary=count"} {
		page, err := w.Search(t.Context(), SearchRequest{Query: query(t, "Observation", text), Patient: a.Patient()})
		must(t, err)
		full, err := w.Search(t.Context(), SearchRequest{Query: query(t, "Observation", "code=1-1&_count=1000"), Patient: a.Patient()})
		must(t, err)
		if page.Hits != nil || page.Total != len(full.Hits) || page.Total == 0 {
			t.Fatalf("%s: %d of %d", text, page.Total, len(full.Hits))
		}
	}
}

func TestPagesSeeTheMomentOfTheFirst(t *testing.T) {
	for _, text := range []string{"code=1-1&_count=4", "code=1-1&_count=4&_sort=-date"} {
		w := newWorld(t)
		p := w.patient("Castell", "Ada", "1970-01-02")
		var o []*Sealed
		for i := range 10 {
			o = append(o, w.observation(p, "1-1", fmt.Sprintf("20%d-01-01", 30-i)))
		}
		r := SearchRequest{Query: query(t, "Observation", text), Text: text, Patient: p.Patient(), Principal: "p1"}
		page, err := w.Search(t.Context(), r)
		must(t, err)
		w.observation(p, "1-1", "2025-06-01")
		w.put(o[5].ID(), strings.Replace(w.open(o[5]), "1-1", "9-9", 1))
		w.put(o[6].ID(), strings.Replace(w.open(o[6]), "2024-", "1924-", 1))
		w.must(Write{Op: Delete, Type: "Observation", ID: o[7].ID()})
		w.same(text, w.follow(r, page), o)
	}
}

// follow gives the hits of a page and of all behind it.
func (w *world) follow(r SearchRequest, page *Page) (hits []*Sealed) {
	w.t.Helper()
	for {
		hits = append(hits, page.Hits...)
		if page.Next == "" {
			return hits
		}
		var err error
		r.After, err = w.OpenCursor(r.Principal, page.Next)
		must(w.t, err)
		page, err = w.Search(w.t.Context(), r)
		must(w.t, err)
	}
}

func (w *world) same(text string, got, want []*Sealed) {
	w.t.Helper()
	if len(got) != len(want) {
		w.t.Fatalf("%s: %d hits, want %d", text, len(got), len(want))
	}
	for i := range got {
		if got[i].Record() != want[i].Record() || got[i].Version() != want[i].Version() {
			w.t.Fatalf("%s: hit %d moved", text, i)
		}
	}
}

func TestCursorIsBound(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	for range 3 {
		w.observation(p, "1-1", "2020-01-01")
	}
	r := SearchRequest{Query: query(t, "Observation", "code=1-1&_count=1"), Text: "code=1-1&_count=1", Patient: p.Patient(), Principal: "p1"}
	page, err := w.Search(t.Context(), r)
	must(t, err)
	_, err = w.OpenCursor("p2", page.Next)
	want(t, err, outcome.Invalid)
	_, err = w.OpenCursor("p1", page.Next[:len(page.Next)-1])
	want(t, err, outcome.Invalid)
	_, err = w.OpenCursor("p1", "")
	want(t, err, outcome.Invalid)
	c, err := w.OpenCursor("p1", page.Next)
	must(t, err)
	other := r
	other.Patient, other.After = 0, c
	other.Query = query(t, "Practitioner", "")
	_, err = w.Search(t.Context(), other)
	want(t, err, outcome.Invalid)
	w.now = w.now.Add(cursorLife + time.Minute)
	_, err = w.OpenCursor("p1", page.Next)
	want(t, err, outcome.Expired)
}

func TestWhatMayNotBeSeenIsNotThere(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	w.observation(p, "1-1", "2020-01-01")
	hidden := w.observation(p, "2-2", "2021-01-01")
	allows := func(s *Sealed) bool { return s.ID() != hidden.ID() }
	noCode := func(*Sealed) func(string) bool { return func(element string) bool { return element == "code" } }
	for _, c := range []struct {
		text string
		r    SearchRequest
		n    int
	}{
		{"code=1-1,2-2", SearchRequest{}, 2},
		{"code=1-1,2-2", SearchRequest{Allows: allows}, 1},
		{"code=1-1", SearchRequest{Mask: noCode}, 0},
		{"code:not=1-1", SearchRequest{Mask: noCode}, 2}, // as in a store without the codes
		{"code=1-1,2-2", SearchRequest{Permits: func(fhir.PatientID) bool { return false }}, 0},
	} {
		c.r.Query, c.r.Patient = query(t, "Observation", c.text+"&_total=accurate"), p.Patient()
		page, err := w.Search(t.Context(), c.r)
		must(t, err)
		if len(page.Hits) != c.n || page.Total != c.n {
			t.Fatalf("%s: %d hits, total %d, want %d", c.text, len(page.Hits), page.Total, c.n)
		}
		if c.r.Mask != nil && c.n > 0 {
			if text := w.open(page.Hits[0]); strings.Contains(text, "loinc") || !strings.Contains(text, "REDACTED") {
				t.Fatal(text)
			}
		}
	}
}

func TestFindingPatientsEqualsBruteForce(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(5, 6))
	pick := func(words string) string { list := strings.Fields(words); return list[r.IntN(len(list))] }
	var people []*Sealed
	for i := range 150 {
		people = append(people, w.create(fmt.Sprintf(`{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"M%d"}],
			"name":[{"family":%q,"given":[%q,%q]}],"gender":%q,"birthDate":%q,"telecom":[{"system":"email","value":%q}],
			"address":[{"city":%q,"line":["Mill Lane %d"]}]}`, i%140, pick("Müller Mueller MULLER O'Neil Castellano Castell Li"), pick("Ada Bo Ágnes"), pick("Maria Anna"),
			pick("male female other"), pick("1970 1970-03 1970-03-05 1981-12-31 2001-01-01"), pick("a@x.org B@X.org"), pick("Millbrook Ashford"), i)))
	}
	for i := range 40 { // changed demographics leave no old candidates in the results
		text := strings.Replace(w.open(people[i]), "Castell", "Zanker", 1)
		people[i] = w.put(people[i].ID(), text)
	}
	w.must(Write{Op: Delete, Type: "Patient", ID: people[149].ID()})
	people = people[:149]
	check := func() {
		t.Helper()
		for _, text := range []string{"name=mull", "family=castell", "family:exact=Castell", "family:contains=stell", "given=agnes&gender=female", "identifier=urn:mrn|M7", "identifier=M7,M8",
			"identifier=urn:mrn|", "birthdate=1970", "birthdate=1970-03-05&name=li", "birthdate=ge1981", "birthdate=lt1971-01-01&gender=male", "email=A@x.org", "email=b@x.org", "address=mill",
			"address-city=ash", "name=zanker", "family=o'neil", "name:missing=true", "gender:not=male", "name=castellanoo", "_id=" + people[3].ID() + "," + people[4].ID(), "", "_sort=family&gender=male",
			"_sort=-birthdate,given"} {
			full := strings.TrimPrefix(text+"&_count=20", "&")
			q := query(t, "Patient", full)
			var ids []string
			sorted := slices.Clone(people)
			slices.SortFunc(sorted, func(x, y *Sealed) int {
				return compareHits(hit{candidate{sealed: x}, q.SortKey(x.found().doc)}.position(), hit{candidate{sealed: y}, q.SortKey(y.found().doc)}.position())
			})
			for _, p := range sorted {
				if search.Match(p.found().doc, q) {
					ids = append(ids, p.ID())
				}
			}
			if got := w.all(SearchRequest{Query: q, Text: full, Principal: "p1"}); !slices.Equal(got, ids) {
				t.Fatalf("%s: %d found, want %d", full, len(got), len(ids))
			}
		}
	}
	check()
	w.dir.merge()
	check()
	w.reopen()
	check()
	if w.Patients() != 149 {
		t.Fatal(w.Patients())
	}
}

func TestDirectoryPagesSeeTheMoment(t *testing.T) {
	for _, text := range []string{"family=castell&_count=2", "family=castell&_count=2&_sort=-given"} {
		w := newWorld(t)
		var p []*Sealed
		for i := range 6 {
			p = append(p, w.patient("Castell", fmt.Sprint("G", i), "1970-01-02"))
		}
		slices.Reverse(p)
		r := SearchRequest{Query: query(t, "Patient", text), Text: text, Principal: "p1"}
		page, err := w.Search(t.Context(), r)
		must(t, err)
		w.put(p[3].ID(), strings.Replace(w.open(p[3]), "Castell", "Zanker", 1))
		w.patient("Castell", "G3b", "1970-01-02")
		w.same(text, w.follow(r, page), p)
	}
}

func TestSearchWithoutAPatient(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	o := w.observation(p, "1-1", "2020-01-01")
	if ids := w.all(SearchRequest{Query: query(t, "Observation", "code=1-1")}); !slices.Equal(ids, []string{o.ID()}) {
		t.Fatal(ids)
	}
	none := func() ([]fhir.PatientID, bool, error) { return nil, true, nil }
	if ids := w.all(SearchRequest{Query: query(t, "Observation", "code=1-1"), Charts: none}); len(ids) != 0 {
		t.Fatal(ids)
	}
	if ids := w.all(SearchRequest{Query: query(t, "Observation", "_id="+o.ID()+",nobody")}); !slices.Equal(ids, []string{o.ID()}) {
		t.Fatal(ids)
	}
	for i := range 5 {
		w.create(fmt.Sprintf(`{"resourceType":"Practitioner","name":[{"family":"Doc%d"}]}`, i))
	}
	if ids := w.all(SearchRequest{Query: query(t, "Practitioner", "name=doc&_count=2"), Text: "name=doc&_count=2"}); len(ids) != 5 {
		t.Fatal(ids)
	}
	if ids := w.all(SearchRequest{Query: query(t, "Organization", "")}); len(ids) != 0 {
		t.Fatal(ids)
	}
}
