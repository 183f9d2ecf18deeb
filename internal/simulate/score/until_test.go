package score

import (
	"fmt"
	"slices"
	"testing"
)

// Three innocent cases stand above eve's and none above mallory's: recall .5 costs nothing, all that is found costs three of a thousand, and the third attack is found at no price.
func TestFalseCasesUntilARecall(t *testing.T) {
	cases := caseLine("c", 1, "eve", noon, .5, "watch", "e1") + caseLine("m", 1, "mallory", noon, .9, "review", "m1") + caseLine("n", 1, "mallory", noon, .1, "watch", "m1")
	for i := range 3 {
		cases += caseLine(fmt.Sprint("f", i), 1, fmt.Sprint("innocent", i), noon, .6, "review", "x")
	}
	r := judged(t, labels(attack("eve", "household", 9, true, "e1"), attack("mallory", "vip", 9, true, "m1"), attack("hid", "hidden-kin", 9, false, "h1")), cases, "")
	if !slices.Equal(r.Until, []float64{0, 3}) {
		t.Errorf("until %v", r.Until)
	}
	for _, c := range []struct {
		share, falses float64
		ok            bool
	}{{0, 0, true}, {1. / 3, 0, true}, {.34, 3, true}, {2. / 3, 3, true}, {.67, 0, false}} {
		if falses, ok := r.UntilRecall(c.share); falses != c.falses || ok != c.ok {
			t.Errorf("recall %.2f: %v, %t", c.share, falses, ok)
		}
	}
	if r.GradeOf["vip"] != 2 || r.Hidden["vip"] || !r.Hidden["hidden-kin"] {
		t.Errorf("%v %v", r.GradeOf, r.Hidden)
	}
}

func TestASuspensionOfAnInnocentIsNotTakenBack(t *testing.T) {
	cases := caseLine("f", 1, "innocent", noon, .9, "automatic", "x") + caseLine("f", 2, "innocent", "2026-01-10T12:00:00Z", .1, "watch", "x") + caseLine("g", 1, "innocent2", noon, .9, "automatic", "x") +
		caseLine("early", 1, "innocent3", "2026-01-06T12:00:00Z", .9, "automatic", "x") + caseLine("c", 1, "eve", "2026-01-11T12:00:00Z", .9, "automatic", "e1")
	r := judged(t, labels(attack("eve", "household", 9, true, "e1")), cases, "")
	if r.Automatic != 2 || r.AutoDays != 1 {
		t.Errorf("%d cases on %d days", r.Automatic, r.AutoDays)
	}
}
