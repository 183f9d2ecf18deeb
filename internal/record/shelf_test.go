package record

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Whatever was written, searches that use what memory holds answer as a store that holds nothing.
func TestShelvesFollowWrites(t *testing.T) {
	t.Run("a few shelves only", func(t *testing.T) { followWrites(t, 24<<10) })
	t.Run("room for all", func(t *testing.T) { followWrites(t, 0) })
}

func followWrites(t *testing.T, room int) {
	w := newWorld(t, func(o *Options) { o.Shelves = room })
	r := rand.New(rand.NewPCG(11, 12))
	var people []*Sealed
	for i := range 6 {
		people = append(people, w.patient(fmt.Sprint("Family", i), "Ada", "1970-01-02"))
	}
	var stored []*Sealed
	rounds := 150
	if testing.Short() {
		rounds = 40
	}
	for round := range rounds {
		switch p := people[r.IntN(len(people))]; r.IntN(5) {
		case 0, 1:
			stored = append(stored, w.observation(p, fmt.Sprintf("%d-1", r.IntN(3)), fmt.Sprintf("20%02d-01-01", 10+r.IntN(9))))
		case 2:
			if len(stored) > 0 {
				i := r.IntN(len(stored))
				stored[i] = w.put(stored[i].ID(), strings.Replace(w.open(stored[i]), "final", "amended", 1))
			}
		case 3:
			if len(stored) > 3 {
				i := r.IntN(len(stored))
				w.must(Write{Op: Delete, Type: "Observation", ID: stored[i].ID()})
				stored = slices.Delete(stored, i, i+1)
			}
		case 4: // about two patients: it lies on the shelf of each
			other := people[r.IntN(len(people))]
			stored = append(stored, w.create(fmt.Sprintf(`{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-1"}]},
				"subject":{"reference":"Patient/%s"},"performer":[{"reference":"Patient/%s"}],"effectiveDateTime":"2015-01-01"}`, p.ID(), other.ID())))
		}
		if round%7 == 6 { // a type that the chart may not have had
			w.create(fmt.Sprintf(`{"resourceType":"%s","patient":{"reference":"Patient/%s"}}`, []string{"AllergyIntolerance", "FamilyMemberHistory", "Immunization"}[r.IntN(3)], people[r.IntN(3)].ID()))
		}
		if round%5 != 0 {
			continue
		}
		fresh, err := Open(t.Context(), w.o)
		must(t, err)
		for _, text := range []string{"code=1-1&_sort=date", "status=amended", "date=ge2014&_sort=-date", "subject:Patient.family=family2", "performer:missing=false&_total=accurate", "performer=Patient/" + people[2].ID(), "performer=" + people[3].ID() + ",x&status=final", "subject=" + people[1].ID()} {
			q := query(t, "Observation", text+"&_count=1000")
			for _, patient := range []fhir.PatientID{0, people[0].Patient(), people[1].Patient()} {
				request := SearchRequest{Query: q, Patient: patient}
				got, err := w.Search(t.Context(), request)
				must(t, err)
				wanted, err := fresh.Search(t.Context(), request)
				must(t, err)
				if got.Total != wanted.Total || got.Total < 0 {
					t.Fatalf("round %d, %s: total %d, want %d", round, text, got.Total, wanted.Total)
				}
				w.same(text, got.Hits, wanted.Hits)
				all, err := fresh.Search(t.Context(), SearchRequest{Query: query(t, "Observation", "_count=1000"), Patient: patient})
				must(t, err)
				matching := 0
				for _, x := range all.Hits {
					if x.Matches(q) {
						matching++
					}
				}
				if len(q.Links()) == 0 && got.Total != matching {
					t.Fatalf("round %d, %s: %d found, %d match", round, text, got.Total, matching)
				}
			}
		}
		for _, p := range people[:3] {
			request := SearchRequest{Query: query(t, "Patient", "_count=1000"), Patient: p.Patient()}
			got, err := w.Everything(t.Context(), request, Extent{})
			must(t, err)
			wanted, err := fresh.Everything(t.Context(), request, Extent{})
			must(t, err)
			w.same("$everything", got.Hits, wanted.Hits)
		}
		if w.shelves.size > w.shelves.most || w.shelves.size < 0 || len(w.shelves.byKey) != w.shelves.used.Len() {
			t.Fatalf("%d bytes of %d, %d shelves listed, %d in use", w.shelves.size, w.shelves.most, len(w.shelves.byKey), w.shelves.used.Len())
		}
	}
	w.shelves.clear()
	if x, _ := w.shelves.get(shelfKey{people[0].Patient(), w.kinds.of("Observation")}); x != nil {
		t.Fatal("a chart that was to be forgotten is still there")
	}
}

// Whoever was told that a write is stored finds it, whatever else goes on.
func TestSearchSeesWhatWasAcknowledged(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	q := query(t, "Observation", "_count=1000")
	var group sync.WaitGroup
	for n := range 4 {
		group.Go(func() {
			for i := range 15 {
				code := fmt.Sprintf("%d-%d", n, i)
				o := w.observation(p, code, "2020-01-01")
				page, err := w.Search(t.Context(), SearchRequest{Query: q, Patient: p.Patient()})
				if err != nil || !slices.ContainsFunc(page.Hits, func(x *Sealed) bool { return x.ID() == o.ID() }) {
					t.Errorf("%s is not found: %v", code, err)
				}
			}
		})
	}
	group.Wait()
}

// What lies on a shelf opens against a receipt only, and not at all once its key is gone.
func TestAShelfOpensNothing(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	w.observation(p, "1-1", "2020-01-01")
	request := SearchRequest{Query: query(t, "Observation", "code=1-1"), Patient: p.Patient()}
	_, err := w.Search(t.Context(), request) // fills the shelf
	must(t, err)
	page, err := w.Search(t.Context(), request)
	if err != nil || len(page.Hits) != 1 {
		t.Fatal(err)
	}
	hit := page.Hits[0]
	if found := hit.found(); found.doc != nil || found.told == nil {
		t.Fatal("a search keeps documents")
	}
	if text := w.open(hit); !strings.Contains(text, "1-1") {
		t.Fatal(text)
	}
	must(t, w.o.Box.Shred(t.Context(), int64(p.Patient()), ChartKey))
	_, err = hit.found().content()
	want(t, err, outcome.Deleted)
}

// A search that fills shelves holds a reading while whoever asks is looked up for each chart. However many search at once, there is
// room for that.
func TestManySearchesAtOnceFinish(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Shelves = 1 }) // nothing stays on shelves
	for i := range 4 {
		w.observation(w.patient(fmt.Sprint("Family", i), "Ada", "1970-01-02"), "1-1", "2015-01-01")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q := query(t, "Observation", "code=1-1")
	begin := make(chan struct{})
	var all sync.WaitGroup
	for range 4 * w.d.Readers() {
		all.Go(func() {
			<-begin
			got, err := w.Search(ctx, SearchRequest{Query: q, Permits: func(fhir.PatientID) bool {
				var one int
				return w.d.Reader().QueryRowContext(ctx, `select 1`).Scan(&one) == nil
			}})
			if err != nil || got.Total != 4 {
				t.Error(got.Total, err)
			}
		})
	}
	close(begin)
	all.Wait()
}

// What was opened before a chart was erased lies on no shelf after.
func TestNothingOpenedBeforeAnErasureIsKept(t *testing.T) {
	w := newWorld(t)
	w.observation(w.patient("Vance", "Nora", "1970-01-02"), "1-1", "2015-01-01")
	key := shelfKey{1, w.kinds.of("Observation")}
	for erased, kept := range map[bool]bool{false: true, true: false} {
		x := w.newShelf(key, w.newest.Load())
		if erased {
			w.shelves.clear()
		}
		w.shelves.put(x)
		if found, _ := w.shelves.get(key); (found != nil) != kept {
			t.Errorf("erased %v: kept %v", erased, found != nil)
		}
		w.shelves.clear()
	}
}
