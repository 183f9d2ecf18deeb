package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/web/look"
)

// rendered are all pages of the gallery as HTML, sorted by name.
func rendered(t testing.TB) (names []string, html map[string]string) {
	t.Helper()
	html = map[string]string{}
	for name, c := range shots() {
		var b bytes.Buffer
		if err := c.Render(context.Background(), &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		names, html[name] = append(names, name), b.String()
	}
	slices.Sort(names)
	return names, html
}

var (
	inlineStyle  = regexp.MustCompile(`<[^>]*\sstyle\s*=|<style`)
	inlineScript = regexp.MustCompile(`<[^>]*\son[a-z]+\s*=|<script(?: type="module")?>|javascript:`)
	idAttr       = regexp.MustCompile(`\sid="([^"]*)"`)
	forAttr      = regexp.MustCompile(`\s(?:for|aria-labelledby|aria-describedby|popovertarget)="([^"]*)"`)
	title        = regexp.MustCompile(`<title>([^<]*)</title>`)
	address      = regexp.MustCompile(`\s(?:href|action)="([^"]*)"`)
	getForm      = regexp.MustCompile(`<form(?:[^>]*)>`)
	iconUse      = regexp.MustCompile(`icons\.svg#([a-z0-9-]+)"`)
	usDate       = regexp.MustCompile(`\b\d{1,2}/\d{1,2}/\d{2,4}\b`)
)

func TestPagesKeepToThePolicy(t *testing.T) {
	names, html := rendered(t)
	for _, name := range names {
		if m := inlineStyle.FindString(html[name]); m != "" {
			t.Errorf("%s: inline style: %s", name, m)
		}
		if m := inlineScript.FindString(html[name]); m != "" {
			t.Errorf("%s: inline script: %s", name, m)
		}
		for _, f := range getForm.FindAllString(html[name], -1) {
			if !strings.Contains(f, `method="post"`) {
				t.Errorf("%s: a form without POST puts what is typed into the address: %s", name, f)
			}
		}
	}
}

// The gallery's patients are named so that a search for them is meaningful.
func TestNoPatientInTitleOrAddress(t *testing.T) {
	names, html := rendered(t)
	for _, name := range names {
		shown := append(title.FindStringSubmatch(html[name])[1:], "")
		for _, a := range address.FindAllStringSubmatch(html[name], -1) {
			shown = append(shown, a[1])
		}
		for _, s := range shown {
			for _, secret := range []string{"Okafor", "okaf", "Maren", "Sørensen", "2217", "1961"} {
				if strings.Contains(s, secret) {
					t.Errorf("%s: %q holds patient data", name, s)
				}
			}
		}
	}
}

func TestReferencesInsideAPageHold(t *testing.T) {
	names, html := rendered(t)
	for _, name := range names {
		seen := map[string]bool{}
		body, _, _ := strings.Cut(html[name], "<template")
		for _, m := range idAttr.FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("%s: id %q stands twice", name, m[1])
			}
			seen[m[1]] = true
		}
		for _, m := range forAttr.FindAllStringSubmatch(body, -1) {
			for _, id := range strings.Fields(m[1]) {
				if !seen[id] {
					t.Errorf("%s: nothing has the id %q", name, id)
				}
			}
		}
		if strings.Count(body, "<h1") != 1 {
			t.Errorf("%s: %d main headings, want one", name, strings.Count(body, "<h1"))
		}
	}
}

func TestCopyRules(t *testing.T) {
	text := regexp.MustCompile(`>([^<]+)<`)
	names, html := rendered(t)
	for _, name := range names {
		for _, m := range text.FindAllStringSubmatch(html[name], -1) {
			s := m[1]
			for _, bad := range []string{"!", "violation", "—", "user", "click here"} {
				if strings.Contains(strings.ToLower(s), bad) && !strings.Contains(s, "chartwarden.example") {
					t.Errorf("%s: %q has %q", name, strings.TrimSpace(s), bad)
				}
			}
			if usDate.MatchString(s) {
				t.Errorf("%s: %q: dates are written 14 Mar 1961", name, s)
			}
		}
	}
}

func TestIconsExist(t *testing.T) {
	names, html := rendered(t)
	for _, name := range names {
		for _, m := range iconUse.FindAllStringSubmatch(html[name], -1) {
			if !look.HasIcon(m[1]) {
				t.Errorf("%s: icon %q is not vendored", name, m[1])
			}
		}
	}
}

// A page with its stylesheet, icons and modules must stay under 30 kB on the wire, the font aside.
func TestPageWeight(t *testing.T) {
	const budget = 30_000
	rest := look.Weight()
	names, html := rendered(t)
	for _, name := range names {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(html[name]))
		_ = z.Close()
		if n := b.Len() + rest; n > budget {
			t.Errorf("%s: %d bytes (page %d, assets %d), budget %d", name, n, b.Len(), rest, budget)
		} else if testing.Verbose() {
			t.Logf("%-18s %6d bytes", name, n)
		}
	}
}

// The glass asks for two actions: with the focus on the reasons, Confirm is the second stop. So nothing that takes the focus may stand
// between the reasons and Confirm, except what only a reason other than emergency shows.
func TestConfirmIsTheSecondStop(t *testing.T) {
	_, html := rendered(t)
	_, form, _ := strings.Cut(html["closed"], `class="glassform"`)
	reasons, rest, _ := strings.Cut(form, "</fieldset>")
	if !strings.Contains(reasons, `value="emergency" checked autofocus`) {
		t.Error("the page must open with the focus on the first reason")
	}
	between, _, _ := strings.Cut(rest, "Confirm and open")
	between = strings.Split(between, `class="btn go big"`)[0]
	if n := strings.Count(between, "<textarea") + strings.Count(between, "<input") + strings.Count(between, "<a ") + strings.Count(between, "<summary"); n != 1 {
		t.Errorf("%d stops between the reasons and Confirm, want only the words that emergency hides", n)
	}
	if got := strings.Count(reasons, `type="radio"`); got != 5 {
		t.Errorf("%d reasons, want five", got)
	}
}
