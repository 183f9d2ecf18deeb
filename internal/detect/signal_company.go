package detect

import "slices"

// Who else opened a chart on a day: care is shared, and who is curious is alone.
const (
	companyUnknown uint8 = iota
	companyNobody        // nobody else
	companyOthers        // others, but nobody of the person's departments or usual company
	companyMates
)

var aroundCircumstance = circumstance{name: "alone", misuse: [classes]float64{.78, .14, .08}, usual: [classes]float64{.42, .2, .38},
	says: [classes]string{"nobody else opened the chart that day", "nobody of the person's department or usual company opened the chart that day",
		"others of the person's company opened the chart that day"}}

// accompany finds for each look of a day who else opened the chart, and, of flagged ones, how many look at it without a known reason: word
// gets round.
func (e *Engine) accompany(people []int32, on int32) {
	type unitChart struct{ unit, patient int32 }
	w := &e.world
	holders := map[int32][]int32{}
	opened := map[unitChart]int{} // by how many people of the unit
	each := func(do func(a int32, d *today, homes []int32, l *look)) {
		var homes []int32
		for _, a := range people {
			d := e.dayOf(a, on)
			homes = w.homes(a, int64(on)*day+day/2, homes[:0])
			if s := d.seat - 1; s >= 0 && !slices.Contains(homes, s) {
				homes = append(homes, s)
			}
			for i := range d.patients {
				if l := &d.patients[i]; !l.sought {
					do(a, d, homes, l)
				}
			}
		}
	}
	each(func(a int32, _ *today, homes []int32, l *look) {
		holders[l.patient] = append(holders[l.patient], a)
		for _, u := range homes {
			opened[unitChart{u, l.patient}]++
		}
	})
	onlookers := map[int32]int{}
	each(func(a int32, _ *today, homes []int32, l *look) {
		others := holders[l.patient]
		switch {
		case len(others) == 1:
			l.company = companyNobody
		case slices.ContainsFunc(homes, func(u int32) bool { return opened[unitChart{u, l.patient}] > 1 }),
			slices.ContainsFunc(others, func(b int32) bool { return b != a && w.persons[a].worksWith(b) }):
			l.company = companyMates
		default:
			l.company = companyOthers
		}
		if w.onlooks(l) {
			onlookers[l.patient]++
		}
	})
	each(func(a int32, d *today, _ []int32, l *look) {
		l.around = e.circumstanced(&w.persons[a], d.role, l)
		if w.onlooks(l) {
			l.around += float32(min(3, 1.5*float64(onlookers[l.patient]-1)))
		}
	})
	for _, a := range people {
		e.dayOf(a, on).strays()
	}
}

// opens tells, while the day goes on, whether somebody of a's company opened the chart before her; that nobody will is not known until the
// evening.
func (e *Engine) opens(a, p int32, t int64) uint8 {
	const few = 6
	before := e.openers[p]
	if len(before) < few {
		e.openers[p] = append(before, a)
	}
	w := &e.world
	if slices.ContainsFunc(before, func(b int32) bool { return b != a && (w.persons[a].worksWith(b) || w.together(a, b, t)) }) {
		return companyMates
	}
	return companyUnknown
}

// onlooks reports whether a look at a flagged chart has no known reason and nothing to do with the person's company.
func (w *world) onlooks(l *look) bool { return l.stray() && w.patients[l.patient].vip() }

// homes are the departments that a person is posted to at t, by the word of others.
func (w *world) homes(a int32, t int64, into []int32) []int32 {
	posts := w.persons[a].posts
	for i := range posts {
		if u := w.department(posts[i].unit); w.holds(a, &posts[i], t) && !slices.Contains(into, u) {
			into = append(into, u)
		}
	}
	return into
}

// together reports whether two people are posted to one department at t.
func (w *world) together(a, b int32, t int64) bool {
	x, y := w.persons[a].posts, w.persons[b].posts
	for i := range x {
		for k := range y {
			if w.department(x[i].unit) == w.department(y[k].unit) && w.holds(a, &x[i], t) && w.holds(b, &y[k], t) {
				return true
			}
		}
	}
	return false
}
