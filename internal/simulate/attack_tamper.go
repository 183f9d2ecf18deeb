package simulate

// Those who change the record, and those who bend the rules that protect it.

func (w *world) deletes(l *label, d *draw) {
	u := w.attacker(d, l, is(nurse, recordsClerk, physician, coder, assistant))
	if u == nil {
		return
	}
	s, at := w.seat(d, u), d.within(u.from, u.to-hour)
	for range d.between(30, 80) {
		w.write(d, s, at, w.anyone(d), remove, notes, 0)
		at += int64(d.between(10, 60))
	}
	l.done = true
}

// backDates changes what was written weeks ago, in charts of her own work.
func (w *world) backDates(l *label, d *draw) {
	u := w.attacker(d, l, is(nurse, physician, resident, hospitalist))
	if u == nil {
		return
	}
	var mine []int32
	for _, e := range w.buckets[w.today] {
		if e.agent == u.agent && e.patient >= 0 && e.act == create {
			mine = append(mine, e.patient)
		}
	}
	if len(mine) == 0 {
		return
	}
	s, p := w.seat(d, u), pick(d, mine)
	at := d.within(u.from+2*hour, u.to)
	for range d.between(1, 3) {
		w.emit(s, event{at: at, patient: p, act: pick(d, []act{update, update, create}), section: notes, purpose: treat, res: d.next(), authored: at - int64(d.between(9, 45))*dayLong, why: misuse})
		at += int64(d.between(60, 900))
	}
	l.done = true
}

// breaksGlass: a good reason typed, nothing behind it.
func (w *world) breaksGlass(l *label, d *draw) {
	u := w.attacker(d, l, is(nurse, resident, physician, hospitalist, practitioner))
	if u == nil {
		return
	}
	for range d.between(2, 4) {
		i := w.anyone(d)
		if list := w.street(u, func(*patient) bool { return true }); d.chance(400) && len(list) > 0 {
			i = pick(d, list)
		}
		if !w.stranger(u, i) {
			continue
		}
		s, at := w.seat(d, u), d.within(u.from+10*minute, u.to)
		w.unseal(d, s, at, i)
		w.visit(d, s, at+15, i, d.between(2, 5), misuse)
		l.done = true
	}
}

// grantsSelf: an analyst becomes a clinician for an hour.
func (w *world) grantsSelf(l *label, d *draw) {
	u := w.attacker(d, l, is(analyst))
	if u == nil {
		return
	}
	s, at := w.seat(d, u), d.within(u.from, u.to-2*hour)
	own := event{patient: -1, section: staffRole, purpose: operations, res: key(w.Seed, "id role", int(u.agent), w.people[u.agent].unit)}
	own.at, own.act = at, update
	w.emit(s, own)
	for range d.between(4, 9) {
		at += int64(d.between(60, 400))
		w.visit(d, s, at, w.anyone(d), d.between(2, 5), misuse)
	}
	own.at = at + 600
	w.emit(s, own)
	l.done = true
}

// audits: a reviewer reads people she knows among the charts of her list.
func (w *world) audits(l *label, d *draw) {
	u := w.attacker(d, l, is(reviewer, recordsClerk))
	if u == nil {
		return
	}
	list := append(some(d, w.street(u, func(*patient) bool { return true }), 3), some(d, w.colleagues(u, false), 3)...)
	for _, i := range list {
		if w.stranger(u, i) {
			w.visit(d, w.seat(d, u), d.within(u.from, u.to), i, d.between(2, 5), misuse)
			l.done = true
		}
	}
}
