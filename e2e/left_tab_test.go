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
	hers, his := w.shared(b)
	left, adding := b.beside(), b.beside()
	for _, x := range []*tab{left, adding} { // as a frozen tab has it, nothing arrives, from the server or from other tabs
		if _, err := chromedp.Call(x.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.EventSource = class { addEventListener() {} close() {} }; window.BroadcastChannel = class { postMessage() {} };
				window.every = []; const timer = setInterval; window.setInterval = (f, ms) => { if (ms === 540_000) every.push(f); return timer(f, ms) };
				window.sent = []; const real = fetch; window.fetch = (path, how) => real(path, how).then((a) => (sent.push(path + ' ' + a.status), a))`}); err != nil {
			t.Fatal(err)
		}
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

	// Its scripts ask and prove nothing for him. The one for devices does so every nine minutes, where the browser keeps a key.
	ask[bool](left, `(window.kept = false, crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']).then((key) => {
		const opened = indexedDB.open('chartwarden', 1)
		opened.onupgradeneeded = () => opened.result.createObjectStore('device')
		opened.onsuccess = () => { opened.result.transaction('device', 'readwrite').objectStore('device').put(key, 'key').onsuccess = () => { window.kept = true } }
	}), true)`)
	left.until(`window.kept`)
	ask[bool](left, `(window.every.forEach((again) => again()), true)`)
	left.until(`sent.includes('/device/nonce 409')`)
	left.expect(http.StatusConflict)
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

	// She goes on as before.
	b.follow("Switch")
	his.touched(false)
	hers.touched(true)
	b.follow("Unlock with a passkey")
	b.says("Liv Sandberg")
}
