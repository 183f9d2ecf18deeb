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
				if e.ration(sign) {
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
