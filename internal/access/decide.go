package access

import (
	"context"
	"slices"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/consent"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// sealed is what a decision may know of a record before it is opened.
type sealed interface {
	Type() string
	Labels() []string
	Released() bool
	Withheld(consent.View) bool
}

// resource is a record as policies see it.
func (s standing) resource(r sealed) policy.Resource {
	return policy.Resource{Type: r.Type(), Group: string(fhir.FieldGroup(r.Type())), Labels: r.Labels(), Released: r.Released(), Restricted: s.keptBack(r.Withheld), PatientKey: s.key()}
}

// typical is a record of a type as it is when nothing special holds it back: what a refusal of the whole kind is judged by.
func (s standing) typical(typ string) policy.Resource {
	return policy.Resource{Type: typ, Group: string(fhir.FieldGroup(typ)), Released: true, Restricted: s.keptBack(func(v consent.View) bool { return v.WithholdsAll(typ) }), PatientKey: s.key()}
}

// key names the chart to the policy engine; data of no patient has none.
func (s standing) key() string {
	if s.chart.number == 0 {
		return ""
	}
	return s.chart.id
}

func (s standing) request(action string, r policy.Resource) policy.Request {
	return policy.Request{Principal: s.who, Action: action, Relation: s.relation, Resource: r, Context: s.context}
}

// decide asks the rules and raises the alarm when they err; an error already denies.
func (g *Gate) decide(s standing, action string, r policy.Resource) policy.Decision {
	return g.both(s, action, func(s standing) policy.Decision { return g.decideFor(s, action, r) })
}

func (g *Gate) decideFor(s standing, action string, r policy.Resource) policy.Decision {
	d := g.policy.Decide(s.request(action, r))
	g.alarm(d)
	if action == policy.Break && s.principal.mayBreakGlass() {
		return d // no scope names the glass
	}
	if action == policy.Provision {
		return d // its scope is a fact of the rules, and reaches no record
	}
	return s.bounded(d, interactionsOf(action), r.Type)
}

// permit relates p to a chart and decides; a denial is written down and returned. A principal who came with a reason code gets the
// glass broken where that would open the chart, as an entry of its own.
func (g *Gate) permit(ctx context.Context, p Principal, action, interaction string, c chart, what func(standing) policy.Resource) (standing, policy.Decision, error) {
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return s, policy.Decision{}, err
	}
	r := what(s)
	d := g.decide(s, action, r)
	if !d.Allowed && !scopeForbids(d) && p.Glass != "" && p.mayBreakGlass() && slices.Contains(g.policy.Ways(s.request(action, r)), outcome.BreakGlass) {
		if _, err := g.breakGlass(ctx, s, p.Glass, ""); err != nil {
			return s, d, err
		}
		if s, err = g.relate(ctx, p, c); err != nil {
			return s, d, err
		}
		d = g.decide(s, action, what(s))
	}
	if !d.Allowed {
		return s, d, g.refuse(ctx, s, action, interaction, r, d)
	}
	if g.records.Erased(c.number) {
		e := s.event(interaction, actionLetter(action))
		e.PolicyHash, e.Outcome, e.Text = d.Hash, refused, "erased"
		e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Permits: d.PermitIDs(), Groups: []string{r.Group}}}
		if _, err := g.log.Refuse(ctx, e); err != nil {
			return s, d, err
		}
		return s, d, errErased
	}
	return s, d, nil
}

func (g *Gate) alarm(d policy.Decision) {
	if len(d.Errors) > 0 {
		g.logger.Error("policy errors deny", "policy", d.Hash, "errors", len(d.Errors))
	}
}

// masker asks, for a type that mixes element groups, which of them are hidden from the asker.
func (g *Gate) masker(s standing, action, typ string) masker {
	return maskerOf(s, typ, func(r []policy.Resource) (allowed []bool) {
		for _, d := range g.decideEach(s, action, r) {
			g.alarm(d)
			allowed = append(allowed, d.Allowed)
		}
		return allowed
	})
}

func maskerOf(s standing, typ string, allowed func([]policy.Resource) []bool) masker {
	m := masker{hidden: map[fhir.Group]bool{}}
	groups := fhir.ElementGroups(typ)
	if len(groups) == 1 {
		return m
	}
	resources := make([]policy.Resource, len(groups))
	for i, group := range groups {
		resources[i] = s.typical(typ)
		resources[i].Group = string(group)
	}
	for i, ok := range allowed(resources) {
		m.hidden[groups[i]] = !ok
	}
	return m
}

// refuse writes the refusal and returns it as an error that says what would help. Where nothing would help it reads the same whether
// or not the thing exists.
func (g *Gate) refuse(ctx context.Context, s standing, action, interaction string, r policy.Resource, d policy.Decision) error {
	way := g.wayForward(s, action, r, d)
	e := s.event(interaction, actionLetter(action))
	e.PolicyHash, e.Outcome, e.Text, e.Query = d.Hash, refused, "refused", s.asked
	if scopeForbids(d) {
		e.Text = "refused: beyond the scopes"
	}
	if s.chart.number != 0 {
		part := audit.PatientPart{Patient: s.chart.number, Ref: "Patient/" + s.chart.id, Permits: d.PermitIDs(), Groups: []string{r.Group}, Details: offered(way)}
		if !d.Allowed && !scopeForbids(d) && s.actor == nil && !slices.Contains(d.Forbids, onlyAsks) { // else it was not the rules that refused
			part.Relation = s.facts(action, r)
		}
		e.Patients = []audit.PatientPart{part}
	}
	if _, err := g.log.Refuse(ctx, e); err != nil {
		return err
	}
	err := refusal(d, way)
	if way == outcome.StepUp && s.principal.App != nil { // a program cannot follow a page; its person signs in again where she let it in
		aal, age := g.policy.Proof(s.request(action, r))
		err = err.Proving(outcome.Proof{AAL: aal, MaxAge: age})
	}
	if more := g.alsoOffered(ctx, s, action, r, way); len(more) > 0 {
		err = err.Also(more...)
	}
	return err
}

// alsoOffered are the ways beside the first one that need an order or a colleague. They are a courtesy: what keeps them from being found
// changes nothing of the refusal.
func (g *Gate) alsoOffered(ctx context.Context, s standing, action string, r policy.Resource, first outcome.Way) []outcome.Way {
	if first == outcome.NoWay || s.chart.number == 0 {
		return nil
	}
	return slices.DeleteFunc(g.ways(ctx, s, action, r), func(way outcome.Way) bool { return way != outcome.TakeOrder && way != outcome.AskTeam || way == first })
}

// offered keeps in an entry which way forward its refusal named; none is no word.
func offered(way outcome.Way) string {
	if way == outcome.NoWay {
		return ""
	}
	return details{Way: string(way)}.text()
}

// refusal is the error of a decision: its first forbid, or that nothing links the two.
func refusal(d policy.Decision, way outcome.Way) *outcome.Error {
	if scopeForbids(d) {
		return outcome.New(outcome.Forbidden, beyondScopes.Why).Because(beyondScopes.ID)
	}
	err := outcome.New(outcome.Forbidden, "nothing links you to this patient: no visit, order, task or shift that we know of").Because("no.relation")
	if len(d.Forbids) > 0 {
		err = outcome.New(outcome.Forbidden, d.Forbids[0].Why).Because(d.Forbids[0].ID)
	}
	if way == outcome.AskGrant {
		err = outcome.New(outcome.Forbidden, "your role does not cover what a chart says: ask for the part that you need").Because("deny.groups")
	}
	if way == outcome.NoWay {
		err = outcome.New(outcome.Forbidden, "your role does not open this, or it does not exist").Because("not.yours")
	}
	return err.Offering(way)
}

// absent is the answer for what does not exist: like a refusal for those whom a refusal would offer nothing, else not-found.
func (g *Gate) absent(ctx context.Context, p Principal, action, interaction, typ string, missing error) error {
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return err
	}
	s.chart.id = "absent"
	r := s.typical(typ)
	if fhir.FieldGroup(typ) != fhir.GroupDirectory {
		r.PatientKey = s.chart.id
	} else {
		r.PatientKey = ""
	}
	d := g.decide(s, action, r)
	way := g.wayForward(s, action, r, d)
	e := s.event(interaction, actionLetter(action))
	e.PolicyHash, e.Outcome, e.Text = d.Hash, refused, "not found: "+typ
	if _, err := g.log.Refuse(ctx, e); err != nil {
		return err
	}
	if d.Allowed || way != outcome.NoWay {
		return missing
	}
	return refusal(d, way)
}

const (
	succeeded = 0
	refused   = 8
)

// event begins the entry of an act by s.
func (s standing) event(interaction, action string) audit.Event {
	return audit.Event{Time: s.at, Agent: s.principal.agent(), Action: action, Interaction: interaction, Class: s.class(),
		Purpose: s.purpose(), Outcome: succeeded}
}

func (s standing) class() string {
	if s.principal.Session == nil {
		return "machine"
	}
	return "deliberate"
}

// purpose of use, by what the person is here for and whether a grant runs.
// Source: https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html.
func (s standing) purpose() string {
	switch {
	case s.actor != nil:
		return s.actor.purpose()
	case s.principal.Session == nil && s.principal.App != nil:
		return "HOPERAT"
	case s.principal.Session == nil:
		return "HSYSADMIN"
	case s.who.Capacity == policy.Patient:
		return "PATRQT"
	case s.grant != nil && s.grant.Code == "emergency":
		return "ETREAT"
	case s.grant != nil:
		return "BTG"
	}
	for _, role := range s.who.Roles {
		switch role {
		case "billing":
			return "HPAYMT"
		case "front-desk", "administrator", "hr":
			return "HOPERAT"
		case "privacy", "security", "auditor":
			return "HCOMPL"
		}
	}
	return "TREAT"
}

func actionLetter(action string) string {
	switch action {
	case policy.Write:
		return "U"
	case policy.Search, policy.Find:
		return "E"
	}
	return "R"
}
