package detect

import (
	"math"
	"slices"
	"testing"
)

func TestAnExtremeIsTold(t *testing.T) {
	of := extremes{}
	for i := range 60 { // from 700 to 1,480
		of.keep(float32(natural(int64(700+13*i))), uint64(i))
	}
	if !slices.IsSorted(of) {
		t.Fatal("not in order")
	}
	at := func(rows int64) float64 { return of.evidence(natural(rows), 3) }
	if x := at(1100); x > 0 {
		t.Errorf("an ordinary day has %.2f nats", x)
	}
	if x := at(1700); x > 2 {
		t.Errorf("a day a little above all has %.2f nats", x)
	}
	if x := at(5000); x < 3 {
		t.Errorf("three times the largest has %.2f nats", x)
	}
	before := at(5000)
	of.keep(float32(natural(5200)), 1) // misuse that was not seen
	if x := at(5000); x < before-1 {
		t.Errorf("one like it before took %.2f nats to %.2f", before, x)
	}
	last := math.Inf(-1)
	for rows := int64(1); rows < 1e6; rows += rows/20 + 1 {
		if x := at(rows); x < last {
			t.Fatalf("%d rows have less than fewer", rows)
		} else {
			last = x
		}
	}
}

func TestFewExtremesAreKept(t *testing.T) {
	of := extremes{}
	for i := range 3 * keptExtremes {
		of.keep(float32(i%97), mix(1, uint64(i)))
	}
	if len(of) != keptExtremes || !slices.IsSorted(of) {
		t.Errorf("%d are kept", len(of))
	}
}

func TestWhoWorksOffAListComesBack(t *testing.T) {
	list, ward := &roleStats{}, &roleStats{}
	list.returns = [16]float64{0, 600, 200, 80, 40, 20}
	ward.returns = [16]float64{0, 2000, 10}
	for days := 2; days < 10; days++ {
		a, b := list.returning(days), ward.returning(days)
		if a < 2*b || b <= 0 || a > 1 {
			t.Errorf("%d days: %.5f of a list, %.5f of a ward", days, a, b)
		}
		if next := ward.returning(days + 1); next > b {
			t.Errorf("%d days are rarer than %d", days, days+1)
		}
	}
}
