package record

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
)

// synthea gives the files of the published patients, those of staff first; without them the test is skipped, or fails under CI.
func synthea(t testing.TB) (staff, patients []string) {
	t.Helper()
	dir := os.Getenv("CHARTWARDEN_TESTDATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(dir, "fhir", "synthea", "*.json.gz"))
	must(t, err)
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the published FHIR data are missing: set CHARTWARDEN_TESTDATA")
		}
		t.Skip("needs the published FHIR data (CHARTWARDEN_TESTDATA)")
	}
	for _, f := range files {
		if strings.Contains(f, "Information") {
			staff = append(staff, f)
		} else {
			patients = append(patients, f)
		}
	}
	return staff, patients
}

func (w *world) bundle(path string) (writes []Write) {
	w.t.Helper()
	f, err := os.Open(path)
	must(w.t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(w.t, err)
	text, err := io.ReadAll(z)
	must(w.t, err)
	for entry, err := range document.SplitBundle(bytes.NewReader(text)).Entries() {
		must(w.t, err)
		d, err := entry.Doc()
		must(w.t, err)
		writes = append(writes, Write{Op: Create, Type: d.Type(), Doc: d, Alias: entry.FullURL()})
	}
	return writes
}

func TestSyntheaEqualsBruteForce(t *testing.T) {
	w := newWorld(t)
	staff, patients := synthea(t)
	charts := map[string][]*Sealed{}
	for _, f := range append(staff, patients[7], patients[61]) {
		out := w.must(w.bundle(f)...)
		for _, s := range out {
			if s.Type() == patientType {
				charts[s.ID()] = out
			}
		}
	}
	prepared, err := w.Prepare(t.Context(), w.bundle(patients[7]))
	must(t, err)
	if slices.ContainsFunc(prepared.Changes(), func(c Change) bool { return c.Effect != Unchanged }) {
		t.Fatal("a second import changes something")
	}
	r := rand.New(rand.NewPCG(7, 8))
	asked, found := 0, 0
	for id, stored := range charts {
		p, err := w.Patient(t.Context(), id)
		must(t, err)
		chart, err := w.Chart(t.Context(), p)
		must(t, err)
		inside := slices.DeleteFunc(slices.Clone(stored), func(s *Sealed) bool { return s.Patient() != p })
		if len(chart) != len(inside) || len(chart) < 50 {
			t.Fatalf("%d in the chart, %d stored", len(chart), len(inside))
		}
		for range 60 {
			like := inside[r.IntN(len(inside))]
			text, ok := resemble(r, like.found().doc)
			if !ok {
				continue
			}
			full := fmt.Sprintf("%s&_count=%d", text, 1+r.IntN(40))
			q := query(t, like.Type(), full)
			var ids []string
			for _, s := range inside {
				if search.Match(s.found().doc, q) {
					ids = append(ids, s.ID())
				}
			}
			got := w.all(SearchRequest{Query: q, Text: full, Patient: p, Principal: "p"})
			slices.Sort(ids)
			slices.Sort(got)
			if !slices.Equal(got, ids) {
				t.Fatalf("%s?%s: %d hits, want %d", like.Type(), full, len(got), len(ids))
			}
			asked, found = asked+1, found+len(got)
		}
	}
	if asked < 40 || found < asked {
		t.Fatalf("%d questions, %d hits: nothing was tested", asked, found)
	}
}

// resemble makes a query of one or two values of d.
func resemble(r *rand.Rand, d *document.Doc) (string, bool) {
	values := search.Values(d, search.Options{})
	var parts []string
	for range 1 + r.IntN(2) {
		v := values[r.IntN(len(values))]
		switch v.Param.Type {
		case search.Token:
			if v.Code == "" || strings.ContainsAny(v.Code, "|,$&+%; ") {
				return "", false
			}
			parts = append(parts, v.Param.Name+[]string{"", "", ":not"}[r.IntN(3)]+"="+v.Code)
		case search.Reference:
			if v.ID == "" || v.Kind == "" {
				return "", false
			}
			parts = append(parts, v.Param.Name+"="+v.Kind+"/"+v.ID)
		case search.Date:
			parts = append(parts, v.Param.Name+"="+[]string{"ge", "lt", ""}[r.IntN(3)]+fmt.Sprint(1950+r.IntN(75)))
		default:
			return "", false
		}
	}
	return strings.Join(parts, "&") + []string{"", "&_sort=-_lastUpdated", "&_sort=_id"}[r.IntN(3)], true
}
