package policy

import (
	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// Decide answers one request. It never fails: what cannot be judged is denied and says so in Errors.
func (s *Set) Decide(r Request) Decision {
	var buffer [512]byte
	key := appendResource(s.clock.key(buffer[:0], &r.Principal, r.Action, &r.Relation, &r.Context), &r.Resource)
	if d, ok := s.recall(key); ok {
		return d
	}
	d := s.decide(r)
	if s.lasting {
		s.decisions.put(key, d)
	}
	return d
}

func (s *Set) recall(key []byte) (d Decision, ok bool) {
	if s.lasting {
		d, ok = s.decisions.get(key)
	}
	return d, ok
}

// decide runs the engine.
func (s *Set) decide(r Request) Decision {
	a, d := s.ask(r.Principal, r.Action, r.Relation, r.Context, r.Resource)
	if a == nil {
		return d
	}
	return a.decide()
}

// DecideEach answers for many records of one chart (or of the directory), in their order; see [Judge].
func (s *Set) DecideEach(p Principal, action string, rel Relation, c Context, resources []Resource) []Decision {
	return s.Judge(p, action, rel, c).each(resources)
}

func (j *Judge) each(resources []Resource) []Decision {
	out := make([]Decision, len(resources))
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
	memo     *memo[Decision]
	key      []byte // of all but the record; what lies behind its length is used again and again
	asked    *asked
	shadow   *Shadow // decides beside; may be nil
}

// Judge begins to decide about records of one chart (or of the directory).
func (s *Set) Judge(p Principal, action string, rel Relation, c Context) *Judge {
	j := &Judge{set: s, who: p, action: action, relation: rel, context: c, memo: &s.decisions, key: s.clock.key(make([]byte, 0, 512), &p, action, &rel, &c)}
	if !s.lasting { // for this moment its answers hold all the same
		j.memo = &memo[Decision]{most: mostDecisions}
	}
	return j
}

// Decide answers as [Set.Decide] does.
func (j *Judge) Decide(r Resource) Decision {
	d := j.decide(r)
	if j.shadow != nil {
		j.shadow.tell(Request{Principal: j.who, Action: j.action, Relation: j.relation, Resource: r, Context: j.context}, d)
	}
	return d
}

func (j *Judge) decide(r Resource) (d Decision) {
	key := appendResource(j.key, &r)
	if d, ok := j.memo.get(key); ok {
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
	j.memo.put(key, d)
	return d
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
	entity, err := principalEntity(s.narrowed(p))
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
