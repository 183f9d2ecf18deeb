package witness_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// history is a log in memory that can prove everything about itself.
type history struct {
	signer tlog.Signer
	leaves []tlog.Hash
}

const origin = "hospital.example/log"

func newHistory(t testing.TB, entries int, salt string) *history {
	t.Helper()
	seed := sha256.Sum256([]byte(origin)) // one key, whatever the history
	s, err := tlog.NewSigner(origin, ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	h := &history{signer: s}
	for i := range entries {
		h.leaves = append(h.leaves, tlog.LeafHash(fmt.Appendf(nil, "%s %d", salt, i)))
	}
	return h
}

func (h *history) tree(size int64) *tlog.Tree {
	tree := &tlog.Tree{}
	for _, l := range h.leaves[:size] {
		tree.Append(l)
	}
	return tree
}

func (h *history) head(size int64) []byte {
	return h.signer.Sign(tlog.Checkpoint{Origin: origin, Size: size, Root: h.tree(size).Root()}.Text())
}

func (h *history) proof(t testing.TB, old, size int64) []tlog.Hash {
	t.Helper()
	p, err := tlog.Consistency(h.tree(size).Reader(nil), old, size)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *history) submission(t testing.TB, old, size int64) string {
	t.Helper()
	return string(tlog.Submission{Old: old, Proof: h.proof(t, old, size), Note: h.head(size)}.Text())
}

func (h *history) prover(t testing.TB, size int64) func(int64) ([]tlog.Hash, error) {
	return func(old int64) ([]tlog.Hash, error) { return h.proof(t, old, size), nil }
}

// place is a directory with a witness for the logs.
type place struct {
	dir  string
	logs []tlog.Verifier
	now  time.Time
}

func newPlace(t testing.TB, logs ...tlog.Verifier) *place {
	t.Helper()
	p := &place{dir: filepath.Join(t.TempDir(), "witness"), logs: logs, now: time.Unix(1790000000, 0).UTC()}
	if _, err := witness.MakeKey(p.dir, "witness.example/county"); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) open(t testing.TB) (*witness.Witness, *httptest.Server) {
	t.Helper()
	w, err := witness.Open(witness.Options{Dir: p.dir, Logs: p.logs, Now: func() time.Time { return p.now }})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler())
	t.Cleanup(func() { s.Close(); w.Close() })
	return w, s
}

func post(t testing.TB, url, body string) (status int, kind, text string) {
	t.Helper()
	a, err := http.Post(url+"/add-checkpoint", "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, a.Header.Get("Content-Type"), string(b)
}

// Every answer of the specification, in the order of its checks.
func TestAnswersAreThoseOfTheSpecification(t *testing.T) {
	h, fork := newHistory(t, 40, "true"), newHistory(t, 40, "false")
	p := newPlace(t, h.signer.Verifier())
	_, s := p.open(t)
	seed := sha256.Sum256([]byte("stranger"))
	stranger, err := tlog.NewSigner(origin, ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := tlog.NewSigner("other.example/log", ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	empty := func(s tlog.Signer) string {
		return "old 0\n\n" + string(s.Sign(tlog.Checkpoint{Origin: s.Name(), Root: tlog.EmptyRoot}.Text()))
	}
	for _, step := range []struct {
		name, body string
		status     int
		answer     string // exact; empty: any
	}{
		{"no submission", "hello", 400, ""},
		{"unknown log", empty(elsewhere), 404, ""},
		{"another's key", empty(stranger), 403, ""},
		{"old beyond new", "old 9\n\n" + string(h.head(8)), 400, ""},
		{"old never cosigned", h.submission(t, 3, 8), 409, "0\n"},
		{"proof from nothing", "old 0\n" + tlog.Hash{1}.String() + "\n\n" + string(h.head(8)), 422, ""},
		{"empty log", empty(h.signer), 200, ""},
		{"first head", h.submission(t, 0, 8), 200, ""},
		{"the same again, as unknown", h.submission(t, 0, 8), 409, "8\n"},
		{"the same again", h.submission(t, 8, 8), 200, ""},
		{"another root of the same size", "old 8\n\n" + string(fork.head(8)), 409, "8\n"},
		{"a fork", fork.submission(t, 8, 20), 422, ""},
		{"no proof", "old 8\n\n" + string(h.head(20)), 422, ""},
		{"older", h.submission(t, 3, 5), 409, "8\n"},
		{"growth", h.submission(t, 8, 20), 200, ""},
		{"stale", h.submission(t, 8, 30), 409, "20\n"},
		{"growth again", h.submission(t, 20, 40), 200, ""},
	} {
		status, kind, text := post(t, s.URL, step.body)
		if status != step.status || step.answer != "" && text != step.answer {
			t.Errorf("%s: %d %q, want %d %q", step.name, status, text, step.status, step.answer)
		}
		if status == 409 != (kind == "text/x.tlog.size") {
			t.Errorf("%s: the answer is %s", step.name, kind)
		}
	}
	if status, _, _ := post(t, s.URL, strings.Repeat("x", 100<<10)); status != 400 {
		t.Errorf("a long body is answered with %d", status)
	}
	if a, err := http.Get(s.URL + "/add-checkpoint"); err != nil || a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a witness is asked by POST only: %v %v", a.StatusCode, err)
	}
}

// What a witness signs is read by the programs of others, and the keys it prints too.
func TestCosignaturesAreReadByOthers(t *testing.T) {
	h := newHistory(t, 8, "true")
	p := newPlace(t, h.signer.Verifier())
	w, s := p.open(t)
	head := h.head(8)
	status, _, lines := post(t, s.URL, h.submission(t, 0, 8))
	if status != http.StatusOK {
		t.Fatal(status, lines)
	}
	theirs, err := formats.NewVerifierForCosignatureV1(w.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	log, err := note.NewVerifier(h.signer.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(append(bytes.Clone(head), lines...), note.VerifierList(log, theirs))
	if err != nil || len(n.Sigs) != 2 {
		t.Fatalf("%v %+v", err, n)
	}
	if at, err := formats.CoSigV1Timestamp(n.Sigs[1]); err != nil || !at.Equal(p.now) {
		t.Errorf("seen at %v, want %v: %v", at, p.now, err)
	}

	// and the other way: a witness of theirs satisfies our log
	secret, public, err := note.GenerateKey(nil, "theirs.example/w")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := formats.NewSignerForCosignatureV1(secret)
	if err != nil {
		t.Fatal(err)
	}
	text, err := formats.VKeyToCosignatureV1(public)
	if err != nil {
		t.Fatal(err)
	}
	v, err := tlog.ParseVerifier(text)
	if err != nil || !v.Cosigns() {
		t.Fatal(err)
	}
	opened, err := note.Open(head, note.VerifierList(log))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(opened, signer)
	if err != nil {
		t.Fatal(err)
	}
	answer := signed[bytes.LastIndex(signed, []byte("— theirs.example/w")):]
	if _, at, err := tlog.AddCosignature(head, answer, v); err != nil || time.Since(at.Time) > time.Hour {
		t.Errorf("%v %v", at, err)
	}
}

// The memory survives the process; one that is gone, cut off, changed or another's is never begun anew under the same key.
func TestTheMemoryNeverGoesBack(t *testing.T) {
	h, fork := newHistory(t, 20, "true"), newHistory(t, 20, "false")
	p := newPlace(t, h.signer.Verifier())
	w, s := p.open(t)
	if status, _, _ := post(t, s.URL, h.submission(t, 0, 8)); status != http.StatusOK {
		t.Fatal(status)
	}
	if _, err := witness.Open(witness.Options{Dir: p.dir, Logs: p.logs}); !outcome.Is(err, outcome.Lock) {
		t.Errorf("two witnesses work in one directory: %v", err)
	}
	w.Close() // as a kill would: nothing else is written at the end
	w, s = p.open(t)
	if status, _, text := post(t, s.URL, fork.submission(t, 0, 12)); status != http.StatusConflict || text != "8\n" {
		t.Errorf("a second history is answered %d %q after a restart", status, text)
	}
	p.now = p.now.Add(-time.Hour) // its clock goes back
	if _, _, line := post(t, s.URL, h.submission(t, 8, 12)); true {
		_, sig, err := tlog.AddCosignature(h.head(12), []byte(line), w.Verifier())
		if err != nil || sig.Time.Before(time.Unix(1790000000, 0)) {
			t.Errorf("a later statement is of an earlier time: %v %v", sig, err)
		}
	}
	w.Close()
	file := filepath.Join(p.dir, "witness.state")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"cut": whole[:len(whole)-9], "cut at a line": whole[:len(whole)-1], "changed": bytes.Replace(whole, []byte("\n12\n"), []byte("\n11\n"), 1), "twice": append(bytes.Clone(whole), whole...)} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := witness.Open(witness.Options{Dir: p.dir, Logs: p.logs}); !outcome.Is(err, outcome.Invariant) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(witness.Options{Dir: p.dir, Logs: p.logs}); !outcome.Is(err, outcome.Invariant) {
		t.Errorf("a witness without memory opens: %v", err)
	}
	if again, err := witness.MakeKey(p.dir, "x"); err != nil || again.Verifier().String() != w.Verifier().String() {
		t.Errorf("the key was made anew: %v", err)
	}
	if _, err := witness.Open(witness.Options{Dir: p.dir, Logs: p.logs}); !outcome.Is(err, outcome.Invariant) {
		t.Errorf("asking for the key gave it an empty memory: %v", err)
	}
}

// What cannot be stored is not signed.
func TestWhatIsNotStoredIsNotSigned(t *testing.T) {
	h := newHistory(t, 20, "true")
	p := newPlace(t, h.signer.Verifier())
	_, s := p.open(t)
	if err := os.Rename(p.dir, p.dir+"-away"); err != nil {
		t.Fatal(err)
	}
	if status, _, text := post(t, s.URL, h.submission(t, 0, 8)); status != http.StatusInternalServerError || strings.Contains(text, "—") {
		t.Errorf("%d %q", status, text)
	}
	if err := os.Rename(p.dir+"-away", p.dir); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := post(t, s.URL, h.submission(t, 0, 8)); status != http.StatusOK {
		t.Errorf("%d after the disk is back", status)
	}
}

// Many submissions at once: of two histories from one size one is cosigned.
func TestOneOfManyWins(t *testing.T) {
	const rivals = 16
	first := newHistory(t, 8, "common")
	p := newPlace(t, first.signer.Verifier())
	_, s := p.open(t)
	if status, _, _ := post(t, s.URL, first.submission(t, 0, 8)); status != http.StatusOK {
		t.Fatal(status)
	}
	var wg sync.WaitGroup
	statuses := make([]int, rivals)
	for i := range rivals {
		h := newHistory(t, 8, "common")
		for j := range 4 + i {
			h.leaves = append(h.leaves, tlog.LeafHash(fmt.Appendf(nil, "%d of %d", j, i)))
		}
		body := h.submission(t, 8, int64(len(h.leaves)))
		wg.Go(func() { statuses[i], _, _ = post(t, s.URL, body) })
	}
	wg.Wait()
	won := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			won++
		} else if status != http.StatusConflict {
			t.Errorf("a loser is answered %d", status)
		}
	}
	if won != 1 {
		t.Errorf("%d histories were cosigned", won)
	}
}
