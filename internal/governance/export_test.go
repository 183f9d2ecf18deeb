package governance

import "context"

// StoreForTest is what a replay does at its end.
func (g *Rules) StoreForTest(ctx context.Context, p *Proposal) error { return g.store(ctx, p) }
