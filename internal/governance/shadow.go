package governance

import (
	"context"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Accompany lets the text of a proposal decide beside the rules in force, on this node and until it restarts, another one takes its place,
// or [Rules.Alone]. It changes no decision and holds up none. Errors: outcome.Forbidden; outcome.Invalid for a text that does not load.
func (g *Rules) Accompany(ctx context.Context, who access.Principal, id string) error {
	if err := g.may(ctx, who, policy.PolicyPropose); err != nil {
		return err
	}
	p, err := g.Proposal(ctx, who, id)
	if err != nil {
		return err
	}
	set, err := policy.Load(p.Bundle)
	if err != nil {
		return err
	}
	g.accompany(policy.NewShadow(set))
	return nil
}

// Alone ends the deciding beside. Errors: outcome.Forbidden.
func (g *Rules) Alone(ctx context.Context, who access.Principal) error {
	if err := g.may(ctx, who, policy.PolicyPropose); err != nil {
		return err
	}
	g.accompany(nil)
	return nil
}

func (g *Rules) accompany(s *policy.Shadow) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shadowed != nil {
		g.shadowed()
		g.shadowed = nil
	}
	g.o.Enforced.Accompany(s)
	if s != nil {
		ctx, stop := context.WithCancel(context.Background())
		g.shadowed = stop
		go s.Run(ctx)
	}
}

// Beside is what the candidate that decides beside found so far on this node, and its hash. Errors: outcome.Forbidden; outcome.NotFound when
// there is none.
func (g *Rules) Beside(ctx context.Context, who access.Principal) (hash string, t policy.Tally, err error) {
	if err := g.may(ctx, who, policy.PolicyRead); err != nil {
		return "", t, err
	}
	s := g.o.Enforced.Shadow()
	if s == nil {
		return "", t, outcome.New(outcome.NotFound, "no candidate decides beside the rules in force")
	}
	return s.Hash(), s.Tally(), nil
}

// Close ends what runs beside.
func (g *Rules) Close() error {
	g.accompany(nil)
	return nil
}
