package look

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestThirdPartyFilesAreThoseOfSUMS(t *testing.T) {
	sums := map[string]string{}
	f, err := os.Open("thirdparty/SUMS")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if w := strings.Fields(lines.Text()); len(w) == 3 && w[0] == "file" {
			sums[w[2]] = w[1]
		}
	}
	err = filepath.WalkDir("thirdparty", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "SUMS" {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(p, "thirdparty"+string(filepath.Separator)))
		body, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		if got := hex.EncodeToString(sum[:]); sums[name] != got {
			t.Errorf("%s is %s, SUMS says %q", name, got, sums[name])
		}
		delete(sums, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range sums {
		t.Errorf("SUMS names %s, which is not here", name)
	}
}

func TestStaticServesByHash(t *testing.T) {
	get := func(url, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", url, nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		Static().ServeHTTP(w, r)
		return w
	}
	for name := range assets() {
		plain, packed := get(URL(name), ""), get(URL(name), "gzip, br")
		if plain.Code != 200 || !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %q", name, plain.Code, plain.Header().Get("Cache-Control"))
		}
		body := plain.Body.Bytes()
		if packed.Header().Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := io.ReadAll(z); string(got) != string(body) {
				t.Errorf("%s: packed and plain differ", name)
			}
		}
		sum := sha256.Sum256(body)
		if !strings.Contains(URL(name), hex.EncodeToString(sum[:])) {
			t.Errorf("%s: the address does not hold the hash", name)
		}
	}
	for _, bad := range []string{"/static/cw.css", "/static/00/cw.css", "/static/../look.go", URL("cw.css") + "/x", "/static/"} {
		if w := get(bad, ""); w.Code != 404 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}

func TestStylesheetIsWhole(t *testing.T) {
	css := string(assets()["cw.css"].plain)
	if strings.Contains(css, "asset:") {
		t.Error("an asset has no address in the stylesheet")
	}
	if strings.Count(css, "{") != strings.Count(css, "}") {
		t.Error("braces do not match")
	}
	found, _ := fs.Glob(files, "css/*.css")
	if len(found) != len(layers) {
		t.Errorf("%d files, %d layers", len(found), len(layers))
	}
}

// Modules are few and small; beyond 400 lines a library would be due.
func TestModulesStaySmall(t *testing.T) {
	found, _ := fs.Glob(files, "js/*.js")
	lines := 0
	for _, name := range found {
		s := string(mustRead(name))
		lines += strings.Count(s, "\n")
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "localStorage", "indexedDB", "sessionStorage", "document.write"} {
			if bad == "indexedDB" && name == "js/device.js" { // the key of the device, and nothing of a page (ADR 175)
				continue
			}
			if strings.Contains(s, bad) {
				t.Errorf("%s uses %s", name, bad)
			}
		}
	}
	if lines > 400 {
		t.Errorf("%d lines", lines)
	}
}

// Each vendored icon is named somewhere in the web packages; what is not used is not shipped.
func TestEachIconIsUsed(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(p, "_templ.go") || !(strings.HasSuffix(p, ".go") || strings.HasSuffix(p, ".templ")) {
			return err
		}
		b, err := os.ReadFile(p)
		source.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := fs.Glob(files, "thirdparty/lucide/*.svg")
	for _, f := range found {
		if name := strings.TrimSuffix(filepath.Base(f), ".svg"); !strings.Contains(source.String(), `"`+name+`"`) {
			t.Errorf("icon %s is not used", name)
		}
	}
}
