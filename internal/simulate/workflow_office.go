package simulate

// bill is what a visit or stay leaves for billing and coding.
type bill struct {
	patient int32
	at      int64
	large   bool
}

// bill sends a finished visit to the work queue of a later day.
func (w *world) bill(d *draw, patient int32, at int64, large bool) {
	day := w.today + 1 + d.early(24)
	for day%7 > 4 {
		day++
	}
	w.bills[day] = append(w.bills[day], bill{patient, at, large})
}

// backOffice is everybody whose work comes from a list.
func (w *world) backOffice() {
	w.accounts()
	for i := range w.duties {
		me := &w.duties[i]
		d := w.begin("office", w.today, int(me.agent))
		switch me.role {
		case recordsClerk:
			w.requests(d, me)
		case reviewer:
			w.reviews(d, me)
		case researcher:
			w.studies(d, me)
		case analyst:
			w.tickets(d, me)
		case registrar:
			if me.unit == w.first(registration) {
				w.desk(d, me)
			}
		case caseManager, socialWorker, therapist:
			w.discharges(d, me)
		}
	}
}

// accounts: claims are made, owned by a person or by the department, and worked off.
func (w *world) accounts() {
	u, d := w.first(billing), w.begin("accounts", w.today)
	list := w.bills[w.today]
	w.bills[w.today] = nil
	if w.today < 20 && !w.weekend() { // from before the run
		for range w.Staff * (20 - w.today) / 30 {
			list = append(list, bill{w.anyone(d), w.at(w.today, 0) - int64(d.below(15*86400)), d.chance(200)})
		}
	}
	for _, b := range list {
		made := w.at(w.today, 7*60) + int64(d.below(3600)) - hour
		w.fact("Claim", made, `"status":"active","use":"claim","patient":{"reference":"Patient/%s"},"created":"%s"`, w.patients[b.patient].id, instant(made))
		clerks := []role{biller}
		if b.large || d.chance(250) {
			clerks = []role{coder, biller}
		}
		for _, r := range clerks {
			at := w.at(w.today, d.between(8*60+30, 16*60))
			p := w.any(d, u, at, r)
			if p == nil {
				continue
			}
			y := group
			if !w.gap(d, 400) {
				w.task(made+600, "billing", b.patient, p.agent, u)
				y = direct
			} else if d.chance(600) {
				w.task(made+600, "billing", b.patient, -1, u)
			}
			s := w.seat(d, p)
			at = w.visit(d, s, at, b.patient, d.between(2, 5), y)
			if d.chance(300) {
				w.write(d, s, at+60, b.patient, update, account, 0)
			}
			if d.chance(12) {
				w.emit(s, event{at: at + 90, patient: -1, act: export, section: account, purpose: payment, res: d.next(), rows: int32(d.between(20, 220)), bytes: int32(d.between(9000, 90000))})
			}
		}
	}
}

// requests are the tasks of health information management: disclosures, duplicates, scans.
func (w *world) requests(d *draw, me *duty) {
	for range d.between(14, 24) {
		p, at := w.anyone(d), d.within(me.from, me.to)
		if d.chance(50) {
			p = w.departed(d)
		}
		code := pick(d, []string{"disclosure", "disclosure", "scan", "scan", "duplicate chart"})
		y := unfiled
		if !w.gap(d, 30) {
			w.give(d, max(w.at(w.today, 6*60), at-int64(d.below(20*3600))), code, p, me.agent, me.unit)
			y = direct
		}
		s := w.seat(d, me)
		at = w.visit(d, s, at, p, d.between(2, 4), y)
		switch {
		case code == "disclosure" && d.chance(600):
			for range d.between(1, 3) {
				w.take(d, s, at+int64(d.between(20, 200)), p, print)
			}
		case code == "scan":
			w.write(d, s, at+60, p, create, notes, 0)
		case d.chance(500):
			w.write(d, s, at+90, p, remove, notes, 0)
		}
	}
}

// departed is somebody who died: estates ask for records, and deaths are reviewed.
func (w *world) departed(d *draw) int32 {
	for {
		if i := int32(d.below(len(w.patients))); w.patients[i].died < 0 {
			return i
		}
	}
}

func (w *world) reviews(d *draw, me *duty) {
	for range d.between(10, 18) {
		p := w.anyone(d)
		if len(w.left) > 0 && d.chance(800) {
			p = pick(d, w.left).patient
		} else if d.chance(500) {
			p = w.departed(d)
		}
		y := unfiled
		if !w.gap(d, 40) {
			w.give(d, d.within(me.from-3*hour, me.from+hour), "peer review", p, me.agent, me.unit)
			y = direct
		}
		w.visit(d, w.seat(d, me), d.within(me.from, me.to), p, d.between(3, 6), y)
	}
}

func (w *world) studies(d *draw, me *duty) {
	for _, c := range w.cohorts {
		if c.lead != me.agent {
			continue
		}
		for range d.between(9, 18) {
			w.visit(d, w.seat(d, me), d.within(me.from, me.to), pick(d, c.patients), d.between(3, 5), direct)
		}
		if d.chance(120) {
			w.bulk(d, w.seat(d, me), d.within(me.from, me.to), export, len(c.patients), cohort, keyOf(c.id))
		}
	}
}

// keyOf turns an id of hexadecimal digits back into the number that prints as it.
func keyOf(id string) (x uint64) {
	for i := range len(id) {
		c := uint64(id[i])
		if c -= '0'; c > 9 {
			c -= 'a' - '0' - 10
		}
		x |= c << (60 - 4*i)
	}
	return x
}

// tickets are what IT is called for; half of them are filed. Some are reports, few changes of roles.
func (w *world) tickets(d *draw, me *duty) {
	for range d.between(3, 8) {
		p, at, y := w.anyone(d), d.within(me.from, me.to), unfiled
		if d.chance(200) {
			if s := w.inBed(d); s != nil {
				p = s.patient
			}
		}
		if !w.gap(d, 450) {
			w.task(at-int64(d.below(7200)), "ticket", p, me.agent, me.unit)
			y = direct
		}
		w.visit(d, w.seat(d, me), at, p, d.between(1, 2), y)
	}
	if d.chance(150) {
		w.bulk(d, w.seat(d, me), d.within(me.from, me.to), report, d.between(40, 1500), demographics, d.next())
	}
	if d.chance(120) {
		who := d.below(len(w.people))
		w.emit(w.seat(d, me), event{at: d.within(me.from, me.to), patient: -1, act: update, section: staffRole, purpose: operations,
			res: key(w.Seed, "id role", who, w.people[who].unit)})
	}
}

// desk is main registration: arrivals of today and the next days, and calls.
func (w *world) desk(d *draw, me *duty) {
	list := w.agenda[min(w.today+d.below(3), w.Days)]
	for range d.between(18, 32) {
		at := d.within(me.from, me.to)
		s := w.seat(d, me)
		if len(list) > 0 && d.chance(870) {
			if b := pick(d, list); w.alive(b.patient) && !b.walkIn {
				w.lookup(d, s, at-20, b.patient)
				w.visit(d, s, at, b.patient, d.between(1, 3), group)
			}
			continue
		}
		if x := w.inBed(d); x != nil && d.chance(700) {
			w.visit(d, s, at, x.patient, d.between(1, 2), group)
		} else { // somebody called and hung up
			p := w.anyone(d)
			w.lookup(d, s, at-20, p)
			w.visit(d, s, at, p, 1, unfiled)
		}
	}
}

// discharges are the own inpatients of therapists, case managers and social workers.
func (w *world) discharges(d *draw, me *duty) {
	work := "discharge planning"
	if me.role == therapist {
		work = "therapy session"
	}
	for range d.between(7, 12) {
		x := w.inBed(d)
		if x == nil {
			continue
		}
		y := group
		if !w.gap(d, 150) {
			w.give(d, d.within(me.from-hour, me.from+hour), work, x.patient, me.agent, me.unit)
			y = direct
		}
		w.visit(d, w.seat(d, me), d.within(me.from+hour, me.to), x.patient, d.between(2, 4), y)
	}
}
