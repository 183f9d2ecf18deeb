package detect

import (
	"maps"
	"slices"
)

// What no verdict can ask for any more is forgotten, so that an engine that goes on for years grows with the house, not with time.
const (
	keptDays  = 100 // that a patient was on a unit, and that a resource was told of
	lateDays  = 4   // a look is judged again for three days, by what is known of the time when it was
	sweepDays = 7
)

// over is the end of a fact, 0 when it has none.
func (f *fact) over() instant {
	if f.to == 0 && f.from != 0 && vocabulary[f.template].after > 0 && f.template != CareTeam {
		return f.from
	}
	return f.to
}

// asked is until when a fact is asked for: for as long as it explains, and as long as the patient's activity is told apart; 0 for ever.
func (f *fact) asked() int64 {
	if f.over() == 0 {
		return 0
	}
	return int64(max(f.from, f.over())) + (max(vocabulary[f.template].after, quietDays)+lateDays)*day
}

// stay is a unit on which a patient was until some time ago.
type stay struct {
	unit  int32
	until instant
}

// forget drops facts that are asked for no more. Of those of units the unit stays.
func (p *patient) forget(now int64) {
	p.facts = clipped(slices.DeleteFunc(p.facts, func(f fact) bool {
		over := f.asked() != 0 && f.asked() < now
		if over && f.unit {
			p.was(stay{f.party, f.over()})
		}
		return over
	}))
	p.stays = clipped(slices.DeleteFunc(p.stays, func(s stay) bool { return int64(s.until) < now-keptDays*day }))
	p.seen = clipped(p.seen)
}

func (p *patient) was(on stay) {
	i := slices.IndexFunc(p.stays, func(s stay) bool { return s.unit == on.unit })
	if i < 0 {
		p.stays = append(p.stays, on)
		return
	}
	p.stays[i].until = max(p.stays[i].until, on.until)
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
		w.patients[i].forget(now)
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
	w.bySource = index{}
	w.bySource.resize(16+int(n)*3/2, nil)
	for i := range w.sources {
		w.bySource.put(w.sources[i].ref, int32(i))
	}
	w.bySource.n = len(w.sources)
	maps.DeleteFunc(w.lists, func(ref uint64, _ int32) bool { return w.sourceOf(ref) < 0 })
}

// room makes room for a quarter more where append would double it.
func room[T any](list []T) []T {
	if len(list) < cap(list) {
		return list
	}
	return append(make([]T, 0, len(list)+len(list)/4+1), list...)
}

// clipped gives back room that is not needed any more.
func clipped[T any](list []T) []T {
	if cap(list) > len(list)+len(list)/4+2 {
		return slices.Clone(list)
	}
	return list
}
