package policy

import (
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// Decide answers one request. It never fails: what cannot be judged is denied and says so in Errors.
func (s *Set) Decide(r Request) Decision {
	a, d := s.ask(r.Principal, r.Action, r.Relation, r.Context, r.Resource)
	if a == nil {
		return d
	}
	return a.decide()
}

// DecideEach answers for many records of one chart (or of the directory), in their order; see [Judge].
func (s *Set) DecideEach(p Principal, action string, rel Relation, c Context, resources []Resource) []Decision {
	out := make([]Decision, len(resources))
	j := s.Judge(p, action, rel, c)
	for i, r := range resources {
		out[i] = j.Decide(r)
	}
	return out
}

// Judge is [Set.Decide] for one person, action, relation and moment, and for record after record. Those that the rules cannot tell
// apart it decides once. Not safe for concurrent use.
type Judge struct {
	set      *Set
	who      Principal
	action   string
	relation Relation
	context  Context
	seen     map[string]Decision
	asked    *asked
}

// Judge begins to decide about records of one chart (or of the directory).
func (s *Set) Judge(p Principal, action string, rel Relation, c Context) *Judge {
	return &Judge{set: s, who: p, action: action, relation: rel, context: c, seen: map[string]Decision{}}
}

// Decide answers as [Set.Decide] does.
func (j *Judge) Decide(r Resource) (d Decision) {
	key := likeness(r)
	if d, ok := j.seen[key]; ok {
		return d
	}
	if j.asked == nil || j.asked.patient != r.PatientKey {
		j.asked, d = j.set.ask(j.who, j.action, j.relation, j.context, r)
	} else {
		j.asked.about(r)
	}
	if j.asked != nil {
		d = j.asked.decide()
	}
	j.seen[key] = d
	return d
}

// likeness holds everything of a resource that a rule can see.
func likeness(r Resource) string {
	flags := "--"
	if r.Released {
		flags = "r-"
	}
	if r.New {
		flags = flags[:1] + "n"
	}
	return strings.Join(append([]string{r.PatientKey, r.Type, r.Group, flags}, r.Labels...), "\x00")
}

// asked is a request made ready for the engine.
type asked struct {
	set     *Set
	slice   slice
	request cedar.Request
	rules   relevantRules
	patient string
}

// ask builds the slice; without one the decision is a refusal that tells the fault.
func (s *Set) ask(p Principal, action string, rel Relation, c Context, r Resource) (*asked, Decision) {
	entity, err := principalEntity(p)
	if err != nil {
		return nil, s.fault(err.Error())
	}
	verb, ok := s.actions[action]
	if !ok {
		return nil, s.fault("the action is unknown")
	}
	a := &asked{set: s, slice: slice{principal: entity, action: verb}}
	a.request = cedar.Request{Principal: entity.UID, Action: verb.UID, Context: contextRecord(c)}
	if administrative(action) {
		a.slice.resource = system
		a.request.Resource = system.UID
		a.rules = s.relevant[question{entity.UID.Type, action, typeSystem}]
		return a, Decision{}
	}
	if r.PatientKey != "" {
		a.slice.chart = chartEntity(r.PatientKey, p.ID, rel)
	}
	a.about(r)
	return a, Decision{}
}

func (a *asked) about(r Resource) {
	a.patient = r.PatientKey
	a.slice.resource = resourceEntity(r)
	a.request.Resource = a.slice.resource.UID
	a.rules = a.set.relevant[question{a.request.Principal.Type, string(a.request.Action.ID), a.request.Resource.Type}]
}

func (s *Set) fault(text string) Decision { return Decision{Hash: s.hash, Errors: []string{text}} }

func (a *asked) decide() Decision {
	d := Decision{Hash: a.set.hash}
	d.Forbids = a.holding(a.rules.forbids, &d)
	d.Permits = a.holding(a.rules.permits, &d)
	for _, f := range d.Forbids {
		if d.Advice == "" {
			d.Advice = f.Advice
		}
	}
	// The engine skips a policy that errs, so a forbid that errs would fail open: any error denies.
	d.Allowed = len(d.Permits) > 0 && len(d.Forbids) == 0 && len(d.Errors) == 0
	return d
}

// holding runs rules of one effect and returns those that apply, in their order.
func (a *asked) holding(among rules, d *Decision) []Reason {
	_, diagnostic := cedar.Authorize(among, types.EntityGetter(&a.slice), a.request)
	for _, e := range diagnostic.Errors {
		d.Errors = append(d.Errors, string(e.PolicyID)+": "+e.Message)
	}
	if len(diagnostic.Reasons) == 0 {
		return nil
	}
	out := make([]Reason, 0, len(diagnostic.Reasons))
	i := 0
	for _, r := range diagnostic.Reasons { // in the order of among
		for among[i].id != string(r.PolicyID) {
			i++
		}
		out = append(out, among[i].reason)
	}
	return out
}
