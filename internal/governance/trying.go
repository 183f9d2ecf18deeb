package governance

import (
	"context"
	"sync/atomic"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/policy"
)

// Trying is a replay under way on this node.
type Trying struct {
	Began     time.Time
	decisions atomic.Int64
	done      chan struct{}
	err       error // once done
}

// Decisions is how many it has made again so far.
func (t *Trying) Decisions() int64 { return t.decisions.Load() }

// Done is closed when it has ended; then [Trying.Err] says how.
func (t *Trying) Done() <-chan struct{} { return t.done }

// Err is nil where the proposal holds what was found. Ask it after Done.
func (t *Trying) Err() error { return t.err }

// BeginReplay does what [Rules.Replay] does, beside the one who asks: a large log takes minutes. Asked again while it runs it gives the one that
// runs. A node that ends loses it. Errors: as [Rules.Replay], those of the reading by [Trying.Err].
func (g *Rules) BeginReplay(ctx context.Context, who access.Principal, id string) (*Trying, error) {
	p, err := g.own(ctx, who, id)
	if err != nil {
		return nil, err
	}
	set, err := policy.Load(p.Bundle)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.trying[id]; t != nil {
		return t, nil
	}
	t := &Trying{Began: g.now(), done: make(chan struct{})}
	g.trying[id] = t
	g.background.Go(func() {
		defer close(t.done)
		t.err = g.try(g.life, who, p, set, &t.decisions)
		g.mu.Lock()
		delete(g.trying, id)
		g.mu.Unlock()
		if t.err != nil {
			g.o.Logger.Warn("a replay by other rules ended without a result", "error", t.err)
		}
	})
	return t, nil
}

// Trying is the replay of a proposal that runs on this node; nil where none does.
func (g *Rules) Trying(id string) *Trying {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.trying[id]
}

// try replays the last 30 days by the text of a proposal, and keeps what came out.
func (g *Rules) try(ctx context.Context, who access.Principal, p *Proposal, set *policy.Set, made *atomic.Int64) (err error) {
	now := g.now()
	if p.Replay, err = g.replay(ctx, who, set, now.Add(-Window), now.Add(time.Second), nil, made); err != nil {
		return err
	}
	return g.store(ctx, p)
}
