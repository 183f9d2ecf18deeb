package audit

import (
	"io"
	"net/http"
	"strings"
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
	disputed := l.State().Disputed
	if !strings.Contains(disputed, "entries are missing") {
		t.Fatalf("%+v", l.State())
	}
	for name, f := range map[string]lie{"a broken server": o.away, "a line that is cut": hangsUp, "another signature": func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, "— witness.example AAAAAAAAAAAA\n")
		return true
	}} {
		o.lies(f)
		s.visit()
		if state := l.State(); state.Disputed != disputed || !state.Witnesses[0].Disputes {
			t.Errorf("%s ends the dispute: %+v", name, state)
		}
	}
	o.lie.Store(nil)
	s.visit()
	if state := l.State(); state.Disputed != "" || state.Witnesses[0].Disputes || state.Witnesses[0].Trouble != "" {
		t.Errorf("it cosigned and disputes still: %+v", state)
	}
}
