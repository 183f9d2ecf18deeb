// Package published reads the FHIR data that HL7 and others publish, for the generator and for tests; it is never part of the
// server. The data lie in $CHARTWARDEN_TESTDATA, by default ../shared beside the module.
package published

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"testing"
)

// Dir is the folder of published data; false when it is not there.
func Dir() (string, bool) {
	dir := os.Getenv("CHARTWARDEN_TESTDATA")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", false
		}
		dir = filepath.Join(root, "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "fhir")); err != nil {
		return "", false
	}
	return dir, true
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fs.ErrNotExist
		}
		dir = up
	}
}

// Need is [Dir], or skips the test (fails it where CI is set).
func Need(t testing.TB) string {
	dir, ok := Dir()
	if !ok {
		if os.Getenv("CI") != "" {
			t.Fatal("the published FHIR data are missing: set CHARTWARDEN_TESTDATA")
		}
		t.Skip("needs the published FHIR data (CHARTWARDEN_TESTDATA)")
	}
	return dir
}

// Files yields path and content of each file in the gzipped archive fhir/name. A broken archive panics: nothing can be tested then.
func Files(dir, name string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		f, err := os.Open(filepath.Join(dir, "fhir", name))
		if err != nil {
			panic(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			panic(err)
		}
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				panic(err)
			}
			if h.Typeflag != tar.TypeReg {
				continue
			}
			b, err := io.ReadAll(r)
			if err != nil {
				panic(err)
			}
			if !yield(path.Clean(h.Name), b) {
				return
			}
		}
	}
}

// Bundles yields name and content of each Synthea bundle.
func Bundles(dir string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		names, _ := filepath.Glob(filepath.Join(dir, "fhir", "synthea", "*.json.gz"))
		for _, name := range names {
			f, err := os.Open(name)
			if err != nil {
				panic(err)
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				panic(err)
			}
			b, err := io.ReadAll(z)
			f.Close()
			if err != nil {
				panic(err)
			}
			if !yield(filepath.Base(name), b) {
				return
			}
		}
	}
}
