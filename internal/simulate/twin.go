package simulate

// twin begins a label of something that looks like a scenario and is not.
func (w *world) twin(name string, agent int32) *label {
	l := &label{id: "t-" + w.id(10, "twin", len(w.labels), w.today, int(agent)), scenario: scenarioNamed(name), twin: true, done: true, agents: []int32{agent}}
	w.labels = append(w.labels, l)
	return l
}

// twins stages the innocent counterparts, about two of a kind in five judged days.
func (w *world) twins() {
	clear(w.twinOf)
	if w.today < w.warm {
		return
	}
	for n, stage := range []func(*world, *draw){(*world).treatsColleague, (*world).treatsNeighbour, (*world).registersRelative, (*world).nursesVIP, (*world).exportsStudy, (*world).reviewsMany,
		(*world).cleansUp, (*world).reportsMonthly, (*world).callsDaily, (*world).booksWalkIn, (*world).catchesUp, (*world).handsOver} {
		if d := w.begin("stage", w.today, n); d.chance(430) {
			stage(w, d)
			w.label = nil
		}
	}
}

// newcomers: all that somebody does on the first day, on the first day after a long leave, or on the day on which her practice joins.
func (w *world) newcomers() {
	if w.today < w.warm {
		return
	}
	joining := 0
	for i := range w.duties {
		u := &w.duties[i]
		p := &w.people[u.agent]
		switch {
		case p.back == w.today:
			w.twinOf[u.agent] = w.twin("dormant", u.agent)
		case p.hired == w.today:
			w.twinOf[u.agent] = w.twin("harvest", u.agent)
		case u.unit == w.joining && w.today == w.units[w.joining].joined && joining < 4:
			joining++
			w.twinOf[u.agent] = w.twin("harvest", u.agent)
		}
	}
}

// handsOver: two people after each other at one workstation within minutes, without logging out.
func (w *world) handsOver(d *draw) {
	x := w.inBed(d)
	if x == nil {
		return
	}
	at := w.at(w.today, d.between(9*60, 17*60))
	a, b := w.any(d, x.unit, at, nurse), w.any(d, x.unit, at, nurse, resident)
	if a == nil || b == nil || a.agent == b.agent || w.attackers[a.agent] || w.attackers[b.agent] {
		return
	}
	l := w.twin("shared", a.agent)
	l.agents = append(l.agents, b.agent)
	w.label = l
	v := w.deviceAt(d, x.unit)
	for k, u := range []*duty{a, b, a} {
		s := seat{u.agent, v, w.devices[v].addr, x.unit}
		w.visit(d, s, at+int64(k)*int64(d.between(60, 240)), pick(d, w.wardOf[x.unit]).patient, d.between(1, 3), group)
	}
}

// someone on duty who fits.
func (w *world) someone(d *draw, fits func(*duty) bool) *duty {
	for range 300 {
		if u := &w.duties[d.below(max(len(w.duties), 1))]; fits(u) && !w.attackers[u.agent] {
			return u
		}
	}
	return nil
}

// sees is a visit to a clinic that names the doctor, with or without an appointment.
func (w *world) sees(d *draw, u *duty, i int32, booked bool) {
	at := d.within(u.from+hour, u.to)
	b := &booking{day: w.today, minute: int((at - w.at(w.today, 0)) / 60), unit: u.unit, doctor: u.agent, helper: -1, patient: i}
	if booked {
		w.appoint(b, at-int64(d.between(2, 15))*dayLong)
	}
	w.unscheduled(d, "Encounter", at, `"status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/%s"},"participant":[{"individual":{"reference":"Practitioner/%s"}}],"period":{"start":"%s","end":"%s"},"location":[{"location":{"reference":"Location/%s"}}],"serviceProvider":{"reference":"Organization/%s"}`,
		w.patients[i].id, w.people[u.agent].id, instant(at), instant(at+25*minute), w.units[u.unit].location, w.units[u.unit].org)
	w.visit(d, w.seat(d, u), at, i, d.between(3, 6), direct)
}

func inClinic(w *world, of ...role) func(*duty) bool {
	return func(u *duty) bool { return is(of...)(u) && w.units[u.unit].kind == clinic }
}

// treatsColleague: she is a patient of the clinic in which she works.
func (w *world) treatsColleague(d *draw) {
	if u := w.someone(d, inClinic(w, physician, practitioner)); u != nil {
		if list := w.colleagues(u, true); len(list) > 0 {
			w.label = w.twin("coworker", u.agent)
			w.sees(d, u, pick(d, list), d.chance(600))
		}
	}
}

func (w *world) treatsNeighbour(d *draw) {
	if u := w.someone(d, inClinic(w, physician, practitioner)); u != nil {
		if list := w.street(u, func(p *patient) bool { return p.known == 0 && p.died == never && !p.joined }); len(list) > 0 {
			w.label = w.twin("neighbour", u.agent)
			w.sees(d, u, pick(d, list), d.chance(700))
		}
	}
}

// registersRelative: her household comes to her desk.
func (w *world) registersRelative(d *draw) {
	u := w.someone(d, func(u *duty) bool { return u.role == registrar && u.unit == w.first(emergency) })
	if u == nil {
		return
	}
	for _, i := range w.householdOf(u) {
		if !w.alive(i) || w.patients[i].inpatient >= 0 {
			continue
		}
		at := d.within(u.from, u.to)
		enc := w.unscheduled(d, "Encounter", at, `"status":"in-progress","class":{"code":"EMER"},"subject":{"reference":"Patient/%s"},"period":{"start":"%s","end":"%s"},"reasonCode":[{"text":"%s"}],"location":[{"location":{"reference":"Location/%s"}}],"serviceProvider":{"reference":"Organization/%s"}`,
			w.patients[i].id, instant(at), instant(at+3*hour), pick(d, complaints), w.units[u.unit].location, w.units[u.unit].org)
		if nurse := w.any(d, u.unit, at+10*minute, nurse, triageNurse); nurse != nil {
			w.visit(d, w.seat(d, nurse), at+15*minute, i, 3, group)
		}
		w.label = w.twin("household", u.agent)
		s := w.seat(d, u)
		w.write(d, s, w.visit(d, s, at, i, 2, group)+40, i, create, summary, enc)
		return
	}
}

func (w *world) nursesVIP(d *draw) {
	list := w.vips()
	if len(list) == 0 {
		return
	}
	i := pick(d, list)
	s := w.stayOf(i)
	if s == nil {
		s = w.admit(d, w.at(w.today, 6*60), w.at(w.today+2, 10*60), i, -1, 0)
	}
	if s == nil {
		return
	}
	if u := w.any(d, s.unit, w.at(w.today, 12*60), nurse); u != nil {
		w.careTeam(d, i, s.enc, u.from, u.to, u.agent)
		w.label = w.twin("vip", u.agent)
		w.nursing(d, u, s, max(u.from, s.from), u.to, 4, direct)
	}
}

func (w *world) exportsStudy(d *draw) {
	if len(w.cohorts) == 0 {
		return
	}
	c := pick(d, w.cohorts)
	if k, ok := w.dutyOf[c.lead]; ok {
		u := &w.duties[k]
		w.label = w.twin("bulk-export", u.agent)
		w.bulk(d, w.seat(d, u), d.within(u.from, u.to), export, len(c.patients)*d.between(1, 12), cohort, keyOf(c.id))
	}
}

func (w *world) reviewsMany(d *draw) {
	u := w.someone(d, is(reviewer))
	if u == nil {
		return
	}
	w.label = w.twin("harvest", u.agent)
	for range d.between(40, 60) {
		i := w.anyone(d)
		w.task(w.at(w.today, 6*60), "peer review", i, u.agent, u.unit)
		w.visit(d, w.seat(d, u), d.within(u.from, u.to), i, d.between(1, 3), direct)
	}
}

// cleansUp: duplicates are removed, from a list.
func (w *world) cleansUp(d *draw) {
	u := w.someone(d, is(recordsClerk))
	if u == nil {
		return
	}
	w.label = w.twin("mass-delete", u.agent)
	s, at := w.seat(d, u), d.within(u.from, u.to-2*hour)
	for range d.between(25, 60) {
		i := w.anyone(d)
		w.task(w.at(w.today, 6*60), "duplicate chart", i, u.agent, u.unit)
		w.write(d, s, w.visit(d, s, at, i, 1, direct)+15, i, remove, notes, 0)
		at += int64(d.between(30, 110))
	}
}

func (w *world) reportsMonthly(d *draw) {
	if u := w.someone(d, is(analyst)); u != nil && d.chance(400) {
		w.label = w.twin("report-writer", u.agent)
		w.bulk(d, w.seat(d, u), d.within(u.from, u.to), report, d.between(1500, 5000), demographics, d.next())
	}
}

// callsDaily: a chronic patient whom a nurse rings up again and again; half the calls are filed.
func (w *world) callsDaily(d *draw) {
	u := w.someone(d, inClinic(w, nurse))
	if u == nil {
		return
	}
	l := w.twin("stalking", u.agent)
	i := int32(key(w.Seed, "chronic", int(u.agent)) >> 1 % uint64(len(w.patients)))
	if !w.alive(i) {
		return
	}
	w.label = l
	y, at := unfiled, d.within(u.from, u.to)
	if d.chance(500) {
		w.message(d, i, at, "Organization/"+w.units[u.unit].org)
		y = group
	}
	w.visit(d, w.seat(d, u), at, i, d.between(1, 3), y)
}

// booksWalkIn: the clerk who lets a patient in makes the appointment herself; the visit then happens.
func (w *world) booksWalkIn(d *draw) {
	u := w.someone(d, inClinic(w, scheduler))
	if u == nil {
		return
	}
	at, i := d.within(u.from, u.to-hour), w.anyone(d)
	p := w.any(d, u.unit, at+hour/2, physician, practitioner)
	if p == nil {
		return
	}
	b := &booking{day: w.today, minute: int((at-w.at(w.today, 0))/60) + 20, unit: u.unit, doctor: p.agent, helper: -1, patient: i}
	w.appoint(b, at)
	w.label = w.twin("mimic-appointment", u.agent)
	s := w.seat(d, u)
	w.write(d, s, at, i, create, schedule, b.id)
	w.visit(d, s, at+60, i, 2, group)
	w.label = nil
	w.sees(d, p, i, false)
}

// catchesUp: after the downtime notes are entered as of when they were meant.
func (w *world) catchesUp(d *draw) {
	if instant(w.downtime)[:10] != instant(w.at(w.today, 0))[:10] {
		return
	}
	for range 4 {
		x := w.inBed(d)
		if x == nil {
			continue
		}
		u := w.any(d, x.unit, w.downtime+4*hour, nurse, resident)
		if u == nil {
			continue
		}
		w.label = w.twin("back-dated", u.agent)
		s, at := w.seat(d, u), w.downtime+3*hour+int64(d.below(5400))
		for range d.between(2, 5) {
			w.emit(s, event{at: at, patient: x.patient, act: create, section: notes, purpose: treat, res: d.next(), authored: w.downtime + int64(d.below(9000)), why: group})
			at += int64(d.between(40, 300))
		}
		w.label = nil
	}
}
