package policy

import (
	"slices"
	"sort"
	"time"

	"chartwarden/internal/outcome"
)

// grantProbe is how long the grant of a what-if question runs: long enough to be live at the instant that is asked about.
const grantProbe = time.Millisecond

// Ways asks again with hypothetical facts and returns everything that would turn the refusal of r into a permit, in the order in
// which it should be offered: what she can do by herself and at once (a fresh factor, training done, a registered device, one approval, breaking the glass, both
// a factor and the glass), then what needs an order or a colleague: taking an open order of her department, the word of somebody who
// treats the patient, a timed request. Whether there is such a colleague is for the caller to know. It is empty for what is already
// allowed and for what nothing opens. An offer is never a guess.
func (s *Set) Ways(r Request) []outcome.Way {
	if s.Decide(r).Allowed {
		return nil
	}
	var out []outcome.Way
	for _, try := range []struct {
		way  outcome.Way
		made func(Request) Request
	}{
		{outcome.StepUp, steppedUp},
		{outcome.Training, trained},
		{outcome.KnownDevice, registered},
		{outcome.Approval, approved},
		{outcome.BreakGlass, s.glass},
		{outcome.StepUpThenGlass, func(r Request) Request { return s.glass(steppedUp(r)) }},
		{outcome.TakeOrder, taken},
		{outcome.AskTeam, askedIn},
		{outcome.AskGrant, granted},
	} {
		if try.way == outcome.StepUpThenGlass && slices.Contains(out, outcome.BreakGlass) {
			continue
		}
		if s.decide(try.made(r)).Allowed {
			out = append(out, try.way)
		}
	}
	return out
}

// WayForward is the first of [Set.Ways]; false when nothing opens r, and then a refusal reads as for a patient who does not exist.
func (s *Set) WayForward(r Request) (outcome.Way, bool) {
	if ways := s.Ways(r); len(ways) > 0 {
		return ways[0], true
	}
	return outcome.NoWay, false
}

// steppedUp has the level that a fresh factor gives: no sign-in reaches the third yet.
func steppedUp(r Request) Request {
	r.Context.AAL, r.Context.AuthAge = max(r.Context.AAL, 2), 0
	return r
}

// Proof is the sign-in by which r would be allowed where a fresh one of the second level allows it: its level, and how old it may be; negative
// where its age changes nothing.
func (s *Set) Proof(r Request) (aal int, age time.Duration) {
	r.Context.AAL = max(r.Context.AAL, 2)
	aged := func(seconds int) bool {
		aged := r
		aged.Context.AuthAge = seconds
		return s.decide(aged).Allowed
	}
	if aged(r.Context.AuthAge) {
		return r.Context.AAL, -1
	}
	return r.Context.AAL, time.Duration(max(0, sort.Search(r.Context.AuthAge, func(seconds int) bool { return !aged(seconds) })-1)) * time.Second
}

func registered(r Request) Request {
	r.Context.Device = Registered
	return r
}

func trained(r Request) Request {
	r.Principal.TrainingDue = r.Context.Now.Add(time.Hour)
	return r
}

func approved(r Request) Request {
	r.Context.Approvals = max(r.Context.Approvals, 1)
	return r
}

// glass gives a grant to whoever may break the glass in these circumstances; the others stay as they are.
func (s *Set) glass(r Request) Request {
	ask := r
	ask.Action = Break
	if r.Resource.PatientKey != "" && s.decide(ask).Allowed {
		r.Relation.BTGUntil = r.Context.Now.Add(grantProbe)
	}
	return r
}

// taken gives her a task where an open order is addressed to a department of hers.
func taken(r Request) Request {
	if r.Principal.Kind == Person && slices.ContainsFunc(r.Relation.OrderDepts, func(d string) bool { return slices.Contains(r.Principal.Departments, d) }) {
		r.Relation.TaskOpen = true
	}
	return r
}

func askedIn(r Request) Request {
	r.Relation.Asked = true
	return r
}

func granted(r Request) Request {
	r.Relation.Granted = []string{r.Resource.Group}
	return r
}
