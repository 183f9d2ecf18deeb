package baseline

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

const dayLong = 86400

// relation turns an appointment, stay, order, task, message or claim into reasons.
func (h *house) relation(x *resource) {
	known := x.Meta.LastUpdated
	switch x.ResourceType {
	case "Appointment":
		var patient reference
		for _, p := range x.Participant {
			if strings.HasPrefix(p.Actor.Reference, "Patient/") {
				patient = p.Actor
			}
		}
		for _, p := range x.Participant {
			if p.Actor != patient {
				h.reason(patient, p.Actor, x.Start, x.Start, known, 30, 7)
			}
		}
	case "Encounter":
		end := x.Period.End
		for _, p := range x.Participant {
			h.reason(x.Subject, p.Individual, x.Period.Start, end, known, 1, 3)
		}
		h.reason(x.Subject, x.ServiceProvider, x.Period.Start, end, known, 1, 1)
		var at []struct{ Location reference }
		if json.Unmarshal(x.Location, &at) == nil {
			for _, l := range at {
				h.reason(x.Subject, l.Location, x.Period.Start, end, known, 1, 1)
			}
		}
	case "CareTeam":
		for _, p := range x.Participant {
			h.reason(x.Subject, p.Member, x.Period.Start, x.Period.End, known, 3, 1)
		}
	case "ServiceRequest", "MedicationRequest":
		h.reason(x.Subject, x.Requester, x.AuthoredOn, x.AuthoredOn, known, 2, 5)
		h.reason(x.Subject, x.DispenseRequest.Performer, x.AuthoredOn, x.AuthoredOn, known, 2, 3)
		for _, p := range x.Performer {
			var to reference
			if json.Unmarshal(p, &to) == nil {
				h.reason(x.Subject, to, x.AuthoredOn, x.AuthoredOn, known, 2, 3)
			}
		}
	case "Procedure":
		for _, p := range x.Performer {
			var to struct{ Actor reference }
			if json.Unmarshal(p, &to) == nil {
				h.reason(x.Subject, to.Actor, x.PerformedPeriod.Start, x.PerformedPeriod.End, known, 1, 2)
			}
		}
	case "Task":
		h.reason(x.For, x.Owner, x.AuthoredOn, x.AuthoredOn, known, 1, 3)
	case "Communication":
		for _, to := range x.Recipient {
			h.reason(x.Subject, to, x.Sent, x.Sent, known, 1, 3)
		}
	case "Claim": // whoever works on bills
		for _, a := range h.billers() {
			h.reason(x.Patient, reference{a}, x.Created, x.Created, known, 1, 45)
		}
	}
}

// billers are the departments in which coders and billing clerks work.
func (h *house) billers() []string {
	if h.billing != nil {
		return h.billing
	}
	seen := map[int32]bool{}
	for a, role := range h.role {
		if u := h.unit[a]; (role == "billing-clerk" || role == "coder") && !seen[u] {
			seen[u] = true
			h.billing = append(h.billing, h.groups.names[u])
		}
	}
	slices.Sort(h.billing)
	return h.billing
}

// reason notes that to has to do with the patient from so many days before to so many after. A zero time is always.
func (h *house) reason(patient, to reference, from, until, known time.Time, before, after int64) {
	if patient.Reference == "" || to.Reference == "" {
		return
	}
	f := fact{agent: -1, unit: -1, place: -1, to: 1 << 60, arrival: strings.HasPrefix(to.Reference, "Location/")}
	if !from.IsZero() {
		f.from = from.Unix() - before*dayLong
		f.to = max(from.Unix(), until.Unix()) + after*dayLong
	}
	if !known.IsZero() {
		f.known = known.Unix()
	}
	switch kind, _, _ := strings.Cut(to.Reference, "/"); kind {
	case "Practitioner":
		f.agent = h.agents.number(to.Reference)
	case "Organization":
		f.unit = h.groups.number(to.Reference)
	case "Location":
		f.place = h.places.number(to.Reference)
	default:
		return
	}
	p := h.patients.number(patient.Reference)
	h.facts[p] = append(h.facts[p], f)
}

// explained says whether a reason was known by the end of the access's day: for the person, her department, or the place where she sat.
func (h *house) explained(a access, by int64) bool {
	unit, hasUnit := h.unit[a.agent]
	home, hasHome := h.location[a.agent]
	for _, f := range h.facts[a.patient] {
		if a.at < f.from || a.at > f.to || f.known > by {
			continue
		}
		if f.arrival && h.role[a.agent] == "registration-clerk" && a.at > f.to-11*dayLong || f.agent == a.agent || hasUnit && f.unit == unit || f.place >= 0 && (f.place == a.place || hasHome && f.place == home) {
			return true
		}
	}
	return false
}
