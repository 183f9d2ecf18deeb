package simulate

// drift chooses when things change: the day on which a practice joins, the ward that moves, the afternoon without a system.
func (w *world) drift() {
	d := newDraw(w.Seed, "drift")
	span := max(w.Days-w.warm, 3)
	w.units[w.joining].joined = w.warm + span/4 + d.below(max(span/4, 1))
	for w.units[w.joining].joined%7 > 4 {
		w.units[w.joining].joined++
	}
	w.moving = pick(d, w.byKind[ward])
	w.moveDay = w.warm + span/2 + d.below(max(span/4, 1))
	for n := range 14 {
		w.newRooms = append(w.newRooms, w.newDevice("workstation", w.moving, address(10, 80, 1, 10+n)))
	}
	w.downtime = w.at(w.warm+span/3, 13*60)
}

// drifts are the changes of this day.
func (w *world) drifts() {
	d := w.begin("drift", w.today)
	if w.today == w.units[w.joining].joined {
		for i := range w.patients {
			if p := &w.patients[i]; p.joined && p.known == 0 {
				w.register(int32(i), w.at(w.today, 0)+int64(d.below(6*3600)))
			}
		}
	}
	for i := range w.people {
		p := &w.people[i]
		if p.hired == w.today && p.hired > 0 {
			w.introduce(int32(i), filed(d, w.at(w.today, 6*60)))
		}
		if before := w.unitOf(int32(i), w.today-1); w.today == w.warm && before != w.unitOf(int32(i), w.today) {
			w.assign(int32(i), w.unitOf(int32(i), w.today), filed(d, w.at(w.today, 7*60)), instant(w.at(w.today, 0)))
		}
	}
}

// afterDowntime moves what would have happened while the system was down behind it.
func (w *world) afterDowntime(at int64) int64 {
	if at >= w.downtime && at < w.downtime+3*hour {
		return w.downtime + 3*hour + (at-w.downtime)/4
	}
	return at
}
