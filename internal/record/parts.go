package record

import (
	"context"
	"slices"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
)

// Parts names what is about to be disclosed, by patient, for the audit event of it; the caller adds why. What concerns several
// patients stands under each. Staff and system data stand under patient 0.
func (s *Store) Parts(sealed ...*Sealed) []audit.PatientPart {
	var g grouping
	for _, x := range sealed {
		g.add(x.Patients(), x.Group(), audit.Record{Record: x.Record(), Version: x.Version(), Ref: x.Ref()})
	}
	return g.named(s)
}

// intents names what is about to be stored, with the hash of it.
func (s *Store) intents(items []*item) []audit.PatientPart {
	var g grouping
	for _, it := range items {
		if it.effect == Unchanged {
			continue
		}
		var patients []fhir.PatientID
		if it.after.patient != 0 {
			patients = append([]fhir.PatientID{it.after.patient}, it.also...)
		}
		if it.kind == patientType {
			g.refs = append(g.refs, refOf{it.after.patient, it.kind + "/" + it.id})
		}
		g.add(patients, fhir.FieldGroup(it.kind), audit.Record{Record: it.after.rec, Version: it.after.vid, Ref: it.kind + "/" + it.id, Hash: it.after.hash()})
	}
	return g.named(s)
}

// grouping collects records by patient, in the order in which the patients come.
type grouping struct {
	parts []audit.PatientPart
	index map[fhir.PatientID]int
	refs  []refOf // of patients that the directory does not know yet
}

type refOf struct {
	patient fhir.PatientID
	ref     string
}

func (g *grouping) add(patients []fhir.PatientID, group fhir.Group, r audit.Record) {
	if g.index == nil {
		g.index = map[fhir.PatientID]int{}
	}
	if len(patients) == 0 {
		patients = []fhir.PatientID{0}
	}
	for _, p := range patients {
		i, ok := g.index[p]
		if !ok {
			i = len(g.parts)
			g.index[p] = i
			g.parts = append(g.parts, audit.PatientPart{Patient: p})
		}
		part := &g.parts[i]
		part.Records = append(part.Records, r)
		if !slices.Contains(part.Groups, string(group)) {
			part.Groups = append(part.Groups, string(group))
		}
	}
}

// named gives each part the logical id of its patient.
func (g *grouping) named(s *Store) []audit.PatientPart {
	for i := range g.parts {
		if id, err := s.PatientRef(context.Background(), g.parts[i].Patient); err == nil {
			g.parts[i].Ref = patientType + "/" + id
		}
	}
	for _, r := range g.refs {
		if i, ok := g.index[r.patient]; ok {
			g.parts[i].Ref = r.ref
		}
	}
	return g.parts
}
