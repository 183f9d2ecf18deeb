package simulate

// wrongClick opens the chart next to the right one in the alphabet, sees it, and goes.
func (w *world) wrongClick(d *draw, s seat, e event) {
	if len(w.byName) == 0 {
		for i := range w.patients {
			w.byName[w.patients[i].surname] = append(w.byName[w.patients[i].surname], int32(i))
		}
	}
	wrong := pick(d, w.byName[w.patients[e.patient].surname])
	if u := w.stayOf(e.patient); u != nil && d.chance(500) {
		wrong = pick(d, w.wardOf[u.unit]).patient // or the row above on the ward's list
	}
	if wrong == e.patient || !w.alive(wrong) {
		return
	}
	e.patient, e.at, e.click, e.why, e.res = wrong, e.at-int64(d.between(10, 40)), true, unfiled, d.next()
	w.emit(s, e)
}

// oddities are innocent accesses that no fact explains.
func (w *world) oddities() {
	recent := w.left
	if len(recent) > 400 {
		recent = recent[len(recent)-400:]
	}
	for i := range w.duties {
		me := &w.duties[i]
		d := w.begin("oddity", w.today, int(me.agent))
		odd := func(permille int) bool { return d.chance(min(900, w.often(permille))) }
		look := func(p int32, n int) {
			w.visit(d, w.seat(d, me), d.within(me.from, me.to), p, n, unfiled)
		}
		switch me.role {
		case nurse, hospitalist, resident:
			if odd(150) && len(recent) > 0 { // how is she doing?
				if x := pick(d, recent); w.knows(me.agent, x.patient) || x.unit == me.unit {
					look(x.patient, d.between(1, 3))
				}
			}
			if odd(90) { // a call-back after discharge
				if len(recent) > 0 {
					look(pick(d, recent).patient, d.between(1, 2))
				}
			}
		}
		switch me.role {
		case resident, student:
			if x := w.inBed(d); x != nil && odd(250) { // an interesting chart of the teaching round
				look(x.patient, d.between(2, 4))
			}
		case physician, hospitalist, surgeon, practitioner, pharmacist:
			if x := w.inBed(d); x != nil && odd(240) { // asked by a colleague in the corridor
				look(x.patient, d.between(2, 4))
			}
			if odd(220) {
				look(w.anyone(d), d.between(1, 3)) // a call from another house
			}
		}
		if me.role.bedside() && odd(40) { // works on after the shift
			if x := w.inBed(d); x != nil && x.unit == me.unit {
				w.visit(d, w.seat(d, me), d.within(me.to, me.to+2*hour), x.patient, d.between(1, 3), group)
			}
		}
	}
}
