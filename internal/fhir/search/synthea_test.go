package search

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"

	"chartwarden/internal/fhir/document"
)

// sample is one resource in both readings: ours, and that of encoding/json for the oracles.
type sample struct {
	doc  *document.Doc
	tree map[string]any
}

var loaded struct {
	sync.Once
	samples []sample
	err     error
}

// synthea gives the resources of ten generated patients and of their hospitals and practitioners.
func synthea(t testing.TB) []sample {
	t.Helper()
	folder := os.Getenv("CHARTWARDEN_TESTDATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "fhir", "synthea", "*.json.gz"))
	if len(files) == 0 {
		t.Skip("the Synthea patients are absent (set CHARTWARDEN_TESTDATA)")
	}
	sort.Strings(files)
	loaded.Do(func() {
		var raw []json.RawMessage
		types := map[string]string{}
		for i := 0; i < len(files) && loaded.err == nil; i++ {
			if i%12 == 0 || filepath.Base(files[i])[0] >= 'a' { // hospitals and practitioners
				raw, loaded.err = readBundle(files[i], raw, types)
			}
		}
		for i := 0; i < len(raw) && loaded.err == nil; i++ {
			loaded.err = addSample(raw[i], types)
		}
	})
	if loaded.err != nil {
		t.Fatal(loaded.err)
	}
	return loaded.samples
}

// readBundle appends the resources of a bundle and notes the type of each fullUrl.
func readBundle(name string, raw []json.RawMessage, types map[string]string) ([]json.RawMessage, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var bundle struct {
		Entry []struct {
			FullURL  string
			Resource json.RawMessage
			Request  struct{ URL string }
		}
	}
	if err := json.NewDecoder(unzipped).Decode(&bundle); err != nil {
		return nil, err
	}
	for _, e := range bundle.Entry {
		types[e.FullURL] = e.Request.URL
		raw = append(raw, e.Resource)
	}
	return raw, nil
}

var bundleReference = regexp.MustCompile(`"urn:uuid:[-0-9a-f]{36}"`)

// addSample resolves the references inside the bundle, as a transaction does.
func addSample(raw []byte, types map[string]string) error {
	raw = bundleReference.ReplaceAllFunc(raw, func(quoted []byte) []byte {
		url := string(quoted[1 : len(quoted)-1])
		if kind := types[url]; kind != "" {
			return []byte(`"` + kind + "/" + strings.TrimPrefix(url, "urn:uuid:") + `"`)
		}
		return quoted
	})
	var s sample
	if err := json.Unmarshal(raw, &s.tree); err != nil {
		return err
	}
	var err error
	if s.doc, err = document.Parse(raw); err == nil {
		loaded.samples = append(loaded.samples, s)
	}
	return err
}
