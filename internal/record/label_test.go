package record

import (
	"context"
	"strings"
	"testing"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

const depressed = `"code":{"coding":[{"system":"http://snomed.info/sct","code":"370143000"}]}`

func (w *world) condition(of *Sealed, rest string) string {
	return `{"resourceType":"Condition",` + rest + `"subject":{"reference":"` + of.Ref() + `"}}`
}

// Whatever was stored before there were rules gets its labels once, page by page; what was lowered since stays so; a second run finds nothing.
func TestUnlabelled(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	labels = func(d, _ *document.Doc) (*document.Doc, error) { return d, nil }
	t.Cleanup(func() { labels = fhir.Labelled })
	var old []*Sealed
	for range 5 {
		old = append(old, w.create(w.condition(p, depressed+",")))
		w.create(w.condition(p, `"code":{"text":"asthma"},`))
	}
	labels = fhir.Labelled
	lowered := w.create(w.condition(p, depressed+","))
	w.must(Write{Op: Relabel, Type: "Condition", ID: lowered.ID(), Lower: []string{"PSY"}})
	count := 0
	for round := range 2 {
		for after, more := fhir.RecordID(0), true; more; {
			writes, next, err := w.Unlabelled(context.Background(), after, 3)
			must(t, err)
			if len(writes) > 0 {
				w.must(writes...)
			}
			count += len(writes)
			after, more = next, next != 0
		}
		if count != len(old) {
			t.Fatalf("round %d labelled %d of %d", round, count, len(old))
		}
	}
	for _, x := range append(old, lowered) {
		now, err := w.Read(context.Background(), "Condition", x.ID())
		must(t, err)
		if want := x != lowered; (strings.Join(now.Labels(), " ") == "PSY") != want || now.Version() != 2 {
			t.Errorf("version %d carries %v", now.Version(), now.Labels())
		}
	}
}

// The same content again makes no version, whether it came with its label or without, and an update carries labels on.
func TestLabelsAreCarriedOn(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	first := w.create(w.condition(p, depressed+","))
	if got := first.Labels(); len(got) != 1 || got[0] != "PSY" {
		t.Fatalf("stored with %v", got)
	}
	if again := w.put(first.ID(), w.condition(p, depressed+",")); again.Version() != 1 {
		t.Error("the same content made a version")
	}
	if next := w.put(first.ID(), w.condition(p, `"code":{"text":"well again"},`)); next.Version() != 2 || len(next.Labels()) != 1 {
		t.Errorf("version %d carries %v", next.Version(), next.Labels())
	}
}
