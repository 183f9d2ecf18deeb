package e2e

import "testing"

// as signs in somebody of the demonstration by one touch on the start page, by the role as the page says it.
func as(t testing.TB, role string) *tab {
	t.Helper()
	b := browse(t, demo(t).base)
	b.open("/")
	b.follow("button:has([href$='#" + icons[role] + "'])")
	return b
}

// icons tell the people of the start page apart.
var icons = map[string]string{"physician": "stethoscope", "nurse": "heart-pulse", "front-desk": "id-card", "billing": "receipt-text",
	"privacy": "shield-check", "administrator": "settings", "patient": "user"}

// The demonstration reaches a chart: start page, one touch, My day, and a chart without a prompt.
func TestChartInThreeTouches(t *testing.T) {
	b := browse(t, demo(t).base)
	b.open("/")
	b.says("Who would you like to be?", "Sandbox.")
	b.fits("start")
	b.follow("button:has([href$='#stethoscope'])")
	if b.at() != "/day" {
		t.Fatalf("the physician begins at %s", b.at())
	}
	b.says("My day")
	b.fits("day")
	if status := b.follow("main a[data-open]"); status != 200 {
		t.Fatalf("a patient of My day answers %d:\n%s", status, b.text())
	}
	b.says("Why you can open this chart", "Vitals", "Medications", "Problems", "Who else looked")
	b.fits("chart")
}
