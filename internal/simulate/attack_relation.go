package simulate

// The curious: one chart of somebody they know.

// target finds an attacker to whom find gives patients, strangers to her work, and lets her look.
func (w *world) target(l *label, d *draw, fits func(*duty) bool, find func(*duty) []int32, visits int) {
	for range 30 {
		var list []int32
		u := w.attacker(d, l, func(u *duty) bool {
			if !fits(u) {
				return false
			}
			list = list[:0]
			for _, i := range find(u) {
				if w.stranger(u, i) {
					list = append(list, i)
				}
			}
			return len(list) > 0
		})
		if u == nil {
			continue
		}
		l.done = true
		w.peek(d, u, pick(d, list), visits)
		return
	}
}

func (w *world) ownOf(u *duty) []int32 {
	if own := w.people[u.agent].own; own >= 0 {
		return []int32{own}
	}
	return nil
}

func (w *world) householdOf(u *duty) (out []int32) {
	return w.housemates(w.people[u.agent].lives)
}

func (w *world) kinOnFile(u *duty) []int32 {
	if own := w.people[u.agent].own; own >= 0 {
		out := append([]int32(nil), w.kin[own]...)
		return out
	}
	return nil
}

func (w *world) hiddenOf(u *duty) []int32 {
	if h := w.patients[w.people[u.agent].lives].hidden; h >= 0 && w.patients[h].staff < 0 && !w.neighbours(u.agent, h) && w.patients[h].surname != w.people[u.agent].surname {
		return []int32{h}
	}
	return nil
}

func (w *world) neighbours(agent, i int32) bool {
	return w.homes[w.people[agent].home].street == w.homes[w.patients[i].home].street
}

// street are the neighbours who are neither household nor colleagues.
func (w *world) street(u *duty, fits func(*patient) bool) (out []int32) {
	home := w.people[u.agent].home
	for _, i := range w.streets[w.homes[home].street] {
		if p := &w.patients[i]; p.home != home && p.staff < 0 && fits(p) {
			out = append(out, i)
		}
	}
	return out
}

// colleagues are employee-patients; same picks those of the own unit.
func (w *world) colleagues(u *duty, same bool) (out []int32) {
	for i := range w.people {
		if p := &w.people[i]; p.own >= 0 && int32(i) != u.agent && (p.unit == w.people[u.agent].unit) == same && p.left == never {
			out = append(out, p.own)
		}
	}
	return out
}

func (w *world) vips() (out []int32) {
	for i := range w.patients {
		if w.patients[i].vip && w.alive(int32(i)) {
			out = append(out, int32(i))
		}
	}
	return out
}

func (w *world) looksAtSelf(l *label, d *draw) {
	w.target(l, d, opensCharts, w.ownOf, d.between(2, 4))
}
func (w *world) looksAtHousehold(l *label, d *draw) {
	w.target(l, d, opensCharts, w.householdOf, d.between(1, 3))
}
func (w *world) looksAtKin(l *label, d *draw) {
	w.target(l, d, opensCharts, w.kinOnFile, d.between(1, 3))
}
func (w *world) looksAtHiddenKin(l *label, d *draw) { w.target(l, d, opensCharts, w.hiddenOf, 1) }

func (w *world) looksAtCoworker(l *label, d *draw) {
	same := d.chance(500)
	w.target(l, d, opensCharts, func(u *duty) []int32 { return w.colleagues(u, same) }, d.between(1, 2))
}

func (w *world) looksAtNeighbour(l *label, d *draw) {
	w.target(l, d, opensCharts, func(u *duty) []int32 { return w.street(u, func(p *patient) bool { return !p.minor() }) }, d.between(1, 2))
}

func (w *world) looksAtMinor(l *label, d *draw) {
	w.target(l, d, opensCharts, func(u *duty) []int32 { return w.street(u, (*patient).minor) }, d.between(1, 2))
}

func (w *world) looksAtVIP(l *label, d *draw) {
	w.target(l, d, opensCharts, func(*duty) []int32 { return w.vips() }, d.between(1, 2))
}

func (w *world) looksAtDeceased(l *label, d *draw) {
	u := w.attacker(d, l, opensCharts)
	for range 4000 {
		i := int32(d.below(len(w.patients)))
		if u != nil && w.patients[i].died < 0 && !w.knows(u.agent, i) {
			l.done = true
			w.peek(d, u, i, d.between(1, 2))
			return
		}
	}
}

// peeks: one look at a patient of the own ward who is not hers today.
func (w *world) peeks(l *label, d *draw) {
	u := w.attacker(d, l, func(u *duty) bool {
		return is(nurse, therapist, resident)(u) && w.units[u.unit].kind == ward && len(w.wardOf[u.unit]) > 4
	})
	if u == nil {
		return
	}
	for range 200 {
		if s := pick(d, w.wardOf[u.unit]); !w.knows(u.agent, s.patient) {
			l.done = true
			w.visit(d, w.seat(d, u), d.within(max(u.from, s.from), max(u.to, s.from+1)), s.patient, d.between(2, 4), misuse)
			return
		}
	}
	delete(w.attackers, u.agent)
	l.agents = l.agents[:0]
}

// crowds: somebody known lies in a bed, and people of other units look. Each of them is a label of her own.
func (w *world) crowds(l *label, d *draw) {
	var star int32 = -1
	for _, i := range w.vips() {
		if w.patients[i].inpatient >= 0 {
			star = i
		}
	}
	if star < 0 { // then one is brought in
		list := w.vips()
		if len(list) == 0 {
			return
		}
		star = pick(d, list)
		w.label = nil
		s := w.admit(d, w.at(w.today, 5*60), w.at(w.today+3, 0), star, -1, 0)
		w.label = l
		if s == nil {
			return
		}
	}
	for k := range 3 {
		mine := l
		if k > 0 {
			mine = &label{id: "a-" + w.id(10, "crowd "+l.id, k), scenario: l.scenario, done: true}
			w.labels = append(w.labels, mine)
		}
		w.label = mine
		if u := w.attacker(d, mine, func(u *duty) bool { return opensCharts(u) && w.stranger(u, star) }); u != nil {
			w.peek(d, u, star, d.between(1, 2))
		}
	}
	l.done = true
}

// stalks looks again and again at one chart, shortly, for a fortnight.
func (w *world) stalks(l *label, d *draw) {
	var u *duty
	if len(l.agents) == 0 {
		if u = w.attacker(d, l, is(nurse, registrar, scheduler, technologist, pharmacist, assistant, resident, biller)); u == nil {
			return
		}
		for range 500 {
			if i := w.anyone(d); w.stranger(u, i) && !w.patients[i].minor() && !w.patients[i].vip {
				l.targets = []int32{i}
				break
			}
		}
	} else if u = w.again(l); u == nil || d.chance(150) {
		return
	}
	w.visit(d, w.seat(d, u), d.within(u.from+10*minute, u.to), l.targets[0], d.between(1, 3), misuse)
	l.step++
	l.done = l.step >= 5+int(key(w.Seed, l.id)%5)
}

// searchesOnly types the names of people she knows and opens nothing.
func (w *world) searchesOnly(l *label, d *draw) {
	u := w.attacker(d, l, is(registrar, scheduler, nurse, recordsClerk, biller))
	if u == nil {
		return
	}
	list := append(w.householdOf(u), some(d, w.street(u, func(*patient) bool { return true }), 4)...)
	list = append(list, some(d, w.colleagues(u, true), 3)...)
	for _, i := range list {
		w.lookup(d, w.seat(d, u), d.within(u.from, u.to), i)
		l.done = true
	}
}
