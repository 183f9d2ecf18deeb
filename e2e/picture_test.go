package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

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

// fits checks what holds for every page at a desk and on a phone: nothing stands out at the side, the address names nobody. With
// CHARTWARDEN_PICTURES=DIR it leaves pictures there under the name.
func (b *tab) fits(name string) {
	b.t.Helper()
	dir := os.Getenv("CHARTWARDEN_PICTURES")
	if where := ask[string](b, `location.pathname + location.search`); identifying.MatchString(where) {
		b.t.Errorf("%s: the address is %s", name, where)
	}
	for _, width := range []int64{390, 1440} {
		b.size(width, 900)
		for _, x := range ask[[]string](b, overflow) {
			b.t.Errorf("%s at %d px: %s stands out", name, width, x)
		}
		if dir != "" {
			b.shoot(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), width)
		}
	}
}

// shoot takes a picture of the whole page: the viewport grows to the page first, so that fixed bars stand at the foot.
func (b *tab) shoot(file string, width int64) {
	b.t.Helper()
	b.size(width, max(900, ask[int64](b, `document.documentElement.scrollHeight`)))
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
	b.size(width, 900)
}
