package simulate

import "fmt"

// stay is an inpatient in a bed.
type stay struct {
	patient  int32
	unit     int
	from, to int64
	enc      uint64
	doctor   int32 // named by the encounter, or -1
}

// discharge is somebody who went home lately.
type discharge struct {
	patient int32
	unit    int
	at      int64
}

func (w *world) fillBeds() {
	d := w.begin("beds")
	for _, u := range w.byKind[ward] {
		for range bedsPerWard * 17 / 20 {
			from := w.epoch - int64(d.below(5*86400))
			w.admit(d, from, w.epoch+int64(7200+d.early(9*86400)), w.anyone(d), u, 0)
		}
	}
}

// anyone is a patient who is alive and not in a bed.
func (w *world) anyone(d *draw) int32 {
	for {
		if i := int32(d.below(len(w.patients))); w.alive(i) && w.patients[i].inpatient < 0 {
			return i
		}
	}
}

// admit puts a patient to bed, on unit u or where there is room when u < 0; from an emergency encounter when part is set.
func (w *world) admit(d *draw, from, to int64, i int32, u int, part uint64) *stay {
	if u < 0 {
		var room []int
		for _, x := range w.byKind[ward] {
			if len(w.wardOf[x]) < bedsPerWard {
				room = append(room, x)
			}
		}
		if len(room) == 0 {
			return nil
		}
		u = pick(d, room)
	}
	s := &stay{patient: i, unit: u, from: from, to: to, doctor: -1}
	var doctors []int32
	for k := range w.people {
		if p := &w.people[k]; p.role == hospitalist && p.unit == u {
			doctors = append(doctors, int32(k))
		}
	}
	named := ""
	if len(doctors) > 0 && !w.gap(d, 200) {
		s.doctor = pick(d, doctors)
		named = fmt.Sprintf(`"participant":[{"individual":{"reference":"Practitioner/%s"}}],`, w.people[s.doctor].id)
	}
	if part != 0 {
		named += fmt.Sprintf(`"partOf":{"reference":"Encounter/%s"},`, hex12(part))
	}
	period := fmt.Sprintf(`"period":{"start":"%s","end":"%s"}`, instant(from), instant(to))
	s.enc = w.unscheduled(d, "Encounter", from, `"status":"in-progress","class":{"code":"IMP"},"subject":{"reference":"Patient/%s"},%s%s,"location":[{"location":{"reference":"Location/%s"},%s}],"serviceProvider":{"reference":"Organization/%s"}`,
		w.patients[i].id, named, period, w.units[u].location, period, w.units[u].org)
	w.stays = append(w.stays, s)
	w.patients[i].inpatient = int32(len(w.stays) - 1)
	w.wardOf[u] = append(w.wardOf[u], s)
	return s
}

// clear sends home whose time is over.
func (w *world) clear(u int) {
	keep := w.wardOf[u][:0]
	for _, s := range w.wardOf[u] {
		if s.to > w.at(w.today, 0) {
			keep = append(keep, s)
			continue
		}
		w.patients[s.patient].inpatient = -1
		w.left = append(w.left, discharge{s.patient, u, s.to})
		w.bill(newDraw(w.Seed, "bill stay", int(s.patient), w.today), s.patient, s.to, true)
	}
	w.wardOf[u] = keep
}

// stayOf is the stay of an inpatient.
func (w *world) stayOf(i int32) *stay {
	if k := w.patients[i].inpatient; k >= 0 {
		return w.stays[k]
	}
	return nil
}
