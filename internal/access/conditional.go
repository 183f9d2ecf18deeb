package access

import (
	"context"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
	"chartwarden/internal/scope"
)

// A conditional reference is a search inside a write: it finds what its writer's own search would, or a patient whom the writer may look
// up by record number.

// sight says what the conditional references of p may find, and of it what. Jobs bring what they bring.
func (g *Gate) sight(p Principal) record.Sight {
	if !p.SignedIn() {
		return nil
	}
	return func(ctx context.Context, found *record.Sealed) (*record.Sealed, error) {
		c, err := g.chartOf(ctx, found)
		if err != nil {
			return nil, err
		}
		s, err := g.relate(ctx, p, c)
		if err != nil {
			return nil, err
		}
		if found.Type() == "Patient" && p.App == nil && !protected(s.relation.Flags) && g.decide(s, policy.Find, s.resource(found)).Allowed {
			return found, nil
		}
		if !g.decide(s, policy.Search, s.resource(found)).Allowed || !s.holds(scope.Search, found) || !g.alsoAllowed(ctx, s, policy.Search, found) {
			return nil, nil
		}
		return found.Masked(g.masker(s, policy.Search, found.Type()).drop(found.Type()))
	}
}

// askedFor writes down that a write which failed asked for patients by condition: what failed, and how, may have told whether they are
// here.
func (g *Gate) askedFor(ctx context.Context, p Principal, interaction string, ws []record.Write) error {
	if !p.SignedIn() {
		return nil
	}
	var asked []string
	for _, w := range ws {
		if w.Doc == nil {
			continue
		}
		for n := range w.Doc.Root().All() {
			if n.Name() != "reference" || n.Kind() != document.String {
				continue
			}
			if typ, _, ok := fhir.ConditionalReference(g.base, n.Text()); ok && typ == "Patient" {
				asked = append(asked, strings.Clone(n.Text()))
			}
		}
		if w.Type == "Patient" && w.IfNoneExist != "" {
			asked = append(asked, "Patient?"+w.IfNoneExist)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return err
	}
	e := s.event(interaction, "E")
	e.Outcome, e.Query, e.Text = refused, strings.Join(asked[:min(len(asked), 20)], " "), "a write that names patients by condition failed"
	_, err = g.log.Refuse(ctx, e)
	return err
}
