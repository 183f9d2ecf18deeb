package care

import (
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

// Encounters and appointments: who is in contact with the patient, and where the patient is.

// parts are the codes of a participant's type that a sentence tells apart.
// Source: http://terminology.hl7.org/CodeSystem/v3-ParticipationType.
var parts = map[string]int64{"ATND": attending, "PPRF": attending, "CON": consultant}

func (p *projection) encounter() {
	root := p.c.Doc.Root()
	patient := p.chart(root.Get("subject"))
	status, period := root.Get("status").Text(), root.Get("period")
	p.visited(patient, status, period)
	for one := range root.Get("participant").Items() {
		x, ok := p.party(one.Get("individual"))
		if !ok || !x.person() {
			continue
		}
		if since, until, ok := p.visit(edge{kind: encounter, patient: patient, actor: x.key}, status, period); ok {
			since, until = p.within(one.Get("period"), since, until)
			p.contact(encounter, patient, x, part(one.Get("type")), since, until)
		}
	}
	if x, ok := p.party(root.Get("serviceProvider")); ok && status != "planned" {
		if since, until, ok := p.visit(edge{kind: stay, patient: patient, actor: x.key}, status, period); ok {
			p.place(patient, x, since, until)
		}
	}
	for one := range root.Get("location").Items() {
		x, ok := p.party(one.Get("location"))
		there := one.Get("status").Text()
		if !ok || status == "planned" || there == "planned" || there == "reserved" {
			continue
		}
		e := edge{kind: stay, patient: patient, actor: x.key}
		if since, until, ok := p.visit(e, status, period); ok {
			since, until = p.within(one.Get("period"), since, until)
			if there == "completed" {
				until = max(min(until, p.over(e, since)), since+1)
			}
			p.place(patient, x, since, until)
		}
	}
}

// visited keeps when the patient's visits run, whoever takes part. One that was cancelled while it ran ran until then.
func (p *projection) visited(patient fhir.PatientID, status string, period document.Node) {
	e := edge{kind: visited, patient: patient}
	since, until, ok := p.visit(e, status, period)
	switch status {
	case "planned":
		return
	case "cancelled", "entered-in-error":
		var before row
		if before, ok = p.was(e); ok {
			since, until = before.since, max(min(before.until, p.known), before.since+1)
		}
	}
	if ok && until > p.known-recent {
		p.say(visited, patient, party{}, 0, since, until)
	}
}

func part(types document.Node) (out int64) {
	for typ := range types.Items() {
		for coding := range typ.Get("coding").Items() {
			if d := parts[coding.Get("code").Text()]; d != 0 && out != attending {
				out = d
			}
		}
	}
	return out
}

// visit is when an encounter in that status holds; false when it says nothing about when, or never was.
func (p *projection) visit(e edge, status string, period document.Node) (since, until int64, ok bool) {
	since = p.start(period.Get("start"), never)
	if before, was := p.was(e); was && since == never {
		since = before.since
	}
	switch status {
	case "planned":
		return since, p.end(period.Get("end"), since+day), since != never
	case "arrived", "triaged", "in-progress", "onleave":
		// It lasts until somebody says that it ended: a planned end that is past shuts nobody out in the middle of a visit.
		return min(since, p.known), never, true
	case "finished":
		return since, max(p.end(period.Get("end"), p.over(e, since)), since+1), since != never
	}
	return 0, 0, false
}

// over is when something ended whose end nobody wrote down: when we were told, if it was running until then. Of what was over before
// we first heard of it, only the beginning is sure.
func (p *projection) over(e edge, began int64) int64 {
	before, ok := p.was(e)
	switch {
	case !ok:
		return began + 1
	case before.until < p.known:
		return before.until
	}
	return p.known
}

func (p *projection) appointment() {
	root := p.c.Doc.Root()
	since := p.start(root.Get("start"), never)
	until := p.end(root.Get("end"), since+hour)
	switch root.Get("status").Text() {
	case "booked", "fulfilled":
		if since == never {
			return
		}
	case "arrived", "checked-in": // here now, whatever the hour that was agreed
		if since == never {
			until = p.known + day
		}
		since, until = min(since, p.known), max(until, p.known+1)
		for _, r := range p.prior {
			since = min(since, r.since)
		}
	default:
		return
	}
	patients := p.patients()
	for one := range root.Get("participant").Items() {
		x, ok := p.party(one.Get("actor"))
		if !ok || one.Get("status").Text() == "declined" {
			continue
		}
		for _, patient := range patients {
			switch {
			case x.person():
				p.contact(appointment, patient, x, 0, since, until)
			case x.is("Location", "HealthcareService"):
				p.place(patient, x, since, until)
			}
		}
	}
}

// patients are the charts of an appointment's patients.
func (p *projection) patients() (out []fhir.PatientID) {
	for one := range p.c.Doc.Root().Get("participant").Items() {
		if x, ok := p.party(one.Get("actor")); ok && x.is("Patient") {
			out = append(out, p.chart(one.Get("actor")))
		}
	}
	if len(out) == 0 {
		out = append(out, p.c.Patient)
	}
	return out
}

// contact wants an edge between a person and a patient, unless it is too old ever to matter.
func (p *projection) contact(k kind, patient fhir.PatientID, x party, part, since, until int64) {
	if until > p.known-forgotten {
		p.say(k, patient, x, part, since, until)
	}
}

// place wants that the patient is somewhere; where she was long ago matters to nobody.
func (p *projection) place(patient fhir.PatientID, x party, since, until int64) {
	if until > p.known-after {
		p.say(stay, patient, x, 0, since, until)
	}
}
