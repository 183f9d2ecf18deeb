package policy

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Shadow is a candidate that decides beside the enforced bundle on live traffic. Decisions only hand over what was asked; when more
// comes than the candidate can judge it is counted as missed, never waited for. Differences are kept by who, act and rule, with no
// patient in them, and no more than 1,000 kinds of them.
type Shadow struct {
	set    *Set
	queue  chan told
	missed atomic.Int64

	mu     sync.Mutex
	judged int64
	found  map[Difference]int64
	beyond int64
}

type told struct {
	request Request
	by      Decision
}

// Difference is one kind of decision on which two bundles disagree.
type Difference struct {
	Person, Action, Group string // Person: id of the person, program or job
	Was, Would            bool   // allowed by the enforced bundle, by the candidate
	Rule                  string // of the candidate: the forbid, or the permit; empty: no rule permits
	Care                  bool   // see [Care]
}

// Differing is how often a difference came up.
type Differing struct {
	Difference
	Count int64
}

// Tally is what a shadow found so far.
type Tally struct {
	Judged, Missed int64
	Differences    []Differing // most frequent first
	Beyond         int64       // decisions that differ in further ways, which are not listed
}

const (
	shadowQueue     = 1024
	mostDifferences = 1000
)

// NewShadow prepares a candidate; [Shadow.Run] judges.
func NewShadow(candidate *Set) *Shadow {
	return &Shadow{set: candidate, queue: make(chan told, shadowQueue), found: map[Difference]int64{}}
}

// Hash is that of the candidate.
func (s *Shadow) Hash() string { return s.set.hash }

// Resume goes on from what was found before. Call it before [Shadow.Run].
func (s *Shadow) Resume(t Tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judged, s.beyond = s.judged+t.Judged, s.beyond+t.Beyond
	s.missed.Add(t.Missed)
	for _, d := range t.Differences {
		s.found[d.Difference] += d.Count
	}
}

// Run judges what is handed over until ctx ends.
func (s *Shadow) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-s.queue:
			s.judge(t)
		}
	}
}

func (s *Shadow) tell(r Request, d Decision) {
	select {
	case s.queue <- told{r, d}:
	default:
		s.missed.Add(1)
	}
}

func (s *Shadow) judge(t told) {
	if _, known := s.set.actions[t.request.Action]; !known {
		return // the shipped rules decide about it either way
	}
	d := s.set.Decide(t.request)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judged++
	if d.Allowed == t.by.Allowed {
		return
	}
	key := Difference{Person: t.request.Principal.ID, Action: t.request.Action, Group: t.request.Resource.Group, Was: t.by.Allowed, Would: d.Allowed, Rule: Deciding(d), Care: Care(t.request, t.by)}
	if _, known := s.found[key]; !known && len(s.found) >= mostDifferences {
		s.beyond++
		return
	}
	s.found[key]++
}

// Tally tells what was found so far.
func (s *Shadow) Tally() Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Tally{Judged: s.judged, Missed: s.missed.Load(), Beyond: s.beyond}
	for d, n := range s.found {
		out.Differences = append(out.Differences, Differing{d, n})
	}
	slices.SortFunc(out.Differences, func(a, b Differing) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Group, b.Group))
	})
	return out
}

// Deciding is the id of the rule that a decision rests on: its first forbid, its first permit; empty where no rule permits.
func Deciding(d Decision) string {
	switch {
	case len(d.Forbids) > 0:
		return d.Forbids[0].ID
	case d.Allowed:
		return d.Permits[0].ID
	}
	return ""
}

// Care reports an act of care that was allowed: somebody who treats reads, searches or writes in a chart. A bundle that would have
// refused it is not published before somebody has answered for that.
func Care(r Request, d Decision) bool {
	return d.Allowed && r.Principal.Kind == Person && r.Principal.Capacity == Staff && r.Resource.PatientKey != "" &&
		slices.Contains([]string{Read, Search, Write}, r.Action) &&
		slices.ContainsFunc(r.Principal.Roles, func(role string) bool { return slices.Contains(Clinical, role) })
}
