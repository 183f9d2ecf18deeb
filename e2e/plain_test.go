package e2e

import (
	"bytes"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Every page does its work without scripts.
func TestWithoutScripts(t *testing.T) {
	h := demo(t)
	p := maren(t)
	plain := func() *tab {
		b := browse(t, h.base)
		b.scripts(false)
		return b
	}
	b := plain()
	b.open("/sign-in")
	who := h.hired(t, "Noor Haddad", "physician")
	if status := b.signIn(who, who.code(t, 0)); status != 200 || b.at() != "/day" {
		t.Fatalf("signing in answers %d at %s:\n%s", status, b.at(), b.text())
	}
	if ask[bool](b, `'went' in window || document.querySelector('.lockt')?.checkVisibility()`) {
		t.Error("scripts run")
	}
	b.looksFor(p)
	b.expect(403)
	b.follow(p.name)
	b.says("Closed to you for now")
	b.touch("I am covering for a colleague")
	b.fill("text", "Night cover for Dr Lindqvist")
	if status := b.follow("Confirm and open"); status != 200 || b.at() != p.path {
		t.Fatalf("the glass answers %d at %s:\n%s", status, b.at(), b.text())
	}
	b.says("Opened with a reason", "Vitals")
	b.fits("chart-plain")
	b.follow("nav.tabs [href$='/access']")
	b.says("Who looked", "Anna Lindqvist")
	b.fits("access")
	b.open("/day")
	b.touch(personMenu)
	b.follow("Sign out")

	b = plain()
	b.open("/")
	b.follow("button:has([href$='#stethoscope'])")
	b.follow(p.name)
	b.says("Why you can open this chart", "Medications")

	b = plain()
	b.phone()
	b.open("/")
	b.follow("button:has([href$='#user'])")
	b.touch(who.name)
	b.says("Saw:")
}

// What a mouse does, keys do.
func TestKeyboard(t *testing.T) {
	b := as(t, "physician")
	b.follow("Okafor, Maren")
	b.keys("/")
	if !ask[bool](b, `document.activeElement.matches('[data-find]')`) {
		t.Error("/ does not reach the finder")
	}
	b.keys(kb.Backspace + "Okafor") // the debugger sends a key and its character apart, so the slash may stand in the field
	b.followKeys(kb.Enter)
	b.says("Patients found", "Okafor, Maren")
	b.keys("j")
	b.followKeys(kb.Enter)
	b.says("Why you can open this chart")
	b.keys("g")
	b.followKeys("d")
	if b.at() != "/day" {
		t.Errorf("g d leads to %s", b.at())
	}
	b.keys("?")
	if !ask[bool](b, `document.querySelector('#keys').matches(':popover-open')`) {
		t.Error("? shows no help")
	}
	b.fits("keys")
}

// After signing out a browser has kept nothing of a patient on its disk.
func TestNothingStaysOnDisk(t *testing.T) {
	h := demo(t)
	profile := filepath.Join(t.TempDir(), "profile")
	ctx, stop := newBrowser(chromedp.UserDataDir(profile))
	defer stop()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := open(t, ctx, h.base)
	b.open("/")
	b.follow("button:has([href$='#stethoscope'])")
	names := ask[[]string](b, `[...document.querySelectorAll('a[data-open]')].map(a => a.textContent)`)
	b.open("/find")
	b.fill("q", "Okafor")
	b.follow("main form button[type=submit]")
	b.follow("Okafor, Maren")
	chart := b.at()
	for _, part := range []string{"/timeline", "/results", "/medications", "/notes", "/access"} {
		b.open(chart + part)
	}
	const written = "Slept well, saturation steady on two litres"
	b.open(chart + "/notes/new")
	b.fill("text", written)
	b.until(`document.querySelector('[data-saved]').textContent.includes('Draft kept')`)
	b.open("/activity")
	b.touch(personMenu)
	b.follow("Sign out")
	b.open("/demo")
	b.follow("button:has([href$='#shield-check'])") // the officer types a record number
	b.open("/audit")
	b.fill("patient", "00482217")
	b.follow("Show entries")
	b.says("newest first")
	b.touch(personMenu)
	b.follow("Sign out")
	if err := chromedp.Cancel(ctx); err != nil {
		t.Fatal(err)
	}
	if len(names) < 8 {
		t.Fatalf("only %d names to look for", len(names))
	}
	secrets := []string{written, "q=Okafor", "Penicillin", "00482217", "Metformin"}
	for _, n := range names {
		family, given, _ := strings.Cut(n, ", ")
		secrets = append(secrets, n, given+" "+family, family+"%2C", url.QueryEscape(n))
	}
	visited := false
	files := 0
	err := filepath.WalkDir(profile, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		visited = visited || bytes.Contains(text, []byte(h.base+"/sign-in"))
		for _, s := range secrets {
			if bytes.Contains(text, []byte(s)) || bytes.Contains(text, wide(s)) {
				t.Errorf("%s keeps %q", strings.TrimPrefix(path, profile), s)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !visited {
		t.Errorf("none of %d files knows of the visit: the search finds nothing because it looks at nothing", files)
	}
}

// wide is how browsers keep texts that are not Latin-1: UTF-16, little end first.
func wide(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}
