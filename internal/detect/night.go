package detect

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// midnight ends a day of the log: the day before it is judged for good, with what became known since, and what there is to learn is
// learned from it, before the new day begins.
func (e *Engine) midnight() {
	e.settlePrograms()
	e.settle(e.day - 1)
	e.evening(e.day)
	e.audit()
	e.firstLooks, e.looksToday = e.looksToday, 0
	e.weights.fit(e.samples[:])
	e.late.fit(e.lateSamples[:])
	e.refit()
	e.day++
	e.world.day = e.day
	clear(e.openers)
	maps.DeleteFunc(e.prompted, func(_ signKey, on int32) bool { return e.day-1-on > idleDays })
	maps.DeleteFunc(e.open, func(_ caseKey, c *openCase) bool { return e.day-1-c.lastDay > idleDays }) // no day that is still judged is near it
	if e.day%sweepDays == 0 {
		e.sweep()
	}
	e.awake[e.day%2] = 0
	e.samples[int(e.day)%weeks] = e.samples[int(e.day)%weeks][:0]
	maps.DeleteFunc(e.alarms, func(of alarmKey, _ float64) bool { return of.day < e.day-1 })
	e.latest = slices.DeleteFunc(e.latest, func(p int32) bool { return e.world.patients[p].active < e.day-1 })
	for i := range e.timers {
		e.timers[i] = clipped(e.timers[i])
	}
	e.budget()
	e.report.Days++
}

// evening judges all people of the day that ends, by what is known so far: what goes on is not left lying until the late documentation of
// the day after.
func (e *Engine) evening(on int32) {
	people := slices.Clone(e.activeOn[on])
	slices.Sort(people)
	e.accompany(people, on)
	e.seconds(people, on)
	e.gather(people, on)
	for _, a := range people {
		if d := e.dayOf(a, on); d != nil {
			t := e.weigh(a, d)
			e.judgeDay(a, d, &t, byEvening)
			d.over()
		}
	}
	e.gather(nil, on)
}

// settle judges all people of a day for the last time, and learns from the day.
func (e *Engine) settle(on int32) {
	people := e.activeOn[on]
	if len(people) == 0 {
		return
	}
	delete(e.activeOn, on)
	e.reconsider(on)
	names := e.world.people.text
	slices.SortFunc(people, func(a, b int32) int { return strings.Compare(names[a], names[b]) }) // not in the order in which they were told of
	e.setApart(people, on)
	e.accompany(people, on)
	e.seconds(people, on)
	e.gather(people, on)
	var scores dayScores
	for _, a := range people {
		d := e.dayOf(a, on)
		t := e.weigh(a, d)
		e.judgeDay(a, d, &t, forGood)
		if d.logE > clearCase { // what is likely misuse is no part of what is usual
			continue
		}
		scores.add(d.role, &t)
	}
	e.gather(nil, on)
	e.calibrator.add(scores)
	e.habits(people, on)
	e.calibrator.learn(len(e.world.roles.text))
	e.finished++
	e.activeMean += (float64(len(people)) - e.activeMean) / float64(min(e.finished, 14))
	e.rates.fade()
	e.openRates.fade()
	for i := range e.roleStats {
		e.roleStats[i].open.fade()
	}
}

// habits adds a settled day to what roles and people usually do.
func (e *Engine) habits(people []int32, on int32) {
	for i := range e.roleStats {
		r := e.roleStats[i]
		r.n *= .97
		r.looks *= .97
		r.surroundings.fade()
		for i := range r.returns {
			r.returns[i] *= .97
		}
		for c := range r.sum {
			r.sum[c] *= .97
			r.sq[c] *= .97
		}
		for k := range r.attr {
			r.attr[k] *= .97
		}
	}
	e.surroundings.fade()
	for i := range e.world.units {
		e.world.units[i].custom.fade()
	}
	for _, a := range people {
		p, d := &e.world.persons[a], e.dayOf(a, on)
		r := e.stats(d.role)
		e.accustom(d)
		if d.logE > clearCase {
			e.remember(p, d)
			p.forget(d)
			continue
		}
		e.surrounded(d)
		r.n++
		p.days = min(.97*p.days+1, 30)
		for c, k := range d.counts {
			x := float64(k)
			r.sum[c] += x
			r.sq[c] += float64(x * x)
			p.means[c] += float32((x - float64(p.means[c])) / float64(p.days))
		}
		if d.size > 0 {
			r.sizes.keep(d.size, mix(e.options.Seed, digest(e.world.people.text[a])+uint64(on)))
		}
		if d.back > 0 {
			e.backDatings.keep(d.back, mix(e.options.Seed, digest(e.world.people.text[a])+uint64(on)))
		}
		r.looks += float64(len(d.patients))
		for i, k := range d.attr {
			r.attr[i] += float64(k)
		}
		for h := range 24 {
			if d.hours&(1<<h) != 0 {
				i := hourOf(int64(on)*day + int64(h)*3600)
				r.hours[i]++
				if p.hours[i] < 200 {
					p.hours[i]++
				}
			}
		}
		near := float32(0)
		for i := range d.patients {
			if d.patients[i].near() {
				near++
			}
		}
		p.near += (near - p.near) / p.days
		exported := d.counts[countExports] > 0
		p.paced = p.pace(exported)
		if p.paced < 3 { // else she would get the engine used to it
			x := float32(0)
			if exported {
				x = 1
			}
			p.exporting += (x - p.exporting) / p.days
		}
		for i, k := range d.attr {
			p.attr[i] += (float32(k) - p.attr[i]) / p.days
		}
		p.second = p.seconded(r, d.counts[countSecond])
		p.drift = p.slow(r, d.counts[countStray])
		pace := float32(1)
		if p.drift > 3 { // slowly, or who does it for long would get the engine used to it
			pace = .25
		}
		p.own0 += pace * (float32(d.counts[countStray]) - p.own0) / float32(math.Min(float64(p.days), 28))
		e.remember(p, d)
		p.forget(d)
	}
}

// clearCase is the log E of a day from which on nothing is learned.
const clearCase = 7

// forget drops a day that is judged for good.
func (p *person) forget(d *today) {
	switch d {
	case p.before:
		p.before = nil
	case p.today:
		p.today = nil
	}
}

// Close judges what is left at the end of the log, and gives the report. The engine is done then.
func (e *Engine) Close() Report {
	if e.start != 0 {
		for len(e.timers[0])+len(e.timers[1])+len(e.timers[2]) > 0 {
			next := int64(math.MaxInt64)
			for i, q := range e.timers {
				if len(q) > 0 {
					next = min(next, q[0].at+waits[i])
				}
			}
			e.advance(next)
		}
		for _, on := range slices.Sorted(maps.Keys(e.activeOn)) {
			e.settle(on)
		}
	}
	e.settlePrograms()
	e.report.People = len(e.world.people.text)
	e.report.finish(e)
	return e.report
}
