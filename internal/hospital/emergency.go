package hospital

import (
	"fmt"
	"time"
)

// emergency fills the chart of somebody in the emergency department.
func (v *visit) emergency(h *house) []Entry {
	c := h.begin(v.p, v.at.house)
	a := v.arrival
	var labels []string
	if a.label != "" {
		labels = append(labels, a.label)
	}
	if c.d.chance(50) {
		c.visited(h.daysAgo(c.d.between(70, 420)).Add(14*time.Hour), v.p.doctor.at, v.p.doctor, nil, nil)
	}
	nurse := v.helper
	v.encounter = c.add("Encounter", v.start, v.desk, object{
		"identifier", list{object{"use", "usual", "system", sysVisit, "value", fmt.Sprintf("E%s%05d", h.midnight.Format("060102"), v.p.number)}},
		"status", "in-progress", "class", coding(sysActCode, "EMER", "emergency"), "type", list{concept("Emergency visit", snomed("50849002", "Emergency department patient visit"))},
		"serviceType", serviceType(v.at), "priority", concept(fmt.Sprintf("Triage level %d", a.triage)), "subject", v.p.ref(),
		"participant", list{
			object{"type", list{termCoded(sysParticipation, "ATND", "attender")}, "period", period(v.start, time.Time{}), "individual", v.physician.ref()},
			object{"type", list{termCoded(sysParticipation, "SPRF", "secondary performer")}, "period", period(v.start, time.Time{}), "individual", nurse.ref()},
		},
		"period", period(v.start, time.Time{}), "reasonCode", list{concept(c.words(a.complaint))},
		"location", list{
			object{"location", ref(v.at.location, v.at.name), "status", "active", "period", period(v.start, time.Time{})},
			object{"location", ref(v.at.bed[v.bed], fmt.Sprintf("%s, bed %d", v.at.name, v.bed+1)), "status", "active", "physicalType", termConcept("location-physical-type", "bd", "Bed"), "period", period(v.start, time.Time{})},
		},
		"serviceProvider", ref(v.at.department, v.at.name),
	}, labels...)
	s := a.start
	usual := usualSigns(c.d, v.p.age(h.now), v.p.has("htn"))
	for t := v.start.Add(8 * time.Minute); t.Before(h.now); t = t.Add(70 * time.Minute) {
		c.observe(s.measured(c.d), t, v.encounter, nurse)
		s = s.toward(usual, 30, c.d)
	}
	seen := v.start.Add(25 * time.Minute)
	if seen.After(h.now) {
		return c.out // still waiting for the doctor
	}
	c.add("Condition", seen, v.physician, object{
		"clinicalStatus", termConcept("condition-clinical", "active", "Active"), "verificationStatus", termConcept("condition-ver-status", "confirmed", "Confirmed"),
		"category", list{termConcept("condition-category", "encounter-diagnosis", "Encounter Diagnosis")}, "code", concept(a.name, snomed(a.snomed, ""), coding(sysICD10, a.icd, "")),
		"subject", v.p.ref(), "encounter", ref(v.encounter, ""), "onsetDateTime", day(v.start), "recordedDate", seen, "recorder", v.physician.ref(),
	}, labels...)
	for _, key := range a.drugs {
		request := c.prescribe(key, seen, v.physician, v.encounter, "inpatient", labels...)
		if at := seen.Add(12 * time.Minute); at.Before(h.now) && drugs[key].unit != "mL/h" {
			c.give(key, request, v.encounter, at, nurse)
		}
	}
	lab := h.find(c.site, "lab")
	for _, key := range a.panels {
		back := seen.Add(70 * time.Minute).Before(h.now)
		status := "active"
		if back {
			status = "completed"
		}
		order := c.test(key, status, seen, v.physician, v.encounter)
		if back {
			c.report(key, course(a.labs, 0), seen.Add(5*time.Minute), v.encounter, order, onShift(lab.others, seen)[0], h.now.Sub(seen) < 2*time.Hour, labels...)
		}
	}
	for _, st := range a.studies {
		c.image(st, seen.Add(3*time.Hour).Before(h.now), seen, v.physician, v.encounter)
	}
	prose := "REASON: " + a.complaint + "\n\nHISTORY: " + a.history + "\n\n" + c.past() + "\nEXAMINATION: " + capital(a.start.String()) + ". " + a.exam + "\n\nASSESSMENT: " + a.name + ".\n\nPLAN\n" + numbered(a.plan)
	if written := seen.Add(50 * time.Minute); written.Before(h.now) {
		c.note(emergencyNote, "Emergency department note", prose, written, v.physician, v.encounter, labels...)
	} else {
		c.later(emergencyNote, "Emergency department note", prose, written.Add(5*time.Minute), v.physician, v.encounter, labels...)
	}
	return c.out
}
