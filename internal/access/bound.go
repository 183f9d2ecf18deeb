package access

import (
	"context"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
	"chartwarden/internal/scope"
)

// Scopes are an upper bound on what policy permits an app: they open nothing, and what lies beyond them stays shut however much the
// person at the app may see. The bound is asked wherever policy is, so it holds for reads, searches, writes, bundles and history alike.

// beyondScopes is the forbid that the bound adds to a decision.
var beyondScopes = policy.Reason{ID: "scope.insufficient", Why: "the app was not given this: its scopes do not cover it"}

// machine is a principal without a person, as policy sees it: a backend service by its scopes, or a job.
func (p Principal) machine() policy.Principal {
	if p.App == nil {
		return policy.Principal{Kind: policy.Job, ID: p.Job, Active: p.Job != ""}
	}
	return policy.Principal{Kind: policy.Client, ID: p.App.Client.ID, Active: true, Reads: p.App.Scope.Types(scope.Read|scope.Search, scope.System),
		Writes: p.App.Scope.Types(scope.Create|scope.Update|scope.Delete, scope.System), Provisions: p.App.Client.Provisions()}
}

// mayBreakGlass reports whether the glass is there for p at all: for people on our own pages and in this house's own apps. No other app
// breaks it or rides on one that its person broke elsewhere (decisions 19).
func (p Principal) mayBreakGlass() bool {
	return p.Session != nil && p.Session.Actor == nil && (p.App == nil || p.App.Client.FirstParty)
}

// reach is how far the token of the request goes, for an interaction on a type in this chart.
func (s standing) reach(i scope.Interactions, typ string) scope.Reach {
	app := s.principal.App
	if s.principal.Session == nil {
		return app.Scope.Reach(i, typ, scope.System)
	}
	contexts := []scope.Context{scope.Person}
	if app.Patient != "" && (s.chart.id == app.Patient || s.chart.id == "" && fhir.FieldGroup(typ) == fhir.GroupDirectory) {
		contexts = append(contexts, scope.Patient)
	}
	return app.Scope.Reach(i, typ, contexts...)
}

// bounded is d, or a refusal of what no scope of the token covers. Without a token it is d. The bound speaks first: an app learns
// nothing of what policy would have said about what it was not given.
func (s standing) bounded(d policy.Decision, i scope.Interactions, typ string) policy.Decision {
	if s.principal.App == nil || !s.reach(i, typ).None() {
		return d
	}
	return s.beyond(d)
}

// beyond is a decision turned into a refusal for want of a scope.
func (s standing) beyond(d policy.Decision) policy.Decision {
	d.Allowed, d.Forbids, d.Advice = false, []policy.Reason{beyondScopes}, ""
	return d
}

func scopeForbids(d policy.Decision) bool {
	return !d.Allowed && len(d.Forbids) == 1 && d.Forbids[0].ID == beyondScopes.ID
}

// holds is the part of a granular scope that no decision by type can know: whether this very record is among what it names.
func (s standing) holds(i scope.Interactions, x *record.Sealed) bool {
	return s.principal.App == nil || s.reach(i, x.Type()).Holds(x.Matches)
}

// reaches reports whether a change stays within the scopes, by what it brings and by what it replaces.
func (s standing) reaches(w record.Write, change record.Change) bool {
	if s.principal.App == nil {
		return true
	}
	reach := s.reach(scopeOf(w.Op), change.Type)
	if change.Before != nil && !change.Before.Deleted() && !reach.Holds(change.Before.Matches) {
		return false
	}
	return w.Doc == nil || reach.Holds(func(q *search.Query) bool { return search.Match(w.Doc, q) })
}

// admitQuery refuses a search under a granular scope that does not say the scope's part: it would come back short without a word.
func (g *Gate) admitQuery(ctx context.Context, s standing, q *search.Query, d policy.Decision) error {
	if s.principal.App == nil || s.reach(scope.Search, q.Type).Admits(q) {
		return nil
	}
	return g.refuse(ctx, s, policy.Search, "search-type", s.typical(q.Type), s.beyond(d))
}

// admitPatients is admitQuery for the directory of patients, where each candidate has a standing of its own.
func (g *Gate) admitPatients(ctx context.Context, s standing, q *search.Query) error {
	if app := s.principal.App; app != nil && s.principal.Session != nil && app.Patient != "" {
		s.chart.id = app.Patient
	}
	return g.admitQuery(ctx, s, q, policy.Decision{Hash: g.policy.Hash()})
}

// wayForward is what would help. The glass helps no app but the house's own, and nothing helps against a scope that is not there.
func (g *Gate) wayForward(s standing, action string, r policy.Resource, d policy.Decision) outcome.Way {
	if scopeForbids(d) || s.actor != nil { // who acts asks for nothing in another name
		return outcome.NoWay
	}
	way, _ := g.policy.WayForward(s.request(action, r))
	if way == outcome.AskGrant {
		return outcome.NoWay // a page offers it; here a refusal reads as for what does not exist
	}
	if (way == outcome.BreakGlass || way == outcome.StepUpThenGlass) && !s.principal.mayBreakGlass() {
		return outcome.NoWay
	}
	return way
}

// interactionsOf are the interactions that a policy action stands for in scopes. A write is told apart by its own operation.
func interactionsOf(action string) scope.Interactions {
	switch action {
	case policy.Read:
		return scope.Read
	case policy.Search:
		return scope.Search
	case policy.Write:
		return scope.Create | scope.Update | scope.Delete
	}
	return 0 // find, print, export, the glass: no scope names them
}

// scopeOf is what a write is in scopes. An update that creates is an update.
func scopeOf(op record.Op) scope.Interactions {
	switch op {
	case record.Create:
		return scope.Create
	case record.Delete:
		return scope.Delete
	}
	return scope.Update
}
