package ingest

import (
	"cmp"
	"slices"
	"strings"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
)

// Types are the resource types of a context, one NDJSON file each; any subset will do.
// They are read in this order, so that what others refer to is known before them.
var Types = []string{"Organization", "Location", "HealthcareService", "Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person", "CareTeam",
	"Group", "Schedule", "Slot", "Appointment", "Encounter", "EpisodeOfCare", "ServiceRequest", "MedicationRequest", "Procedure", "DocumentReference", "Task",
	"Communication", "Consent", "Flag", "ResearchSubject", "Coverage", "Claim", "Account", "Device"}

// Resource reads one FHIR R4 resource of the context on its own. It is known since meta.lastUpdated, or from the start without one. why
// says what is wrong with a line that is none. A type or status that detection learns nothing from gives a record without content.
// References by identifier and to groups of people stay as they are: a whole context resolves them.
func Resource(line string) (r detect.Record, why string) {
	e, why := read(line)
	return newCrosswalk().record(&e), why
}

// entry is one resource as it stands, its references not yet resolved.
type entry struct {
	detect.Record
	ties   []tie
	ids    []foreign.ID
	stands []string // what a reference to it means, if not itself: a role's person, a team's members, a schedule's actors
}

// tie relates a party to the patient: a person by one template, a unit by another.
type tie struct {
	party      string
	mine, ours detect.Template
	from, to   int64
	patient    string
}

func read(line string) (e entry, why string) {
	c := cursor{s: line}
	var b bag
	b.fill(&c)
	switch {
	case c.why != "":
		return e, "not JSON: " + c.why
	case b.typ == "" || b.id == "":
		return e, "the resource has no type or no id"
	case !slices.Contains(Types, b.typ):
		return e, "a type that a context does not have"
	}
	e.Ref, e.Known, e.ids = b.typ+"/"+b.id, b.known, b.ids
	if b.typ == "Device" && (gone[b.status]) {
		e.Seat = &detect.Seat{Device: e.Ref, Gone: true}
	}
	if e.Gone = gone[b.status] || b.inactive && b.typ == "PractitionerRole"; e.Gone {
		return e, ""
	}
	if read, ok := readers[b.typ]; ok {
		read(&b, &e)
	}
	return e, ""
}

// gone are the status codes under which a resource relates nobody, whatever an earlier version said. A patient who did not come was
// expected.
var gone = map[string]bool{"entered-in-error": true, "cancelled": true, "inactive": true, "revoked": true, "proposed": true, "rejected": true, "draft": true,
	"withdrawn": true, "ineligible": true, "not-registered": true}

var readers = map[string]func(*bag, *entry){
	"Patient": folk, "Practitioner": folk, "RelatedPerson": folk,
	"Person": sameHuman, "PractitionerRole": post,
	"Organization": unit, "Location": unit, "HealthcareService": unit,
	"CareTeam": careTeam, "EpisodeOfCare": episode, "Appointment": appointment, "Encounter": encounter,
	"ServiceRequest": order, "MedicationRequest": order, "Procedure": procedure, "DocumentReference": document,
	"Task": task, "Communication": communication, "Consent": consent, "Flag": flag, "Group": cohort, "ResearchSubject": subject,
	"Coverage": account, "Claim": claim, "Account": account, "Schedule": schedule, "Slot": slot, "Device": seat,
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

// all are the references of fields.
func (b *bag) all(fields ...string) (out []string) {
	for _, f := range fields {
		out = append(out, b.refs[f]...)
	}
	return out
}

func (b *bag) says(words ...string) bool {
	return slices.ContainsFunc(b.texts, func(t string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(t, w) })
	})
}

// tie adds a relationship with each party: a person by one template, a unit by another.
func (e *entry) tie(mine, ours detect.Template, from, to int64, parties ...string) {
	for _, p := range parties {
		e.ties = append(e.ties, tie{p, mine, ours, from, to, ""})
	}
}

// tieParts does so for participants in their own time, and for whom they act.
func (e *entry) tieParts(b *bag, mine, ours detect.Template, from, to int64) {
	for _, p := range b.parts {
		if p.out {
			continue
		}
		since, until := from, to
		if p.from != 0 {
			since = p.from
		}
		if p.to != 0 {
			until = p.to
		}
		for _, ref := range []string{p.ref, p.behalf} {
			if ref != "" {
				e.tie(mine, ours, since, until, ref)
			}
		}
	}
}

// maker is the first of the parties that is a person: who wrote or asked for the resource.
func maker(parties []string) string {
	for _, p := range parties {
		if isPerson(p) {
			return p
		}
	}
	return ""
}

func folk(b *bag, e *entry) {
	f := &detect.Folk{Ref: e.Ref, Family: b.family, Given: b.given, Birth: b.birth, Street: b.street, Postal: b.postal, Phones: b.phones, Died: b.died}
	for _, k := range b.contacts {
		f.Contacts = append(f.Contacts, detect.Contact{Family: k.family, Given: k.given, Phone: k.phone})
	}
	e.Folk = f
	switch b.typ {
	case "RelatedPerson":
		f.Of = b.one("patient")
		e.stands = b.refs["patient"]
	case "Patient":
		e.Patient, e.Flags = e.Ref, b.labels
		e.tie(detect.OwnDoctor, none, 0, 0, b.refs["generalPractitioner"]...)
		for _, other := range b.refs["link"] {
			if strings.HasPrefix(other, "Patient/") {
				e.Twins = append(e.Twins, other)
			}
		}
	}
}

// none is a template for parties that are not said to be related.
const none = detect.Template(255)

func sameHuman(b *bag, e *entry) { e.Same = b.refs["link"] }

func post(b *bag, e *entry) {
	p := &detect.Post{Person: b.one("practitioner"), Role: b.role, From: b.from, To: b.to}
	p.Units = b.all("organization", "location", "healthcareService")
	if e.stands = p.Units; p.Person != "" {
		e.stands, e.Post = []string{p.Person}, p
	}
}

func unit(b *bag, e *entry) {
	u := &detect.Unit{Ref: e.Ref, Parts: b.all("managingOrganization", "providedBy")}
	switch b.typ {
	case "HealthcareService":
		u.Parts = append(u.Parts, b.refs["location"]...)
	case "Location":
		u.Parts = append(u.Parts, b.refs["partOf"]...)
	case "Organization":
		u.Under = b.one("partOf")
	}
	if len(b.texts) > 0 {
		u.Type = b.texts[len(b.texts)-1]
	}
	u.House = slices.ContainsFunc(b.texts, func(t string) bool { return houses[t] })
	e.Unit = u
}

// seat is a device at which people work; what is in or at a patient is none.
func seat(b *bag, e *entry) {
	if b.one("patient") != "" {
		return
	}
	for _, kind := range []string{"workstation", "mobile", "server"} {
		if b.says(kind) {
			e.Seat = &detect.Seat{Device: e.Ref, Kind: kind, Place: b.one("location")}
			return
		}
	}
}

// houses are kinds of organisations and places that hold many departments.
var houses = map[string]bool{"prov": true, "si": true, "bu": true, "lvl": true, "site": true, "building": true, "level": true, "hospital": true, "hosp": true}

func careTeam(b *bag, e *entry) {
	e.Patient = b.one("subject")
	e.tieParts(b, detect.CareTeam, detect.CareUnit, b.from, b.to)
	e.tie(detect.CareTeam, detect.CareUnit, b.from, b.to, b.refs["managingOrganization"]...)
	for _, p := range b.parts {
		if !p.out && p.ref != "" {
			e.stands = append(e.stands, p.ref)
		}
	}
}

func episode(b *bag, e *entry) {
	e.Patient = b.one("patient")
	e.tie(detect.CareTeam, detect.CareUnit, b.from, b.to, b.all("careManager", "team", "managingOrganization")...)
}

func appointment(b *bag, e *entry) {
	var patients []string
	for _, p := range b.parts {
		if strings.HasPrefix(p.ref, "Patient/") && !p.out {
			patients = append(patients, p.ref)
		}
	}
	e.Patient = first(patients)
	e.tieParts(b, detect.AppointmentDirect, detect.AppointmentClinic, b.from, max(b.from, b.to))
	e.tie(detect.AppointmentDirect, detect.AppointmentClinic, b.from, max(b.from, b.to), b.refs["slot"]...)
	e.tie(detect.Arrival, detect.Arrival, b.from, b.from, "")
	for _, t := range slices.Clone(e.ties) {
		for _, p := range patients[min(1, len(patients)):] { // a group comes
			t.patient = p
			e.ties = append(e.ties, t)
		}
	}
	e.Confirms = b.refs["basedOn"]
}

func encounter(b *bag, e *entry) {
	e.Patient = b.one("subject")
	e.tieParts(b, detect.EncounterParticipant, none, b.from, b.to)
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
		e.tie(none, where, s.from, s.to, s.place)
	}
	if len(b.stays) == 0 {
		e.tie(none, where, b.from, b.to, b.refs["serviceProvider"]...)
	}
	e.tie(none, detect.EncounterUnit, b.from, b.from, b.refs["origin"]...)
	if b.to != 0 {
		e.tie(none, detect.EncounterUnit, b.to, b.to, b.refs["destination"]...)
	}
	e.tie(detect.Arrival, detect.Arrival, b.from, b.from, "")
	e.Confirms = b.all("appointment", "basedOn")
}

func order(b *bag, e *entry) {
	asked := b.all("requester", "recorder")
	e.Patient, e.Maker = b.one("subject"), maker(asked)
	mine, ours := detect.OrderMine, detect.OrderDepartment
	if b.says("consult", "referral") {
		mine, ours = detect.Consult, detect.Referral
	}
	at := b.from
	if b.asked != 0 {
		at = min(at, b.asked)
	}
	e.tieParts(b, mine, ours, at, max(b.from, b.to))
	e.tie(mine, ours, at, max(b.from, b.to), b.refs["locationReference"]...)
	e.tie(detect.Ordered, none, at, max(b.from, b.to), asked...)
	e.Confirms = b.all("basedOn", "encounter")
}

func procedure(b *bag, e *entry) {
	made := b.all("recorder", "asserter")
	e.Patient, e.Maker = b.one("subject"), maker(b.refs["recorder"])
	e.tieParts(b, detect.ProcedureMine, detect.ProcedureUnit, b.from, b.to)
	e.tie(detect.ProcedureMine, detect.ProcedureUnit, b.from, b.to, b.refs["location"]...)
	e.tie(detect.Wrote, none, b.from, b.to, made...)
	e.Confirms = b.all("basedOn", "encounter")
}

// document confirms by its author's word what others entered; who is to sign it has a reason to read.
func document(b *bag, e *entry) {
	e.Patient, e.Maker = b.one("subject"), maker(b.refs["author"])
	at := b.from
	if b.asked != 0 {
		at = b.asked
	}
	e.tie(detect.Wrote, none, at, at, b.all("author", "authenticator")...)
	e.Confirms = b.refs["encounter"]
}

func task(b *bag, e *entry) {
	e.Patient, e.Maker = b.one("for"), maker(b.refs["requester"])
	mine, ours := detect.TaskMine, detect.TaskDepartment
	switch {
	case b.says("review", "quality"):
		mine, ours = detect.Quality, detect.Quality
	case b.says("disclosure", "release"):
		mine, ours = detect.Disclosure, detect.Disclosure
	case b.says("recall"):
		mine, ours = detect.Recall, detect.Recall
	}
	at := b.from
	if b.asked != 0 {
		at = b.asked
	}
	e.tie(mine, ours, at, b.to, b.all("owner", "recipient", "location")...)
	e.tie(detect.Ordered, none, at, b.to, b.refs["requester"]...)
	e.Confirms = b.all("basedOn", "focus")
}

func communication(b *bag, e *entry) {
	e.Patient, e.Maker = b.one("subject"), maker(b.refs["sender"])
	for _, ref := range b.refs["about"] {
		if e.Patient == "" && strings.HasPrefix(ref, "Patient/") {
			e.Patient = ref
		}
	}
	e.tie(detect.MessageMine, detect.MessageDepartment, b.from, b.from, b.all("recipient", "sender")...)
	e.Confirms = b.all("inResponseTo", "basedOn")
}

func consent(b *bag, e *entry) {
	p := b.one("patient")
	if b.says("research") {
		if len(b.grants) == 0 || !b.grants[0].deny {
			e.Consents = p
		}
		return
	}
	e.Patient = p
	for _, g := range b.grants {
		if g.permit {
			e.tie(detect.PatientGrant, none, g.from, g.to, g.actors...)
		}
	}
}

func flag(b *bag, e *entry) {
	e.Patient = b.one("subject")
	for _, word := range []string{"vip", "celebrity", "confidential", "staff-safety", "staff safety"} {
		if b.says(word) {
			e.Flags = append(e.Flags, strings.ReplaceAll(word, " ", "-"))
		}
	}
	e.Flags = append(e.Flags, b.labels...)
}

// cohort relates who manages a study to its members, whose consent the engine asks for, or who manages a list of work to those on it. A
// group of staff stands for them.
func cohort(b *bag, e *entry) {
	const lasts = 60 * 86400 // a work list without an end
	mine, list := detect.Research, false
	for _, word := range []string{"quality", "review", "audit", "recall", "registry", "panel", "list"} {
		list = list || b.says(word) || strings.Contains(strings.ToLower(b.name), word)
	}
	if list {
		mine = detect.Quality
	}
	for _, p := range b.parts {
		switch {
		case p.out:
		case strings.HasPrefix(p.ref, "Patient/"):
			from, to := p.from, p.to
			if list && to == 0 && b.known != 0 {
				from, to = cmp.Or(from, b.known), cmp.Or(from, b.known)+lasts
			}
			for _, who := range b.refs["managingEntity"] {
				e.ties = append(e.ties, tie{who, mine, mine, from, to, p.ref})
			}
		case p.ref != "":
			e.stands = append(e.stands, p.ref)
		}
	}
}

func subject(b *bag, e *entry) {
	if b.one("consent") != "" {
		e.Consents = b.one("individual")
	}
}

// account is open for those who work on accounts, and tells who pays for whom.
func account(b *bag, e *entry) {
	e.Patient = b.one("beneficiary", "subject")
	e.tie(detect.Billing, detect.Billing, b.from, b.from, "")
	e.tie(none, detect.TaskDepartment, b.from, b.from, b.refs["owner"]...)
	for _, who := range b.all("subscriber", "policyHolder", "party") {
		e.Kin = append(e.Kin, detect.Kin{Patient: e.Patient, Of: who})
	}
}

func claim(b *bag, e *entry) {
	e.Patient, e.Maker = b.one("patient"), maker(b.refs["enterer"])
	at := b.from
	if b.asked != 0 {
		at = b.asked
	}
	e.tie(detect.Billing, detect.Billing, at, at, "")
	e.tie(detect.EncounterParticipant, detect.EncounterUnit, b.from, max(b.from, b.to), b.all("provider", "facility")...)
	e.tieParts(b, detect.EncounterParticipant, detect.EncounterUnit, b.from, max(b.from, b.to))
}

// schedule lists where and when somebody works; care reads it the same way. It stands for who or what it books.
func schedule(b *bag, e *entry) {
	if b.inactive {
		return
	}
	e.stands = b.refs["actor"]
	e.Plan = &detect.Plan{Ref: e.Ref, People: b.refs["actor"], From: b.from, To: b.to}
}

func slot(b *bag, e *entry) {
	e.stands = b.refs["schedule"]
	if b.status != "busy-unavailable" {
		e.Turn = &detect.Turn{Plan: b.one("schedule"), From: b.from, To: b.to}
	}
}
