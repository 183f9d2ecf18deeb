package simulate

// wards play a day of all inpatients: nurses by assignment and call light, charge nurses, rounds, trainees, and the night's cross-cover.
func (w *world) wards() {
	for _, u := range w.byKind[ward] {
		w.clear(u)
	}
	for _, u := range w.byKind[ward] {
		nth := map[[2]int]int{}
		size := map[[2]int]int{}
		group := func(i int) [2]int {
			r := w.duties[i].role
			if r == floatNurse {
				r = nurse
			}
			night := 0
			if w.duties[i].from >= w.at(w.today, 17*60) {
				night = 1
			}
			return [2]int{int(r), night}
		}
		for _, i := range w.onUnit[u] {
			size[group(i)]++
		}
		for _, i := range w.onUnit[u] {
			g := group(i)
			n, of := nth[g], size[g]
			nth[g]++
			w.shift(u, &w.duties[i], n, of)
		}
	}
}

// shift is one person's work on a ward; she is the n-th of so many with the same work.
func (w *world) shift(u int, me *duty, n, of int) {
	d := w.begin("ward", w.today, int(me.agent))
	calm := 1000
	if w.weekend() {
		calm = 830
	}
	night := me.from >= w.at(w.today, 17*60)
	if night {
		calm = 820
		if w.weekend() {
			calm = 750
		}
	}
	if w.twinned["float"] < 6 && me.role == floatNurse && !me.listed && w.today >= w.warm {
		w.twinOf[me.agent] = w.twin("ward-peek", me.agent)
		w.twinned["float"]++
		defer delete(w.twinOf, me.agent)
	}
	team := !w.units[u].noTeams
	for k, s := range w.wardOf[u] {
		from, to := max(me.from, s.from), min(me.to, s.to)
		if to-from < 20*minute {
			continue
		}
		mine := k%max(of, 1) == n
		switch me.role {
		case nurse, floatNurse:
			if mine {
				y := group
				if team && !w.gap(d, 60) {
					w.careTeam(d, s.patient, s.enc, me.from, me.to, me.agent)
					y = direct
				}
				w.nursing(d, me, s, from, to, d.between(6, 9)*(calm+1000)/2000, y)
			} else if d.chance(940 * calm / 1000) {
				w.visit(d, w.seat(d, me), d.within(from, to), s.patient, d.between(1, 2), w.ofUnit(me))
			}
		case chargeNurse:
			for range 1 + d.below(2) {
				w.visit(d, w.seat(d, me), d.within(from, to), s.patient, d.between(1, 2), w.ofUnit(me))
			}
		case hospitalist, resident:
			if !mine && (night || me.role == hospitalist && d.chance(600) || d.chance(480)) && !d.chance(calm/5) {
				continue
			}
			y := w.ofUnit(me)
			if mine && (s.doctor == me.agent || team && !w.gap(d, 200)) {
				if s.doctor != me.agent {
					w.careTeam(d, s.patient, s.enc, me.from, me.to, me.agent)
				}
				y = direct
			}
			rounds := 1
			if mine && !night {
				rounds = 2
			}
			for range rounds {
				if d.chance(calm) {
					end := w.visit(d, w.seat(d, me), d.within(from, to), s.patient, d.between(3, 5), y)
					if mine {
						w.rounds(d, me, s, end)
					}
				}
			}
		case student:
			if d.chance(250) {
				w.visit(d, w.seat(d, me), d.within(from, to), s.patient, d.between(2, 4), w.ofUnit(me))
			}
		}
	}
	if night && (me.role == hospitalist || me.role == resident) {
		w.crossCover(d, me)
	}
}

// ofUnit: work on the unit where one belongs, or is listed, has the unit's stay as its reason; for a stranger nothing on file says so.
func (w *world) ofUnit(me *duty) why {
	if me.listed || w.unitOf(me.agent, w.today) == me.unit {
		return group
	}
	return unfiled
}

func (w *world) nursing(d *draw, me *duty, s *stay, from, to int64, times int, y why) {
	for k := range max(times, 1) {
		at := from + (to-from)*int64(k)/int64(max(times, 1)) + int64(d.below(int((to-from)/int64(max(times, 1)))))
		seat := w.seat(d, me)
		at = w.visit(d, seat, at, s.patient, d.between(1, 3), y)
		if d.chance(250) {
			w.write(d, seat, at+int64(d.between(60, 400)), s.patient, create, notes, w.note(d, s.patient, at, me.agent, s.enc))
		} else if d.chance(12) { // papers for the way home, or for a transfer
			w.take(d, seat, at+40, s.patient, print)
		} else if d.chance(4) {
			if u := w.first(cases); at < w.at(w.today+1, 0) {
				if to := w.any(d, u, at, caseManager, socialWorker); to != nil {
					w.write(d, seat, at+90, s.patient, create, tasks, w.task(at+90, "discharge planning", s.patient, to.agent, u))
				}
			}
		} else if d.chance(w.often(4)) { // an addendum to an older note
			w.emit(seat, event{at: at + 80, patient: s.patient, act: update, section: notes, purpose: treat, res: d.next(), authored: at - int64(d.between(1, 16))*dayLong, why: y})
		} else if d.chance(w.often(3)) { // written into the wrong chart
			w.write(d, seat, at+int64(d.between(60, 400)), s.patient, remove, notes, 0)
		} else if d.chance(300) {
			w.write(d, seat, at+int64(d.between(30, 200)), s.patient, update, medications, 0)
		}
	}
}

// rounds leave a note and orders for the departments.
func (w *world) rounds(d *draw, me *duty, s *stay, at int64) {
	seat := w.seat(d, me)
	if d.chance(500) {
		at += int64(d.between(100, 900))
		w.write(d, seat, at, s.patient, create, notes, w.note(d, s.patient, at, me.agent, s.enc))
	}
	for _, o := range []struct {
		to    unitKind
		mille int
	}{{laboratory, 420}, {pharmacy, 420}, {radiology, 130}, {therapy, 120}, {cases, 80}} {
		if d.chance(o.mille) && (!w.weekend() || o.to < therapy && d.chance(800)) {
			w.request(d, seat, at+int64(d.between(20, 300)), s.patient, s.enc, o.to)
		}
	}
	if d.chance(55) && !w.weekend() {
		w.askConsult(d, seat, at, s.patient, s.enc)
	}
}

// crossCover is the night doctor of other wards; the roster says so for six of ten.
func (w *world) crossCover(d *draw, me *duty) {
	for _, u := range some(d, w.byKind[ward], 2) {
		if u == me.unit {
			continue
		}
		y := unfiled
		if !w.gap(d, 400) {
			y = group
			w.rosterRow(me.agent, u, me.from, me.to)
		}
		for _, s := range some(d, w.wardOf[u], d.between(2, 5)) {
			if y == unfiled && w.today >= w.warm && w.twinned["glass"] < 6 && d.chance(200) {
				w.twinned["glass"]++
				w.label = w.twin("glass-abuse", me.agent)
				w.unseal(d, w.seat(d, me), d.within(me.from, me.to), s.patient)
			}
			w.visit(d, w.seat(d, me), d.within(me.from, me.to), s.patient, d.between(1, 3), y)
			w.label = nil
		}
	}
}
