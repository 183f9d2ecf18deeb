package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"chartwarden/internal/web/look"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// The browser tests run each page of the gallery under the real policy. With CHARTWARDEN_GALLERY=DIR they also leave pictures there at
// 1440 and 390 px, light and dark; with CHARTWARDEN_GALLERY_ONLY=chart,closed only those pages.
//
//	CHARTWARDEN_GALLERY=/tmp/gallery go test ./internal/web/page -run Gallery

// chrome is one headless browser for the whole package; it is nil where none is installed.
var chrome, stopChrome = func() (context.Context, context.CancelFunc) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		found, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(found), chromedp.Flag("hide-scrollbars", true))
		if os.Geteuid() == 0 {
			opts = append(opts, chromedp.NoSandbox)
		}
		ctx, stopAll := chromedp.NewExecAllocator(context.Background(), opts...)
		ctx, stop := chromedp.NewContext(ctx)
		return ctx, func() { stop(); stopAll() }
	}
	return nil, func() {}
}()

func TestMain(m *testing.M) {
	code := m.Run()
	stopChrome()
	os.Exit(code)
}

// browser gives a tab of its own; the browser starts with the first.
func browser(t *testing.T) context.Context {
	t.Helper()
	if chrome == nil {
		t.Skip("no Chromium on this machine")
	}
	if err := chromedp.Do(chrome); err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewContext(chrome)
	t.Cleanup(stop)
	return ctx
}

// gallery serves the pages as the real server would: strict policy, no sniffing, assets by hash.
func gallery(t *testing.T) (names []string, base string) {
	names, base, _ = served(t)
	return names, base
}

// station is the server side that the modules talk to.
type station struct {
	events chan string // what the stream sends next
	posts  chan string // path and body of each POST
}

func served(t *testing.T) (names []string, base string, st station) {
	st = station{make(chan string), make(chan string, 100)}
	names, html := rendered(t)
	if only := os.Getenv("CHARTWARDEN_GALLERY_ONLY"); only != "" {
		names = strings.Split(only, ",")
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", look.Static())
	mux.HandleFunc("GET /page/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", look.Policy)
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, html[r.PathValue("name")])
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for {
			select {
			case e := <-st.events:
				fmt.Fprint(w, e)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		st.posts <- r.URL.Path + " " + r.PostForm.Encode()
		fmt.Fprint(w, "n42")
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return names, srv.URL, st
}

// complaints collects what the browser writes to its console: policy violations, script errors, missing files.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (c *complaints) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, s)
}

func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.list
	c.list = nil
	return out
}

// overflow names what stands out of the viewport at its right edge, scrollers aside.
const overflow = `(() => {
  const out = [], limit = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= limit) return out
  for (const el of document.querySelectorAll('body *')) {
    if (el.closest('.lanes, .vh, [hidden]') || !el.checkVisibility()) continue
    const box = el.getBoundingClientRect()
    if (box.width && box.right > limit + 1 && out.length < 6) out.push(el.tagName + '.' + el.className + ' ' + Math.round(box.right))
  }
  return out.length ? out : ['page is ' + document.documentElement.scrollWidth]
})()`

// small names what can be touched but is smaller than 24 px (WCAG 2.5.8).
const small = `(() => [...document.querySelectorAll('a, button, summary, input:not([type=hidden]), select')].filter(el => {
  if (!el.checkVisibility() || el.closest('.vh, .skip, template') || el.classList.contains('skip')) return false
  const hit = el.closest('label') ?? el, box = hit.getBoundingClientRect(), after = getComputedStyle(el, '::after')
  return box.width && after.position !== 'absolute' && (box.height < 23.5 || box.width < 23.5)
}).map(el => el.tagName + ' ' + el.textContent.trim().slice(0, 30) + ' ' + Math.round(el.getBoundingClientRect().height)).slice(0, 8))()`

// TestGalleryInTheBrowser looks at each page under the real policy: nothing stands out at the side, nothing is too small to touch, the
// console is silent, and axe-core (WCAG 2.2 AA and best practice) finds nothing. axe is injected by the debugger, which the policy does
// not concern; contrast inside SVG it cannot decide, a test in look computes that from the tokens.
func TestGalleryInTheBrowser(t *testing.T) {
	names, base := gallery(t)
	ctx := browser(t)
	axe, err := os.ReadFile("../look/thirdparty/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	judge := func() []string {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](string(axe)+";true")); err != nil {
			t.Fatal(err)
		}
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](runAxe, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	dir := os.Getenv("CHARTWARDEN_GALLERY")
	widths := []int64{320, 1440}
	if dir != "" {
		widths = []int64{320, 390, 1024, 1440, 1920}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var said complaints
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			said.add(e.Entry.Text)
		case log.EventEntryAdded:
			said.add(e.Entry.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		size(t, ctx, 1440, 900)
		if err := chromedp.Do(ctx, chromedp.Navigate(base+"/page/"+name), chromedp.WaitReady("main")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, width := range widths {
			size(t, ctx, width, 900)
			for _, x := range list(t, ctx, overflow) {
				t.Errorf("%s at %d px: %s", name, width, x)
			}
			for _, x := range list(t, ctx, small) {
				t.Errorf("%s at %d px: too small to touch: %s", name, width, x)
			}
			if dir != "" || width == widths[i%2] { // each page once, half of them on a phone
				for _, x := range judge() {
					t.Errorf("%s at %d px: %s", name, width, x)
				}
			}
			if dir != "" && width != 320 {
				for _, scheme := range schemes(width) {
					shoot(t, ctx, filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), width, scheme)
				}
			}
		}
		for _, s := range said.take() {
			t.Errorf("%s: the browser says: %s", name, s)
		}
	}
	// It can fail: an image without words must be found.
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.querySelector('main').append(document.createElement('img')); true`)); err != nil {
		t.Fatal(err)
	}
	if len(judge()) == 0 {
		t.Error("an image without a text alternative was not found: the check checks nothing")
	}
}

// schemes are the looks of which a picture is taken at a width.
func schemes(width int64) []string {
	switch width {
	case 390:
		return []string{"dark", "light"}
	case 1440:
		return []string{"print", "dark", "light"}
	}
	return []string{"light"}
}

const runAxe = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] })
  .then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ': ' + n.target.join(' ') + ' ' + n.failureSummary.slice(0, 160))))`

func size(t *testing.T, ctx context.Context, w, h int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(w, h)); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, ctx context.Context, js string) []string {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](js))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shoot takes a picture of the whole page: the viewport grows to the page first, so that fixed bars stand at the foot.
func shoot(t *testing.T, ctx context.Context, file string, width int64, scheme string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Media: "screen", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
	if scheme == "print" {
		media.Media = "print"
		media.Features[0].Value = "dark" // paper stays white
		width = 720
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
	if err != nil {
		t.Fatal(err)
	}
	size(t, ctx, width, 900)
	tall, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollHeight`))
	if err != nil {
		t.Fatal(err)
	}
	size(t, ctx, width, max(900, tall))
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
