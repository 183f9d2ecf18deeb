package detect

import "slices"

// sampledLooks is how many looks of a day are kept for the fit, each with a permuted one beside it.
const sampledLooks = 3500

// sample keeps some first looks of a person at a patient, and with each the look that the same person would have had at the same moment
// at a patient drawn for no reason of care: half from those active of late, half from all. Draws depend on the event alone.
func (e *Engine) sample(ev *Event, a, p int32, t int64) {
	draw := mix(e.options.Seed, digest(ev.ID))
	if rate := sampledLooks / max(e.firstLooks, sampledLooks); unitary(draw) > rate {
		return
	}
	pool := e.latest
	if draw&1 == 0 || len(pool) < 10 {
		pool = e.world.all
	}
	if len(pool) < 10 {
		return
	}
	role := e.world.persons[a].role
	other := pool[mix(draw, 2)%uint64(len(pool))]
	keep := &e.samples[int(e.day)%weeks]
	*keep = append(*keep, sampleOf(role, true, e.found))
	real := e.said(role, e.found)
	e.found = e.reasons(a, other, t, e.units, e.found[:0])
	*keep = append(*keep, sampleOf(role, false, e.found))
	e.report.twin(e.world.roles, role, int(e.day-e.firstDay)/7, real, e.said(role, e.found))
}

// said reports whether reasons explain, as explain does.
func (e *Engine) said(role int32, rs []reason) bool {
	nats := e.weights.weigh(role, rs)
	return nats < 0 && slices.ContainsFunc(rs, func(r reason) bool { return r.nats >= 1.1 && r.template != activity })
}
