package simulate

import "slices"

// Those who know what an explanation is, and make one.

// acquaintance is somebody of interest: household, street or a VIP.
func (w *world) acquaintance(d *draw, u *duty) (int32, bool) {
	list := append(w.householdOf(u), some(d, w.street(u, func(*patient) bool { return true }), 2)...)
	if v := w.vips(); len(v) > 0 {
		list = append(list, pick(d, v))
	}
	list = slices.DeleteFunc(list, func(i int32) bool { return !w.stranger(u, i) })
	if len(list) == 0 {
		return 0, false
	}
	return pick(d, list), true
}

// booksFirst makes an appointment one day and opens the chart the next.
func (w *world) booksFirst(l *label, d *draw) {
	if len(l.agents) > 0 {
		if u := w.again(l); u != nil {
			w.peek(d, u, l.targets[0], 1)
			l.done = true
		}
		return
	}
	u := w.attacker(d, l, func(u *duty) bool { return is(scheduler, assistant)(u) && w.units[u.unit].kind == clinic })
	if u == nil {
		return
	}
	i, ok := w.acquaintance(d, u)
	p := w.any(d, u.unit, u.from+2*hour, physician)
	if !ok || p == nil {
		return
	}
	b := &booking{day: w.today + d.between(1, 4), minute: d.between(9*60, 15*60), unit: u.unit, doctor: p.agent, helper: -1, patient: i}
	if u.role == assistant {
		b.helper = u.agent
	}
	at := d.within(u.from+hour, u.to)
	w.appoint(b, at)
	s := w.seat(d, u)
	w.lookup(d, s, at-40, i)
	w.write(d, s, at, i, create, schedule, b.id)
	l.targets = []int32{i}
}

// ordersFirst writes an order and then reads.
func (w *world) ordersFirst(l *label, d *draw) {
	u := w.attacker(d, l, is(physician, practitioner, resident, hospitalist))
	if u == nil {
		return
	}
	i, ok := w.acquaintance(d, u)
	if !ok {
		return
	}
	at := d.within(u.from+hour, u.to)
	s := w.seat(d, u)
	w.write(d, s, at, i, create, orders, w.order(at, at, i, "lab", 0, u.agent, w.first(laboratory), -1))
	w.visit(d, s, at+int64(d.between(20, 600)), i, d.between(2, 5), misuse)
	l.done = true
}

// colludes: one gives the task, the other looks.
func (w *world) colludes(l *label, d *draw) {
	if len(l.agents) == 0 {
		u := w.attacker(d, l, is(nurse, recordsClerk, caseManager, reviewer))
		if u == nil {
			return
		}
		i, ok := w.acquaintance(d, u)
		if !ok {
			return
		}
		by := w.attacker(d, l, func(o *duty) bool { return o.unit == u.unit && o.agent != u.agent })
		if by == nil {
			return
		}
		at := d.within(max(by.from, u.from), max(by.from, u.from)+2*hour)
		id := w.task(at, pick(d, []string{"peer review", "discharge planning", "disclosure"}), i, u.agent, u.unit)
		w.write(d, w.seat(d, by), at, i, create, tasks, id)
		w.visit(d, w.seat(d, u), at+int64(d.between(600, 9000)), i, d.between(3, 6), misuse)
		l.done = true
	}
}
