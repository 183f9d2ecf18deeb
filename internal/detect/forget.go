package detect

import (
	"slices"
)

// What no verdict can ask for any more is forgotten, so that an engine that goes on for years grows with the house, not with time.
const (
	keptDays  = 100 // after the end of a fact, and after a resource was last told of
	sweepDays = 7
)

// over is the end of a fact, 0 when it has none.
func (f *fact) over() int64 {
	if f.to == 0 && f.from != 0 && vocabulary[f.template].after > 0 && f.template != CareTeam {
		return f.from
	}
	return f.to
}

// sweep forgets what has been over for long.
func (e *Engine) sweep() {
	e.world.forget(e.now)
}

// forget drops facts and shifts that have been over for long, and then the resources that nothing holds and nobody spoke of since.
func (w *world) forget(now int64) {
	t := now - keptDays*day
	w.waiting, w.next = slices.Clone(w.waiting[w.next:]), 0
	w.persons, w.patients = clipped(w.persons), clipped(w.patients)
	for i := range w.patients {
		p := &w.patients[i]
		p.facts = clipped(slices.DeleteFunc(p.facts, func(f fact) bool { end := f.over(); return end != 0 && end < t }))
	}
	for i := range w.persons {
		p := &w.persons[i]
		p.shifts = clipped(slices.DeleteFunc(p.shifts, func(s shift) bool { return int64(max(s.from, s.to)) < now-plannedAround-4*day }))
	}
	kept := make([]bool, len(w.sources))
	each := func(do func(*int32)) {
		for i := range w.patients {
			p := &w.patients[i]
			for k := range p.facts {
				do(&p.facts[k].source)
			}
			do(&p.vipBy)
			do(&p.consentBy)
		}
		for i := range w.persons {
			for k := range w.persons[i].posts {
				do(&w.persons[i].posts[k].source)
			}
		}
		for i := range w.waiting {
			switch c := &w.waiting[i]; c.what {
			case addFact:
				do(&c.fact.source)
			case takeBack, addMaker:
				do(&c.owner)
			case addConfirm:
				do(&c.owner)
				do(&c.other)
			case addPost, addFlag, addConsent:
				do(&c.other)
			}
		}
	}
	each(func(src *int32) {
		if *src >= 0 {
			kept[*src] = true
		}
	})
	place := make([]int32, len(w.sources))
	n := int32(0)
	for i := range w.sources {
		place[i] = -1
		if kept[i] || int64(w.sources[i].told)*day >= t {
			place[i] = n
			w.sources[n] = w.sources[i]
			n++
		}
	}
	w.sources = clipped(w.sources[:n])
	each(func(src *int32) {
		if *src >= 0 {
			*src = place[*src]
		}
	})
	of := make(map[uint64]int32, n)
	for h, i := range w.sourceOf {
		if place[i] >= 0 {
			of[h] = place[i]
		}
	}
	w.sourceOf = of
}

// clipped gives back room that is not needed any more.
func clipped[T any](list []T) []T {
	if cap(list) > len(list)+len(list)/4+2 {
		return slices.Clone(list)
	}
	return list
}
