package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/chromedp/chromedp"
)

// overflow names what stands out of the viewport at its right edge, labelled scrollers aside.
const overflow = `(() => {
  const out = [], limit = window.innerWidth
  if (document.documentElement.scrollWidth <= limit) return out
  for (const el of document.querySelectorAll('body *')) {
    if (el.closest('.lanes, .vh, [hidden]') || !el.checkVisibility()) continue
    const box = el.getBoundingClientRect()
    if (box.width && box.right > limit + 1 && out.length < 6) out.push(el.tagName + '.' + el.className + ' ' + Math.round(box.right))
  }
  return out.length ? out : ['the page is ' + document.documentElement.scrollWidth]
})()`

var identifying = regexp.MustCompile(`(?i)%20|[^a-z0-9_/.:?=&-]`)

// runAxe judges a page by WCAG 2.2 AA and best practice.
const runAxe = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] })
  .then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ': ' + n.target.join(' ') + ' ' + n.failureSummary.slice(0, 160))).join('\n'))`

var axe = sync.OnceValues(func() ([]byte, error) {
	return os.ReadFile("../internal/web/look/thirdparty/axe-core/axe.min.js")
})

// fits checks what holds for every page at a desk and on a phone, light and dark: nothing stands out at the side, the address names
// nobody, axe-core finds nothing; the debugger brings it past the policy. With CHARTWARDEN_PICTURES=DIR it leaves pictures there under
// the name.
func (b *tab) fits(name string) {
	b.t.Helper()
	dir := os.Getenv("CHARTWARDEN_PICTURES")
	if where := ask[string](b, `location.pathname + location.search`); identifying.MatchString(where) {
		b.t.Errorf("%s: the address is %s", name, where)
	}
	for _, dark := range []bool{true, false} {
		b.dark(dark)
		look := map[bool]string{true: "-dark"}[dark]
		for _, width := range []int64{390, 1440} {
			b.size(width, 900)
			for _, x := range ask[[]string](b, overflow) {
				b.t.Errorf("%s at %d px: %s stands out", name, width, x)
			}
			b.judge(name+look, width)
			if dir != "" {
				b.shoot(filepath.Join(dir, fmt.Sprintf("%s%s-%d.png", name, look, width)), width)
			}
		}
	}
}

// judge asks axe-core about the page.
func (b *tab) judge(name string, width int64) {
	b.t.Helper()
	if b.bare { // nothing is ever promised
		return
	}
	js, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	if !ask[bool](b, `'axe' in window`) {
		ask[bool](b, string(js)+";true")
	}
	if found := promised(b, runAxe); found != "" {
		b.t.Errorf("%s at %d px: %s", name, width, found)
	}
}

// shoot takes a picture of the whole page: the viewport grows to the page first, so that fixed bars stand at the foot.
func (b *tab) shoot(file string, width int64) {
	b.t.Helper()
	b.size(width, max(900, ask[int64](b, `document.documentElement.scrollHeight`)))
	b.capture(file)
	b.size(width, 900)
}

// capture takes a picture of what the viewport shows.
func (b *tab) capture(file string) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
