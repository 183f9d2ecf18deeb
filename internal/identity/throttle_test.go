package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

var (
	ward    = netip.MustParsePrefix("10.1.2.0/24")
	faraway = netip.MustParsePrefix("198.51.100.0/24")
	start   = time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)
)

func newThrottle() *throttle { return &throttle{clocks: map[clockKey]*clock{}} }

func (t *throttle) try(person, place string, n netip.Prefix, known bool, now time.Time, right bool) error {
	a, err := t.admit(person, place, n, known, time.Time{}, now)
	if err == nil {
		a.settle(right, now)
	}
	return err
}

func TestWaitGrowsAndSuccessForgives(t *testing.T) {
	th, now := newThrottle(), start
	for i := range 4 {
		if err := th.try("p", "ward", ward, true, now, false); err != nil {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		err := th.try("p", "ward", ward, true, now, true)
		var w Wait
		if !outcome.Is(err, outcome.Throttled) || !errors.As(err, &w) || w.For != want*time.Second {
			t.Fatalf("wait %v (%v), want %d s", w.For, err, want)
		}
		now = now.Add(w.For)
		if err := th.try("p", "ward", ward, true, now, false); err != nil {
			t.Fatalf("after the wait: %v", err)
		}
	}
	now = now.Add(time.Minute)
	if err := th.try("p", "ward", ward, true, now, true); err != nil {
		t.Fatal(err)
	}
	if err := th.try("p", "ward", ward, true, now, false); err != nil {
		t.Fatal("success did not forgive")
	}
}

// Whatever others do, a clinician at a place that we know waits a minute at most, and not at all if the failures were not hers.
func TestFailuresOfOthersKeepNobodyOut(t *testing.T) {
	th, now := newThrottle(), start
	for i := range 3000 {
		now = now.Add(time.Second)
		_ = th.try("dr", "far", faraway, false, now, false)                    // guessing her password from elsewhere
		_ = th.try(fmt.Sprint("x", i), "ward", ward, false, now, false)        // spraying names from her own network
		_ = th.try(fmt.Sprint("y", i%50), "station 4", ward, true, now, false) // colleagues with cold fingers
	}
	if err := th.try("dr", "station 4", ward, true, now, true); err != nil {
		t.Fatalf("kept out: %v", err)
	}
	if err := th.try("dr", "far", faraway, false, now.Add(time.Second), false); !outcome.Is(err, outcome.Throttled) {
		t.Fatalf("the guesser goes on: %v", err)
	}
	if err := th.try("new name", "ward", ward, false, now, false); !outcome.Is(err, outcome.Throttled) {
		t.Fatalf("the sprayer goes on: %v", err)
	}
}

func TestParallelGuessesAreCountedBeforeTheyAreJudged(t *testing.T) {
	th := newThrottle()
	var admitted int
	for range 100 {
		if _, err := th.admit("p", "far", faraway, false, time.Time{}, start); err == nil {
			admitted++
		}
	}
	if admitted != 4 {
		t.Fatalf("%d guesses at once, want 4", admitted)
	}
}

func TestReliefVoidsOlderFailures(t *testing.T) {
	th := newThrottle()
	for range 4 {
		_ = th.try("p", "far", faraway, false, start, false)
	}
	if _, err := th.admit("p", "far", faraway, false, time.Time{}, start); err == nil {
		t.Fatal("not throttled")
	}
	if _, err := th.admit("p", "far", faraway, false, start.Add(time.Millisecond), start.Add(time.Millisecond)); err != nil {
		t.Fatalf("relief did not help: %v", err)
	}
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	th := newThrottle()
	for i := range mostClocks * 2 {
		_ = th.try(fmt.Sprint(i), "far", faraway, true, start, false)
	}
	if len(th.clocks) > mostClocks {
		t.Fatalf("%d clocks", len(th.clocks))
	}
}

func TestNetworkOfAnAddress(t *testing.T) {
	for in, want := range map[string]string{"10.1.2.3": "10.1.2.0/24", "::ffff:10.1.2.3": "10.1.2.0/24", "2001:db8:1:2::3": "2001:db8:1::/48"} {
		if got := network(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	_ = network(netip.Addr{}).String()
}
