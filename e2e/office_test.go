package e2e

import (
	"strings"
	"testing"
)

// The officer finds an entry, reads why it was allowed, and sees its proof; the record verifies while the hospital works.
func TestAuditAndIntegrity(t *testing.T) {
	h := demo(t)
	b := as(t, "privacy")
	b.follow("Audit explorer")
	b.fits("audit")
	b.fill("who", h.cast["physician"].name)
	b.follow("Show entries")
	b.says(h.cast["physician"].name)
	for _, name := range ask[[]string](b, `[...document.querySelectorAll('tr[data-row] th')].map(e => e.firstChild.textContent.trim())`) {
		if name != h.cast["physician"].name {
			t.Fatalf("a list of entries of one person holds %q", name)
		}
	}
	b.silent("Okafor", "Penicillin")
	b.fits("audit-found")
	b.follow("tr[data-row] a[data-open]")
	b.says("Proof", "The entry")
	b.fits("entry")
	b.follow("Integrity")
	b.fits("integrity")
	b.follow("Verify everything now")
	b.until(`!document.body.innerText.includes('Not checked yet')`)
	b.says("by", "what")
	b.fits("integrity-verified")
}

// An administrator adds a person, who enrols and works; then access ends, and the open page of the person locks by itself.
func TestPeople(t *testing.T) {
	demo(t)
	b := as(t, "administrator")
	if b.at() != "/admin/people" {
		t.Fatalf("the administrator begins at %s", b.at())
	}
	b.says("Anna Lindqvist", "Not enrolled", "Add a person")
	b.fits("people")
	b.follow("Add a person")
	b.fits("person-new")
	b.fill("name", "Nils Holm")
	b.fill("login", "nils.holm")
	b.fill("department", "5 West")
	b.touch("[name=role][value=nurse]")
	b.follow("Add this person")
	b.says("One-time link, shown only now", "Nils Holm")
	b.fits("person-link")
	person := b.at()
	link := ask[string](b, `document.querySelector('.note code').textContent`)

	nils := browse(t, b.base)
	path, ok := strings.CutPrefix(link, b.base)
	if !ok {
		t.Fatalf("the link is %s for the server at %s", link, b.base)
	}
	nils.open(path)
	nils.says("Welcome, Nils Holm")
	secret := strings.Join(strings.Fields(ask[string](nils, `document.querySelector('code.secret').textContent`)), "")
	nils.fill("password", "a long and quiet sentence")
	nils.fill("again", "a long and quiet sentence")
	nils.fill("totp", signIn{secret: secret}.code(t, 0))
	if status := nils.follow("Finish and sign in"); status != 200 || nils.at() != "/day" {
		t.Fatalf("enrolling answers %d and leads to %s:\n%s", status, nils.at(), nils.text())
	}
	nils.says("Nils Holm")

	b.follow("Configuration")
	b.says("--listen", "Command line", "Not set", "At the next start")
	b.fits("configuration")

	b.open(person)
	b.silent(path) // the link was shown once
	b.fits("person")
	b.fill("why", "On leave")
	b.follow("Suspend")
	b.says("Suspended", "Nothing lets this person in")
	b.fits("person-suspended")
	b.follow("Let this person in again")
	b.fill("#reason", "Left the hospital")
	b.follow("End access now")
	b.says("Ended")
	b.fits("person-ended")
	b.follow("Certificate")
	b.says("Certificate of termination", "Left the hospital", "Gone everywhere by", "To the partners of", "Signed by this installation")
	b.fits("certificate")
	nils.until(`document.querySelector('h1').textContent === 'This screen is locked'`)
	nils.silent("Nils Holm")
	if nils.open("/day"); nils.at() == "/day" {
		t.Errorf("a page opens after access was ended:\n%s", nils.text())
	}
}
