package record

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// told lists what TellVersions gives, as Type/number of a version.
func (w *world) told(after int64, since time.Time, types ...string) (out []string, last int64) {
	w.t.Helper()
	last, err := w.TellVersions(context.Background(), types, after, since, func(typ, id string, known time.Time, json []byte) error {
		what := "gone"
		if json != nil {
			_, rest, _ := strings.Cut(string(json), `"versionId":"`)
			what, _, _ = strings.Cut(rest, `"`)
			if !strings.Contains(string(json), id) {
				w.t.Errorf("%s without its id", typ)
			}
		}
		out = append(out, fmt.Sprintf("%s %s %s", typ, what, known.Format("15:04")))
		return nil
	})
	must(w.t, err)
	return out, last
}

func TestVersionsAreToldInTheOrderOfTheirTransactions(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Oduya", "Miriam", "1980-01-01")
	w.now = w.now.Add(time.Hour)
	flag := `{"resourceType":"Flag"%s,"status":"active","code":{"text":"VIP"},"subject":{"reference":"Patient/%s"}}`
	f := w.create(fmt.Sprintf(flag, "", p.ID()))
	w.observation(p, "1234-5", "2026-03-04T09:00:00Z")
	w.now = w.now.Add(time.Hour)
	w.put(f.ID(), fmt.Sprintf(flag, `,"id":"`+f.ID()+`"`, p.ID()))
	all, last := w.told(0, time.Time{}, "Patient", "Flag", "Task")
	if want := []string{"Patient 1 10:00", "Flag 1 11:00", "Flag 2 12:00"}; !slices.Equal(all, want) {
		t.Fatalf("%q", all)
	}
	if late, _ := w.told(0, w.now, "Flag"); !slices.Equal(late, []string{"Flag 1 11:00", "Flag 2 12:00"}) {
		t.Errorf("superseded at that moment: %q", late)
	}
	if late, _ := w.told(0, w.now.Add(time.Minute), "Flag"); !slices.Equal(late, []string{"Flag 2 12:00"}) {
		t.Errorf("superseded before: %q", late)
	}
	w.must(Write{Op: Delete, Type: "Flag", ID: f.ID()})
	if next, _ := w.told(last, time.Time{}, "Patient", "Flag"); !slices.Equal(next, []string{"Flag gone 12:00"}) {
		t.Errorf("after %d: %q", last, next)
	}
	if n, err := w.CountOf(context.Background(), []string{"Patient", "Flag"}); err != nil || n != 2 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestAnErasedChartIsNotTold(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Oduya", "Miriam", "1980-01-01")
	must(t, w.Shred(context.Background(), p.Patient()))
	if all, _ := w.told(0, time.Time{}, "Patient"); len(all) != 0 {
		t.Fatalf("%q", all)
	}
}
