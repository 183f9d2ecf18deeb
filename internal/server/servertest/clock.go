package servertest

import (
	"sync"
	"time"
)

// Clock is a server's clock that stands until the test turns it. Safe for concurrent use: the server reads it beside the test.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// ClockAt is a clock that stands at a moment.
func ClockAt(at time.Time) *Clock { return &Clock{at: at} }

// Now is the moment at which the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set turns the clock to a moment.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Add turns the clock on by d and gives the moment at which it stands then.
func (c *Clock) Add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return c.at
}
