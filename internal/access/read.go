package access

import (
	"context"

	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Read gives the current version of one resource.
//
// Errors: outcome.Forbidden with the reason and the way forward; outcome.NotFound; outcome.Deleted; outcome.NoStore when the audit
// cannot be written (only explained and glass reads go on then, by the emergency journal).
func (g *Gate) Read(ctx context.Context, p Principal, typ, id string) (Disclosure, error) {
	found, err := g.records.Read(ctx, typ, id)
	return g.read(ctx, p, "read", typ, id, found, err)
}

// ReadVersion gives one version of a resource. Errors: those of [Gate.Read].
func (g *Gate) ReadVersion(ctx context.Context, p Principal, typ, id string, version int64) (Disclosure, error) {
	found, err := g.records.ReadVersion(ctx, typ, id, version)
	return g.read(ctx, p, "vread", typ, id, found, err)
}

func (g *Gate) read(ctx context.Context, p Principal, interaction, typ, id string, found *record.Sealed, err error) (Disclosure, error) {
	s, d, err := g.readable(ctx, p, interaction, typ, id, found, err)
	if err != nil {
		return Disclosure{}, err
	}
	return g.disclose(ctx, s.event(interaction, "R"), permitted{s, d, []*record.Sealed{found}, policy.Read})
}

// readable is everything about a read but the disclosure: what was looked up is there, p may read it, and it opens.
func (g *Gate) readable(ctx context.Context, p Principal, interaction, typ, id string, found *record.Sealed, err error) (standing, policy.Decision, error) {
	if outcome.Is(err, outcome.NotFound) {
		return standing{}, policy.Decision{}, g.absent(ctx, p, policy.Read, interaction, typ, err)
	}
	if outcome.Is(err, outcome.Deleted) {
		return standing{}, policy.Decision{}, g.erased(ctx, p, policy.Read, interaction, typ, id, err)
	}
	if err != nil {
		return standing{}, policy.Decision{}, err
	}
	s, d, err := g.admit(ctx, p, policy.Read, interaction, found)
	if err != nil {
		return s, d, err
	}
	if found.Deleted() {
		return s, d, outcome.New(outcome.Deleted, "this resource was deleted; its history is still there")
	}
	if err := found.Fault(); err != nil {
		e := s.event(interaction, "R")
		e.Outcome, e.Text = refused, "the stored record was altered"
		if _, auditErr := g.log.Refuse(ctx, e); auditErr != nil {
			return s, d, auditErr
		}
		return s, d, err
	}
	return s, d, nil
}

// admit relates and decides about one sealed record; a denial is written down and returned.
func (g *Gate) admit(ctx context.Context, p Principal, action, interaction string, found *record.Sealed) (standing, policy.Decision, error) {
	c, err := g.chartOf(ctx, found)
	if err != nil {
		return standing{}, policy.Decision{}, err
	}
	s, d, err := g.permit(ctx, p, action, interaction, c, func(s standing) policy.Resource { return s.resource(found) })
	if err == nil && !s.holds(interactionsOf(action), found) {
		d = s.beyond(d)
		return s, d, g.refuse(ctx, s, action, interaction, s.resource(found), d)
	}
	if err == nil && !g.alsoAllowed(ctx, s, action, found) {
		return s, d, g.refuse(ctx, s, action, interaction, s.resource(found), d)
	}
	return s, d, err
}

// alsoAllowed asks for the further patients whom a resource is about: who may not see it in one of their charts does not see it.
func (g *Gate) alsoAllowed(ctx context.Context, s standing, action string, r *record.Sealed) bool {
	patients := r.Patients()
	if len(patients) < 2 || !s.principal.SignedIn() {
		return true
	}
	for _, n := range patients {
		if n == s.chart.number {
			continue
		}
		c, err := g.chartNumber(ctx, n)
		if err != nil {
			return false
		}
		other, err := g.relate(ctx, s.principal, c)
		if err != nil || !g.decide(other, action, other.resource(r)).Allowed {
			return false
		}
	}
	return true
}
