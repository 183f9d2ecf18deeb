package simulate

// Those who work in a name that is not theirs, or no longer.

// elsewhere is a machine that is not of this house.
func (w *world) elsewhere(d *draw, u int) int32 {
	v := w.newDevice("", u, 0)
	w.devices[v].id = string(appendHex(nil, d.next(), 8))
	return v
}

// stolenAway: somebody far off, at night, in a name that sleeps.
func (w *world) stolenAway(l *label, d *draw) {
	u := w.attacker(d, l, func(u *duty) bool { return u.role.treats() && u.to < w.at(w.today, 22*60) })
	if u == nil {
		return
	}
	s := seat{u.agent, w.elsewhere(d, u.unit), address(185, d.between(10, 240), d.below(250), d.between(2, 250)), u.unit}
	from := w.at(w.today, 22*60+d.below(60))
	w.collect(d, s, from, min(from+50*minute, w.at(w.today+1, 0)), d.between(25, 50), 3)
	l.done = true
}

// stolenHours: while the owner works, over the house's VPN.
func (w *world) stolenHours(l *label, d *draw) {
	u := w.attacker(d, l, func(u *duty) bool { return u.role.treats() && !u.remote })
	if u == nil {
		return
	}
	s := seat{u.agent, w.elsewhere(d, u.unit), address(10, 250, 0, d.between(10, 209)), u.unit}
	from := d.within(u.from+hour, u.to-2*hour)
	w.collect(d, s, from, from+90*minute, d.between(15, 30), 3)
	l.done = true
}

// stolenInside: a password seen over a shoulder, used at a workstation of the same floor.
func (w *world) stolenInside(l *label, d *draw) {
	u := w.attacker(d, l, func(u *duty) bool { return u.role.treats() && w.units[u.unit].kind <= clinic })
	if u == nil {
		return
	}
	v := w.deviceAt(d, u.unit)
	from := d.within(u.from+hour, u.to-2*hour)
	w.collect(d, seat{u.agent, v, w.devices[v].addr, u.unit}, from, from+2*hour, d.between(8, 15), 3)
	l.done = true
}

// shares: a colleague works in her session while she works on. What the colleague does is the colleague's work, on the own ward and off it.
func (w *world) shares(l *label, d *draw) {
	u := w.attacker(d, l, func(u *duty) bool { return is(nurse, resident, assistant)(u) && w.units[u.unit].kind == ward })
	if u == nil {
		return
	}
	v := pick(d, w.units[pick(d, w.byKind[ward])].devices)
	s := seat{u.agent, v, w.devices[v].addr, w.devices[v].unit}
	from := d.within(u.from+hour, u.to-5*hour)
	for range d.between(18, 30) {
		if x := w.inBed(d); x != nil {
			w.visit(d, s, d.within(from, from+4*hour), x.patient, d.between(1, 3), misuse)
		}
	}
	l.done = true
}

// absent finds somebody who is on long leave, or has left.
func (w *world) absent(d *draw, l *label, fits func(*person) bool) *person {
	for range 20 * len(w.people) {
		i := d.below(len(w.people))
		if p := &w.people[i]; fits(p) && !w.attackers[int32(i)] {
			w.attackers[int32(i)] = true
			l.agents = append(l.agents, int32(i))
			return p
		}
	}
	return nil
}

func (w *world) lookAround(d *draw, l *label) {
	at := w.unitOf(l.agents[0], w.today)
	v := w.deviceAt(d, at)
	from := w.at(w.today, d.between(9*60, 20*60))
	w.collect(d, seat{l.agents[0], v, w.devices[v].addr, at}, from, from+2*hour, d.between(6, 20), 3)
	l.done = true
}

func (w *world) wakes(l *label, d *draw) {
	if w.absent(d, l, func(p *person) bool { return p.away }) != nil {
		w.lookAround(d, l)
	}
}

func (w *world) comesBack(l *label, d *draw) {
	if w.absent(d, l, func(p *person) bool { return p.left < w.today-2 }) != nil {
		w.lookAround(d, l)
	}
}
