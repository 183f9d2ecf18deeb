package ingest

import (
	"slices"
	"strings"

	"chartwarden/internal/detect"
)

// Types are the resource types of a context, one NDJSON file each; any subset will do.
var Types = []string{"Patient", "RelatedPerson", "Person", "Practitioner", "PractitionerRole", "Organization", "Location",
	"HealthcareService", "CareTeam", "Appointment", "Encounter", "EpisodeOfCare", "ServiceRequest", "MedicationRequest", "Procedure",
	"DocumentReference", "Task", "Communication", "Consent", "Flag", "Group", "ResearchSubject", "Coverage", "Claim", "Account", "Schedule", "Slot"}

// Resource reads one FHIR R4 resource of the context. It is known since meta.lastUpdated, or from the start without one. why says what
// is wrong with a line that is none. A type or status that detection learns nothing from gives a record without content.
func Resource(line string) (r detect.Record, why string) {
	c := cursor{s: line}
	var b bag
	b.fill(&c)
	switch {
	case c.why != "":
		return r, "not JSON: " + c.why
	case b.typ == "" || b.id == "":
		return r, "the resource has no type or no id"
	case !slices.Contains(Types, b.typ):
		return r, "a type that a context does not have"
	}
	r = detect.Record{Ref: b.typ + "/" + b.id, Known: b.known}
	if r.Gone = gone[b.status] || b.inactive && b.typ == "PractitionerRole"; r.Gone {
		return r, ""
	}
	if read, ok := readers[b.typ]; ok {
		read(&b, &r)
	}
	return r, ""
}

// gone are the status codes under which a resource relates nobody, whatever an earlier version said.
var gone = map[string]bool{"entered-in-error": true, "cancelled": true, "noshow": true, "inactive": true, "revoked": true, "proposed": true, "rejected": true}

var readers = map[string]func(*bag, *detect.Record){
	"Patient": folk, "Practitioner": folk, "RelatedPerson": folk,
	"Person": sameHuman, "PractitionerRole": post,
	"Organization": unit, "Location": unit, "HealthcareService": unit,
	"CareTeam": careTeam, "EpisodeOfCare": careTeam, "Appointment": appointment, "Encounter": encounter,
	"ServiceRequest": order, "MedicationRequest": order, "Procedure": procedure, "DocumentReference": document,
	"Task": task, "Communication": communication, "Consent": consent, "Flag": flag, "Group": cohort, "ResearchSubject": subject,
	"Schedule": schedule, "Slot": slot,
	"Coverage": account, "Claim": account, "Account": account,
}

// one is the first reference among fields.
func (b *bag) one(fields ...string) string {
	for _, f := range fields {
		if v := b.refs[f]; len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

func (b *bag) says(words ...string) bool {
	return slices.ContainsFunc(b.texts, func(t string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(t, w) })
	})
}

func isPerson(ref string) bool { return strings.HasPrefix(ref, "Practitioner") }
func isUnit(ref string) bool {
	return strings.HasPrefix(ref, "Organization/") || strings.HasPrefix(ref, "Location/") || strings.HasPrefix(ref, "HealthcareService/")
}

// tie adds a relationship: with a person by one template, with a unit by another.
func (b *bag) tie(r *detect.Record, ref string, mine, ours detect.Template, from, to int64) {
	switch {
	case isPerson(ref):
		r.Ties = append(r.Ties, detect.Tie{Template: mine, Party: ref, From: from, To: to})
	case isUnit(ref):
		r.Ties = append(r.Ties, detect.Tie{Template: ours, Party: ref, From: from, To: to})
	}
}

func folk(b *bag, r *detect.Record) {
	f := &detect.Folk{Ref: r.Ref, Family: b.family, Given: b.given, Birth: b.birth, Street: b.street, Postal: b.postal, Phones: b.phones, Died: b.died}
	for _, k := range b.contacts {
		f.Contacts = append(f.Contacts, detect.Contact{Family: k.family, Given: k.given, Phone: k.phone})
	}
	r.Folk = f
	switch b.typ {
	case "RelatedPerson":
		f.Of = b.one("patient")
	case "Patient":
		r.Patient, r.Flags = r.Ref, b.labels
		for _, gp := range b.refs["generalPractitioner"] {
			b.tie(r, gp, detect.OwnDoctor, detect.OwnDoctor, 0, 0)
		}
		r.Ties = slices.DeleteFunc(r.Ties, func(t detect.Tie) bool { return !isPerson(t.Party) })
	}
}

func sameHuman(b *bag, r *detect.Record) {
	for _, ref := range b.refs["link"] {
		switch {
		case strings.HasPrefix(ref, "Practitioner/"):
			r.Same[0] = ref
		case strings.HasPrefix(ref, "Patient/"):
			r.Same[1] = ref
		}
	}
}

func post(b *bag, r *detect.Record) {
	p := &detect.Post{Person: b.one("practitioner"), From: b.from, To: b.to}
	if len(b.texts) > 0 {
		p.Role = b.texts[len(b.texts)-1]
	}
	p.Units = slices.Concat(b.refs["organization"], b.refs["location"], b.refs["healthcareService"])
	r.Post = p
}

// schedule lists where and when somebody works; care reads it the same way.
func schedule(b *bag, r *detect.Record) {
	if b.inactive {
		return
	}
	p := &detect.Plan{Ref: r.Ref, From: b.from, To: b.to}
	for _, ref := range b.refs["actor"] {
		switch {
		case isPerson(ref):
			p.People = append(p.People, ref)
		case isUnit(ref):
			p.Places = append(p.Places, ref)
		}
	}
	r.Plan = p
}

func slot(b *bag, r *detect.Record) {
	if b.status != "busy-unavailable" {
		r.Turn = &detect.Turn{Plan: b.one("schedule"), From: b.from, To: b.to}
	}
}

func unit(b *bag, r *detect.Record) {
	u := &detect.Unit{Ref: r.Ref, Part: b.one("managingOrganization", "providedBy")}
	if b.typ == "Location" && u.Part == "" {
		u.Part = b.one("partOf")
	}
	if len(b.texts) > 0 {
		u.Type = b.texts[len(b.texts)-1]
	}
	r.Unit = u
}

func careTeam(b *bag, r *detect.Record) {
	r.Patient = b.one("subject", "patient")
	for _, ref := range slices.Concat(b.refs["participant"], b.refs["careManager"]) {
		if isPerson(ref) { // an organisation on a team admits nobody
			b.tie(r, ref, detect.CareTeam, detect.CareTeam, b.from, b.to)
		}
	}
}

func appointment(b *bag, r *detect.Record) {
	for _, ref := range b.refs["participant"] {
		if strings.HasPrefix(ref, "Patient/") {
			r.Patient = ref
		}
	}
	for _, ref := range b.refs["participant"] {
		b.tie(r, ref, detect.AppointmentDirect, detect.AppointmentClinic, b.from, max(b.from, b.to))
	}
	r.Ties = append(r.Ties, detect.Tie{Template: detect.Arrival, From: b.from, To: b.from})
	r.Confirms = b.refs["basedOn"]
}

func encounter(b *bag, r *detect.Record) {
	r.Patient = b.one("subject")
	for _, ref := range b.refs["participant"] {
		if isPerson(ref) {
			b.tie(r, ref, detect.EncounterParticipant, detect.EncounterUnit, b.from, b.to)
		}
	}
	where := detect.EncounterUnit
	if b.says("emer") {
		where = detect.Emergency
	}
	for _, s := range b.stays {
		if s.from == 0 {
			s.from = b.from
		}
		if s.to == 0 {
			s.to = b.to
		}
		r.Ties = append(r.Ties, detect.Tie{Template: where, Party: s.place, From: s.from, To: s.to})
	}
	if u := b.one("serviceProvider"); u != "" && len(b.stays) == 0 {
		r.Ties = append(r.Ties, detect.Tie{Template: where, Party: u, From: b.from, To: b.to})
	}
	r.Ties = append(r.Ties, detect.Tie{Template: detect.Arrival, From: b.from, To: b.from})
	r.Confirms = slices.Concat(b.refs["appointment"], b.refs["basedOn"])
}

func order(b *bag, r *detect.Record) {
	r.Patient, r.Maker = b.one("subject"), b.one("requester", "recorder")
	mine, ours := detect.OrderMine, detect.OrderDepartment
	switch {
	case b.says("consult"):
		mine, ours = detect.Consult, detect.Referral
	case b.says("referral"):
		mine, ours = detect.Consult, detect.Referral
	}
	for _, ref := range b.refs["performer"] {
		b.tie(r, ref, mine, ours, b.from, b.from)
	}
	r.Confirms = slices.Concat(b.refs["basedOn"], b.refs["encounter"])
}

func procedure(b *bag, r *detect.Record) {
	r.Patient, r.Maker = b.one("subject"), b.one("recorder")
	for _, ref := range slices.Concat(b.refs["performer"], b.refs["location"]) {
		b.tie(r, ref, detect.ProcedureMine, detect.ProcedureUnit, b.from, b.to)
	}
	r.Confirms = slices.Concat(b.refs["basedOn"], b.refs["encounter"])
}

// document tells nobody's relationship, but what its author wrote about confirms what others entered.
func document(b *bag, r *detect.Record) {
	r.Patient, r.Maker = b.one("subject"), b.one("author")
	r.Confirms = b.refs["encounter"]
}

func task(b *bag, r *detect.Record) {
	r.Patient, r.Maker = b.one("for"), b.one("requester")
	mine, ours := detect.TaskMine, detect.TaskDepartment
	switch {
	case b.says("review", "quality"):
		mine, ours = detect.Quality, detect.Quality
	case b.says("disclosure", "release"):
		mine, ours = detect.Disclosure, detect.Disclosure
	case b.says("recall"):
		mine, ours = detect.Recall, detect.Recall
	}
	b.tie(r, b.one("owner"), mine, ours, b.from, b.to)
	r.Confirms = slices.Concat(b.refs["basedOn"], b.refs["focus"])
}

func communication(b *bag, r *detect.Record) {
	r.Patient, r.Maker = b.one("subject"), b.one("sender")
	for _, ref := range b.refs["recipient"] {
		b.tie(r, ref, detect.MessageMine, detect.MessageDepartment, b.from, b.from)
	}
}

func consent(b *bag, r *detect.Record) {
	p := b.one("patient")
	if b.says("research") {
		r.Consents = p
		return
	}
	r.Patient = p
	for _, ref := range b.refs["actor"] {
		if isPerson(ref) && b.permits {
			b.tie(r, ref, detect.PatientGrant, detect.PatientGrant, b.from, b.to)
		}
	}
}

func flag(b *bag, r *detect.Record) {
	r.Patient = b.one("subject")
	r.Flags = b.texts
}

// cohort relates who manages a study to its members; the engine asks for their consent.
func cohort(b *bag, r *detect.Record) {
	manager := b.one("managingEntity")
	if !isPerson(manager) && !isUnit(manager) {
		return
	}
	for _, m := range b.members {
		if strings.HasPrefix(m, "Patient/") {
			r.Ties = append(r.Ties, detect.Tie{Template: detect.Research, Party: manager, Patient: m})
		}
	}
}

func subject(b *bag, r *detect.Record) {
	if b.one("consent") != "" {
		r.Consents = b.one("individual")
	}
}

func account(b *bag, r *detect.Record) {
	r.Patient, r.Maker = b.one("patient", "beneficiary", "subject"), b.one("enterer")
	r.Ties = append(r.Ties, detect.Tie{Template: detect.Billing, From: b.from, To: b.from})
}
