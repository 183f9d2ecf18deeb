package record

import (
	"testing"
	"time"

	"chartwarden/internal/audit"
)

// FuzzReceipt throws wrong, old, expired, used and zero receipts at sealed records. A receipt opens what its entry names, once, and
// nothing else: whatever the bytes choose, the model below and Open must agree.
func FuzzReceipt(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Add([]byte{0x10, 0x10, 0x21, 0x21, 0x99, 0x42})
	w := newWorld(f)
	p := w.patient("Castell", "Ada", "1970-01-02")
	var records []*Sealed
	for range 4 {
		o := w.observation(p, "1-1", "2020-01-01")
		records = append(records, o)
	}
	changed := w.put(records[0].ID(), `{"resourceType":"Observation","status":"amended","subject":{"reference":"`+p.Ref()+`"}}`)
	records = append(records, changed) // another version of the first

	event := func(s ...*Sealed) audit.Event {
		return audit.Event{Agent: audit.Agent{Person: "p1"}, Interaction: "read", Purpose: "TREAT", Patients: w.Parts(s...)}
	}
	var old []audit.Receipt // of an earlier life of the log
	for _, s := range records {
		r, err := w.log.Disclose(f.Context(), event(s))
		must(f, err)
		old = append(old, r)
	}
	must(f, w.log.Close())
	clock := time.Now()
	w.logo.Now = func() time.Time { return clock }
	var err error
	w.log, err = audit.Open(f.Context(), w.logo)
	must(f, err)

	f.Fuzz(func(t *testing.T, script []byte) {
		type held struct {
			r     audit.Receipt
			opens map[[2]int64]bool
			until time.Time
		}
		receipts := []held{{}}
		for i, b := range script[:min(len(script), 40)] {
			s := records[int(b>>4)%len(records)]
			switch op := b & 7; {
			case op == 0: // a receipt for one
				r, err := w.log.Disclose(t.Context(), event(s))
				must(t, err)
				receipts = append(receipts, held{r, map[[2]int64]bool{{int64(s.Record()), s.Version()}: true}, clock.Add(30 * time.Second)})
			case op == 1: // a receipt for a page
				other := records[(int(b>>4)+1)%len(records)]
				r, err := w.log.Disclose(t.Context(), event(s, other))
				must(t, err)
				receipts = append(receipts, held{r, map[[2]int64]bool{{int64(s.Record()), s.Version()}: true, {int64(other.Record()), other.Version()}: true}, clock.Add(30 * time.Second)})
			case op == 2: // the right record, from before a restart
				receipts = append(receipts, held{r: old[int(b>>4)%len(old)]})
			case op == 3:
				clock = clock.Add(time.Duration(b) * 200 * time.Millisecond)
			default:
				h := receipts[(i*7+int(b>>3))%len(receipts)]
				key := [2]int64{int64(s.Record()), s.Version()}
				may := h.opens[key] && !clock.After(h.until)
				d, err := s.Open(h.r)
				if (err == nil) != may || (d != nil) != may {
					t.Fatalf("step %d: opened %v, should %v", i, err == nil, may)
				}
				if may {
					delete(h.opens, key)
				}
			}
		}
	})
}
