package detect

import (
	"math"
	"math/bits"
)

// stalked is the log of how much more often misuse comes back, on other days, to the same unexplained patient than the role does: who works
// off a list that nobody filed comes back to all on it.
func (e *Engine) stalked(p *person, d *today) (nats float64) {
	r := e.stats(d.role)
	for i := range d.patients {
		l := &d.patients[i]
		if !l.stray() {
			continue
		}
		for _, x := range p.repeats {
			if x.patient != l.patient {
				continue
			}
			n := bits.OnesCount16(x.bits << uint(min(15, max(0, d.day-x.day))) & (1<<14 - 1))
			if d.day > x.day && n >= 1 {
				const among = .1                                                                 // misuse
				nats = max(nats, math.Log(among/r.returning(n+1))*min(1, .4+.4*float64(l.nats))) // who is hardly unexplained hardly counts
			}
		}
	}
	return nats
}

// returning is the share of a role's unexplained patients that are opened on so many days of fourteen, or more. Before the role has shown its
// own, one in a hundred comes back, and a quarter of those each time again.
func (r *roleStats) returning(days int) float64 {
	const weight, second, further = 200, .01, .25
	n := weight * second * math.Pow(further, float64(days-2))
	for _, x := range r.returns[min(days, len(r.returns)-1):] {
		n += x
	}
	return n / (r.returns[1] + weight)
}

// remember notes the unexplained patients of a day that is over, and how often such ones come back.
func (e *Engine) remember(p *person, d *today) {
	returns := &e.stats(d.role).returns
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
		returns[min(n, len(returns)-1)]++
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
