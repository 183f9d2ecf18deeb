package simulate

// job is a request on its way to a department.
type job struct {
	at      int64
	patient int32
	enc     uint64
	by      int32
	order   uint64
	filed   bool
}

// result waits for whoever asked for it.
type result struct {
	at      int64
	patient int32
}

var orderNames = map[unitKind]string{laboratory: "lab", radiology: "radiology", therapy: "therapy", cases: "social"}

// request orders something from a department. One in ten is a word first and filed later.
func (w *world) request(d *draw, s seat, at int64, patient int32, enc uint64, to unitKind) {
	dept, known := w.first(to), at
	if w.gap(d, 100) {
		known = filed(d, at)
		w.lateness.count(known - at)
	}
	var id uint64
	in := ""
	if enc != 0 {
		in = `"encounter":{"reference":"Encounter/` + hex12(enc) + `"},`
	}
	if to == pharmacy {
		id = w.fact("MedicationRequest", known, `"status":"active","intent":"order","subject":{"reference":"Patient/%s"},%s"authoredOn":"%s","requester":{"reference":"Practitioner/%s"},"dispenseRequest":{"performer":{"reference":"Organization/%s"}}`,
			w.patients[patient].id, in, instant(at), w.people[s.agent].id, w.units[dept].org)
		w.write(d, s, known, patient, create, medications, id)
	} else {
		id = w.order(known, at, patient, orderNames[to], enc, s.agent, dept, -1)
		w.write(d, s, known, patient, create, orders, id)
	}
	if enc != 0 && w.patients[patient].inpatient < 0 && d.chance(90) {
		return // the patient never goes there
	}
	delay := int64(d.between(10, 150)) * minute
	if to == therapy || to == cases {
		delay = int64(d.between(2, 26)) * hour
	}
	w.queues[to] = append(w.queues[to], job{at + delay, patient, enc, s.agent, id, true})
}

// departments work off what has become due, whoever is there.
func (w *world) departments() {
	end := w.at(w.today+1, 0)
	for _, k := range []unitKind{laboratory, pharmacy, radiology, therapy, cases} {
		waiting := w.queues[k]
		w.queues[k] = nil
		d := w.begin("department", int(k), w.today)
		for _, j := range waiting {
			if j.at >= end {
				w.queues[k] = append(w.queues[k], j)
				continue
			}
			w.workOff(d, k, j)
		}
	}
}

func (w *world) workOff(d *draw, k unitKind, j job) {
	u := w.first(k)
	again := func() {
		if j.at += 6 * hour; j.at < w.at(w.today+4, 0) {
			w.queues[k] = append(w.queues[k], j)
		}
	}
	switch k {
	case laboratory:
		if p := w.any(d, u, j.at, technologist); p != nil {
			at := w.visit(d, w.seat(d, p), j.at, j.patient, d.between(1, 2), group)
			w.back(d, j, at+int64(d.between(20, 120))*minute)
		} else {
			again()
		}
	case pharmacy:
		if p := w.any(d, u, j.at, pharmacist); p != nil {
			w.visit(d, w.seat(d, p), j.at, j.patient, d.between(1, 3), group)
		} else {
			again()
		}
	case radiology:
		p := w.any(d, u, j.at, radiographer)
		if p == nil {
			again()
			return
		}
		at := w.visit(d, w.seat(d, p), j.at, j.patient, d.between(1, 3), group)
		if d.chance(30) {
			w.take(d, w.seat(d, p), at+60, j.patient, export)
		}
		at += int64(d.between(15, 400)) * minute
		if p = w.any(d, u, at, radiologist); p != nil && at < w.at(w.today+1, 0) {
			seat := w.seat(d, p)
			end := w.visit(d, seat, at, j.patient, d.between(2, 4), group)
			w.write(d, seat, end+int64(d.between(60, 400)), j.patient, create, imaging, 0)
		}
		w.back(d, j, at+30*minute)
	default: // therapy and social work: a person takes it on, by a task that names her
		of := therapist
		if k == cases {
			of = pick(d, []role{socialWorker, caseManager, caseManager})
		}
		p := w.any(d, u, j.at, of)
		if p == nil {
			again()
			return
		}
		y := group
		if !w.gap(d, 120) {
			known := filed(d, j.at)
			w.lateness.count(known - j.at)
			w.task(known, map[bool]string{true: "therapy session", false: pick(d, []string{"social", "discharge planning"})}[k == therapy], j.patient, p.agent, u)
			y = direct
		}
		for range d.between(1, 2) {
			w.visit(d, w.seat(d, p), d.within(j.at, min(p.to, j.at+2*hour)+1), j.patient, d.between(2, 4), y)
		}
	}
}

// back sends a result to whoever asked.
func (w *world) back(d *draw, j job, at int64) {
	if j.by >= 0 && d.chance(450) {
		w.signing[j.by] = append(w.signing[j.by], result{at, j.patient})
	}
}

// answers: those on duty sign what came back.
func (w *world) answers() {
	for i := range w.duties {
		me := &w.duties[i]
		list := w.signing[me.agent]
		if len(list) == 0 || me.role == triageNurse {
			continue
		}
		d := w.begin("sign", w.today, int(me.agent))
		keep := list[:0]
		for _, r := range list {
			if r.at >= me.to {
				keep = append(keep, r)
				continue
			}
			s, at := w.seat(d, me), d.within(max(me.from, r.at), me.to+minute)
			at = w.visit(d, s, at, r.patient, d.between(1, 3), direct)
			if d.chance(w.often(8)) { // a note that should have been finished weeks ago
				w.emit(s, event{at: at + 100, patient: r.patient, act: pick(d, []act{update, update, create}), section: notes, purpose: treat, res: d.next(), authored: at - int64(d.between(2, 24))*dayLong, why: direct})
			}
		}
		w.signing[me.agent] = keep
	}
}
