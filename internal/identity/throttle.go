package identity

import (
	"net/netip"
	"strconv"
	"sync"
	"time"

	"chartwarden/internal/outcome"
)

// throttle slows guessing without giving anybody the power to keep a clinician out.
//
// The clock of one person at one place (a device we know for that person, else the network) runs on that pair's failures only: the
// failures of others never touch it, and at a place that we know, it asks for at most a minute. Guesses that come from anywhere
// else also count against the person and against the network, but those two clocks bind strangers only.
// It lives in memory: a restart is nothing that a guesser can cause.
type throttle struct {
	mu     sync.Mutex
	clocks map[clockKey]*clock
}

type clockKey struct{ kind, person, place string }

type clock struct {
	failures int
	last     time.Time
}

// leniency of one kind of clock: failures that are free, and the longest wait.
type leniency struct {
	free    int
	longest time.Duration
}

var (
	atHome   = leniency{free: 3, longest: time.Minute}
	abroad   = leniency{free: 3, longest: 15 * time.Minute}
	perName  = leniency{free: 10, longest: 15 * time.Minute}
	perPlace = leniency{free: 20, longest: 15 * time.Minute}
)

const (
	forgetAfter = time.Hour // a quiet clock
	mostClocks  = 1 << 16
)

// admission is one attempt that may go on; settle says how it ended.
type admission struct {
	t     *throttle
	own   clockKey
	wider []clockKey
}

// Wait is the cause (errors.As) of a throttled attempt: how long to wait, for a Retry-After header.
type Wait struct{ For time.Duration }

// Error tells the wait.
func (w Wait) Error() string { return "wait " + w.For.String() }

// admit reserves one guess for person at place, or refuses with outcome.Throttled. known says that the person has signed in there
// before, or that the place is inside the hospital. since voids older failures (an administrator took the throttle off).
func (t *throttle) admit(person, place string, network netip.Prefix, known bool, since, now time.Time) (*admission, error) {
	a := &admission{t: t, own: clockKey{"own", person, place}}
	limits := map[clockKey]leniency{a.own: atHome}
	if !known {
		limits[a.own] = abroad
		a.wider = []clockKey{{"name", person, ""}, {"network", "", network.String()}}
		limits[a.wider[0]], limits[a.wider[1]] = perName, perPlace
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait time.Duration
	for k, l := range limits {
		c := t.clocks[k]
		if c == nil {
			continue
		}
		if now.Sub(c.last) > forgetAfter || k.person != "" && c.last.Before(since) {
			delete(t.clocks, k)
			continue
		}
		wait = max(wait, c.last.Add(l.delay(c.failures)).Sub(now))
	}
	if wait > 0 {
		wait = max(wait.Round(time.Second), time.Second)
		return nil, outcome.Wrap("identity: sign in", outcome.Throttled, "too many wrong attempts from here: wait "+
			strconv.Itoa(int(wait/time.Second))+" s and try again", Wait{wait})
	}
	t.bump(a.own, now) // taken before the answer is known: a hundred parallel guesses are a hundred
	return a, nil
}

// delay after n failures: nothing for the free ones, then 1, 2, 4 ... s.
func (l leniency) delay(n int) time.Duration {
	if n <= l.free {
		return 0
	}
	return min(l.longest, time.Second<<min(n-l.free-1, 20))
}

// settle ends the attempt. Success forgives this pair's failures, not those of the network: one good account must not buy
// guesses at others.
func (a *admission) settle(ok bool, now time.Time) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	if ok {
		delete(a.t.clocks, a.own)
		return
	}
	for _, k := range a.wider {
		a.t.bump(k, now)
	}
}

// cancel gives the reserved guess back: the attempt was neither right nor wrong.
func (a *admission) cancel() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	if c := a.t.clocks[a.own]; c != nil && c.failures > 0 {
		c.failures--
	}
}

func (t *throttle) bump(k clockKey, now time.Time) {
	c := t.clocks[k]
	if c == nil {
		t.shrink(now)
		c = &clock{}
		t.clocks[k] = c
	}
	c.failures++
	c.last = now
}

// shrink bounds the memory that a flood of made-up names can take: first the quiet clocks go, then any.
func (t *throttle) shrink(now time.Time) {
	if len(t.clocks) < mostClocks {
		return
	}
	for k, c := range t.clocks {
		if now.Sub(c.last) > forgetAfter {
			delete(t.clocks, k)
		}
	}
	for k := range t.clocks {
		if len(t.clocks) < mostClocks*3/4 {
			return
		}
		delete(t.clocks, k)
	}
}

// network is the neighbourhood of an address: /24, or /48 of IPv6.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address (a test, a socket): one neighbourhood of its own
	}
	return p
}
