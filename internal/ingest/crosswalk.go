package ingest

import (
	"slices"
	"strings"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
)

// crosswalk finds what references mean across a context: identifiers and ids of bundles to resources, a PractitionerRole to its person, a
// team, group, schedule or slot to those behind it. It is told of each resource in the order of [Types] and is for one goroutine.
type crosswalk struct {
	walk   *foreign.Crosswalk
	stands map[string]standing // by resource
	humans map[string][]string // Person to those who are one with her
}

// standing is what a resource stands for, and since when that is known.
type standing struct {
	parties []string
	since   int64
}

func newCrosswalk() *crosswalk {
	return &crosswalk{foreign.NewCrosswalk(), map[string]standing{}, map[string][]string{}}
}

// named are the types whose resources others name by identifier, or by their id in a bundle.
var named = []string{"Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "Patient", "RelatedPerson", "CareTeam", "Group"}

// learn takes in what an entry is called and stands for.
func (x *crosswalk) learn(e *entry) {
	if len(e.stands) > 0 {
		x.stands[strings.Clone(e.Ref)] = standing{cloneAll(e.stands), e.Known}
	}
	typ, id, _ := strings.Cut(e.Ref, "/")
	if !slices.Contains(named, typ) {
		return
	}
	x.walk.Add(e.Ref, "", id)
	for _, id := range e.ids {
		x.walk.Add(e.Ref, id.System, id.Value)
	}
}

func cloneAll(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = strings.Clone(s)
	}
	return out
}

// find is the resource that a party means, of the types in the order of preference; or the party as it can be shown.
func (x *crosswalk) find(party string, types ...string) string {
	id := foreign.ID{Value: party}
	switch {
	case party == "":
		return ""
	case strings.HasPrefix(party, "?"):
		typ, rest, _ := strings.Cut(party[1:], "?")
		if id.System, id.Value, _ = strings.Cut(rest, "|"); typ != "" {
			types = []string{typ}
		}
	case strings.HasPrefix(party, "urn:uuid:"):
		id.Value, types = party[len("urn:uuid:"):], named
	case strings.Contains(party, "/"):
		return x.walk.Resolve(party)
	}
	for _, t := range types {
		if ref, ok := x.walk.Find(t, []foreign.ID{id, {Value: id.Value}}); ok {
			return ref
		}
	}
	return bare(party)
}

// person is the Practitioner whom a party means, through a role if need be; else the party as it can be shown.
func (x *crosswalk) person(party string) string {
	ref := x.find(party, "Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
	if strings.HasPrefix(ref, "PractitionerRole/") {
		for _, p := range x.stands[ref].parties {
			if p = x.find(p, "Practitioner"); strings.HasPrefix(p, "Practitioner/") {
				return p
			}
		}
	}
	return ref
}

// open calls each with those whom a party stands for, and since when that is known.
func (x *crosswalk) open(party string, since int64, depth int, each func(ref string, since int64)) {
	ref := x.find(party, named...)
	if nameOnly(party) && !strings.Contains(ref, "/") {
		return
	}
	if s, ok := x.stands[ref]; ok && depth < 5 && !strings.HasPrefix(ref, "RelatedPerson/") {
		for _, p := range s.parties {
			x.open(p, max(since, s.since), depth+1, each)
		}
		return
	}
	each(ref, since)
}

// nameOnly reports whether a party is said in words alone: two may have one name.
func nameOnly(party string) bool {
	return !strings.ContainsAny(party, "/?") && !strings.HasPrefix(party, "urn:")
}

// isUnit and isPerson tell parties apart. Who is named by an identifier or in words only is a person.
func isUnit(ref string) bool {
	return strings.HasPrefix(ref, "Organization/") || strings.HasPrefix(ref, "Location/") || strings.HasPrefix(ref, "HealthcareService/")
}

func isPerson(ref string) bool {
	if strings.HasPrefix(ref, "Practitioner/") || strings.HasPrefix(ref, "PractitionerRole/") || strings.HasPrefix(ref, "?Practitioner") || strings.HasPrefix(ref, "??") {
		return true
	}
	return ref != "" && !strings.ContainsAny(ref, "/?#") && !strings.HasPrefix(ref, "urn:")
}

// record gives an entry to the engine's words, with every reference resolved.
func (x *crosswalk) record(e *entry) detect.Record {
	r := e.Record
	patient := func(party string) string {
		if ref := x.find(party, "Patient"); !nameOnly(party) || strings.Contains(ref, "/") {
			return ref
		}
		return ""
	}
	r.Patient, r.Consents = patient(r.Patient), patient(r.Consents)
	if r.Maker != "" {
		r.Maker = x.person(r.Maker)
	}
	for _, t := range e.ties {
		if t.party == "" {
			r.Ties = append(r.Ties, detect.Tie{Template: t.mine, From: t.from, To: t.to, Patient: patient(t.patient)})
			continue
		}
		x.open(t.party, 0, 0, func(ref string, since int64) {
			as := t.mine
			switch {
			case isUnit(ref):
				as = t.ours
			case !isPerson(ref):
				return
			}
			if as != none {
				r.Ties = append(r.Ties, detect.Tie{Template: as, Party: ref, From: t.from, To: t.to, Patient: patient(t.patient), Known: since})
			}
		})
	}
	if r.Folk != nil && r.Folk.Of != "" {
		r.Folk.Of = patient(r.Folk.Of)
	}
	if r.Post != nil {
		r.Post.Person = x.find(r.Post.Person, "Practitioner")
		for i, u := range r.Post.Units {
			r.Post.Units[i] = x.find(u, "Organization", "Location", "HealthcareService")
		}
	}
	if r.Unit != nil {
		for i, u := range r.Unit.Parts {
			r.Unit.Parts[i] = x.find(u, "Organization", "Location")
		}
		r.Unit.Under = x.find(r.Unit.Under, "Organization")
	}
	if r.Seat != nil {
		r.Seat.Place = x.find(r.Seat.Place, "Location", "Organization")
	}
	if r.Plan != nil {
		actors := r.Plan.People
		r.Plan.People = nil
		for _, a := range actors {
			x.open(a, 0, 0, func(ref string, _ int64) {
				if isUnit(ref) {
					r.Plan.Places = append(r.Plan.Places, ref)
				} else if isPerson(ref) {
					r.Plan.People = append(r.Plan.People, ref)
				}
			})
		}
	}
	for i := range r.Twins {
		r.Twins[i] = patient(r.Twins[i])
	}
	for i, k := range r.Kin {
		r.Kin[i] = detect.Kin{Patient: patient(k.Patient), Of: patient(k.Of)}
	}
	if strings.HasPrefix(r.Ref, "Person/") {
		x.human(&r)
	}
	return r
}

// human joins who is one with a Person, through other Persons too: staff, their own charts, and whose relatives they are.
func (x *crosswalk) human(r *detect.Record) {
	all := append([]string{strings.Clone(r.Ref)}, cloneAll(r.Same)...)
	for i := 0; i < len(all) && i < 50; i++ {
		all[i] = x.find(all[i], "Practitioner", "Patient", "RelatedPerson")
		for _, other := range x.humans[all[i]] {
			if !slices.Contains(all, other) {
				all = append(all, other)
			}
		}
	}
	for _, a := range all { // either may come first
		if strings.HasPrefix(a, "Person/") {
			x.humans[a] = all
		}
	}
	r.Same = all
	for _, relative := range all {
		if !strings.HasPrefix(relative, "RelatedPerson/") {
			continue
		}
		for _, p := range x.stands[relative].parties {
			for _, who := range all {
				r.Kin = append(r.Kin, detect.Kin{Patient: x.find(p, "Patient"), Of: who})
			}
		}
	}
}
