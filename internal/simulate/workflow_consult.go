package simulate

// consult is a specialist's work on an inpatient over some days.
type consult struct {
	agent   int32
	patient int32
	enc     uint64
	until   int
	filed   bool
}

// askConsult names a clinic physician; some are asked in the corridor and nothing is filed.
func (w *world) askConsult(d *draw, s seat, at int64, patient int32, enc uint64) {
	u := pick(d, w.byKind[clinic])
	p := w.any(d, u, at, physician)
	if p == nil {
		return
	}
	c := consult{p.agent, patient, enc, w.today + d.between(0, 2), !w.gap(d, 150)}
	if c.filed {
		known := filed(d, at)
		w.lateness.count(known - at)
		w.write(d, s, known, patient, create, orders, w.order(known, at, patient, "consult", enc, s.agent, u, p.agent))
	}
	w.consulting = append(w.consulting, c)
}

func (w *world) consults() {
	keep := w.consulting[:0]
	for n, c := range w.consulting {
		if k, ok := w.dutyOf[c.agent]; ok && w.patients[c.patient].inpatient >= 0 {
			d := w.begin("consult", w.today, n)
			me, y := &w.duties[k], direct
			if !c.filed {
				y = unfiled
			}
			at := d.within(me.from+hour, me.to)
			seat := w.seat(d, me)
			at = w.visit(d, seat, at, c.patient, d.between(3, 5), y)
			w.write(d, seat, at+200, c.patient, create, notes, w.note(d, c.patient, at+200, c.agent, c.enc))
		}
		if c.until > w.today {
			keep = append(keep, c)
		}
	}
	w.consulting = keep
}
