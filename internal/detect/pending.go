package detect

// pending is an unexplained access that is looked at again: after an hour, a day, and, for a broken glass, three days. Much is
// documented late.
type pending struct {
	at       int64
	event    string
	nats     float64
	agent    int32
	patient  int32
	place    int32
	revision uint8
	glass    bool
}

var waits = [3]int64{3600, day, 3 * day}

// advance moves the log's time to t: what becomes known, what is due and what midnight brings happen in the order of their times.
func (e *Engine) advance(t int64) {
	for {
		midnight := int64(e.day+1) * day
		due, which := midnight, -1
		for i, q := range e.timers {
			if len(q) > 0 && q[0].at+waits[i] < due {
				due, which = q[0].at+waits[i], i
			}
		}
		if due > t {
			break
		}
		e.now = max(e.now, due)
		e.world.advance(due)
		if which < 0 {
			e.midnight()
			continue
		}
		p := e.timers[which][0]
		e.timers[which][0] = pending{}
		e.timers[which] = e.timers[which][1:]
		e.again(p, which)
	}
	e.now = max(e.now, t)
	e.world.advance(t)
}

// again judges an access by what is known now of the time when it was. A further line tells what changed: at the last look that nothing
// more is awaited.
func (e *Engine) again(p pending, stage int) {
	w := &e.world
	e.units = w.unitsOf(p.agent, p.at, p.place, e.units[:0])
	e.at = e.seated(p.place, "")
	e.found = e.reasons(p.agent, p.patient, p.at, e.units, e.found[:0])
	last := stage == 2 || stage == 1 && !p.glass
	nats := e.explained(w.persons[p.agent].role, last)
	v := &e.verdict
	*v = Verdict{Event: p.event, Agent: w.people.text[p.agent], Patient: w.charts.text[p.patient], Explanations: v.Explanations[:0], Signals: v.Signals[:0]}
	if v.Explained = e.explain(v, nats); v.Explained && leading(e.found).lasting() {
		e.vouch(p.agent, p.patient, p.at)
	}
	if v.Explained || nats < p.nats-.25 || last {
		p.revision++
		v.Revision = int(p.revision)
		bits := w.related(p.agent, p.patient, p.at)
		_, rel := e.related(w.persons[p.agent].role, bits, nats)
		e.describe(v, bits)
		v.Unexplained, v.Risk, v.State = nats, risk(nats+rel), "explained"
		switch {
		case v.Explained:
		case last:
			v.State = "unexplained"
		case p.glass:
			v.State = "claimed"
		default:
			v.State = "pending"
		}
		e.report.revised(v)
		if e.options.Verdict != nil {
			e.options.Verdict(v)
		}
		p.nats = nats
		if d := e.dayOf(p.agent, int32(p.at/day)); d != nil {
			if l := d.look(p.patient); l != nil {
				d.excuse(l, nats)
				l.around = e.circumstanced(&w.persons[p.agent], d.role, l)
				if l.where[0] == 0 {
					d.covered(l, e.where)
				}
			}
			if p.glass && v.Explained && d.claims > 0 {
				d.claims--
				d.counts[countGlass]--
			}
		}
	}
	if v.Explained || last {
		return
	}
	e.timers[stage+1] = append(e.timers[stage+1], p)
}
