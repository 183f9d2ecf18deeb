package hospital_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/validate"
	"chartwarden/internal/hospital"
)

var (
	zone  = time.FixedZone("site", -6*3600)
	noon  = time.Date(2026, time.November, 22, 14, 30, 0, 0, zone)
	small = hospital.Options{Seed: 7, Size: hospital.Small, Now: noon, Zone: zone}
)

// world is the hospital of small, made once.
var world = sync.OnceValue(func() *hospital.World { return hospital.Generate(small) })

// entries are those of world, in the order of loading.
var entries = sync.OnceValue(func() []hospital.Entry { return all(world()) })

// all is every entry in the order of loading; in short runs not of everybody behind.
func all(w *hospital.World) []hospital.Entry {
	out := slices.Clone(w.Today)
	for e := range w.Behind {
		if out = append(out, e); testing.Short() && len(out) > len(w.Today)+2000 {
			break
		}
	}
	return out
}

func digest(o hospital.Options) string {
	h := sha256.New()
	w := hospital.Generate(o)
	for _, e := range all(w) {
		fmt.Fprintln(h, e.FullURL, e.Type, e.Patient, e.Author, e.Recorded, string(e.JSON))
	}
	for _, a := range w.Accesses {
		fmt.Fprintln(h, a.At, a.Person, a.Patient, a.Page, a.Why, a.Glass, a.Misuse)
	}
	for _, n := range w.Notes {
		fmt.Fprintln(h, n.At, n.Person, n.Entry.FullURL, string(n.Entry.JSON))
	}
	return fmt.Sprintf("%x %v %v", h.Sum(nil), w.Staff, w.Portal)
}

func TestSameSeedSameBytes(t *testing.T) {
	first := digest(small)
	if digest(small) != first {
		t.Fatal("two runs differ")
	}
	other := small
	other.Seed++
	if digest(other) == first {
		t.Fatal("another seed makes the same hospital")
	}
}

func TestBehindMayBeRangedOverAgain(t *testing.T) {
	w := world()
	var first []string
	for e := range w.Behind {
		if first = append(first, e.FullURL+string(e.JSON)); len(first) == 500 {
			break
		}
	}
	n := 0
	for e := range w.Behind {
		if first[n] != e.FullURL+string(e.JSON) {
			t.Fatalf("entry %d differs the second time", n)
		}
		if n++; n == len(first) {
			break
		}
	}
}

// TestBehindFromTwoSides: who loads and who looks do not disturb each other.
func TestBehindFromTwoSides(t *testing.T) {
	w := hospital.Generate(small)
	sums := make(chan int, 2)
	for range 2 {
		go func() {
			n, sum := 0, 0
			for e := range w.Behind {
				sum += len(e.JSON) * (n + 1)
				if n++; n == 2000 {
					break
				}
			}
			sums <- sum
		}()
	}
	if a, b := <-sums, <-sums; a != b {
		t.Fatal("two readers see two hospitals")
	}
}

// TestEveryEntryIsValid walks the whole hospital of an afternoon, and today's of a night.
func TestEveryEntryIsValid(t *testing.T) {
	night := small
	night.Now = time.Date(2026, time.November, 22, 3, 30, 0, 0, zone)
	w := hospital.Generate(night)
	some := slices.Concat(entries(), w.Today)
	for _, n := range slices.Concat(world().Notes, w.Notes) {
		some = append(some, n.Entry)
	}
	wrong := 0
	for _, e := range some {
		d, err := document.Parse(slices.Clone(e.JSON))
		if err != nil {
			t.Fatalf("%s: %v", e.Type, err)
		}
		if d.Type() != e.Type {
			t.Errorf("entry says %s, resource %s", e.Type, d.Type())
		}
		for _, issue := range validate.Check(d) {
			t.Errorf("%s: %v", e.Type, issue)
			wrong++
		}
		if wrong > 20 {
			t.FailNow()
		}
	}
}

// TestReferencesPointBack: an entry refers to what came earlier, and never into another chart.
func TestReferencesPointBack(t *testing.T) {
	w := world()
	chart := map[string]string{} // FullURL to patient
	closed := map[string]bool{}
	last := ""
	for _, e := range entries() {
		if e.Patient != last {
			if closed[e.Patient] && e.Patient != "" {
				t.Fatal("the entries of a chart do not lie together")
			}
			closed[last], last = true, e.Patient
		}
		if _, twice := chart[e.FullURL]; twice {
			t.Fatalf("%s twice", e.FullURL)
		}
		if e.Method != "POST" || !strings.HasPrefix(e.FullURL, "urn:uuid:") {
			t.Fatalf("%s: method %q, url %q", e.Type, e.Method, e.FullURL)
		}
		chart[e.FullURL] = e.Patient
		for _, to := range references(t, e) {
			of, known := chart[to]
			if !known {
				t.Fatalf("%s refers to what does not exist yet", e.Type)
			}
			if of != "" && of != e.Patient {
				t.Fatalf("%s refers into another chart", e.Type)
			}
		}
		if of, known := chart[e.Author]; e.Author != "" && (!known || of != "") {
			t.Fatalf("author of %s is nobody", e.Type)
		}
	}
	for _, n := range w.Notes {
		for _, to := range references(t, n.Entry) {
			if _, known := chart[to]; !known {
				t.Fatal("a note refers to what does not exist")
			}
		}
	}
	for _, p := range slices.Concat(w.Staff, w.Portal) {
		for _, url := range []string{p.Practitioner, p.Patient, p.Department} {
			if _, known := chart[url]; url != "" && !known {
				t.Errorf("%s has a reference to nothing", p.Key)
			}
		}
	}
}

func references(t *testing.T, e hospital.Entry) (out []string) {
	d, err := document.Parse(slices.Clone(e.JSON))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReplaceReferences(func(ref string) (string, bool) { out = append(out, ref); return "", false }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNothingIsKnownAhead: what has been recorded or measured lies before Now.
func TestNothingIsKnownAhead(t *testing.T) {
	w := world()
	for _, e := range entries() {
		d, err := document.Parse(slices.Clone(e.JSON))
		if err != nil {
			t.Fatal(err)
		}
		known, ok := d.LastUpdated()
		if !ok || !known.Equal(e.Recorded) || known.After(w.Now) {
			t.Fatalf("%s recorded at %v, entry says %v", e.Type, known, e.Recorded)
		}
		if at := d.Root().Get("effectiveDateTime").Text(); at != "" {
			if when, err := time.Parse(time.RFC3339, at); err == nil && when.After(w.Now) {
				t.Errorf("%s measured in %v", e.Type, when.Sub(w.Now))
			}
		}
	}
	for _, n := range w.Notes {
		if !n.At.After(w.Now) {
			t.Error("a note to come is past")
		}
	}
}

// TestProseIsFinished: no placeholder is left in what people read.
func TestProseIsFinished(t *testing.T) {
	check := func(e hospital.Entry) {
		d, _ := document.Parse(slices.Clone(e.JSON))
		for n := range d.Root().All() {
			s := n.Text()
			if n.Name() == "data" {
				b, err := base64.StdEncoding.DecodeString(s)
				if err != nil {
					t.Fatal(err)
				}
				s = string(b)
			}
			if n.Kind() == document.String && n.Name() != "unit" && n.Name() != "code" && strings.ContainsAny(s, "{}") || strings.Contains(s, "%!") {
				t.Errorf("%s.%s: %q", e.Type, n.Name(), s)
			}
		}
	}
	for _, e := range entries() {
		check(e)
	}
	for _, n := range world().Notes {
		check(n.Entry)
	}
}
