package care

import (
	"cmp"
	"strings"
	"time"

	"chartwarden/internal/fhir"
)

// template is one entry of the vocabulary in which an access is explained: reviewed by people, never mined from the log. The list
// stands in docs/formats/explanations.md; a test keeps the two alike.
type template struct {
	id       string
	strength int           // order of evidence, the strongest first
	lasts    time.Duration // how long it permits after To
	staff    string        // to the person; {from} {to} {on} are filled in
	patient  string        // to the patient, after the person's name
}

var vocabulary []*template

// word adds to the vocabulary; strength is the order of the list.
func word(id string, lasts time.Duration, staff, patient string) *template {
	t := &template{id, len(vocabulary), lasts, staff, patient}
	vocabulary = append(vocabulary, t)
	return t
}

const contactLasts = 72 * time.Hour

var (
	encounterAttending = word("care.encounter.attending", contactLasts, "You are the attending physician for an encounter in progress since {from}.", "was your attending physician")
	encounterConsult   = word("care.encounter.consultant", contactLasts, "You are a consultant in an encounter in progress since {from}.", "was asked for advice during your visit")
	encounterNow       = word("care.encounter", contactLasts, "You take part in an encounter in progress since {from}.", "took part in your visit")
	appointmentNow     = word("care.appointment", contactLasts, "You have an appointment with this patient now, since {from}.", "had an appointment with you")
	careTeam           = word("care.team", 0, "You are on this patient's care team.", "is on your care team")
	doctor             = word("care.doctor", 0, "You are this patient's own doctor.", "is your own doctor")
	unit               = word("care.unit", 0, "You are on shift since {from} where this patient is.", "worked on the unit where you were")
	inQueue            = word("care.task", contactLasts, "A task for this patient is in your queue since {from}.", "had a task to do for you")
	orderAsked         = word("care.order.asked", contactLasts, "An order given {on} names you for this patient.", "was asked to carry out an order for you")
	contactPast        = word("care.contact.past", 30*24*time.Hour, "Your last visit with this patient ended {end}.", "treated you not long before")
	contactNext        = word("care.contact.next", contactLasts, "You have a visit with this patient {on}.", "prepared a visit with you")
	orderGiven         = word("care.order.given", contactLasts, "You gave an order for this patient {on}.", "ordered a test or a treatment for you")
	orderDepartment    = word("care.order.department", contactLasts, "An open order for this patient is addressed to your department since {from}.", "works where an order for you was carried out")
	cover              = word("care.cover", 0, "You cover for {by}, who treats this patient, until {to}.", "covered for a colleague who treats you")
	orderTaken         = word("care.order.taken", 0, "You took an open order for this patient that is addressed to your department.", "took over an order for you")
	askedIn            = word("care.asked", 0, "{by} asked you about this patient {on}. It ends {end}.", "was asked about you by a colleague who treats you")
	panel              = word("care.panel", 0, "This patient belongs to your practice and was seen or booked within 24 months.", "works in the practice where you are a patient")
	selfMade           = word("care.selfmade", 0, "You made the only link to this patient yourself, and nobody has confirmed it yet.", "entered the link to you themselves, unconfirmed")
)

// contactNow picks the word for the part played.
func contactNow(r row) *template {
	switch {
	case r.kind == appointment:
		return appointmentNow
	case r.detail == attending:
		return encounterAttending
	case r.detail == consultant:
		return encounterConsult
	}
	return encounterNow
}

// Edge is one reason why a person is related to a patient, as seen at the moment that was asked about.
type Edge struct {
	Template string        // from the fixed vocabulary
	From, To time.Time     // when true; zero: without bound
	Known    time.Time     // since when we know
	Source   fhir.RecordID // the resource that says so; 0 for care.panel and what a colleague's word gives
	By       string        // of a word: the colleague who said so, or who is covered
	Under    string        // of a cover: the template by which the colleague treats the patient
	template *template
	at       time.Time
	zone     *time.Location
}

// Sentence explains the edge to the person herself: "You are on this patient's care team."
func (e Edge) Sentence() string {
	if e.template == nil {
		return ""
	}
	return strings.NewReplacer("{by}", cmp.Or(e.By, "a colleague"), "{from}", e.moment(e.From, "", ""), "{to}", e.moment(e.To, "", ""), "{on}", e.moment(e.From, "at ", "on "),
		"{end}", e.moment(e.To, "at ", "on ")).Replace(e.template.staff)
}

// PatientSentence explains it to the patient, to be read after the person's name: "was your attending physician".
func (e Edge) PatientSentence() string {
	if e.template == nil {
		return ""
	}
	return e.template.patient
}

// Ends is until when the edge permits anything if nothing changes; zero without an end.
func (e Edge) Ends() time.Time {
	if e.To.IsZero() || e.template == nil {
		return time.Time{}
	}
	return e.To.Add(e.template.lasts)
}

// moment writes a time as people at work say it: "08:10" today, "19 Nov 08:10" near, "19 Nov 2024" far.
func (e Edge) moment(t time.Time, today, otherwise string) string {
	if t.IsZero() {
		return "long ago"
	}
	t, at := t.In(e.zone), e.at.In(e.zone)
	switch days := at.Sub(t).Abs().Hours() / 24; {
	case t.Format(time.DateOnly) == at.Format(time.DateOnly):
		return today + t.Format("15:04")
	case days < 8:
		return otherwise + t.Format("2 Jan 15:04")
	case t.Year() == at.Year():
		return otherwise + t.Format("2 Jan")
	}
	return otherwise + t.Format("2 Jan 2006")
}

// distance orders equally strong evidence: the nearest first.
func (e Edge) distance() int {
	near := func(t time.Time) int64 { return e.at.Sub(t).Abs().Milliseconds() }
	if e.To.IsZero() || e.To.After(e.at) {
		return int(near(e.From))
	}
	return int(near(e.To))
}

// compareEvidence orders by strength. Of equal ones the first that was known comes first: the order must not hang on how rows were asked for.
func compareEvidence(a, b Edge) int {
	return cmp.Or(a.template.strength-b.template.strength, cmp.Compare(a.distance(), b.distance()), cmp.Compare(a.Source, b.Source), a.Known.Compare(b.Known), a.From.Compare(b.From))
}
