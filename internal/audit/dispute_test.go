package audit

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// claims answers that the witness cosigned so many entries.
func claims(size string) lie {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/add-checkpoint" {
			return false
		}
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, size+"\n")
		return true
	}
}

func hangsUp(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// What a witness said stands until it cosigns: who holds the server cannot end a dispute by cutting the line.
func TestADisputeOutlastsItsWitness(t *testing.T) {
	t.Parallel()
	s, o := witnessed(t)
	l := s.start()
	o.lies(claims("1000000"))
	s.visit()
	if state := l.State(); !strings.Contains(state.Disputed, "entries are missing") {
		t.Fatalf("%+v", state)
	}
	for name, f := range map[string]lie{"a broken server": o.away, "a line that is cut": hangsUp, "another signature": func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, "— witness.example AAAAAAAAAAAA\n")
		return true
	}} {
		o.lies(f)
		s.visit()
		if state := l.State(); !strings.Contains(state.Disputed, "entries are missing") || !state.Witnesses[0].Disputes {
			t.Errorf("%s ends the dispute: %+v", name, state)
		}
	}
	o.lie.Store(nil)
	s.visit()
	if state := l.State(); state.Disputed != "" || state.Witnesses[0].Disputes || state.Witnesses[0].Trouble != "" {
		t.Errorf("it cosigned and disputes still: %+v", state)
	}
}

// forked is a site that was set back to before what its witness cosigned last, head file and all, and goes on while the witness is away.
// It returns the size that the witness knows.
func forked(t *testing.T) (*site, *outsider, *Log, int64) {
	t.Helper()
	s, o := witnessed(t)
	s.start()
	s.stop()
	old := s.copyDir("audit.db")
	l := s.start()
	for range 5 {
		disclose(t, l, reading(1, 1))
	}
	s.visit()
	theirs := l.State().Witnesses[0].Size
	o.lies(o.away)
	s.stop()
	s.rollBack(old)
	if err := os.Remove(s.path("heads")); err != nil {
		t.Fatal(err)
	}
	return s, o, s.start(), theirs
}

// A fork that is as long as what the witness cosigned is no newer head of the same log.
func TestAForkOfTheSameSizeIsDisputed(t *testing.T) {
	t.Parallel()
	s, o, l, theirs := forked(t)
	for l.State().Size < theirs {
		disclose(t, l, reading(1, 2))
	}
	if size := l.State().Size; size != theirs {
		t.Fatalf("the fork has %d entries, %d are wanted", size, theirs)
	}
	o.lie.Store(nil)
	s.visit()
	if state := l.State(); !strings.Contains(state.Disputed, "another log") {
		t.Errorf("%+v", state)
	}
}

// during does something before the witness gets its first submission from now on.
func (o *outsider) during(f func()) {
	var done atomic.Bool
	o.lies(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/add-checkpoint" && !done.Swap(true) {
			f()
		}
		return false
	})
}

// A verification beside a running server brings the head of its beginning; when the server brought a newer one meanwhile, that is brought
// again, and only a signature of the witness counts.
func TestAVerificationBesideARunningServerAsksToTheEnd(t *testing.T) {
	t.Parallel()
	check := func(l *Log) *Report {
		t.Helper()
		r, err := l.Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	t.Run("the same log", func(t *testing.T) {
		t.Parallel()
		s, o := witnessed(t)
		l := s.start()
		var brought bool
		o.during(func() {
			disclose(t, l, reading(1, 1))
			brought = l.witness(t.Context(), witnessWait)
		})
		r := check(l)
		if !brought || !r.Holds() || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "was asked and cosigned all") }) {
			t.Errorf("%v %v %v", brought, r.Faults, r.Notes)
		}
	})
	t.Run("a fork", func(t *testing.T) {
		t.Parallel()
		_, o, l, theirs := forked(t)
		o.during(func() {
			for l.State().Size <= theirs {
				disclose(t, l, reading(1, 2))
			}
		})
		if r := check(l); !slices.ContainsFunc(r.Faults, func(f Fault) bool { return strings.Contains(f.What, "is contradicted") }) {
			t.Errorf("a fork that outgrew the witness's history passes: %v %v", r.Faults, r.Notes)
		}
	})
}
