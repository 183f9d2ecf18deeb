package simulate

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// fact writes one resource of the reference data: rest is what follows id and meta. It returns the id under which an entry can name it.
// known is when the house knew it, 0 for from the start. Nothing is written when known lies beyond the end: nobody knows it yet.
func (w *world) fact(typ string, known int64, rest string, args ...any) uint64 {
	w.serial++
	id := mix(w.stream ^ mix(w.serial) ^ 0xfac7)
	w.factWithID(typ, id, known, rest, args...)
	return id
}

func (w *world) factWithID(typ string, id uint64, known int64, rest string, args ...any) {
	if known >= w.at(w.Days, 0) || w.missing[typ] {
		return
	}
	b := make([]byte, 0, 400)
	b = append(b, `{"resourceType":"`...)
	b = append(b, typ...)
	b = append(b, `","id":"`...)
	b = appendHex(b, id, 12)
	b = append(b, '"')
	if known != 0 {
		b = append(b, `,"meta":{"lastUpdated":"`...)
		b = appendInstant(b, known)
		b = append(b, `"}`...)
	}
	b = append(b, ',')
	b = fmt.Appendf(b, rest, args...)
	w.facts[typ] = append(w.facts[typ], append(b, "}\n"...))
	w.factCount++
}

// unscheduled is fact for what is filed when there is time; it also counts how late.
func (w *world) unscheduled(d *draw, typ string, at int64, rest string, args ...any) uint64 {
	known := filed(d, at)
	w.lateness.count(known - at)
	return w.fact(typ, known, rest, args...)
}

// settle writes the facts of a day. Lines begin with the id, a hash: in their order nothing shows what they are for.
func (w *world) settle() error {
	for _, typ := range factTypes {
		lines := w.facts[typ]
		slices.SortFunc(lines, bytes.Compare)
		for _, l := range lines {
			if err := w.out.context(typ, l); err != nil {
				return err
			}
		}
		w.facts[typ] = lines[:0]
	}
	return nil
}

var factTypes = []string{"Patient", "RelatedPerson", "Person", "Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "CareTeam", "Appointment", "Encounter",
	"ServiceRequest", "MedicationRequest", "Procedure", "DocumentReference", "Task", "Communication", "Consent", "Flag", "Group", "ResearchSubject", "Claim"}

func instant(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }

func hex12(id uint64) string { return string(appendHex(nil, id, 12)) }

// The facts that several workflows file.

func (w *world) careTeam(d *draw, patient int32, encounter uint64, from, to int64, agents ...int32) uint64 {
	members := ""
	for _, a := range agents {
		if members != "" {
			members += ","
		}
		members += `{"member":{"reference":"Practitioner/` + w.people[a].id + `"}}`
	}
	return w.unscheduled(d, "CareTeam", from-int64(d.below(900)), `"status":"active","category":[{"text":"shift assignment"}],"subject":{"reference":"Patient/%s"},"encounter":{"reference":"Encounter/%s"},"period":{"start":"%s","end":"%s"},"participant":[%s]`,
		w.patients[patient].id, hex12(encounter), instant(from), instant(to), members)
}

// order is a ServiceRequest to a department, and to a person when to >= 0.
func (w *world) order(known, authored int64, patient int32, category string, encounter uint64, by int32, dept int, to int32) uint64 {
	rest := fmt.Sprintf(`"status":"active","intent":"order","category":[{"text":"%s"}],"subject":{"reference":"Patient/%s"}`, category, w.patients[patient].id)
	if encounter != 0 {
		rest += `,"encounter":{"reference":"Encounter/` + hex12(encounter) + `"}`
	}
	rest += `,"authoredOn":"` + instant(authored) + `"`
	if by >= 0 {
		rest += `,"requester":{"reference":"Practitioner/` + w.people[by].id + `"}`
	}
	switch {
	case to >= 0:
		rest += `,"performer":[{"reference":"Practitioner/` + w.people[to].id + `"}]`
	default:
		rest += `,"performer":[{"reference":"Organization/` + w.units[dept].org + `"}]`
	}
	return w.fact("ServiceRequest", known, "%s", rest)
}

// task is an item of a work queue, owned by a person or, when owner < 0, by a department.
func (w *world) task(known int64, code string, patient int32, owner int32, dept int) uint64 {
	to := "Organization/" + w.units[dept].org
	if owner >= 0 {
		to = "Practitioner/" + w.people[owner].id
	}
	return w.fact("Task", known, `"status":"requested","intent":"order","code":{"text":"%s"},"for":{"reference":"Patient/%s"},"authoredOn":"%s","owner":{"reference":"%s"}`,
		code, w.patients[patient].id, instant(known), to)
}

// give is task for one that a colleague of the department enters, now and then, and that her entry shows.
func (w *world) give(d *draw, known int64, code string, patient, owner int32, dept int) {
	id := w.task(known, code, patient, owner, dept)
	if !d.chance(220) {
		return
	}
	if by := w.any(d, dept, known); by != nil && by.agent != owner {
		w.write(d, w.seat(d, by), known, patient, create, tasks, id)
	}
}

func (w *world) message(d *draw, patient int32, at int64, to string) uint64 {
	return w.unscheduled(d, "Communication", at, `"status":"completed","category":[{"text":"patient message"}],"subject":{"reference":"Patient/%s"},"sent":"%s","recipient":[{"reference":"%s"}]`,
		w.patients[patient].id, instant(at), to)
}

func (w *world) note(d *draw, patient int32, at int64, by int32, encounter uint64) uint64 {
	return w.unscheduled(d, "DocumentReference", at, `"status":"current","type":{"text":"progress note"},"subject":{"reference":"Patient/%s"},"date":"%s","author":[{"reference":"Practitioner/%s"}],"context":{"encounter":[{"reference":"Encounter/%s"}]}`,
		w.patients[patient].id, instant(at), w.people[by].id, hex12(encounter))
}
