package access

import (
	"context"
	"slices"

	"chartwarden/internal/care"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
	"chartwarden/internal/scope"
)

// Chart is one patient's compartment as p may see it: one access, one entry, whatever the number of resources.
type Chart struct {
	PatientID string
	Patient   *document.Doc              // masked where p's role asks for it
	Docs      map[string][]*document.Doc // by resource type, newest first
	Damaged   int                        // resources that were altered outside this server and cannot be opened
	Withheld  int                        // resources that are there and held back from p
	Hidden    []string                   // field groups that p's role of the house does not show: nothing there says nothing
	Reason    Reason
	Grant     *Grant // live, when p broke the glass
	Team      []care.Member
	Entry     string
	Flags     []string
	MayPrint  bool // p could have it on paper: see [Gate.Print]
	Left      int  // of a print: older records that did not come along
}

// Chart opens the chart of a patient: the Patient resource and everything of the given types (all when none is named).
//
// Errors: outcome.Forbidden with the way forward (the closed chart), outcome.NotFound.
func (g *Gate) Chart(ctx context.Context, p Principal, patientID string, types ...string) (*Chart, error) {
	// A chart is clinical: whoever may see only demographics has the desk's pages, not this one.
	// Whoever sees only some of what is clinical has this page by that.
	return g.folder(ctx, p, patientID, onScreen, "Condition", types...)
}

// would reports what the rules would say. It is no decision: a candidate that decides beside does not count it.
func (g *Gate) would(s standing, action string, r policy.Resource) bool {
	return g.policy.Set().Decide(s.request(action, r)).Allowed
}

// hidden are the field groups of a chart that a role of the house keeps from s.
func (g *Gate) hidden(s standing, action string) (out []string) {
	if s.who.House == "" || s.who.Capacity != policy.Staff {
		return nil
	}
	for _, kind := range []string{"Condition", "MedicationRequest", "Observation", "DocumentReference", "Encounter"} {
		if r := s.typical(kind); !slices.Contains(out, r.Group) && !g.would(s, action, r) {
			out = append(out, r.Group)
		}
	}
	return out
}

// partOf is what a chart is judged by for somebody whom a role of the house lets see some field groups: the first of judged and the other
// clinical kinds that she may see there, else judged.
func (g *Gate) partOf(s standing, action, judged string) policy.Resource {
	whole := s.typical(judged)
	if s.who.House == "" || s.who.Capacity != policy.Staff || judged != "Condition" || g.would(s, action, whole) {
		return whole
	}
	for _, kind := range []string{"MedicationRequest", "Observation", "DocumentReference"} {
		if part := s.typical(kind); g.would(s, action, part) {
			return part
		}
	}
	return whole
}

// Folder opens what a function of the house works with in a chart, such as appointments or claims: the Patient resource as p may see it
// and the given types, of which p must be allowed to read the first. Errors: those of [Gate.Chart].
func (g *Gate) Folder(ctx context.Context, p Principal, patientID string, first string, more ...string) (*Chart, error) {
	return g.folder(ctx, p, patientID, onScreen, first, append([]string{first}, more...)...)
}

func (g *Gate) folder(ctx context.Context, p Principal, patientID string, m medium, judged string, types ...string) (*Chart, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return nil, g.absent(ctx, p, m.action, m.interaction, "Patient", err)
	}
	if err != nil {
		return nil, err
	}
	s, d, err := g.permit(ctx, p, m.action, m.interaction, c, func(s standing) policy.Resource { return g.partOf(s, m.action, judged) })
	if err != nil {
		return nil, err
	}
	if len(types) > 0 {
		types = append([]string{"Patient"}, types...)
	}
	found, err := g.records.Chart(ctx, c.number, types...)
	if err != nil {
		return nil, err
	}
	left := 0
	if m == onPaper {
		found, left = sheet(found)
		s.context.Rows = len(found)
	}
	out := &Chart{Left: left, PatientID: c.id, Docs: map[string][]*document.Doc{}, Grant: s.grant, Flags: s.relation.Flags}
	resources := make([]policy.Resource, len(found))
	for i, x := range found {
		resources[i] = s.resource(x)
	}
	open := make([]*record.Sealed, 0, len(found))
	for i, one := range g.decideEach(s, m.action, resources) {
		g.alarm(one)
		if s.bounded(one, scope.Read, found[i].Type()).Allowed && s.holds(scope.Read, found[i]) && g.alsoAllowed(ctx, s, m.action, found[i]) {
			open = append(open, found[i])
		} else {
			out.Withheld++
		}
	}
	opened, err := g.disclose(ctx, s.event(m.interaction, "R"), permitted{s, d, open, m.action})
	if err != nil {
		return nil, err
	}
	out.Hidden = g.hidden(s, m.action)
	out.MayPrint = s.actor == nil && g.would(s, policy.Print, g.partOf(s, policy.Print, judged))
	out.Entry, out.Reason, out.Damaged = opened.Entry, opened.Reason, opened.Damaged
	for _, doc := range opened.Docs {
		if doc.Type() == "Patient" && doc.ID() == c.id {
			out.Patient = doc
			continue
		}
		out.Docs[doc.Type()] = append(out.Docs[doc.Type()], doc)
	}
	if out.Team, err = g.care.Team(ctx, c.number, s.at); err != nil {
		return nil, err
	}
	return out, nil
}

// Closed is what a closed chart shows: enough to be sure that it is the right patient, and what would open it.
type Closed struct {
	PatientID string
	Identity  Identity // empty where even that is held back
	Refusal   *outcome.Error
	Way       outcome.Way   // the first of Ways
	Ways      []outcome.Way // all that would open it
	Entry     string        // under which the identity is shown; empty when none is
}

// Identity is how a patient is told from another: never more than a wrong-patient check needs.
type Identity struct {
	Name      string
	BirthYear string
	Sex       string
	MRNTail   string // last four digits of the record number
}

// Closed tells p which patient a chart that does not open belongs to, and what would open it. The identity is shown under an entry of
// its own, where policy lets p find patients at all and the chart is not one whose holder is in danger.
func (g *Gate) Closed(ctx context.Context, p Principal, patientID string) (Closed, error) {
	out := Closed{PatientID: patientID}
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return out, g.absent(ctx, p, policy.Read, "chart", "Patient", err)
	}
	if err != nil {
		return out, err
	}
	if g.records.Erased(c.number) {
		return out, errErased
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return out, err
	}
	r := s.typical("Condition")
	d := g.decide(s, policy.Read, r)
	out.Ways = g.ways(ctx, s, policy.Read, r)
	if len(out.Ways) > 0 {
		out.Way = out.Ways[0]
	}
	out.Refusal = refusal(d, out.Way)
	if out.Way == outcome.NoWay || protected(s.relation.Flags) {
		return out, nil
	}
	hits, entry, err := g.identities(ctx, p, []chart{c})
	if err != nil {
		return out, err
	}
	if out.Entry = entry; len(hits) == 1 {
		out.Identity = hits[0].Identity
	}
	return out, nil
}

func protected(flags []string) bool {
	for _, f := range flags {
		if f == "staff-safety" {
			return true
		}
	}
	return false
}
