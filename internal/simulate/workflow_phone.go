package simulate

// phones: clinic nurses take calls, messages come in for physicians and for the clinic.
func (w *world) phones() {
	for i := range w.duties {
		me := &w.duties[i]
		if w.units[me.unit].kind != clinic {
			continue
		}
		d := w.begin("phone", w.today, int(me.agent))
		switch me.role {
		case nurse:
			for range d.between(16, 24) {
				at, p := d.within(me.from, me.to), w.panelOf(d, me.unit)
				y := unfiled
				if !w.units[me.unit].noCalls && !w.gap(d, 300) {
					w.message(d, p, at, "Organization/"+w.units[me.unit].org)
					y = group
				}
				s := w.seat(d, me)
				if d.chance(400) {
					w.lookup(d, s, at-15, p)
				}
				w.visit(d, s, at, p, d.between(1, 4), y)
			}
		case physician, practitioner:
			for range d.between(2, 6) {
				sent, p := d.within(me.from-6*hour, me.to), w.panel(d, int(me.agent))
				at := max(sent+5*minute, d.within(me.from, me.to))
				if d.chance(150) { // an order on the telephone, outside any visit
					w.request(d, w.seat(d, me), at+300, p, 0, pick(d, []unitKind{laboratory, pharmacy}))
				}
				switch {
				case w.gap(d, 100):
					w.visit(d, w.seat(d, me), at, p, d.between(1, 3), unfiled)
				case d.chance(750):
					w.message(d, p, sent, "Practitioner/"+w.people[me.agent].id)
					w.visit(d, w.seat(d, me), at, p, d.between(1, 3), direct)
				default:
					w.message(d, p, sent, "Organization/"+w.units[me.unit].org)
					w.visit(d, w.seat(d, me), at, p, d.between(1, 3), group)
				}
			}
		}
	}
}

// panelOf is a patient of some physician of a clinic.
func (w *world) panelOf(d *draw, u int) int32 {
	for range 60 {
		if b := w.agenda[w.today]; len(b) > 0 {
			if x := pick(d, b); x.unit == u {
				return w.panel(d, int(x.doctor))
			}
		}
	}
	return w.anyone(d)
}
