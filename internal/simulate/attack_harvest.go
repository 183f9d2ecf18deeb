package simulate

import "slices"

// Those who collect: many charts, for sale or for identities.

func (w *world) collect(d *draw, s seat, from, to int64, n int, parts int) {
	for range n {
		at := d.within(from, to)
		p := w.anyone(d)
		if d.chance(500) {
			w.lookup(d, s, at-10, p)
		}
		w.visit(d, s, at, p, 1+d.below(parts), misuse)
	}
}

// harvests: the demographics of strangers, in two shifts.
func (w *world) harvests(l *label, d *draw) {
	var u *duty
	if len(l.agents) == 0 {
		u = w.attacker(d, l, is(registrar, scheduler, biller, nurse, assistant, technologist, pharmacist))
	} else {
		u = w.again(l)
	}
	if u == nil {
		return
	}
	w.collect(d, w.seat(d, u), u.from+10*minute, u.to, d.between(30, 60), 2)
	l.step++
	l.done = l.step == 2
}

// sellsArrivals: the victims of accidents among those who pass her desk, noted for a lawyer. Every one of them is on the board.
func (w *world) sellsArrivals(l *label, d *draw) {
	var u *duty
	at := w.first(emergency)
	if len(l.agents) == 0 {
		u = w.attacker(d, l, func(u *duty) bool { return u.role == registrar && u.unit == at && u.to-u.from > 6*hour })
	} else {
		u = w.again(l)
	}
	if u == nil {
		return
	}
	var victims, others []int32
	for _, day := range []int{w.today, w.today + 1} {
		if day >= w.Days {
			continue
		}
		for _, e := range w.buckets[day] {
			if int(e.unit) != at || e.patient < 0 || e.at < u.from || e.at > u.to || slices.Contains(victims, e.patient) || slices.Contains(others, e.patient) {
				continue
			}
			if w.patients[e.patient].accident {
				victims = append(victims, e.patient)
			} else {
				others = append(others, e.patient)
			}
		}
	}
	for _, i := range append(victims, some(d, others, max(2, 8-len(victims)))...) {
		w.visit(d, w.seat(d, u), d.within(u.from+hour, u.to), i, d.between(1, 2), misuse)
	}
	l.step++
	l.done = l.step >= 4+int(key(w.Seed, l.id)%3)
}

// poisons: the daily number grows from the middle of the warm-up on, so that the harvest at the end looks like a busy day.
func (w *world) poisons(l *label, d *draw) {
	var u *duty
	if len(l.agents) == 0 {
		u = w.attacker(d, l, is(scheduler, biller, registrar, technologist))
	} else {
		u = w.again(l)
	}
	if u == nil {
		return
	}
	s := w.seat(d, u)
	if w.today < w.warm+4 {
		l.step++
		l.prepare = true
		w.collect(d, s, u.from, u.to, min(2+l.step*3/2, 25), 2)
		l.prepare = false
		return
	}
	w.collect(d, s, u.from, u.to, d.between(40, 70), 2)
	l.done = true
}
