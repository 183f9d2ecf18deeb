package simulate

// Those who take data out of the house by the system's own means.

func (w *world) exportsAll(l *label, d *draw) {
	if u := w.attacker(d, l, is(analyst, researcher, biller, coder, reviewer)); u != nil {
		from := account
		if u.role == researcher {
			from = cohort
		}
		w.bulk(d, w.seat(d, u), d.within(u.from, u.to), export, d.between(3000, 20000), from, d.next())
		l.done = true
	}
}

func (w *world) printsPages(l *label, d *draw) {
	u := w.attacker(d, l, is(nurse, registrar, recordsClerk, biller, coder, scheduler))
	if u == nil {
		return
	}
	s, at := w.seat(d, u), u.to-2*hour
	for range d.between(40, 80) {
		i := w.anyone(d)
		w.visit(d, s, at, i, 1, misuse)
		w.take(d, s, at+int64(d.between(8, 25)), i, print)
		at += int64(d.between(40, 130))
	}
	l.done = true
}

func (w *world) writesReports(l *label, d *draw) {
	var u *duty
	if len(l.agents) == 0 {
		u = w.attacker(d, l, is(analyst))
	} else {
		u = w.again(l)
	}
	if u == nil {
		return
	}
	for range d.between(1, 2) {
		w.bulk(d, w.seat(d, u), d.within(u.from, u.to), report, d.between(3000, 9000), demographics, d.next())
	}
	l.step++
	l.done = l.step == 2
}

// exportsSlowly stays below what others of the role export.
func (w *world) exportsSlowly(l *label, d *draw) {
	var u *duty
	if len(l.agents) == 0 {
		u = w.attacker(d, l, is(biller, coder, researcher))
	} else {
		u = w.again(l)
	}
	if u == nil {
		return
	}
	from := account
	if u.role == researcher {
		from = cohort
	}
	w.bulk(d, w.seat(d, u), d.within(u.from, u.to), export, d.between(100, 210), from, d.next())
	l.step++
	l.done = l.step == 8
}
