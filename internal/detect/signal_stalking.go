package detect

import (
	"math"
	"math/bits"
)

// stalked is the log of how much more often misuse comes back, on other days, to the same unexplained patient than the site does.
func (e *Engine) stalked(p *person, d *today) (nats float64) {
	for i := range d.patients {
		l := &d.patients[i]
		if !l.stray() {
			continue
		}
		for _, r := range p.repeats {
			if r.patient != l.patient {
				continue
			}
			n := bits.OnesCount16(r.bits << uint(min(15, max(0, d.day-r.day))) & (1<<14 - 1))
			if d.day > r.day && n >= 1 {
				j := min(n+1, len(e.returns)-1)
				v := math.Log(.1 / ((e.returns[j] + .5) / (e.returns[1] + 50)))
				nats = max(nats, v*min(1, .4+.4*float64(l.nats))) // who is hardly unexplained hardly counts
			}
		}
	}
	return nats
}

// remember notes the unexplained patients of a day that is over, and how often such ones come back.
func (e *Engine) remember(p *person, d *today) {
	kept := p.repeats[:0]
	for _, r := range p.repeats {
		if d.day-r.day < 14 {
			kept = append(kept, r)
		}
	}
	p.repeats = kept
	for i := range d.patients {
		l := &d.patients[i]
		if !l.stray() {
			continue
		}
		at := -1
		for k := range p.repeats {
			if p.repeats[k].patient == l.patient {
				at = k
			}
		}
		n := 1
		if at >= 0 {
			r := &p.repeats[at]
			r.bits = (r.bits<<uint(d.day-r.day) | 1) & (1<<14 - 1)
			r.day = d.day
			n = bits.OnesCount16(r.bits)
		} else {
			p.keepRepeat(repeat{l.patient, d.day, 1})
		}
		e.returns[min(n, len(e.returns)-1)]++
	}
}

func (l *look) unexplained() bool { return l.nats > 0 }

// keepRepeat adds one, in the place of the oldest seen once when there are many.
func (p *person) keepRepeat(r repeat) {
	if len(p.repeats) < 48 {
		p.repeats = append(p.repeats, r)
		return
	}
	old := -1
	for i, x := range p.repeats {
		if bits.OnesCount16(x.bits) == 1 && (old < 0 || x.day < p.repeats[old].day) {
			old = i
		}
	}
	if old >= 0 {
		p.repeats[old] = r
	}
}
