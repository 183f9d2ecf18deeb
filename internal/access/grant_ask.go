package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Somebody whose work now and then needs what a chart says, as billing does for an appeal, asks for field groups of one chart; a privacy
// officer agrees, and it lapses by the clock.

// approvedLasts is how long field groups that were approved can be read.
const approvedLasts = 24 * time.Hour

// Grantable are the field groups that two people may open for a day; who somebody is and what a desk works with are not among them, nor is
// anything that this list does not name.
var Grantable = []string{"clinical", "notes", "results", "medications", "scheduling"}

// AskGrant asks that p may read field groups of a chart for a day. It changes nothing until another person agrees on the page Approvals.
//
// Errors: outcome.Required without a reason or a group; outcome.Value for a group that a grant would not open to p; outcome.Forbidden
// where nobody could agree; outcome.NotFound.
func (g *Gate) AskGrant(ctx context.Context, p Principal, patientID string, groups []string, reason string) (Approval, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return Approval{}, g.absent(ctx, p, policy.Read, "chart", "Patient", err)
	}
	if err != nil {
		return Approval{}, err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return Approval{}, err
	}
	if len(groups) == 0 {
		return Approval{}, outcome.New(outcome.Required, "choose what you need to see").At("group")
	}
	groups = slices.Compact(slices.Sorted(slices.Values(groups)))
	for _, group := range groups {
		if !slices.Contains(Grantable, group) {
			return Approval{}, outcome.New(outcome.Value, "choose among what can be asked for: "+strings.Join(Grantable, ", ")).At("group")
		}
		r := s.typical("Condition")
		r.Group = group
		if !slices.Contains(g.ways(ctx, s, policy.Read, r), outcome.AskGrant) {
			d := g.decide(s, policy.Read, r)
			if d.Allowed {
				return Approval{}, outcome.New(outcome.Value, "you see this already: "+group).At("group")
			}
			return Approval{}, g.refuse(ctx, s, policy.Read, "chart", r, d)
		}
	}
	return g.ask(ctx, p, GrantAct, "", "see "+strings.Join(groups, ", ")+" of a chart for a day", strings.TrimSpace(reason), actBody{Patient: c.number, PatientID: c.id, Groups: groups})
}

// someoneApproves reports whether anybody but s could agree.
func (g *Gate) someoneApproves(ctx context.Context, s standing) (bool, error) {
	all, err := g.persons.People(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(all, func(one identity.Person) bool {
		return one.Active && one.ID != s.who.ID && g.policy.Decide(policy.Request{Action: policy.GrantAgree, Context: policy.Context{Now: s.at, AAL: 2, Device: policy.Registered, Zone: policy.Hospital},
			Principal: policy.Principal{Kind: policy.Person, ID: one.ID, Roles: one.RolesIn(identity.StaffCapacity), Capacity: policy.Staff, Active: true, TrainingDue: trained(one)}}).Allowed
	}), nil
}

// carryGrant gives what was agreed to: once, also after a kill in between.
func (g *Gate) carryGrant(ctx context.Context, it *identity.Pending) error {
	b := bodyOf(it)
	now := g.now()
	before, err := g.readWords(ctx, g.db.Reader(), `WHERE item = ?`, it.ID)
	if err != nil {
		return err
	}
	who, err := g.persons.Person(ctx, it.AskedBy)
	if err != nil {
		return err
	}
	known := !slices.ContainsFunc(b.Groups, func(group string) bool { return !slices.Contains(Grantable, group) }) // who agreed has read its name
	if len(before) == 0 && who.Active && known {
		w := Word{Kind: Approved, Person: it.AskedBy, Patient: b.Patient, By: it.By, Groups: b.Groups, From: now, Until: now.Add(approvedLasts), Known: now, Item: it.ID}
		e := audit.Event{Agent: audit.Agent{Job: GrantAct}, Action: "E", Interaction: wordGiven, Class: audit.Machine, Purpose: "HOPERAT", PolicyHash: g.policy.Hash()}
		if err := g.say(ctx, e, &w, chart{number: b.Patient, id: b.PatientID}, fmt.Sprintf("let %s see a part of your chart for a day, by a decision of two people", who.Name)); err != nil {
			return err
		}
	}
	return g.persons.Finish(ctx, audit.Agent{Job: GrantAct}, it.ID, wanted(it))
}

// MyGrantAsk is when p asked for a part of a chart and nobody has decided yet; zero without such a request. Errors: outcome.NoStore.
func (g *Gate) MyGrantAsk(ctx context.Context, p Principal, patientID string) (time.Time, error) {
	if p.Session == nil {
		return time.Time{}, nil
	}
	acts, err := g.persons.ActsAsked(ctx, GrantAct, p.Session.Person.ID, g.now().Add(-2*actRules[GrantAct].lapses), mostAsked)
	for i := range acts {
		if it := &acts[i]; (it.State == "open" || it.State == "approved") && bodyOf(it).PatientID == patientID {
			return it.Asked, err
		}
	}
	return time.Time{}, err
}
