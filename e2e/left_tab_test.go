package e2e

import (
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A nurse leaves a note open in a tab; the next one takes the workstation over in another. Her tab missed it: a browser that freezes tabs
// tells them nothing. What she left does nothing in his name, by its form or by its scripts, and the page says whose it was and goes on as his.
func TestALeftTab(t *testing.T) {
	w := newWard(t, nil)
	b := browse(t, w.base)
	b.byButton()
	hers := b.roaming()
	b.open(w.joins("Liv Sandberg", w.nurse))
	if b.follow("Create a passkey"); b.at() != "/day" {
		t.Fatalf("enrolling leads to %s:\n%s", b.at(), b.text())
	}
	left, adding := b.beside(), b.beside()
	for _, x := range []*tab{left, adding} { // as a frozen tab has it, nothing arrives, from the server or from other tabs
		if _, err := chromedp.Call(x.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.EventSource = class { addEventListener() {} close() {} }; window.BroadcastChannel = class { postMessage() {} }`}); err != nil {
			t.Fatal(err)
		}
	}
	hers.touched(false)
	his := b.roaming()
	b.open(w.joins("Joel Sand", ""))
	if b.follow("Create a passkey"); b.at() != "/day" {
		t.Fatalf("enrolling leads to %s:\n%s", b.at(), b.text())
	}
	b.follow("Switch")
	his.touched(false)
	hers.touched(true)
	if b.follow("Unlock with a passkey"); b.at() != "/day" {
		t.Fatalf("her touch leads to %s:\n%s", b.at(), b.text())
	}
	if left.open(w.chart+"/notes/new") != http.StatusOK {
		t.Fatal(left.text())
	}
	left.fill("title", "Round")
	left.fill("text", "Breathing easier since the second dose.")

	adding.open("/my-sign-in/passkey")

	b.follow("Switch")
	hers.touched(false)
	his.touched(true)
	b.follow("Unlock with a passkey")
	b.says("Joel Sand")

	// Its scripts prove nothing for him.
	for _, path := range []string{"/device/nonce", "/device/proof", "/my-sign-in/passkey/ask", "/lock"} {
		ask[bool](left, `(window.got = 0, fetch('`+path+`', { method: 'POST', redirect: 'manual', body: new URLSearchParams({ whose: document.querySelector('[name=whose]').value }) }).then((a) => { window.got = a.status }), true)`)
		left.until(`window.got > 0`)
		if got := ask[int](left, `window.got`); got != http.StatusConflict {
			t.Errorf("%s: %d", path, got)
		}
		left.expect(http.StatusConflict)
	}
	ask[bool](adding, `(document.querySelector('button[data-passkey=create]').click(), true)`)
	adding.until(`document.querySelector('[data-passkey-says]')?.textContent === 'This page was opened by somebody else. Open it again.'`)
	adding.expect(http.StatusConflict)
	left.follow("Keep as draft")
	left.says("Nothing was done", "That page was somebody else's", "Go on as Joel Sand")
	left.silent("Breathing", "second dose", "Quintanilla", "Liv Sandberg")
	left.fits("left-tab")
	left.expect(http.StatusConflict)
	left.follow("Go on as Joel Sand")
	left.says("Joel Sand")
	b.open("/day")
	b.says("Joel Sand") // her tab locked nothing of his

	// Hers waits for her: nothing was sent, nothing was kept in his name.
	b.follow("Switch")
	his.touched(false)
	hers.touched(true)
	b.follow("Unlock with a passkey")
	b.says("Liv Sandberg")
}
