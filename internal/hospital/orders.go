package hospital

import "time"

// prescribe writes a MedicationRequest: community ones for home, inpatient ones to the hospital's pharmacy.
func (c *chart) prescribe(key string, at time.Time, by *member, encounter, category string, labels ...string) string {
	return c.medicate(key, "active", "", at, by, encounter, category, labels...)
}

// hold writes a prescription that is stopped for the time being, and why.
func (c *chart) hold(key, why string, at time.Time, by *member, encounter string) {
	c.medicate(key, "on-hold", why, at, by, encounter, "inpatient")
}

func (c *chart) medicate(key, status, why string, at time.Time, by *member, encounter, category string, labels ...string) string {
	g, ok := drugs[key]
	if !ok {
		panic("hospital: no drug " + key)
	}
	body := object{"status", status}
	if why != "" {
		body = append(body, "statusReason", concept(why))
	}
	pharmacy := c.h.find(c.site, "pharm")
	category = map[string]string{"": "community"}[category] + category
	body = append(body, "intent", "order", "category", list{termConcept("medicationrequest-category", category, capital(category))},
		"medicationCodeableConcept", g.code(), "subject", c.p.ref(), "encounter", ref(encounter, ""), "authoredOn", at, "requester", memberRef(by),
		"dosageInstruction", list{g.dosage()})
	switch category {
	case "inpatient":
		body = append(body, "dispenseRequest", object{"performer", ref(pharmacy.department, pharmacy.name)})
	default:
		body = append(body, "dispenseRequest", object{"validityPeriod", object{"start", day(at)}, "numberOfRepeatsAllowed", 3,
			"expectedSupplyDuration", quantity(decimal{90, 0}, "days", "d")})
	}
	return c.add("MedicationRequest", at, by, body, labels...)
}

func (g drug) code() object { return concept(g.text, coding(sysRxNorm, g.rxcui, g.ingredient)) }

func (g drug) dosage() object {
	var timing object
	switch {
	case g.times > 0 && g.hours%24 == 0 && g.hours > 24:
		timing = object{"repeat", object{"frequency", g.times, "period", g.hours / 24, "periodUnit", "d"}}
	case g.times > 0 && g.hours == 24:
		timing = object{"repeat", object{"frequency", g.times, "period", 1, "periodUnit", "d"}}
	case g.times > 0:
		timing = object{"repeat", object{"frequency", g.times, "period", g.hours, "periodUnit", "h"}}
	}
	o := object{"text", g.sig, "timing", timing}
	if g.asNeeded {
		o = append(o, "asNeededBoolean", true)
	}
	return append(o, "route", concept("", routes[g.route]), "doseAndRate", g.doseAndRate())
}

// doseAndRate: what flows by the hour or minute is a rate, everything else a dose.
func (g drug) doseAndRate() list {
	q := quantity(g.dose, g.unit, g.unit)
	if g.times == 0 && (ends(g.unit, "/h") || ends(g.unit, "/min")) {
		return list{object{"rateQuantity", q}}
	}
	return list{object{"doseQuantity", q}}
}

func ends(s, tail string) bool { return len(s) >= len(tail) && s[len(s)-len(tail):] == tail }

// give writes a MedicationAdministration.
func (c *chart) give(key, request, encounter string, at time.Time, by *member) {
	g := drugs[key]
	c.add("MedicationAdministration", at, by, object{
		"status", "completed", "category", termConcept("medication-admin-category", "inpatient", "Inpatient"), "medicationCodeableConcept", g.code(),
		"subject", c.p.ref(), "context", ref(encounter, ""), "effectiveDateTime", at, "performer", performer(by), "request", ref(request, g.text),
		"dosage", object{"text", g.sig, "route", concept("", routes[g.route]), "dose", quantity(g.dose, g.unit, g.unit)},
	})
}

// study is an examination by another department: imaging, an electrocardiogram.
type study struct {
	snomed, name, report, conclusion string
}

// order sends a ServiceRequest to a department.
func (c *chart) order(what object, category object, to *place, status, why string, at time.Time, by *member, encounter string) string {
	body := object{"status", status, "intent", "order", "category", list{category}, "priority", "routine", "code", what, "subject", c.p.ref(),
		"encounter", ref(encounter, ""), "occurrenceDateTime", at.Add(time.Hour), "authoredOn", at, "requester", memberRef(by), "performer", list{ref(to.department, to.name)}}
	if why != "" {
		body = append(body, "reasonCode", list{concept(why)})
	}
	return c.add("ServiceRequest", at, by, body)
}

var (
	orderLab     = concept("Laboratory", snomed("108252007", "Laboratory procedure"))
	orderImaging = concept("Imaging", snomed("363679005", "Imaging"))
	orderConsult = concept("Consultation", snomed("3457005", "Patient referral"))
	orderTherapy = concept("Therapy", snomed("91251008", "Physical therapy procedure"))
)

// test orders a panel or a single test from the laboratory.
func (c *chart) test(key, status string, at time.Time, by *member, encounter string) string {
	what := concept(panels[key].name, loinc(panels[key].loinc, panels[key].name))
	if _, ok := panels[key]; !ok {
		what = concept(labs[key].name, loinc(labs[key].loinc, labs[key].name))
	}
	return c.order(what, orderLab, c.h.find(c.site, "lab"), status, "", at, by, encounter)
}

// image orders a study and, where it is done, files the report that the radiologist dictated.
func (c *chart) image(s study, done bool, at time.Time, by *member, encounter string) {
	rad := c.h.find(c.site, "rad")
	status := "active"
	if done {
		status = "completed"
	}
	order := c.order(concept(s.name, snomed(s.snomed, s.name)), orderImaging, rad, status, "", at, by, encounter)
	if !done {
		return
	}
	reader, read := rad.physicians[0], at.Add(time.Duration(c.d.between(70, 190))*time.Minute)
	c.add("DiagnosticReport", read, reader, object{
		"basedOn", list{ref(order, s.name)}, "status", "final", "category", list{object{"coding", list{coding(sysSection, "RAD", "Radiology")}}},
		"code", concept(s.name, loinc("18748-4", "Diagnostic imaging study"), snomed(s.snomed, s.name)), "subject", c.p.ref(), "encounter", ref(encounter, ""),
		"effectiveDateTime", at.Add(45 * time.Minute), "issued", read, "performer", list{ref(rad.department, rad.name)}, "resultsInterpreter", list{reader.ref()},
		"conclusion", c.words(s.conclusion), "presentedForm", list{object{"contentType", "text/plain", "language", "en-US", "data", text(c.words(s.report)), "title", s.name, "creation", read}},
	})
}

// consult asks a colleague by name.
func (c *chart) consult(asked *member, question, status string, at time.Time, by *member, encounter string) string {
	return c.add("ServiceRequest", at, by, object{"status", status, "intent", "order", "category", list{orderConsult}, "priority", "urgent",
		"code", concept("Consultation, "+asked.at.name, snomed("11429006", "Consultation")), "subject", c.p.ref(), "encounter", ref(encounter, ""), "authoredOn", at,
		"requester", memberRef(by), "performer", list{asked.ref()}, "reasonCode", list{concept(c.words(question))}})
}

// task puts something into somebody's queue. Owner is a member's or a department's reference.
func (c *chart) task(code, says, status, priority string, owner object, focus string, at time.Time, by *member) string {
	return c.add("Task", at, by, object{"status", status, "intent", "order", "priority", priority, "code", concept(capital(says), coding(sysTask, code, "")),
		"description", says, "focus", ref(focus, ""), "for", c.p.ref(), "authoredOn", at, "lastModified", at, "requester", memberRef(by), "owner", owner})
}
