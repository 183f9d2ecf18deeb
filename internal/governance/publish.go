package governance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Checked is what can be said of a bundle without asking who did what.
type Checked struct {
	Hash   string
	Faults []string // each with file and line; none: it loads
	Trials int      // scenario lines
	Failed []policy.Trial
}

// Sound reports whether it loads and every scenario holds.
func (c Checked) Sound() bool { return len(c.Faults) == 0 && len(c.Failed) == 0 }

// Check loads and lints a bundle, holds it against the laws of [policy.Broken], and tries its scenarios.
func Check(b policy.Bundle) Checked {
	out := Checked{Hash: b.Hash(), Faults: policy.Check(b)}
	if len(out.Faults) > 0 {
		return out
	}
	broken, err := policy.Broken(b)
	if err != nil {
		out.Faults = []string{fault(err)}
		return out
	}
	for _, law := range broken {
		out.Faults = append(out.Faults, "no house may enforce this: "+law)
	}
	if len(out.Faults) > 0 {
		return out
	}
	set, err := policy.Load(b)
	if err == nil {
		var trials []policy.Trial
		if trials, err = set.Test(b); err == nil {
			out.Trials = len(trials)
			for _, t := range trials {
				if !t.Passed {
					out.Failed = append(out.Failed, t)
				}
			}
			return out
		}
	}
	out.Faults = []string{fault(err)}
	return out
}

func fault(err error) string {
	var e *outcome.Error
	if errors.As(err, &e) {
		return strings.TrimSpace(e.Expression + " " + e.Public)
	}
	return err.Error()
}

// replayLasts is how old a replay may be by which somebody decides.
const replayLasts = 24 * time.Hour

// Obstacles are what still stands between a proposal and the second person, as sentences; none: it may be proposed.
func (g *Rules) Obstacles(p *Proposal) (out []string) {
	c := Check(p.Bundle)
	switch {
	case len(c.Faults) > 0:
		return []string{fmt.Sprintf("The text has faults: %d.", len(c.Faults))}
	case len(c.Failed) > 0:
		out = append(out, fmt.Sprintf("Scenario lines that do not hold: %d. Correct the rule, or the scenario where it is the scenario that is wrong.", len(c.Failed)))
	case c.Trials == 0:
		out = append(out, "There is no scenario: say by example what must come out.")
	}
	if c.Hash == g.o.Enforced.Hash() {
		out = append(out, "This is what is in force already.")
	}
	if p.Back && g.Decided(c.Hash) {
		return out
	}
	switch {
	case p.Replay == nil || p.Replay.Hash != c.Hash:
		out = append(out, "It was not tried on the last 30 days.")
	case g.now().Sub(p.Replay.Made) > replayLasts:
		out = append(out, "The replay is more than a day old: run it again.")
	default:
		open := 0
		for _, b := range p.Replay.Blocked() {
			if p.Answers[b.Key] == "" {
				open++
			}
		}
		if open > 0 {
			out = append(out, fmt.Sprintf("Kinds of acts of care that would have been blocked, without an answer: %d.", open))
		}
	}
	return out
}

// Propose asks a second person that a proposal be enforced from a moment on; a zero or past moment is at once. It gives the item.
// Errors: outcome.Forbidden; outcome.BusinessRule with what still stands in the way; outcome.Required without a reason.
func (g *Rules) Propose(ctx context.Context, who access.Principal, id string, starts time.Time, reason string) (access.Approval, error) {
	p, err := g.own(ctx, who, id)
	if err != nil {
		return access.Approval{}, err
	}
	if obstacles := g.Obstacles(p); len(obstacles) > 0 {
		return access.Approval{}, outcome.New(outcome.BusinessRule, "this cannot be published yet. "+strings.Join(obstacles, " "))
	}
	hash, err := g.keep(ctx, p.Bundle, p.Author)
	if err != nil {
		return access.Approval{}, err
	}
	says := "enforce the rules " + hash + " in place of " + g.o.Enforced.Hash()
	if p.Back && g.Decided(hash) {
		says = "go back to the rules " + hash + " from " + g.o.Enforced.Hash()
	}
	if p.Replay != nil {
		gains, losses, care := p.Replay.Counts()
		says += fmt.Sprintf("; of %d decisions in 30 days %d would be allowed that were refused, %d refused that were allowed, %d of them acts of care", p.Replay.Decisions, gains, losses, care)
	}
	a, err := g.o.Gate.AskPolicy(ctx, who, access.PolicyChange{Hash: hash, Base: g.o.Enforced.Hash(), Proposal: p.ID, Author: p.Author, Starts: starts, Says: says, Reason: reason})
	if err != nil {
		return a, err
	}
	p.State, p.Item = Waiting, a.ID
	if err := g.store(ctx, p); err != nil { // what is asked for is what the work says, or nothing
		return a, errors.Join(err, g.o.Gate.Decline(ctx, who, a.ID, "the proposal was changed meanwhile"))
	}
	return a, nil
}

// Rollback asks a second person that a bundle decide again that was in force before. Errors: outcome.NotFound; outcome.BusinessRule for one
// that was never in force or does not fit any more; as [Rules.Propose].
func (g *Rules) Rollback(ctx context.Context, who access.Principal, hash, reason string) (access.Approval, error) {
	if err := g.may(ctx, who, policy.PolicyPropose); err != nil {
		return access.Approval{}, err
	}
	if strings.TrimSpace(reason) == "" {
		return access.Approval{}, outcome.New(outcome.Required, "say why, in a few words: the second person decides by it").At("reason")
	}
	hash, err := g.Find(ctx, hash)
	if err != nil {
		return access.Approval{}, err
	}
	if !g.Decided(hash) {
		return access.Approval{}, outcome.New(outcome.BusinessRule, "these rules were never in force: publish them instead, which tries them on what happened")
	}
	kept, err := g.Bundle(ctx, hash)
	if err != nil {
		return access.Approval{}, err
	}
	p, err := g.Draft(ctx, who, kept.Bundle, "Back to earlier rules: "+reason)
	if err != nil {
		return access.Approval{}, err
	}
	p.Back = true
	if err := g.store(ctx, p); err != nil {
		return access.Approval{}, err
	}
	a, err := g.Propose(ctx, who, p.ID, time.Time{}, reason)
	if err != nil {
		return a, errors.Join(err, g.Discard(ctx, who, p.ID))
	}
	return a, nil
}

// mayAgree is asked before somebody is the second person. What she read is the difference from the rules in force: where others came into force
// since it was asked for, agreeing would take those out unseen.
func (g *Rules) mayAgree(ctx context.Context, _ identity.Person, a access.Approval) error {
	if err := g.Follow(ctx); err != nil {
		return err
	}
	if a.Base != g.o.Enforced.Hash() {
		return outcome.New(outcome.Conflict, "other rules have come into force since this was asked for: decline it, and propose it anew on top of those")
	}
	kept, err := g.Bundle(ctx, a.Policy)
	if err != nil {
		return err
	}
	_, err = policy.Load(kept.Bundle)
	return err
}

// carry puts in force what two people wanted. It does so once, however often it is asked to.
func (g *Rules) carry(ctx context.Context, a access.Approval) error {
	if err := g.read(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc(g.History(), func(e Enforcement) bool { return e.Item == a.ID }) {
		return g.Follow(ctx)
	}
	kept, err := g.Bundle(ctx, a.Policy)
	if err != nil {
		return err
	}
	if _, err := policy.Load(kept.Bundle); err != nil {
		return err
	}
	e := Enforcement{Hash: a.Policy, Since: g.now(), Origin: House, Item: a.ID, Asked: a.AskedBy, Agreed: a.DecidedBy}
	if a.Since.After(e.Since) {
		e.Since = a.Since.UTC()
	}
	asked := "the command line"
	if a.AskedBy != "" {
		asked = "person " + a.AskedBy
	}
	if _, err := g.enforce(ctx, audit.Agent{Job: "policy"}, e, "item "+a.ID+": the rules "+e.Hash+" decide, in place of "+g.o.Enforced.Hash()+", asked by "+asked+", agreed by person "+a.DecidedBy+","); err != nil {
		return err
	}
	return g.Follow(ctx)
}
