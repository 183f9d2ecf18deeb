package detect

import "strings"

// searchesSignal counts searches that found somebody who was then not opened that day.
var searchesSignal = counter{"search.empty", "more searches that opened nothing than usual", .1, .3}

// seek takes a search of the directory that found a patient: a look of its own until she is opened. To know where somebody lives, or
// that she is a patient here, may be all that is wanted.
func (e *Engine) seek(ev *Event, a int32, t int64, d *today) {
	if ev.Kind != Search || len(ev.Patients) > 0 || ev.Failed || !strings.HasPrefix(ev.Data, "Patient/") {
		return
	}
	w := &e.world
	p, ok := w.charts.known(ev.Data)
	if !ok || d.look(p) != nil {
		return
	}
	e.units = w.unitsOf(a, t, -1, e.units[:0])
	e.at = -1
	e.found = e.reasons(a, p, t, e.units, e.found[:0])
	nats := e.weights.weigh(w.persons[a].role, e.found)
	q, rel := e.rates.strongest(w.related(a, p, t), e.rates.nats)
	d.counts[countSearches]++
	d.add(look{event: d.ids.add(ev.ID), patient: p, nats: float32(min(nats, .5)), rel: float32(rel), q: uint8(q), sought: true})
}
