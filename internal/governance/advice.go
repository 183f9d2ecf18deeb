package governance

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// AdviceWindow is how long something was not used before advice names it.
const AdviceWindow = 90 * 24 * time.Hour

// Unused is what somebody holds and did not need: without it everything that was allowed would have been allowed all the same.
type Unused struct {
	Person     string   `json:"person"`
	Name       string   `json:"name"`
	Roles      []string `json:"roles,omitempty"`
	Clearances []string `json:"clearances,omitempty"`
	Used       []string `json:"roles_used"` // that stay
	Decisions  int64    `json:"decisions"`  // allowed, about charts
	Idle       bool     `json:"idle"`       // no chart was opened at all: that is for recertification, nothing is advised
}

// chartRoles are those whose use shows in decisions about charts. Others (privacy, administrator, ...) work without charts, so that their
// not being seen there says nothing: they are never advised away.
var chartRoles = append(slices.Clone(policy.Clinical), "front-desk", "billing")

// use is what one person's decisions needed.
type use struct {
	decisions int64
	needed    []string // roles, in the order in which they turned out to be needed
	labels    map[string]bool
}

// Advise tells which roles and clearances of whom were not needed since a moment. Its roles are jointly unneeded: all of them can go.
// Errors: as [access.Gate.Past].
func (g *Rules) Advise(ctx context.Context, who access.Principal, since time.Time) (out []Unused, entry string, err error) {
	uses := map[string]*use{}
	set := g.o.Enforced.Set()
	read, err := g.o.Gate.Past(ctx, who, "advice: what is held and not used", since, g.now().Add(time.Second), func(x access.Past) error {
		p := x.Facts.Principal
		if !x.Allowed || p.Kind != policy.Person || p.Capacity != policy.Staff {
			return nil
		}
		u := uses[x.Person]
		if u == nil {
			u = &use{labels: map[string]bool{}}
			uses[x.Person] = u
		}
		for _, q := range x.Facts.Requests() {
			u.decisions++
			u.take(set, q)
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	people, err := g.o.Persons.People(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, p := range people {
		if one, ok := unused(p, uses[p.ID], since); ok {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b Unused) int {
		return cmp.Or(order(a.Idle, b.Idle), -cmp.Compare(len(a.Roles)+len(a.Clearances), len(b.Roles)+len(b.Clearances)), cmp.Compare(a.Name, b.Name))
	})
	return out, read.Entry, nil
}

func (u *use) take(set *policy.Set, q policy.Request) {
	for _, l := range q.Resource.Labels {
		if slices.Contains(q.Principal.Clearances, l) {
			u.labels[l] = true
		}
	}
	roles := q.Principal.Roles
	by := func(some []string) bool {
		q.Principal.Roles = some
		return set.Decide(q).Allowed
	}
	if kept := common(roles, u.needed); len(kept) > 0 && by(kept) {
		return
	}
	for _, r := range roles {
		if by(append(common(roles, u.needed), r)) {
			u.needed = append(u.needed, r)
			return
		}
	}
	for _, r := range roles { // only several together, or the rules have changed since
		if !slices.Contains(u.needed, r) {
			u.needed = append(u.needed, r)
		}
	}
}

func common(a, b []string) (out []string) {
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

func unused(p identity.Person, u *use, since time.Time) (Unused, bool) {
	out := Unused{Person: p.ID, Name: p.Name}
	if !p.Active || p.Created.After(since) && u == nil {
		return out, false
	}
	charts := common(p.Roles, chartRoles)
	if u == nil {
		out.Idle, out.Used = true, p.Roles
		return out, len(charts) > 0
	}
	out.Decisions = u.decisions
	for _, r := range p.Roles {
		if slices.Contains(chartRoles, r) && !slices.Contains(u.needed, r) {
			out.Roles = append(out.Roles, r)
		} else {
			out.Used = append(out.Used, r)
		}
	}
	for _, c := range p.Clearances {
		if !u.labels[c] {
			out.Clearances = append(out.Clearances, c)
		}
	}
	return out, len(out.Roles)+len(out.Clearances) > 0
}

// TryWithout replays by the rules in force as if nobody held what is advised away. Errors: as [Rules.Try].
func (g *Rules) TryWithout(ctx context.Context, who access.Principal, advice []Unused, since time.Time) (*Replay, error) {
	gone := map[string]Unused{}
	for _, a := range advice {
		gone[a.Person] = a
	}
	return g.replay(ctx, who, g.o.Enforced.Set(), since, g.now().Add(time.Second), func(p *policy.Principal) {
		a, ok := gone[p.ID]
		if !ok || p.Kind != policy.Person {
			return
		}
		p.Roles = slices.DeleteFunc(slices.Clone(p.Roles), func(r string) bool { return slices.Contains(a.Roles, r) })
		p.Clearances = slices.DeleteFunc(slices.Clone(p.Clearances), func(c string) bool { return slices.Contains(a.Clearances, c) })
	}, new(atomic.Int64))
}
