package policy

import (
	"sync/atomic"
	"time"

	"chartwarden/internal/outcome"
)

// Enforced is the bundle that decides now. [Enforced.Replace] exchanges it as a whole: each decision is by one bundle, and what the
// former one remembered goes with it. An action that it does not know, since a later version of the program brought it, is decided by
// the shipped rules, whose hash that decision carries: or nobody could publish any more (docs/adr/0185). Safe for concurrent use.
type Enforced struct {
	set    atomic.Pointer[Set]
	shadow atomic.Pointer[Shadow]
}

// Enforce begins with a bundle.
func Enforce(set *Set) *Enforced {
	e := &Enforced{}
	e.set.Store(set)
	return e
}

// Set is the bundle that decides at this moment.
func (e *Enforced) Set() *Set { return e.set.Load() }

// Replace lets another bundle decide from now on.
func (e *Enforced) Replace(set *Set) { e.set.Store(set) }

// Accompany lets a candidate decide beside the enforced bundle; nil ends it.
func (e *Enforced) Accompany(s *Shadow) { e.shadow.Store(s) }

// Shadow is the candidate that decides beside; nil when there is none.
func (e *Enforced) Shadow() *Shadow { return e.shadow.Load() }

func (e *Enforced) knows(action string) *Set {
	set := e.set.Load()
	if _, ok := set.actions[action]; ok {
		return set
	}
	return Default()
}

// Hash is that of the bundle that decides at this moment.
func (e *Enforced) Hash() string { return e.Set().Hash() }

// Policies lists its policies.
func (e *Enforced) Policies() []Reason { return e.Set().Policies() }

// Decide is [Set.Decide] by the enforced bundle.
func (e *Enforced) Decide(r Request) Decision {
	d := e.knows(r.Action).Decide(r)
	if s := e.shadow.Load(); s != nil {
		s.tell(r, d)
	}
	return d
}

// Judge is [Set.Judge] by the enforced bundle.
func (e *Enforced) Judge(p Principal, action string, rel Relation, c Context) *Judge {
	j := e.knows(action).Judge(p, action, rel, c)
	j.shadow = e.shadow.Load()
	return j
}

// DecideEach is [Set.DecideEach] by the enforced bundle.
func (e *Enforced) DecideEach(p Principal, action string, rel Relation, c Context, resources []Resource) []Decision {
	return e.Judge(p, action, rel, c).each(resources)
}

// FilterAll is [Set.FilterAll] by the enforced bundle.
func (e *Enforced) FilterAll(p Principal, action string, c Context) *RelationFilter {
	return e.knows(action).FilterAll(p, action, c)
}

// Ways is [Set.Ways] by the enforced bundle.
func (e *Enforced) Ways(r Request) []outcome.Way { return e.knows(r.Action).Ways(r) }

// Proof is [Set.Proof] by the enforced bundle.
func (e *Enforced) Proof(r Request) (aal int, age time.Duration) { return e.knows(r.Action).Proof(r) }

// WayForward is [Set.WayForward] by the enforced bundle.
func (e *Enforced) WayForward(r Request) (outcome.Way, bool) { return e.knows(r.Action).WayForward(r) }

// Explain is [Set.Explain] by the enforced bundle.
func (e *Enforced) Explain(r Request) string { return e.knows(r.Action).Explain(r) }
