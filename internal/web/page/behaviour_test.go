package page

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func open(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	size(t, ctx, 1440, 900)
	if err := chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitReady("main")); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return out
}

func keys(t *testing.T, ctx context.Context, s string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(s)); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition of the page; the browser polls, no clock decides.
func until(t *testing.T, ctx context.Context, js string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](js)); err != nil {
		t.Fatalf("%s: %v", js, err)
	}
}

func TestGlassByKeyboard(t *testing.T) {
	_, base, _ := served(t)
	ctx := browser(t)
	open(t, ctx, base+"/page/closed")
	if got := ask[string](t, ctx, `document.activeElement.value`); got != "emergency" {
		t.Fatalf("the page opens with the focus on %q", got)
	}
	keys(t, ctx, kb.Tab)
	if got := ask[string](t, ctx, `document.activeElement.textContent.trim()`); got != "Confirm and open" {
		t.Errorf("the second stop is %q", got)
	}
	keys(t, ctx, "2")
	if got := ask[string](t, ctx, `document.querySelector('[name=code]:checked').value`); got != "covering" {
		t.Errorf("2 chooses %q", got)
	}
	if !ask[bool](t, ctx, `document.querySelector('#text').checkVisibility()`) {
		t.Error("a reason other than emergency asks for words, but shows no field")
	}
}

func TestLockLeavesNothingBehind(t *testing.T) {
	_, base, st := served(t)
	ctx := browser(t)
	open(t, ctx, base+"/page/chart")
	st.events <- "event: notice\ndata: {\"text\":\"New result\",\"href\":\"/chart/p7Kq2/results\"}\n\n"
	until(t, ctx, `document.querySelector('[data-news] a')?.getAttribute('href') === '/chart/p7Kq2/results'`)
	st.events <- "event: count\ndata: {\"href\":\"/day\",\"n\":9}\n\n"
	until(t, ctx, `document.querySelector('nav.top .count').textContent === '9'`)
	st.events <- "event: lock\ndata: {}\n\n"
	until(t, ctx, `document.querySelector('h1').textContent === 'This screen is locked'`)
	left := ask[string](t, ctx, `document.documentElement.outerHTML`)
	for _, secret := range []string{"Okafor", "Penicillin", "0048", "Lindqvist", "p7Kq2"} {
		if strings.Contains(left, secret) {
			t.Errorf("%q is left on the locked screen", secret)
		}
	}
}

func TestShortcuts(t *testing.T) {
	_, base, _ := served(t)
	ctx := browser(t)
	open(t, ctx, base+"/page/day")
	keys(t, ctx, "jj")
	if got := ask[string](t, ctx, `document.activeElement.textContent`); got != "Sørensen, Ingrid" {
		t.Errorf("j j stands on %q", got)
	}
	keys(t, ctx, "k")
	if got := ask[string](t, ctx, `document.activeElement.textContent`); got != "Okafor, Maren" {
		t.Errorf("k goes back to %q", got)
	}
	keys(t, ctx, "/")
	if !ask[bool](t, ctx, `document.activeElement.matches('[data-find]')`) {
		t.Error("/ does not reach the finder")
	}
	keys(t, ctx, "j?")
	// The debugger sends a key and its character apart, so here the slash arrives in the field although the module held it back.
	if got := ask[string](t, ctx, `document.activeElement.value`); !strings.HasSuffix(got, "j?") {
		t.Errorf("inside a field keys are letters, it holds %q", got)
	}
	open(t, ctx, base+"/page/day")
	keys(t, ctx, "?")
	if !ask[bool](t, ctx, `document.querySelector('#keys').matches(':popover-open')`) {
		t.Error("? shows no help")
	}
}

func TestDraftIsKeptOnTheServer(t *testing.T) {
	_, base, st := served(t)
	ctx := browser(t)
	open(t, ctx, base+"/page/chart-write")
	keys(t, ctx, "Xq")
	until(t, ctx, `document.querySelector('[name=draft]').value === 'n42'`)
	for got := range st.posts {
		if strings.HasPrefix(got, "/chart/p7Kq2/notes/draft ") {
			if !strings.Contains(got, "Xq") || !strings.Contains(got, "kind=progress") || strings.Contains(got, "totp") {
				t.Errorf("the draft was sent as %q", got)
			}
			return
		}
	}
}
