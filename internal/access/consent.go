package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/fhir/consent"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// What patients agreed to or forbade by a Consent is a fact of the decision: each record that they withhold from the asker is restricted.
// What follows from that is for the rules to say (deny.consent). Source: https://profiles.ihe.net/ITI/PCF.

// heed takes in what the Consents of the chart withhold from who stands before it. Patients and jobs of the server see past them.
func (g *Gate) heed(ctx context.Context, s *standing) error {
	if s.chart.number == 0 || s.who.Kind == policy.Job || s.who.Capacity == policy.Patient {
		return nil
	}
	list, err := g.records.Consents(ctx, s.chart.number)
	if err != nil || len(list) == 0 {
		return err
	}
	names := map[string]bool{}
	for _, c := range list {
		for _, group := range c.Groups() {
			members, err := g.records.Members(ctx, strings.TrimPrefix(group, "Group/"))
			if err != nil {
				return err
			}
			names[group] = slices.ContainsFunc(members, func(ref string) bool { return g.care.Is(s.care, ref) })
		}
	}
	s.withheld = consent.For(list, consent.Asker{At: s.at, Purposes: s.purposes(), Is: func(ref string) bool {
		return names[ref] || g.care.Is(s.care, ref)
	}}, g.zone)
	return nil
}

// purposes are all that somebody may look for here, by her roles; with a live grant, an emergency too.
func (s *standing) purposes() []string {
	if s.principal.Session == nil {
		return []string{"HOPERAT"}
	}
	var out []string
	for _, role := range s.who.Roles {
		switch {
		case slices.Contains(policy.Clinical, role):
			out = append(out, "TREAT")
		case role == "billing":
			out = append(out, "HPAYMT")
		case role == "privacy" || role == "security" || role == "auditor":
			out = append(out, "HCOMPL", "HOPERAT")
		default:
			out = append(out, "HOPERAT")
		}
	}
	if s.relation.BTGUntil.After(s.at) {
		out = append(out, "BTG", "ETREAT")
	}
	return out
}

// checkConsent refuses a Consent that would bind this house to what it cannot enforce: better said when it is entered than found out later.
func checkConsent(doc *document.Doc, zone *time.Location) error {
	if doc == nil || doc.Type() != "Consent" {
		return nil
	}
	_, unclear, counts := consent.Read(doc, zone)
	if !counts || len(unclear) == 0 {
		return nil
	}
	return outcome.New(outcome.NotSupported, "this server could not keep what the consent says here: "+unclear[0].Mend).At(unclear[0].At)
}
