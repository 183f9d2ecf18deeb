package simulate

// duty is one person at work: where, from when to when (seconds), at which workstation.
type duty struct {
	agent    int32
	role     role
	unit     int
	from, to int64
	device   int32
	remote   bool
	listed   bool // the roster says so
}

const minute, hour, dayLong = int64(60), int64(3600), int64(86400)

// planned is the shift that the roster of a person gives for a day, in minutes after midnight.
func (w *world) planned(i int32, day int) (from, to int, ok bool) {
	p := &w.people[i]
	d := newDraw(w.Seed, "shift", int(i), day)
	weekday, phase := day%7, (day+p.offset)%14
	switch p.pattern {
	case twelve:
		on := [14]bool{true, true, true, false, false, false, true, true, false, false, true, false, false, false}[phase]
		if p.part && phase > 6 {
			on = false
		}
		if (p.offset+day/14)%2 == 0 && p.role != surgeon {
			return 19 * 60, 31*60 + 30, on
		}
		return 7 * 60, 19*60 + 30, on
	case eight:
		on := (weekday+p.offset)%7 < 5
		if weekday > 4 {
			on = on && d.chance(650)
		}
		switch p.offset % 10 {
		case 0, 1:
			return 23 * 60, 31*60 + 30, on
		case 2, 3, 4:
			return 15 * 60, 23*60 + 30, on
		}
		return 7 * 60, 15*60 + 30, on
	case sevenOn:
		on := (day/7+p.offset)%2 == 0
		if p.offset%5 == 0 {
			return 19 * 60, 31 * 60, on
		}
		return 7 * 60, 19 * 60, on
	case house:
		if (p.offset+day/14)%6 == 0 {
			return 19 * 60, 31 * 60, weekday != p.offset%7
		}
		return 6*60 + 30, 17*60 + 30, weekday != p.offset%7 && (weekday < 5 || d.chance(500))
	default:
		start := 7*60 + 30 + p.offset%3*30
		on := weekday < 5 && !(p.part && (weekday+p.offset)%5 < 2)
		if weekday > 4 && (p.unit == w.first(billing) || p.role == therapist || p.role == caseManager || p.role == radiologist) {
			on = d.chance(120)
		}
		if weekday > 4 && (p.role == surgeon || p.role == anaesthetist || w.units[p.unit].kind == theatre) {
			on = d.chance(100)
		}
		return start, start + 9*60, on
	}
}

// muster fills the duties of a day: who planned to come and came, who stands in for whom, and what the roster file says of it.
func (w *world) muster(day int) {
	w.duties = w.duties[:0]
	w.onUnit = make([][]int, len(w.units))
	w.dutyOf = map[int32]int{}
	midnight := w.at(day, 0)
	off := map[role][]int32{}
	type hole struct {
		agent    int32
		from, to int
	}
	var holes []hole
	for i := range w.people {
		p, me := &w.people[i], int32(i)
		if !p.serves(day) {
			continue
		}
		from, to, on := w.planned(me, day)
		if !on {
			off[p.role] = append(off[p.role], me)
			continue
		}
		d := newDraw(w.Seed, "duty", i, day)
		listed := true
		at := w.unitOf(me, day)
		if p.role == floatNurse {
			at = pick(d, w.byKind[ward])
			listed = !w.gap(d, 400)
		}
		if listed {
			w.rosterLine(me, at, day, from, to)
		}
		if d.chance(60) {
			if d.chance(500) {
				holes = append(holes, hole{me, from, to})
			}
			continue
		}
		remote := p.pattern == office && w.units[p.unit].kind != clinic && d.chance(120) && !p.role.bedside()
		w.enlist(d, duty{agent: me, role: p.role, unit: at, from: midnight + int64(from)*minute + int64(d.below(900)), to: midnight + int64(to)*minute + int64(d.below(1500)) - 600,
			remote: remote, listed: listed})
	}
	for _, h := range holes {
		d := newDraw(w.Seed, "swap", int(h.agent), day)
		free := off[w.people[h.agent].role]
		if len(free) == 0 {
			continue
		}
		by := pick(d, free)
		if _, twice := w.dutyOf[by]; twice {
			continue
		}
		w.enlist(d, duty{agent: by, role: w.people[by].role, unit: w.unitOf(h.agent, day), from: midnight + int64(h.from)*minute, to: midnight + int64(h.to)*minute})
	}
}

func (w *world) enlist(d *draw, u duty) {
	u.device = w.deviceAt(d, u.unit)
	w.dutyOf[u.agent] = len(w.duties)
	w.onUnit[u.unit] = append(w.onUnit[u.unit], len(w.duties))
	w.duties = append(w.duties, u)
}

// deviceAt is a workstation of a unit; a ward that moved uses those of its new rooms.
func (w *world) deviceAt(d *draw, at int) int32 {
	if at == w.moving && w.today >= w.moveDay {
		return pick(d, w.newRooms)
	}
	return pick(d, w.units[at].devices)
}

// unitOf is where a person belongs on a day: trainees rotate on the day when the judged period begins.
func (w *world) unitOf(i int32, day int) int {
	p := &w.people[i]
	if day >= w.warm && (p.role == resident || p.role == student) && w.units[p.unit].kind == ward {
		wards := w.byKind[ward]
		return wards[(p.unit-wards[0]+1)%len(wards)]
	}
	return p.unit
}

// on lists who of the roles works on a unit at a time; without roles everybody.
func (w *world) on(unit int, at int64, of ...role) []int {
	w.found = w.found[:0]
	for _, i := range w.onUnit[unit] {
		u := &w.duties[i]
		if at < u.from || at >= u.to {
			continue
		}
		for _, r := range of {
			if u.role == r {
				w.found = append(w.found, i)
			}
		}
		if len(of) == 0 {
			w.found = append(w.found, i)
		}
	}
	return w.found
}

// any picks one of those on duty, nil when there is none.
func (w *world) any(d *draw, unit int, at int64, of ...role) *duty {
	if found := w.on(unit, at, of...); len(found) > 0 {
		return &w.duties[pick(d, found)]
	}
	return nil
}
