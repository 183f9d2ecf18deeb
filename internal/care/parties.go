package care

import (
	"iter"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

// tellers read the resources that say who is related; each fills projection.want.
var tellers = map[string]func(*projection){
	"CareTeam":          (*projection).careTeam,
	"Patient":           (*projection).patient,
	"Encounter":         (*projection).encounter,
	"Appointment":       (*projection).appointment,
	"ServiceRequest":    (*projection).serviceRequest,
	"MedicationRequest": (*projection).medicationRequest,
	"DiagnosticReport":  (*projection).diagnosticReport,
	"Task":              (*projection).task,
	"Flag":              (*projection).flag,
	"Person":            (*projection).person,
	"PractitionerRole":  (*projection).practitionerRole,
	"Organization":      (*projection).organization,
	"Schedule":          (*projection).schedule,
	"Slot":              (*projection).slot,
}

// party is somebody or something that a Reference names.
type party struct {
	ref  fhir.Ref
	key  int64
	name string // as displayed there
}

// is reports whether the party is one of these types.
func (x party) is(types ...string) bool {
	for _, t := range types {
		if x.ref.Type == t {
			return true
		}
	}
	return false
}

// person reports whether the party is a person at work, by herself or by a role of hers.
func (x party) person() bool { return x.is("Practitioner", "PractitionerRole") }

// department reports whether orders can be addressed to the party.
func (x party) department() bool { return x.is("Organization", "HealthcareService", "Location") }

// party reads a Reference; false when it names nothing of this server.
func (p *projection) party(reference document.Node) (party, bool) {
	ref, ok := fhir.LocalReference(p.g.o.Base, reference.Get("reference").Text())
	if !ok {
		return party{}, false
	}
	x := party{ref: ref, key: p.g.key(ref.String()), name: strings.Clone(reference.Get("display").Text())}
	if p.names == nil {
		p.names = map[int64]named{}
	}
	p.names[x.key] = named{Ref: strings.Clone(ref.String()), Name: x.name}
	return x, true
}

// parties reads one Reference or many.
func (p *projection) parties(references document.Node) iter.Seq[party] {
	return func(yield func(party) bool) {
		for n := range references.Items() {
			if x, ok := p.party(n); ok && !yield(x) {
				return
			}
		}
	}
}

// charts are those of the patients that a Reference names; without one, the chart of the resource.
func (p *projection) chart(reference document.Node) fhir.PatientID {
	if x, ok := p.party(reference); ok && x.is("Patient") && p.c.Resolve != nil {
		if patient, ok := p.c.Resolve(x.ref.ID); ok {
			return patient
		}
	}
	return p.c.Patient
}

// say wants an edge between a party and a chart, unless it would be empty.
func (p *projection) say(k kind, patient fhir.PatientID, x party, detail, since, until int64) {
	if patient == 0 || until <= since {
		return
	}
	p.want = append(p.want, edge{kind: k, patient: patient, actor: x.key, detail: detail, since: since, until: until, role: x.is("PractitionerRole")})
}

// staff wants an edge among staff and places.
func (p *projection) staff(k kind, actor, place, since, until int64) {
	if until > since {
		p.want = append(p.want, edge{kind: k, actor: actor, place: place, since: since, until: until})
	}
}

// acts are the visits, orders and tasks that this resource is an act of.
func (p *projection) acts() iter.Seq[fhir.Ref] {
	root := p.c.Doc.Root()
	return func(yield func(fhir.Ref) bool) {
		for _, at := range []document.Node{
			root.Get("encounter"), root.Get("context"), root.Get("context").Get("encounter"), root.Get("appointment"), root.Get("basedOn"),
			root.Get("request"), root.Get("focus"), root.Get("authorizingPrescription"), root.Get("prescription"), root.Path("item", "encounter"),
		} {
			for n := range at.Items() {
				ref, ok := fhir.LocalReference(p.g.o.Base, n.Get("reference").Text())
				if ok && tellers[ref.Type] != nil && !yield(ref) {
					return
				}
			}
		}
	}
}
