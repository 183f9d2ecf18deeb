package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// patient is somebody whose chart a test is about.
type patient struct{ name, born, path string }

// maren is the patient of the demonstration's portal, as her physician sees her.
func maren(t testing.TB) patient {
	t.Helper()
	b := as(t, "physician")
	b.follow("Okafor, Maren")
	return patient{"Okafor, Maren", ask[string](b, `document.querySelector('.story .id time').textContent`), b.at()}
}

// looksFor searches for a patient.
func (b *tab) looksFor(p patient) {
	b.t.Helper()
	b.open("/find")
	b.fill("q", strings.Split(p.name, ",")[0])
	b.fill("born", p.born)
	b.follow("main form button[type=submit]")
}

// A chart closed to somebody opens in two actions, and everybody who should know of it does.
func TestGlass(t *testing.T) {
	h := demo(t)
	p := maren(t)
	sam := h.hired(t, "Sam Rivera", "physician")
	b := signedIn(t, sam)
	b.says("Nobody is on your list")
	b.fits("day-empty")
	b.looksFor(p)
	b.says(p.name, "Asks for a reason")
	b.fits("find-hit")
	b.expect(403)
	if status := b.follow(p.name); status != 403 {
		t.Fatalf("a stranger's chart answers %d at %s", status, b.at())
	}
	b.says("Closed to you for now", "What happens next", p.name)
	b.silent("penicillin", "Vitals", "Medications", p.born)
	b.fits("closed")

	// The first reason is chosen, and confirming is the second stop of the keyboard: one tab, one touch.
	if got := ask[string](b, `document.activeElement.value`); got != "emergency" {
		t.Fatalf("the page begins on %q", got)
	}
	b.keys(kb.Tab)
	if got := ask[string](b, `document.activeElement.innerText`); got != "Confirm and open" {
		t.Fatalf("the second stop is %q", got)
	}
	if status := b.followKeys(kb.Enter); status != 200 || b.at() != p.path {
		t.Fatalf("the glass answers %d at %s:\n%s", status, b.at(), b.text())
	}
	b.says("Opened with a reason", "I no longer need it", "Vitals")
	b.fits("chart-glass")
	for _, part := range []string{"timeline", "results", "medications", "notes", "documents", "access"} {
		if status := b.open(p.path + "/" + part); status != 200 {
			t.Errorf("%s answers %d", part, status)
		}
		b.says("Opened with a reason")
		b.fits("chart-" + part)
	}
	b.open("/activity")
	b.says(p.name, "Why did you need it?")
	b.fits("activity")
	b.fill("text", "Called to her bedside by the nurse")
	b.follow("Add the reason")
	b.says("You wrote: Called to her bedside by the nurse")

	officer := as(t, "privacy")
	officer.fits("privacy")
	officer.follow("Reviews")
	officer.says(sam.name)
	officer.fits("reviews")
	officer.follow("tr[data-row] a[data-open]")
	officer.says(sam.name+" opened the closed chart", "Called to her bedside by the nurse", "What would have explained it")
	officer.silent(p.name, "Pneumonia", "Penicillin") // patients are masked
	officer.fits("review")
	review := officer.at()
	officer.touch("Show names, with a reason")
	officer.fill("#unmask", "Comparing with the ward's list")
	officer.follow("main details[open] button")
	officer.says(p.name)
	officer.open(review)
	officer.silent(p.name)
	officer.touch("Ask the person")
	officer.fill("text", "Who called you?")
	officer.follow("Record the decision")
	officer.open(review)
	officer.says("Who called you?")
	officer.fits("review-asked")
	b.open("/activity")
	b.says("The privacy office asks you", "Who called you?")
	b.fits("activity-asked")
	b.fill("text", "The night nurse, Théo Moreau.")
	b.follow("Add the reason")
	officer.open(review)
	officer.says("The night nurse")
	officer.fill("text", "Confirmed with the ward")
	officer.follow("Record the decision")
	officer.open("/privacy/reviews?show=closed")
	officer.says(sam.name, "Explained")
	officer.fits("reviews-closed")

	me := as(t, "patient")
	me.phone()
	me.says("Who looked at my chart", sam.name, "emergency")
	me.fits("me")
}
