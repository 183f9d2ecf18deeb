package feed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
)

// Two processes that append at once lose nothing and neither fails.
func TestTwoAppendAtOnce(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	stores := []*Store{in.Store}
	if err := in.Append(t.Context(), "syslog", time.UTC, []string{"first"}); err != nil {
		t.Fatal(err)
	}
	in.again()
	stores = append(stores, in.Store)
	var all sync.WaitGroup
	for i, s := range stores {
		all.Go(func() {
			for n := range 50 {
				if err := s.Append(t.Context(), "syslog", time.UTC, []string{fmt.Sprintf("message-%d-%d.", i, n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	text := in.text()
	for i := range stores {
		for n := range 50 {
			if c := strings.Count(text, fmt.Sprintf("message-%d-%d.", i, n)); c != 1 {
				t.Errorf("message %d of %d is kept %d times", n, i, c)
			}
		}
	}
}

// What passes is waited for while the server stands; at its end it is tried once, and what does not pass is told.
func TestABusyStoreIsTriedAgain(t *testing.T) {
	busy, full := outcome.New(outcome.Transient, "busy"), outcome.New(outcome.NoStore, "full")
	transient := func(err error) bool { return outcome.Is(err, outcome.Transient) }
	tries := 0
	script := func(errs ...error) func() error {
		tries = 0
		return func() error { tries++; return errs[tries-1] }
	}
	if err := insist(t.Context(), script(busy, errRaced, busy, nil), transient); err != nil || tries != 4 {
		t.Error(tries, err)
	}
	if err := insist(t.Context(), script(busy, full), transient); !errors.Is(err, full) {
		t.Error(tries, err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := insist(ended, script(busy), transient); !errors.Is(err, busy) || tries != 1 {
		t.Error(tries, err)
	}
	in := newIntray(t, ingest.Form{})
	if err := in.Append(ended, "syslog", time.UTC, []string{"the last one"}); err != nil || !strings.Contains(in.text(), "the last one") {
		t.Error("what was taken at the end is not kept:", err)
	}
}

// What passes is told from what does not: a database that is full, gone, or in doubt comes back; a broken one and a refused statement do not.
func TestWhatPasses(t *testing.T) {
	doubt := outcome.Wrap("db: commit", outcome.NoStore, "whether it did is not known yet", errors.Join(db.ErrDoubt, errors.New("cut")))
	for _, x := range []struct {
		err    error
		broken error
		want   bool
	}{
		{outcome.New(outcome.Transient, "busy"), nil, true}, {outcome.New(outcome.NoStore, "full"), nil, true}, {doubt, nil, true},
		{outcome.New(outcome.NoStore, "full"), errors.New("broken"), false}, {outcome.New(outcome.Exception, "refused"), nil, false}, {errors.New("other"), nil, false},
	} {
		if passes(x.err, x.broken) != x.want {
			t.Errorf("%v, broken %v: %v", x.err, x.broken, !x.want)
		}
	}
}
