package witness_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"chartwarden/internal/outcome"
	"chartwarden/internal/witness"
)

// A memory of no or of fewer logs than were cosigned is a memory that was lost, whichever way it came about.
func TestAShortenedMemoryIsLost(t *testing.T) {
	h := newHistory(t, 8, "true")
	p := newPlace(t, h.signer.Verifier())
	file := filepath.Join(p.dir, "witness.state")
	fresh, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w, s := p.open(t)
	if status, _, text := post(t, s.URL, h.submission(t, 0, 8)); status != http.StatusOK {
		t.Fatal(status, text)
	}
	w.Close()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	another, err := os.ReadFile(filepath.Join(newPlace(t).dir, "witness.state"))
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := bytes.Cut(whole, []byte("\n\n"))
	for name, text := range map[string][]byte{
		"empty": {}, "a line": []byte("\n"), "another's": another, "a head less": bytes.TrimSuffix(fresh, []byte("\n")), "its first line only": append(first, "\n\n"...), "without its first line": rest,
	} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := witness.Open(witness.Options{Dir: p.dir, Logs: p.logs}); !outcome.Is(err, outcome.Invariant) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	p.open(t)
}

// A key that cannot be read is not one that was never made, and what a witness cosigned is not emptied for a new one.
func TestNoWitnessIsMadeOverAnother(t *testing.T) {
	p := newPlace(t)
	key, state := filepath.Join(p.dir, "witness.key"), filepath.Join(p.dir, "witness.state")
	kept, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, want outcome.Code) {
		t.Helper()
		if _, err := witness.MakeKey(p.dir, "other.example"); !outcome.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(state); err != nil || !bytes.Equal(now, kept) {
			t.Errorf("%s: the memory is now %q: %v", name, now, err)
		}
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	check("the key is gone", outcome.Conflict)
	if err := os.Mkdir(key, 0o700); err != nil { // a read error, whoever runs the test
		t.Fatal(err)
	}
	check("the key cannot be read", outcome.NoStore)
	if _, err := witness.Open(witness.Options{Dir: p.dir}); !outcome.Is(err, outcome.NoStore) {
		t.Error(err)
	}
}

// Of those who make a witness in one directory at once, one makes it, and nobody gets a key that is not the one there.
func TestOneWitnessIsMadeByMany(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "witness")
	var wg sync.WaitGroup
	keys := make([]string, 8)
	for i := range keys {
		wg.Go(func() {
			s, err := witness.MakeKey(dir, "")
			switch {
			case err == nil:
				keys[i] = s.Verifier().String()
			case !outcome.Is(err, outcome.Lock):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w, err := witness.Open(witness.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, k := range keys {
		if k != "" && k != w.Verifier().String() {
			t.Errorf("somebody was told the key %s, and the witness has %s", k, w.Verifier())
		}
	}
}
