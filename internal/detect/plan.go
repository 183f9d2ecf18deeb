package detect

import "strings"

// plan is whose times of work a Schedule lists, and where. Its turns may become known before it does.
type plan struct {
	people []int32
	unit   int32 // -1 nowhere in particular
	turns  [][2]int64
}

func (w *world) learnPlan(x *Plan, put func(change)) {
	p := &plan{unit: -1}
	for _, who := range x.People {
		if isPractitioner(who) {
			p.people = append(p.people, w.person(who))
		}
	}
	if len(x.Places) > 0 {
		p.unit = w.unit(x.Places[0])
	}
	if x.From != 0 && x.To > x.From && x.To-x.From <= day {
		p.turns = append(p.turns, [2]int64{x.From, x.To})
	}
	put(change{what: addPlan, more: &more{plan: p, planRef: strings.Clone(x.Ref)}})
}

func (w *world) planOf(ref string) *plan {
	key := digest(ref)
	p := w.plans[key]
	if p == nil {
		p = &plan{unit: -1}
		w.plans[key] = p
	}
	return p
}

func (w *world) applyPlan(c *change) {
	p := w.planOf(c.planRef)
	waiting := append(p.turns, c.plan.turns...)
	p.people, p.unit = c.plan.people, c.plan.unit
	if p.turns = nil; len(p.people) == 0 {
		p.turns = waiting
		return
	}
	for _, t := range waiting {
		w.turn(p, t[0], t[1])
	}
}

func (w *world) applyTurn(c *change) {
	t := c.turn
	p := w.planOf(t.Plan)
	if len(p.people) == 0 {
		p.turns = append(p.turns, [2]int64{t.From, t.To})
		return
	}
	w.turn(p, t.From, t.To)
}

// turn puts one time of work in its place among the shifts of those who have it.
func (w *world) turn(p *plan, from, to int64) {
	if to <= from {
		return
	}
	for _, who := range p.people {
		w.persons[who].plans(shift{instantOf(from), instantOf(to), p.unit})
		w.hasRoster = true
	}
}
