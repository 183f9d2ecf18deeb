package look

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
)

//go:embed css/*.css js/*.js thirdparty/plex/*.woff2 thirdparty/lucide/*.svg
var files embed.FS

// asset is one file as it is served.
type asset struct {
	url, kind     string
	plain, packed []byte // packed is nil where gzip gains nothing
}

// layers is the order of the stylesheet; each file opens its own cascade layer.
var layers = []string{"reset", "tokens", "base", "shell", "parts", "plots", "chart", "care", "privacy", "cases", "print"}

var assets = sync.OnceValue(func() map[string]*asset {
	all := map[string]*asset{}
	add := func(name, kind string, body []byte) {
		sum := sha256.Sum256(body)
		a := &asset{url: "/static/" + hex.EncodeToString(sum[:]) + "/" + name, kind: kind, plain: body}
		if kind != "font/woff2" {
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			_, _ = z.Write(body)
			_ = z.Close()
			a.packed = b.Bytes()
		}
		all[name] = a
	}
	add("plex-latin.woff2", "font/woff2", mustRead("thirdparty/plex/ibm-plex-sans-latin-wght-normal.woff2"))
	add("plex-latin-ext.woff2", "font/woff2", mustRead("thirdparty/plex/ibm-plex-sans-latin-ext-wght-normal.woff2"))
	add("icons.svg", "image/svg+xml", sprite())
	add("mark.svg", "image/svg+xml", []byte(markFile))

	var sheet strings.Builder
	fmt.Fprintf(&sheet, "@layer %s;\n", strings.Join(layers, ", "))
	for _, layer := range layers {
		sheet.Write(mustRead("css/" + layer + ".css"))
	}
	add("cw.css", "text/css; charset=utf-8", []byte(assetName.ReplaceAllStringFunc(sheet.String(), func(s string) string {
		return strings.TrimPrefix(all[strings.TrimPrefix(s, "asset:")].url, "/static/")
	})))
	modules, err := fs.Glob(files, "js/*.js")
	if err != nil {
		panic(err)
	}
	for _, m := range modules {
		add(path.Base(m), "text/javascript; charset=utf-8", remarks.ReplaceAll(mustRead(m), nil))
	}
	return all
})

// remarks are the lines of a module that are comments: written for who reads the source, and a kilobyte on the wire.
var remarks = regexp.MustCompile(`(?m)^[ \t]*//.*\n`)

// assetName marks, inside the stylesheet, an asset whose served address is put in its place.
var assetName = regexp.MustCompile(`asset:[a-z0-9.-]+`)

func mustRead(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic("look: " + err.Error()) // embedded at build time: only a misspelt name can fail, on the first page of any test
	}
	return b
}

// URL is the address of an asset, such as "cw.css". It panics on a name that does not exist, which is a mistake in a template.
func URL(name string) string {
	a, ok := assets()[name]
	if !ok {
		panic("look: no asset named " + name)
	}
	return a.url
}

// Static serves the assets under /static/<sha256>/<name>. An address with another hash is 404, so a page of an older build never mixes
// with newer files. It needs no session: nothing in it depends on a person.
func Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets()[path.Base(r.URL.Path)]
		if !ok || a.url != r.URL.Path {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		body := a.plain
		if a.packed != nil {
			h.Set("Vary", "Accept-Encoding")
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				h.Set("Content-Encoding", "gzip")
				body = a.packed
			}
		}
		h.Set("Content-Length", fmt.Sprint(len(body)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(body)
		}
	})
}

// Weight is what one page needs besides itself on a first visit, in bytes on the wire without the fonts.
func Weight() int {
	var n int
	for _, a := range assets() {
		n += len(a.packed)
	}
	return n
}
