package witness_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

func TestALogGoesToItsWitness(t *testing.T) {
	h := newHistory(t, 40, "true")
	p := newPlace(t, h.signer.Verifier())
	w, s := p.open(t)
	r, err := witness.ParseRemote(s.URL + "/=" + w.Verifier().String())
	if err != nil || !r.Here() || r.String() != s.URL+"="+w.Verifier().String() {
		t.Fatalf("%v %v", r, err)
	}
	known := int64(0)
	for _, size := range []int64{5, 5, 17} {
		cosigned, at, err := r.Cosign(t.Context(), h.head(size), known, h.prover(t, size))
		if err != nil || !at.Equal(p.now) {
			t.Fatal(err)
		}
		if c, held, err := tlog.OpenCheckpoint(cosigned, h.signer.Verifier(), r.Key); err != nil || c.Size != size || len(held) != 2 {
			t.Fatalf("%+v %+v %v", c, held, err)
		}
		known = size
	}
	// what is believed of it is wrong: it says so, and is asked again
	for _, c := range []struct{ size, wrong int64 }{{17, 0}, {30, 9}} {
		if _, _, err := r.Cosign(t.Context(), h.head(c.size), c.wrong, h.prover(t, c.size)); err != nil {
			t.Errorf("known as %d: %v", c.wrong, err)
		}
	}
	note, err := r.Head(t.Context(), origin)
	if c, _, bad := tlog.OpenCheckpoint(note, h.signer.Verifier()); err != nil || bad != nil || c.Size != 30 {
		t.Errorf("%+v %v %v", c, err, bad)
	}
	if _, err = r.Head(t.Context(), "other"); !outcome.Is(err, outcome.NotFound) {
		t.Error(err)
	}
}

// A rolled-back log and a second history under one key are told apart from a witness that is merely away.
func TestAContradictionIsTold(t *testing.T) {
	h, fork := newHistory(t, 40, "true"), newHistory(t, 60, "false")
	p := newPlace(t, h.signer.Verifier())
	w, s := p.open(t)
	r := witness.Remote{URL: s.URL, Key: w.Verifier()}
	if _, _, err := r.Cosign(t.Context(), h.head(40), 0, h.prover(t, 40)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		h      *history
		size   int64
		known  int64
		theirs int64
	}{"rolled back": {h, 20, 20, 40}, "rolled back, nothing known": {h, 20, 0, 40}, "forked, longer": {fork, 60, 40, -1}, "forked, as long": {fork, 40, 40, 40}, "forked, shorter": {fork, 30, 0, 40}} {
		_, _, err := r.Cosign(t.Context(), c.h.head(c.size), c.known, c.h.prover(t, c.size))
		var told *witness.Contradiction
		if !errors.As(err, &told) || told.Ours != c.size || told.Theirs != c.theirs || !strings.Contains(string(told.Note), "\n40\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWitnessThatLiesOrIsAwayIsNoWitness(t *testing.T) {
	h := newHistory(t, 8, "true")
	w := newPlace(t, h.signer.Verifier())
	honest, server := w.open(t)
	r := witness.Remote{URL: server.URL, Key: honest.Verifier()}
	old, _, err := r.Cosign(t.Context(), h.head(5), 0, h.prover(t, 5))
	if err != nil {
		t.Fatal(err)
	}
	oldLine := string(old[strings.LastIndex(string(old), "— "):])
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   outcome.Code
	}{
		"its signature of an older head": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, oldLine) }, outcome.Invariant},
		"nothing":                        {func(http.ResponseWriter, *http.Request) {}, outcome.Invariant},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, server.URL, http.StatusTemporaryRedirect)
		}, outcome.Exception},
		"a broken server":           {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, outcome.Exception},
		"a conflict without a size": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusConflict) }, outcome.Exception},
		"no log":                    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, outcome.NotFound},
		"always another size": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(http.StatusConflict)
			b, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, map[bool]string{true: "3\n", false: "0\n"}[strings.HasPrefix(string(b), "old 0")])
		}, outcome.Transient},
	} {
		s := httptest.NewServer(c.answer)
		_, at, err := witness.Remote{URL: s.URL, Key: honest.Verifier()}.Cosign(t.Context(), h.head(8), 0, h.prover(t, 8))
		if !outcome.Is(err, c.code) || !at.IsZero() {
			t.Errorf("%s: %v %v", name, at, err)
		}
		s.Close()
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	if _, _, err := (witness.Remote{URL: gone.URL, Key: honest.Verifier()}).Cosign(t.Context(), h.head(8), 0, h.prover(t, 8)); !outcome.Is(err, outcome.Transient) {
		t.Errorf("away: %v", err)
	}
}

// A witness that says less than it signed forgot, or somebody speaks for it: no history is proven to it from there.
func TestAWitnessThatForgotIsNoWitness(t *testing.T) {
	h := newHistory(t, 8, "true")
	p := newPlace(t, h.signer.Verifier())
	w, s := p.open(t)
	r := witness.Remote{URL: s.URL, Key: w.Verifier()}
	if _, _, err := r.Cosign(t.Context(), h.head(5), 0, h.prover(t, 5)); err != nil {
		t.Fatal(err)
	}
	forgetful := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		if !strings.HasPrefix(string(b), "old 0") {
			rw.Header().Set("Content-Type", "text/x.tlog.size")
			rw.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(rw, "0\n")
			return
		}
		t.Error("it is told the whole history anew")
	}))
	defer forgetful.Close()
	r.URL = forgetful.URL
	for _, size := range []int64{3, 5, 8} {
		_, _, err := r.Cosign(t.Context(), h.head(size), 5, h.prover(t, size))
		var c *witness.Contradiction
		if !outcome.Is(err, outcome.Invariant) || errors.As(err, &c) {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestRemotesAreReadStrictly(t *testing.T) {
	h := newHistory(t, 0, "")
	w, _ := newPlace(t).open(t)
	k := w.Verifier().String()
	for _, bad := range []string{"", "https://w.example", "w.example=" + k, "http://w.example=" + k, "ftp://w.example=" + k, "https://=" + k, "https://a@w.example=" + k,
		"https://w.example/x#y=" + k, "https://w.example=" + h.signer.Verifier().String(), "https://w.example=" + k + "x"} {
		if r, err := witness.ParseRemote(bad); err == nil {
			t.Errorf("%q is read as %v", bad, r)
		}
	}
	for good, here := range map[string]bool{"https://w.example/a": false, "http://localhost:9": true, "http://[::1]:9": true, "https://127.0.0.1": true,
		"http://LOCALHOST:9": true, "http://localhost.": true, "http://w.Localhost.:9": true, "https://127.0.0.2": true, "http://[::ffff:127.0.0.1]": true, "http://0.0.0.0:9": true, "http://[::]:9": true,
		"https://localhost.example": false, "https://10.0.0.1": false} {
		if r, err := witness.ParseRemote(good + "=" + k); err != nil || r.Here() != here {
			t.Errorf("%s: %v %v", good, r, err)
		}
	}
}
