package audit

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

func TestAReceiptOpensWhatItNamesOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	r := disclose(t, l, reading(3, 7)) // records 7000 v1, 7001 v2, 7002 v3
	for _, wrong := range []version{{7000, 2}, {7001, 1}, {7003, 1}, {0, 0}, {-7000, 1}} {
		if err := r.Redeem(wrong.record, wrong.version); !outcome.Is(err, outcome.Forbidden) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	copied := r
	if err := r.Redeem(7001, 2); err != nil {
		t.Fatal(err)
	}
	if err := copied.Redeem(7001, 2); !outcome.Is(err, outcome.Forbidden) {
		t.Fatalf("a copy was used after the original: %v", err)
	}
	if err := copied.Redeem(7000, 1); err != nil {
		t.Fatal(err)
	}
	if err := (Receipt{}).Redeem(7000, 1); !outcome.Is(err, outcome.Forbidden) {
		t.Fatal(err)
	}
	if r.Agent() != "person p-nurse" || r.Purpose() != "TREAT" || strings.Contains(fmt.Sprintf("%v %+v", r, r), "7001") {
		t.Fatal(r)
	}
	if z := (Receipt{}); z.Entry() != "" || z.Agent() != "" || z.Purpose() != "" {
		t.Fatal("the zero receipt says something")
	}
}

func TestReceiptsEndWithTimeAndTheProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	r, later := disclose(t, l, reading(1, 7)), disclose(t, l, reading(1, 7))
	s.now.add(29 * time.Second)
	if err := r.Redeem(7000, 1); err != nil {
		t.Fatal(err)
	}
	s.now.add(2 * time.Second)
	if err := later.Redeem(7000, 1); !outcome.Is(err, outcome.Timeout) {
		t.Fatal(err)
	}
	old := disclose(t, l, reading(1, 7))
	s.stop()
	s.start()
	if err := old.Redeem(7000, 1); !outcome.Is(err, outcome.Forbidden) {
		t.Fatalf("a receipt outlived its process: %v", err)
	}
}

func TestOfManyAtOnceOneOpens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := disclose(t, s.start(), reading(1, 7))
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if r.Redeem(7000, 1) == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d opened", won.Load())
	}
}

// FuzzRedeem throws receipts at records: only the version that the entry names opens, and only once, whatever came before.
func FuzzRedeem(f *testing.F) {
	f.Add([]byte{1, 1, 2, 2}, int64(1), int64(1), uint8(3))
	f.Add([]byte{}, int64(0), int64(0), uint8(0))
	f.Fuzz(func(t *testing.T, named []byte, record, number int64, seconds uint8) {
		at := time.Unix(0, 0)
		b := &boot{now: func() time.Time { return at }}
		e, want := Event{Agent: nurse}, false
		p := PatientPart{Patient: 1}
		for i := 0; i+1 < len(named); i += 2 {
			p.Records = append(p.Records, Record{Record: fhir.RecordID(int8(named[i])), Version: int64(named[i+1])})
			want = want || int64(int8(named[i])) == record && int64(named[i+1]) == number
		}
		e.Patients = []PatientPart{p}
		r := Receipt{newGrant(Logged{origin: origin, index: 1, count: 1}, b, &e)}
		at = at.Add(time.Duration(seconds) * time.Second)
		want = want && seconds <= 30
		if got := r.Redeem(fhir.RecordID(record), number) == nil; got != want {
			t.Fatalf("opened %v, want %v", got, want)
		}
		if r.Redeem(fhir.RecordID(record), number) == nil {
			t.Fatal("opened twice")
		}
		b.ended.Store(true)
		for _, k := range r.g.keys {
			if r.Redeem(k.record, k.version) == nil {
				t.Fatal("opened after the end")
			}
		}
	})
}
