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
	place := int32(-1)
	if ev.Place != "" {
		place = e.world.unit(ev.Place)
	}
	e.pairs[e.day%2] = append(e.pairs[e.day%2], pairing{t, a, p, other, place})
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

// pairing is a look of the fit, and the patient of the permuted one beside it, until what is documented late is known.
type pairing struct {
	at                           int64
	agent, patient, other, place int32
}

// settledLooks is from how many samples on the weights of what is known a day later are used: in a house with fewer those of the moment are the
// steadier ones.
const settledLooks = 5000

// explained weighs the reasons that were found. At the last look they may also explain by how often such reasons hold of real looks when all
// that comes late is there: a visit that is filed afterwards is seldom known at the moment, so the weights of the moment hardly count it. What
// neither explains keeps the nats of the moment, in which the calibration is.
func (e *Engine) explained(role int32, last bool) float64 {
	if last && e.late.n >= settledLooks {
		if nats := e.late.weigh(role, e.found); nats < 0 {
			return nats
		}
	}
	return e.weights.weigh(role, e.found)
}

// reconsider explains the looks that were drawn on a day by what is known now, as looks that wait are explained for the last time.
func (e *Engine) reconsider(on int32) {
	keep := &e.lateSamples[int(on)%weeks]
	*keep = (*keep)[:0]
	for _, x := range e.pairs[on%2] {
		e.units = e.world.unitsOf(x.agent, x.at, x.place, e.units[:0])
		e.at = e.seated(x.place, "")
		role := e.world.persons[x.agent].role
		e.found = e.reasons(x.agent, x.patient, x.at, e.units, e.found[:0])
		*keep = append(*keep, sampleOf(role, true, e.found))
		e.found = e.reasons(x.agent, x.other, x.at, e.units, e.found[:0])
		*keep = append(*keep, sampleOf(role, false, e.found))
	}
	e.pairs[on%2] = e.pairs[on%2][:0]
}
