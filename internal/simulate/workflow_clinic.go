package simulate

import "fmt"

// booking is a visit to a clinic, planned or not.
type booking struct {
	day     int
	minute  int
	unit    int
	doctor  int32
	helper  int32
	patient int32
	made    int // the day on which it was booked; negative: before the run
	walkIn  bool
	id      uint64
}

// plan lays out all visits of the run: whom each physician will see, and on which day that was booked.
func (w *world) plan() {
	w.agenda, w.bookings = make([][]*booking, w.Days+1), make([][]*booking, w.Days+1)
	helpers := map[int][]int32{}
	for i := range w.people {
		if w.people[i].role == assistant {
			helpers[w.people[i].unit] = append(helpers[w.people[i].unit], int32(i))
		}
	}
	for day := range w.Days {
		w.today = day
		for i := range w.people {
			p := &w.people[i]
			if w.units[p.unit].kind != clinic || p.role != physician && p.role != practitioner || !p.serves(day) || day < w.units[p.unit].joined {
				continue
			}
			if _, _, on := w.planned(int32(i), day); !on {
				continue
			}
			d := newDraw(w.Seed, "agenda", day, i)
			for slot := range 18 {
				if d.chance(100) {
					continue
				}
				b := &booking{day: day, minute: 8*60 + 30 + slot*26 + d.below(8), unit: p.unit, doctor: int32(i), helper: -1, made: day - d.between(1, 7) - d.early(60), walkIn: d.chance(80)}
				if b.made < 0 {
					b.made = -1
				}
				b.patient = w.panel(d, i)
				if list := helpers[p.unit]; len(list) > 0 && d.chance(850) {
					b.helper = pick(d, list)
				}
				w.agenda[day] = append(w.agenda[day], b)
				if !b.walkIn {
					w.bookings[b.made+1] = append(w.bookings[b.made+1], b)
				}
			}
		}
	}
	w.today = 0
}

// panel is one of the patients whom a physician mostly sees: some often, many seldom.
func (w *world) panel(d *draw, doctor int) int32 {
	for {
		i := int32(key(w.Seed, "panel", doctor, d.early(1500)) >> 1 % uint64(len(w.patients)))
		if w.alive(i) {
			return i
		}
		if d.chance(200) {
			return w.anyone(d)
		}
	}
}

// appoint files the appointment of a booking.
func (w *world) appoint(b *booking, known int64) {
	people := fmt.Sprintf(`{"actor":{"reference":"Patient/%s"},"status":"accepted"},{"actor":{"reference":"Practitioner/%s"},"status":"accepted"},{"actor":{"reference":"Location/%s"},"status":"accepted"}`,
		w.patients[b.patient].id, w.people[b.doctor].id, w.units[b.unit].location)
	if b.helper >= 0 {
		people += fmt.Sprintf(`,{"actor":{"reference":"Practitioner/%s"},"status":"accepted"}`, w.people[b.helper].id)
	}
	start := w.at(b.day, b.minute)
	b.id = w.fact("Appointment", known, `"status":"booked","serviceType":[{"text":"%s"}],"start":"%s","end":"%s","created":"%s","participant":[%s]`,
		clinicNames[b.unit%len(clinicNames)], instant(start), instant(start+25*minute), instant(known), people)
}

// book makes the appointments that are made today, by a scheduler of the clinic; those from before the run are simply there.
func (w *world) book() {
	if w.today == 0 {
		d := w.begin("booked before")
		for _, b := range w.bookings[0] {
			w.appoint(b, w.epoch-int64(1+d.below(30*86400)))
		}
	}
	d := w.begin("book", w.today)
	for _, b := range w.bookings[w.today+1] {
		at := w.at(w.today, d.between(8*60, 16*60+30))
		p := w.any(d, b.unit, at, scheduler)
		if p == nil {
			w.appoint(b, at) // by the patient herself, on the portal
			continue
		}
		s := w.seat(d, p)
		w.lookup(d, s, at-40, b.patient)
		w.appoint(b, at)
		if d.chance(350) {
			w.visit(d, s, at-20, b.patient, d.between(1, 2), group)
		}
		w.write(d, s, at, b.patient, create, schedule, b.id)
	}
}

// clinics see the patients of the day, and prepare for those of the next.
func (w *world) clinics() {
	for n, b := range w.agenda[w.today] {
		if !w.alive(b.patient) || w.patients[b.patient].inpatient >= 0 {
			continue
		}
		w.consultation(w.begin("clinic", w.today, n), b)
	}
	for i := range w.duties {
		me := &w.duties[i]
		if me.role != physician || w.units[me.unit].kind != clinic {
			continue
		}
		d := w.begin("prepare", w.today, int(me.agent))
		home := d.chance(120)
		for _, b := range w.agenda[min(w.today+1, w.Days)] {
			if b.doctor != me.agent || b.walkIn || !home && !d.chance(200) {
				continue
			}
			if home {
				w.visit(d, w.fromHome(me.agent), d.within(w.at(w.today, 20*60), w.at(w.today, 22*60+30)), b.patient, d.between(2, 4), direct)
			} else {
				w.visit(d, w.seat(d, me), d.within(me.to-hour, me.to+hour/2), b.patient, d.between(1, 3), direct)
			}
		}
	}
}

// consultation is one visit: the desk, the helper, the physician, what she orders, the bill.
func (w *world) consultation(d *draw, b *booking) {
	if !b.walkIn && d.chance(60) {
		return // she did not come
	}
	start := w.at(b.day, b.minute)
	doctor, y := b.doctor, direct
	if k, ok := w.dutyOf[b.doctor]; !ok || w.duties[k].unit != b.unit {
		p := w.any(d, b.unit, start, physician, practitioner) // a colleague sees the absent one's patients
		if p == nil {
			return
		}
		doctor, y = p.agent, group
	}
	me := &w.duties[w.dutyOf[doctor]]
	class := ""
	if b.id != 0 {
		class = fmt.Sprintf(`"appointment":[{"reference":"Appointment/%s"}],`, hex12(b.id))
	}
	enc := w.unscheduled(d, "Encounter", start, `"status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/%s"},%s"participant":[{"individual":{"reference":"Practitioner/%s"}}],"period":{"start":"%s","end":"%s"},"location":[{"location":{"reference":"Location/%s"}}],"serviceProvider":{"reference":"Organization/%s"}`,
		w.patients[b.patient].id, class, w.people[doctor].id, instant(start), instant(start+25*minute), w.units[b.unit].location, w.units[b.unit].org)
	if b.id == 0 {
		y = direct // the encounter of a walk-in names who saw her
	}
	if p := w.any(d, b.unit, start-10*minute, scheduler); p != nil {
		s := w.seat(d, p)
		at := w.visit(d, s, start-int64(d.between(2, 20))*minute, b.patient, d.between(1, 3), group)
		if b.walkIn {
			w.write(d, s, at+20, b.patient, create, summary, enc)
		} else if d.chance(500) {
			w.write(d, s, at+20, b.patient, update, schedule, b.id)
		}
	}
	helper, hy := (*duty)(nil), direct
	if k, ok := w.dutyOf[b.helper]; ok && b.helper >= 0 {
		helper = &w.duties[k]
	}
	if helper == nil || b.walkIn {
		helper, hy = w.any(d, b.unit, start, assistant, nurse), group
	}
	if helper != nil {
		s := w.seat(d, helper)
		at := w.visit(d, s, start-int64(d.between(0, 8))*minute, b.patient, d.between(2, 3), hy)
		w.write(d, s, at+int64(d.between(30, 120)), b.patient, create, labs, 0)
		if helper.role == assistant && d.chance(35) { // the next visit, booked on the way out
			next := &booking{day: w.today + d.between(9, 45), minute: b.minute, unit: b.unit, doctor: b.doctor, helper: -1, patient: b.patient}
			w.appoint(next, at+20*minute)
			w.write(d, s, at+20*minute, b.patient, create, schedule, next.id)
		}
		if d.chance(w.often(3)) {
			w.write(d, s, at+5*minute, b.patient, remove, notes, 0)
		}
	}
	s := w.seat(d, me)
	if d.chance(600) {
		w.visit(d, s, start-int64(d.between(10, 50))*minute, b.patient, d.between(1, 3), y)
	}
	at := w.visit(d, s, start+int64(d.between(0, 9))*minute, b.patient, d.between(3, 6), y)
	for _, o := range []struct {
		to    unitKind
		mille int
	}{{laboratory, 300}, {pharmacy, 380}, {radiology, 110}} {
		if d.chance(o.mille) {
			w.request(d, s, at+int64(d.between(20, 300)), b.patient, enc, o.to)
		}
	}
	if done := at + int64(d.between(5, 15))*minute; d.chance(700) {
		w.write(d, s, done, b.patient, create, notes, w.note(d, b.patient, done, doctor, enc))
	} else { // the note is written in the evening
		late := d.within(max(at, me.to-hour), max(at, me.to)+2*hour)
		late = w.visit(d, s, late, b.patient, 2, y)
		w.write(d, s, late+300, b.patient, create, notes, w.note(d, b.patient, late+300, doctor, enc))
	}
	if d.chance(15) {
		w.take(d, s, at+100, b.patient, print)
	}
	w.bill(d, b.patient, start+25*minute, false)
}
