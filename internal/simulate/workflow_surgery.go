package simulate

// operation is a planned one.
type operation struct {
	patient              int32
	surgeon, anaesthesia int32
	minute               int
}

// operations prepare the cases of tomorrow and do those of today.
func (w *world) operations() {
	u := w.first(theatre)
	if tomorrow := w.today + 1; tomorrow%7 < 5 {
		for n := range w.Staff * 14 / 1000 {
			d := w.begin("case", w.today, n)
			s, a := w.any(d, u, w.at(w.today, 13*60), surgeon), w.any(d, u, w.at(w.today, 13*60), anaesthetist)
			if s == nil || a == nil {
				continue
			}
			op := operation{w.anyone(d), s.agent, a.agent, 8*60 + d.below(7*60)}
			known := w.at(w.today, 0) - int64(d.below(10*86400))
			w.order(known, w.at(w.today, 9*60), op.patient, "surgery", 0, s.agent, u, s.agent)
			w.operating[tomorrow] = append(w.operating[tomorrow], op)
			w.visit(d, w.seat(d, s), d.within(w.at(w.today, 12*60), w.at(w.today, 17*60)), op.patient, d.between(3, 5), direct)
			y := group
			if !w.gap(d, 150) {
				w.task(known+3600, "anaesthesia assessment", op.patient, a.agent, u)
				y = direct
			}
			w.visit(d, w.seat(d, a), d.within(w.at(w.today, 11*60), w.at(w.today, 16*60)), op.patient, d.between(3, 5), y)
		}
	}
	for n, op := range w.operating[w.today] {
		w.operate(w.begin("operate", w.today, n), u, op)
	}
	delete(w.operating, w.today)
	d := w.begin("recovery", w.today)
	for _, i := range w.onUnit[u] { // who is not in a case looks after those of yesterday, and at the list of the day
		me := &w.duties[i]
		if me.role != surgeon && me.role != anaesthetist && me.role != nurse {
			continue
		}
		for range d.between(12, 19) {
			if s := w.inBed(d); s != nil && w.patients[s.patient].inpatient >= 0 {
				y := group
				if !w.gap(d, 150) {
					w.careTeam(d, s.patient, s.enc, me.from, me.to, me.agent)
					y = direct
				}
				w.visit(d, w.seat(d, me), d.within(me.from, me.to), s.patient, d.between(1, 3), y)
			}
		}
	}
}

// inBed is any inpatient.
func (w *world) inBed(d *draw) *stay {
	if beds := w.wardOf[pick(d, w.byKind[ward])]; len(beds) > 0 {
		return pick(d, beds)
	}
	return nil
}

func (w *world) operate(d *draw, u int, op operation) {
	from := w.at(w.today, op.minute)
	to := from + int64(d.between(40, 180))*minute
	team := []int32{}
	for _, a := range []int32{op.surgeon, op.anaesthesia} {
		if _, ok := w.dutyOf[a]; ok {
			team = append(team, a)
		}
	}
	if len(team) == 0 || w.patients[op.patient].inpatient >= 0 {
		return
	}
	for range 2 {
		if p := w.any(d, u, from, nurse); p != nil {
			team = append(team, p.agent)
		}
	}
	who := ""
	for n, a := range team {
		if n > 0 {
			who += ","
		}
		who += `{"actor":{"reference":"Practitioner/` + w.people[a].id + `"}}`
	}
	w.unscheduled(d, "Procedure", from, `"status":"in-progress","subject":{"reference":"Patient/%s"},"performedPeriod":{"start":"%s","end":"%s"},"performer":[%s],"location":{"reference":"Location/%s"}`,
		w.patients[op.patient].id, instant(from), instant(to), who, w.units[u].location)
	for _, a := range team {
		s := w.seat(d, &w.duties[w.dutyOf[a]])
		at := w.visit(d, s, d.within(from-15*minute, to), op.patient, d.between(2, 5), direct)
		if d.chance(600) {
			w.write(d, s, at+200, op.patient, create, notes, 0)
		}
	}
	w.request(d, w.seat(d, &w.duties[w.dutyOf[team[0]]]), to, op.patient, 1, laboratory)
	if d.chance(750) {
		w.admit(d, to, to+int64(30*3600)+int64(d.early(8*86400)), op.patient, -1, 0)
	} else {
		w.bill(d, op.patient, to, true)
	}
}
