package hospital

import (
	"fmt"
	"strings"
	"time"
)

// visit is somebody booked at a clinic, or come to the emergency department.
type visit struct {
	p          *patient
	at         *place
	physician  *member
	helper     *member // medical assistant, or the nurse of a clinic without one
	start, end time.Time
	slot       string
	missed     bool // did not come
	cancelled  bool
	problem    *condition
	arrival    *arrival // emergency
	bed        int
	encounter  string
	desk       *member
}

// state is where the visit stands at t, in the words of Appointment.status.
func (v *visit) state(t time.Time) string {
	switch {
	case v.cancelled:
		return "cancelled"
	case v.missed && t.After(v.start.Add(20*time.Minute)):
		return "noshow"
	case !t.Before(v.end):
		return "fulfilled"
	case !t.Before(v.start):
		return "arrived"
	case !t.Before(v.start.Add(-15 * time.Minute)):
		return "checked-in"
	}
	return "booked"
}

func (v *visit) came(t time.Time) bool {
	switch v.state(t) {
	case "fulfilled", "arrived", "checked-in":
		return true
	}
	return false
}

// reason is why the patient comes, in words.
func (v *visit) reason() string {
	switch {
	case v.problem != nil:
		return v.problem.name
	case v.p.age(v.start) < 16:
		return "Well-child visit"
	}
	return "Check-up"
}

// write fills the chart of somebody who is booked today.
func (v *visit) write(h *house) []Entry {
	c := h.begin(v.p, v.at.house)
	for n := c.d.between(1, 2); n > 0; n-- { // how the patient is known here
		c.visited(h.daysAgo(c.d.between(60, 150)*n).Add(time.Duration(c.d.between(17, 32))*30*time.Minute), v.at, v.physician, v.helper, v.problem)
	}
	c.book(v)
	if v.came(h.now) {
		v.encounter = c.see(v.start, v.end, v.at, v.physician, v.helper, v.problem, v.state(h.now) == "fulfilled")
	}
	if c.d.chance(9) && len(c.taking) > 0 {
		c.task("refill", "renew "+lower(drugs[c.taking[0]].text), "requested", "routine", v.physician.ref(), "", h.now.Add(-time.Duration(c.d.between(1, 30))*time.Hour), v.helper)
	}
	if c.d.chance(12) {
		c.talk(v.physician)
	}
	return c.out
}

// book writes the Appointment.
func (c *chart) book(v *visit) {
	h := c.h
	booked := v.start.AddDate(0, 0, -c.d.between(6, 40)).Truncate(24 * time.Hour).Add(15 * time.Hour)
	status := v.state(h.now)
	body := object{"status", status}
	if v.cancelled {
		body = append(body, "cancelationReason", termConcept("appointment-cancellation-reason", "pat", "Patient"))
	}
	body = append(body, "serviceType", list{serviceType(v.at)}, "appointmentType", termConcept("v2-0276", "FOLLOWUP", "A follow up visit from a previous appointment"),
		"reasonCode", list{concept(v.reason())}, "start", v.start, "end", v.end, "minutesDuration", int(v.end.Sub(v.start).Minutes()))
	if v.slot != "" {
		body = append(body, "slot", list{ref(v.slot, "")})
	}
	participants := list{object{"actor", c.p.ref(), "required", "required", "status", "accepted"}, object{"actor", v.physician.ref(), "required", "required", "status", "accepted"}}
	if v.helper != nil {
		participants = append(participants, object{"actor", v.helper.ref(), "required", "optional", "status", "accepted"})
	}
	participants = append(participants, object{"actor", ref(v.at.location, v.at.name), "required", "required", "status", "accepted"})
	body = append(body, "created", booked, "participant", participants)
	recorded := booked
	if status != "booked" {
		recorded = v.start.Add(-10 * time.Minute)
	}
	c.add("Appointment", recorded, v.desk, body)
}

// see writes an ambulatory encounter that has begun: vital signs when the patient is roomed, and when it is done results, note,
// prescriptions and the claim.
func (c *chart) see(start, end time.Time, at *place, physician, helper *member, problem *condition, done bool) string {
	var labels []string
	if problem != nil && problem.label != "" {
		labels = append(labels, problem.label)
	}
	name, why := "Check-up", concept("Check-up", snomed("185349003", "Encounter for check up"))
	if problem != nil {
		name, why = problem.name, concept(problem.name, snomed(problem.snomed, ""))
	}
	status, left := "in-progress", time.Time{}
	if done {
		status, left = "finished", end
	}
	arrived := start.Add(-8 * time.Minute)
	participants := list{object{"type", list{termCoded(sysParticipation, "PPRF", "primary performer")}, "period", period(arrived, left), "individual", physician.ref()}}
	if helper != nil {
		participants = append(participants, object{"type", list{termCoded(sysParticipation, "SPRF", "secondary performer")}, "period", period(arrived, left), "individual", helper.ref()})
	}
	desk := onShift(c.h.find(c.site, "reg").others, start)[0]
	encounter := c.add("Encounter", latest(arrived, left), desk, object{
		"status", status, "class", coding(sysActCode, "AMB", "ambulatory"), "type", list{concept("Office visit", snomed("390906007", "Follow-up encounter"))}, "serviceType", serviceType(at),
		"subject", c.p.ref(), "participant", participants, "period", period(arrived, left), "reasonCode", list{why},
		"location", list{object{"location", ref(at.location, at.name), "status", locationStatus(left), "period", period(arrived, left)}}, "serviceProvider", ref(at.department, at.name),
	}, labels...)
	nurse := helper
	if nurse == nil {
		nurse = physician
	}
	signs := usualSigns(c.d, c.p.age(c.h.now), c.p.has("htn"))
	c.observe(signs, start.Add(-3*time.Minute), encounter, nurse)
	c.weigh(start.Add(-3*time.Minute), encounter, nurse, 0, true)
	if !done {
		return encounter
	}
	values := results{}
	if problem != nil {
		for _, key := range ordered(problem.tests) {
			order := c.test(key, "completed", start.AddDate(0, 0, -3), physician, encounter)
			for test, n := range c.report(key, nil, start.AddDate(0, 0, -2).Truncate(time.Hour), encounter, order, c.h.find(c.site, "lab").others[0], false, labels...) {
				values[test] = n
			}
		}
	}
	c.note(progressNote, "Visit: "+lower(name), c.visitNote(problem, signs, values), end, physician, encounter, labels...)
	c.claim(start, end, encounter, why, physician, at)
	return encounter
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// visitNote is what the physician writes.
func (c *chart) visitNote(problem *condition, s signs, values results) string {
	talk, judgement := "Comes for the yearly check. Feels well, works, sleeps seven hours.", "Healthy. Screening up to date. Vaccines reviewed. Back in a year."
	switch {
	case problem != nil:
		talk, judgement = problem.talk, problem.judgement
	case c.p.age(c.h.now) < 16:
		talk, judgement = "Comes with a parent. Eats, sleeps and plays well, school or daycare without worries.", "Growth along the curve, development fits the age. Vaccines up to date. Next visit in a year."
	}
	fill := []string{"{bp}", fmt.Sprintf("%d/%d", s.systolic, s.diastolic), "{hr}", fmt.Sprint(s.pulse)}
	for test := range labs {
		if strings.Contains(judgement, "{"+test+"}") {
			fill = append(fill, "{"+test+"}", values.text(test))
		}
	}
	judgement = strings.NewReplacer(fill...).Replace(judgement)
	return "SUBJECTIVE: " + pick(c.d, openings) + talk + "\n\n" + c.past() + "\nOBJECTIVE: " + capital(s.String()) + ".\n\nASSESSMENT AND PLAN: " + judgement + pick(c.d, closings) + "\n"
}

// People come and go in different ways.
var (
	openings = []string{"", "", "Comes alone. ", "In good spirits. ", "Brought a list of questions, all answered. ", "A little late, traffic. ", "Last seen by a colleague. ",
		"Has slept badly since the clocks changed. ", "Recently back from a visit to family. ", "Asks for a copy of the results. "}
	closings = []string{"", "", " Questions answered.", " Printed plan given.", " Will call if anything changes.", " Agrees with the plan.", " Interpreter not needed.", " Time spent 20 minutes."}
)

// visited writes a visit of the past.
func (c *chart) visited(at time.Time, where *place, physician, helper *member, problem *condition) {
	if at.Before(c.p.born.AddDate(0, 2, 0)) {
		return
	}
	c.see(at, at.Add(25*time.Minute), where, physician, helper, problem, true)
}

// claim bills a visit of the last two months; older ones were paid long ago.
func (c *chart) claim(start, end time.Time, encounter string, why object, physician *member, at *place) {
	if c.coverage == "" || c.h.now.Sub(end) > 60*24*time.Hour {
		return
	}
	bill := c.h.find(0, "bill")
	cents := c.d.between(96, 240) * 100
	by := bill.others[c.p.number%len(bill.others)]
	claim := c.add("Claim", end.Add(3*time.Hour), by, object{
		"status", "active", "type", termConcept("claim-type", "professional", "Professional"), "use", "claim", "patient", c.p.ref(), "billablePeriod", period(start, end),
		"created", end.Add(3 * time.Hour), "enterer", by.ref(), "insurer", ref(c.p.insurer.url, c.p.insurer.name), "provider", ref(at.department, at.name),
		"priority", termConcept("processpriority", "normal", "Normal"), "careTeam", list{object{"sequence", 1, "provider", physician.ref()}},
		"diagnosis", list{object{"sequence", 1, "diagnosisCodeableConcept", why}}, "insurance", list{object{"sequence", 1, "focal", true, "coverage", ref(c.coverage, c.p.insurer.name)}},
		"item", list{object{"sequence", 1, "diagnosisSequence", list{1}, "productOrService", concept("Office visit", snomed("185349003", "Encounter for check up")), "servicedDate", day(start),
			"unitPrice", dollars(cents), "net", dollars(cents), "encounter", list{ref(encounter, "")}}}, "total", dollars(cents),
	})
	if c.d.chance(30) {
		owner := ref(bill.department, bill.name)
		if c.d.chance(60) {
			owner = by.ref()
		}
		c.task("claim", "check a claim before it is sent", "requested", "routine", owner, claim, end.Add(4*time.Hour), nil)
	}
}

// talk is a question from the patient and its answer.
func (c *chart) talk(physician *member) {
	asked := c.h.now.Add(-time.Duration(c.d.between(2, 60)) * time.Hour)
	lines := pick(c.d, [][2]string{
		{"Good morning, can I take the new tablet together with my vitamins?", "Yes, but an hour apart. Call us if your stomach complains."},
		{"My home readings are a bit higher this week, around 150. Should I come earlier?", "Please measure twice a day until Friday and write to me then. If you get a headache or see badly, come at once."},
		{"Could you send the results of last week's blood test?", "They are in the portal now, all as hoped. We talk about them at your visit."},
		{"I will be away next month, can I get the prescription for two months?", "Done, it waits at the pharmacy."},
	})
	question := c.add("Communication", asked, nil, object{"status", "completed", "category", list{concept("Patient message")}, "priority", "routine", "subject", c.p.ref(),
		"sent", asked, "received", asked, "recipient", list{physician.ref()}, "sender", c.p.ref(), "payload", list{object{"contentString", lines[0]}}})
	if c.d.chance(55) {
		answered := asked.Add(80 * time.Minute)
		c.add("Communication", answered, physician, object{"inResponseTo", list{ref(question, "")}, "status", "completed", "category", list{concept("Patient message")}, "subject", c.p.ref(),
			"sent", answered, "received", answered, "recipient", list{c.p.ref()}, "sender", physician.ref(), "payload", list{object{"contentString", lines[1]}}})
		return
	}
	c.task("message", "answer a message of the patient", "requested", "routine", physician.ref(), question, asked, nil)
}
