package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium is the path of the browser, empty where there is none.
var chromium = sync.OnceValue(func() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	return ""
})

// needsBrowser skips a test where no browser is installed.
func needsBrowser(t testing.TB) {
	t.Helper()
	if chromium() == "" {
		t.Skip("no Chromium on this machine")
	}
}

// newBrowser prepares a headless browser; it starts with its first tab. more are further options.
func newBrowser(more ...chromedp.ExecAllocatorOption) (context.Context, context.CancelFunc) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium()), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, stopAll := chromedp.NewExecAllocator(context.Background(), append(opts, more...)...)
	ctx, stop := chromedp.NewContext(ctx)
	return ctx, func() { stop(); stopAll() }
}

var chrome struct {
	once sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

func stopBrowser() {
	if chrome.stop != nil {
		chrome.stop()
	}
}

// tab is one tab of the browser.
type tab struct {
	t    testing.TB
	ctx  context.Context
	stop context.CancelFunc
	base string
	said *complaints
	bare bool // pages run no scripts
}

// patience is how long a test waits for a page before it gives up. Nothing is measured by it.
const patience = 30 * time.Second

// browse opens a tab with cookies of its own.
func browse(t testing.TB, base string) *tab {
	t.Helper()
	chrome.once.Do(func() {
		chrome.ctx, chrome.stop = newBrowser()
		chrome.err = chromedp.Do(chrome.ctx)
	})
	if chrome.err != nil {
		t.Fatal(chrome.err)
	}
	return open(t, chrome.ctx, base, chromedp.WithNewBrowserContext())
}

// beside opens a second tab of the same person.
func (b *tab) beside() *tab {
	b.t.Helper()
	return open(b.t, b.ctx, b.base)
}

func open(t testing.TB, in context.Context, base string, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{t: t, base: base, said: &complaints{}}
	ctx, stop := chromedp.NewContext(in, append(opts, chromedp.WithListener(b.said.hear))...)
	b.ctx, b.stop = ctx, stop
	t.Cleanup(func() {
		stop()
		for _, s := range b.said.list() {
			t.Errorf("the browser says: %s", s)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first step
		t.Fatal(err)
	}
	b.size(1440, 900)
	return b
}

// close closes the tab, before the test ends.
func (b *tab) close() { b.stop() }

// complaints collects what the browser writes to its console: violations of the policy, script errors, missing files.
type complaints struct {
	mu      sync.Mutex
	lines   []string
	allowed []string
}

func (c *complaints) hear(ev any) {
	line := ""
	switch e := ev.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelWarning || e.Entry.Level == log.EntryLevelError {
			line = fmt.Sprint(e.Entry.Text, " ", e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		line = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			line += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		line = "console." + string(e.Type)
	}
	if line == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
}

func (c *complaints) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.lines), func(line string) bool {
		return slices.ContainsFunc(c.allowed, func(ok string) bool { return strings.Contains(line, ok) })
	})
}

// expect says that the browser will complain about an answer of this status, and that it may.
func (b *tab) expect(status int) {
	b.tolerate(fmt.Sprintf("the server responded with a status of %d", status))
}

// tolerate says that the browser may complain of what holds these words.
func (b *tab) tolerate(words string) {
	b.said.mu.Lock()
	defer b.said.mu.Unlock()
	b.said.allowed = append(b.said.allowed, words)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// goes waits until what steps do has brought another page, and gives its status.
func (b *tab) goes(what string, steps ...chromedp.Action[chromedp.Void]) int {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	answer, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.t.Fatalf("%s, at %s: %v", what, b.at(), err)
	}
	if answer == nil {
		b.t.Fatalf("%s brings no page", what)
	}
	return int(answer.Status)
}

// open goes to an address of the server.
func (b *tab) open(path string) int {
	b.t.Helper()
	return b.goes(path, chromedp.Navigate(b.base+path))
}

// at is the path of the page.
func (b *tab) at() string { return ask[string](b, `location.pathname`) }

func (b *tab) size(w, h int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(w, h))
}

// phone narrows the tab to a phone.
func (b *tab) phone() { b.t.Helper(); b.size(390, 844) }

// ask evaluates an expression in the page.
func ask[T any](b *tab, js string) T {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return out
}

// promised evaluates an expression in the page and waits for what it promises.
func promised(b *tab, js string) string {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return out
}

// until waits for a condition of the page.
func (b *tab) until(js string) {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ask[bool](b, "!!("+js+")") {
			return
		}
	}
	b.t.Fatalf("it never comes true: %s\n%s", js, b.text())
}

// text is what the page says, without what is hidden from everybody.
func (b *tab) text() string { b.t.Helper(); return ask[string](b, `document.body.innerText`) }

// says fails the test when the page lacks one of the words.
func (b *tab) says(words ...string) {
	b.t.Helper()
	text := fold(b.text())
	for _, w := range words {
		if !strings.Contains(text, fold(w)) {
			b.t.Fatalf("%s does not say %q:\n%s", b.at(), w, b.text())
		}
	}
}

// silent fails the test when one of the words stands anywhere in the page's source.
func (b *tab) silent(words ...string) {
	b.t.Helper()
	source := fold(ask[string](b, `document.documentElement.outerHTML`))
	for _, w := range words {
		if w != "" && strings.Contains(source, fold(w)) {
			b.t.Errorf("%s holds %q", b.at(), w)
		}
	}
}

// fold makes texts comparable: one kind of space, no difference of case (headings may be set in capitals).
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// find gives the middle of the first visible element that matches a selector, or, when it has no [, # or >, that reads so and
// can be touched; it scrolls there. What covers an element is found, as a hand would.
const find = `((want) => {
  const norm = (s) => (s ?? '').replace(/\s+/g, ' ').trim()
  let el
  if (/[\[#>]/.test(want)) el = [...document.querySelectorAll(want)].find((e) => e.checkVisibility())
  else {
    const all = [...document.querySelectorAll('a, button, summary, label, select, input')].filter((e) => e.checkVisibility())
    const name = (e) => norm(e.innerText) || norm(e.getAttribute('aria-label'))
    el = all.find((e) => name(e) === want) ?? all.find((e) => name(e).startsWith(want)) ?? all.find((e) => name(e).includes(want))
  }
  if (!el) return null
  el.scrollIntoView({ block: 'center', behavior: 'instant' })
  const box = [...el.getClientRects()].find((r) => r.width && r.height)
  if (!box) return null
  const x = box.x + box.width / 2, y = box.y + box.height / 2, top = document.elementFromPoint(x, y)
  return { x, y, free: !!top && (el.contains(top) || top.contains(el)), top: top ? top.outerHTML.slice(0, 120) : '' }
})`

func (b *tab) spot(what string) chromedp.Action[chromedp.Void] {
	b.t.Helper()
	quoted, err := json.Marshal(what)
	if err != nil {
		b.t.Fatal(err)
	}
	p := ask[*struct {
		X, Y float64
		Free bool
		Top  string
	}](b, find+"("+string(quoted)+")")
	if p == nil {
		b.t.Fatalf("%s has no %q to touch:\n%s", b.at(), what, b.text())
	}
	if !p.Free {
		b.t.Fatalf("%s: %q is covered by %s", b.at(), what, p.Top)
	}
	return chromedp.MouseClickXY(p.X, p.Y)
}

// touch presses the mouse on an element, named by a selector or by its words.
func (b *tab) touch(what string) { b.t.Helper(); b.do(b.spot(what)) }

// follow touches what leads to another page, and gives that page's status.
func (b *tab) follow(what string) int { b.t.Helper(); return b.goes(what, b.spot(what)) }

// fill types into a field of the page, given by its name or a selector, in place of what stands there.
func (b *tab) fill(field, text string) {
	b.t.Helper()
	if !strings.Contains(field, "#") {
		field = `main [name="` + field + `"]:not([type=hidden])`
	}
	b.touch(field)
	ask[bool](b, `document.activeElement.select(), true`)
	b.keys(kb.Backspace + text)
}

// keys presses keys.
func (b *tab) keys(s string) { b.t.Helper(); b.do(chromedp.KeyEvent(s)) }

// followKeys presses keys that lead to another page, and gives that page's status.
func (b *tab) followKeys(s string) int {
	b.t.Helper()
	return b.goes(fmt.Sprintf("the keys %q", s), chromedp.KeyEvent(s))
}

// dark shows the page as the system's dark scheme has it.
func (b *tab) dark(on bool) {
	b.t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[on]
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "screen",
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		b.t.Fatal(err)
	}
}

// scripts turns the scripts of pages on or off.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	b.bare = !on
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		b.t.Fatal(err)
	}
}
