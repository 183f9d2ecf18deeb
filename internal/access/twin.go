package access

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Twin are two shares that are only honest together: how many openings something explained, and how many of the same would have been
// explained had each met the patient of another one. Reasons that would fit anybody show in the second.
type Twin struct {
	Openings  int // newest deliberate openings by staff, at most 200; 0: too few to say anything
	Explained int
	Dealt     int
}

const (
	twinMost  = 200
	twinLeast = 30
	twinLasts = 10 * time.Minute
	twinReach = 30 * 24 * time.Hour
)

// twins keeps the last answer for a while: it costs hundreds of decisions.
type twins struct {
	mu   sync.Mutex
	at   time.Time
	twin Twin
}

// twinOpening is one opening, as far as explaining it goes.
type twinOpening struct {
	person  string
	patient fhir.PatientID
	group   string
	at      time.Time
}

// twin computes both shares by the rules and the relationships as they were known at the time of each opening. People stand in it with
// the roles that they hold today.
func (g *Gate) twin(ctx context.Context) (Twin, error) {
	g.twins.mu.Lock()
	defer g.twins.mu.Unlock()
	if now := g.now(); !g.twins.at.IsZero() && now.Sub(g.twins.at).Abs() < twinLasts {
		return g.twins.twin, nil
	}
	openings, err := g.twinOpenings(ctx)
	if err != nil {
		return Twin{}, err
	}
	var out Twin
	if n := len(openings); n >= twinLeast {
		out.Openings = n
		people := map[string]identity.Person{}
		for i, other := range rand.New(rand.NewPCG(uint64(n), 1)).Perm(n) {
			one, dealt := openings[i], openings[i]
			for step := 0; step < n && dealt.patient == one.patient; step++ {
				dealt.patient = openings[(other+step)%n].patient
			}
			real, err := g.wouldExplain(ctx, people, one)
			if err != nil {
				return Twin{}, err
			}
			random, err := g.wouldExplain(ctx, people, dealt)
			if err != nil {
				return Twin{}, err
			}
			if real {
				out.Explained++
			}
			if random {
				out.Dealt++
			}
		}
	}
	g.twins.at, g.twins.twin = g.now(), out
	return out, nil
}

func (g *Gate) twinOpenings(ctx context.Context) ([]twinOpening, error) {
	about := func(e *audit.Event) int {
		return slices.IndexFunc(e.Patients, func(x audit.PatientPart) bool { return x.Patient != 0 && len(x.Groups) > 0 })
	}
	reads, err := g.log.Range(ctx, audit.Span{From: g.now().Add(-twinReach), Kinds: []audit.Kind{audit.Disclosure, audit.Emergency}, Keep: func(r *audit.Read) bool {
		e := &r.Event
		return e.Class == audit.Deliberate && e.Agent.Person != "" && e.Agent.Capacity == policy.Staff && about(e) >= 0
	}}, audit.Page{Limit: twinMost})
	if err != nil {
		return nil, err
	}
	var out []twinOpening
	for _, r := range reads {
		part := r.Event.Patients[about(&r.Event)]
		out = append(out, twinOpening{r.Event.Agent.Person, part.Patient, part.Groups[0], happened(r)})
	}
	return out, nil
}

// wouldExplain asks the rules whether the person could have opened that part of the chart then, by more than the glass.
func (g *Gate) wouldExplain(ctx context.Context, people map[string]identity.Person, o twinOpening) (bool, error) {
	person, ok := people[o.person]
	if !ok {
		var err error
		if person, err = g.persons.Person(ctx, o.person); err != nil && !outcome.Is(err, outcome.NotFound) {
			return false, err
		}
		person.Active = true // who has left since was here then
		people[o.person] = person
	}
	as := *g
	as.now = func() time.Time { return o.at }
	s, err := as.relate(ctx, Person(&identity.Session{Person: person, Capacity: identity.StaffCapacity, Trust: policy.Registered, Zone: policy.Hospital, AAL: 2}),
		chart{number: o.patient, id: "then"})
	if err != nil {
		return false, err
	}
	s.context.AuthAge = 0
	typ := "Condition"
	switch fhir.Group(o.group) {
	case fhir.GroupDemographics, fhir.GroupContact, fhir.GroupIdentifiers:
		typ = "Patient"
	}
	r := s.typical(typ)
	r.Group = o.group
	d := g.policy.Set().Decide(s.request(policy.Read, r))
	return d.Allowed && s.reason(d).Explained(), nil
}
