package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/consent"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Who acts as another sees her pages and reads what both may: the rules are asked about the one and about the other, and what stands in
// the entry is why the one who really looks may. Nothing is written, signed, agreed to or opened behind the glass in another's name.

// ActingAct is the kind of an act by which one person acts as another for a while.
const ActingAct = identity.ActingAct

var onlyReads = policy.Reason{ID: "acting.reads", Why: "you act as somebody else: that only reads. End it first"}

var errOnlyReads = outcome.New(outcome.Forbidden, onlyReads.Why).Because(onlyReads.ID)

// readsOnly reports whether an action is one for who acts as another.
func readsOnly(action string) bool {
	return slices.Contains([]string{policy.Read, policy.Search, policy.Find}, action)
}

// actor is who acts, as herself.
func (p Principal) actor() Principal {
	p.Session, p.Glass = p.Session.Actor, ""
	return p
}

// both is a decision about the asker; where another acts as her, of reading, and of both: then it is the other's, if hers permits it too.
func (g *Gate) both(s standing, action string, of func(standing) policy.Decision) policy.Decision {
	if s.actor == nil {
		return of(s)
	}
	if !readsOnly(action) {
		return policy.Decision{Hash: g.policy.Hash(), Forbids: []policy.Reason{onlyReads}}
	}
	if d := of(s); !d.Allowed {
		return d
	}
	return of(*s.actor)
}

// decideEach is decide for many kinds of records of one chart, without what a scope bounds.
func (g *Gate) decideEach(s standing, action string, r []policy.Resource) []policy.Decision {
	out := g.policy.DecideEach(s.who, action, s.relation, s.context, r)
	if s.actor == nil {
		return out
	}
	own := g.policy.DecideEach(s.actor.who, action, s.actor.relation, s.actor.context, r)
	for i, hers := range out {
		out[i] = g.both(s, action, func(x standing) policy.Decision {
			if x.actor == nil {
				return own[i]
			}
			return hers
		})
	}
	return out
}

// keptBack reports whether a Consent keeps something from the asker, or from who acts as her.
func (s standing) keptBack(from func(consent.View) bool) bool {
	return from(s.withheld) || s.actor != nil && from(s.actor.withheld)
}

// MayAskActing reports whether p is one who asks to act as a colleague, for a page that offers it.
func (g *Gate) MayAskActing(ctx context.Context, p Principal) bool {
	s, err := g.relate(ctx, p, chart{})
	return err == nil && p.Session != nil && g.decide(s, policy.Approvals, policy.Resource{}).Allowed
}

// AskActing asks to act as a colleague for some minutes. She agrees, or one who may agree to such requests.
// Errors: outcome.Forbidden, also for the command line; outcome.Required without a reason; outcome.Value for less than five minutes or more
// than sixty, or for whom one cannot act as.
func (g *Gate) AskActing(ctx context.Context, p Principal, as string, minutes int, reason string) (Approval, error) {
	lasts := time.Duration(minutes) * time.Minute
	if lasts < 5*time.Minute || lasts > identity.ActingLasts {
		return Approval{}, outcome.New(outcome.Value, "you act as somebody for five minutes to sixty").At("minutes")
	}
	if _, _, err := g.May(ctx, p, policy.Approvals); err != nil {
		return Approval{}, err
	}
	if p.Session == nil || p.App != nil {
		return Approval{}, outcome.New(outcome.Forbidden, "a person asks for this, signed in").Because("two-people")
	}
	person, err := g.persons.Person(ctx, as)
	if err != nil || !person.Active || person.ID == p.Session.Person.ID || !slices.Contains(person.Capacities(), identity.StaffCapacity) {
		return Approval{}, outcome.New(outcome.Value, "there is no such colleague: write the id from the page People").At("person")
	}
	return g.ask(ctx, p, ActingAct, person.ID, fmt.Sprintf("act as %s for %d minutes, reading only", person.ID, minutes), strings.TrimSpace(reason), actBody{Person: person.ID, Lasts: lasts})
}

// Actings lists where p acts as somebody or somebody as p: what runs, and what waits for a word. It is asked as the person who really asks.
func (g *Gate) Actings(ctx context.Context, p Principal) (running, waiting []identity.Acting, err error) {
	if err := g.Permit(ctx, p, policy.Own); err != nil {
		return nil, nil, err
	}
	return g.persons.Actings(ctx, p.Session.Person.ID)
}

// Consent lets a colleague act as p, or not. Errors: outcome.NotFound.
func (g *Gate) Consent(ctx context.Context, p Principal, item string, yes bool) error {
	agent, err := g.herself(ctx, p)
	if err != nil {
		return err
	}
	return g.persons.Consent(ctx, agent, item, yes)
}

// EndActing ends it at once, by either of the two or by who agreed. Errors: outcome.NotFound.
func (g *Gate) EndActing(ctx context.Context, p Principal, item string) error {
	agent, err := g.herself(ctx, p)
	if err != nil {
		return err
	}
	return g.persons.EndActing(ctx, agent, item)
}

func (g *Gate) herself(ctx context.Context, p Principal) (audit.Agent, error) {
	if err := g.Permit(ctx, p, policy.Own); err != nil {
		return audit.Agent{}, err
	}
	if p.App != nil {
		return audit.Agent{}, outcome.New(outcome.Forbidden, "only the person herself decides this, on the page").Because("two-people")
	}
	return p.agent(), nil
}
