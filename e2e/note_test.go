package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A note is written, survives a locked screen, is signed and amended. The lock empties the other tab of the same person, too.
func TestNoteAndLock(t *testing.T) {
	h := demo(t)
	who := h.cast["physician"]
	const sentence = "Breathing easier since the second dose, walked to the window."
	b := as(t, "physician")
	b.follow("Okafor, Maren")
	chart := b.at()
	other := b.beside()
	other.open(chart)
	other.says("Okafor, Maren")
	b.follow("nav.tabs [href$='/notes']")
	b.fits("notes")
	b.follow("Write a note")
	b.fits("write")
	b.fill("title", "Round of the morning")
	b.fill("text", sentence)
	b.until(`document.querySelector('[data-saved]').textContent.includes('Draft kept')`)

	b.touch(personMenu)
	b.follow("Lock this screen")
	if b.at() != "/locked" {
		t.Fatalf("locking leads to %s", b.at())
	}
	b.says("This screen is locked", who.name)
	secrets := []string{"Okafor", "Maren", "Breathing", "Penicillin", "00482217"}
	b.silent(secrets...)
	b.fits("locked")
	other.until(`document.querySelector('h1').textContent === 'This screen is locked'`)
	other.silent(secrets...)
	other.fits("locked-other")
	// The way back in the browser's history shows nothing either.
	other.do(chromedp.NavigateBack())
	other.silent(secrets...)
	b.do(chromedp.NavigateBack())
	b.silent(secrets...)
	if status := b.open(chart); status != 200 || b.at() != "/locked" {
		t.Fatalf("a chart behind a locked screen answers %d at %s", status, b.at())
	}

	b.fill("password", who.password)
	b.follow("Unlock")
	if b.at() != chart+"/notes/new" {
		t.Errorf("unlocking leads to %s", b.at())
	}
	b.open(chart + "/notes")
	b.says("Your drafts", "Round of the morning")
	b.fits("drafts")
	b.open("/day")
	b.says("To sign")
	b.open(chart + "/notes/new")
	if got := ask[string](b, `document.querySelector('main [name=text]').value`); got != sentence {
		t.Fatalf("the draft after the lock reads %q", got)
	}
	if status := b.follow("main button[value=sign]"); status != 200 {
		t.Fatalf("signing answers %d at %s:\n%s", status, b.at(), b.text())
	}
	b.says("Round of the morning", sentence, "Signed", who.name)
	b.touch("Amend this note")
	b.fill("text", "With the walking frame.")
	b.follow("Sign the amendment")
	b.says(sentence, "Amended by "+who.name, "With the walking frame.")
	b.fits("note")
}
