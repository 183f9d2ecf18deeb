package access

import (
	"context"
	"slices"
	"sync"

	"chartwarden/internal/outcome"
)

// turns lets one at a time decide by a condition. Decisions on other nodes are excluded by record.Guard; this only spares those of
// one node the retries.
type turns struct {
	mu   sync.Mutex
	held map[string]*turn
}

type turn struct {
	free  chan struct{} // holds a token while nobody decides
	known int           // who decides or waits
}

func newTurns() *turns { return &turns{held: map[string]*turn{}} }

// take waits until it is the caller's turn for all names. Everybody takes them in the same order, so nobody waits in a circle.
// Errors: outcome.Timeout when the caller gave up.
func (t *turns) take(ctx context.Context, names ...string) (give func(), err error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var taken []string
	give = func() {
		for _, name := range taken {
			t.leave(name, true)
		}
	}
	for _, name := range names {
		t.mu.Lock()
		one := t.held[name]
		if one == nil {
			one = &turn{free: make(chan struct{}, 1)}
			one.free <- struct{}{}
			t.held[name] = one
		}
		one.known++
		t.mu.Unlock()
		select {
		case <-one.free:
			taken = append(taken, name)
		case <-ctx.Done():
			t.leave(name, false)
			give()
			return nil, outcome.Wrap("access: condition", outcome.Timeout, "others decide by the same condition: please try again", ctx.Err())
		}
	}
	return give, nil
}

func (t *turns) leave(name string, took bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.held[name]
	if took {
		one.free <- struct{}{}
	}
	if one.known--; one.known == 0 {
		delete(t.held, name)
	}
}
