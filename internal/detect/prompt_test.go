package detect

import "testing"

// A sign that the house shows every day is no word for the moment: its share of the budget is spent.
func TestASignThatIsShownDailyIsSpent(t *testing.T) {
	e, _, _ := told()
	grown(e)
	e.activeMean = 1500 // half an alert of each sign a day
	alerts := func(days, each int, sign string) (n int) {
		for range days {
			for range each {
				if e.ration(sign, 2) {
					n++
				}
			}
			e.day++
		}
		return n
	}
	if n := alerts(20, 5, "hours"); n < mostRation+8 || n > mostRation+10 {
		t.Errorf("%d alerts in twenty days", n)
	}
	if n := alerts(1, 5, "place"); n != mostRation {
		t.Errorf("%d alerts of a sign that was quiet", n)
	}
}

// What no honest day looks like is told though honest days have spent what the sign had; and raises the bar.
func TestAMuchStrongerSignIsNotCrowdedOut(t *testing.T) {
	e, _, _ := told()
	grown(e)
	e.activeMean = 100
	for i, x := range []struct {
		nats float64
		told bool
	}{{7, true}, {12, true}, {6, true}, {8, false}, {18, false}, {19, true}, {22, false}, {23, true}, {25, false}, {27, true}} {
		if told := e.ration("place", x.nats); told != x.told {
			t.Errorf("%d: of %v nats the office is told: %v", i, x.nats, told)
		}
	}
}
