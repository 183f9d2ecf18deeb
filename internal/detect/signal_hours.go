package detect

import "math"

// odd is the log e-value of working at this hour: off the roster where there is one, else against the hours of the person and role.
func (e *Engine) odd(p *person, r *roleStats, t int64) float64 {
	if e.world.hasRoster && p.rostered(t) {
		if _, on := p.onShift(t); on {
			return 0
		}
		return 2.2
	}
	h := hourOf(t)
	own, site := 0.0, 0.0
	for i := range p.hours {
		own += float64(p.hours[i])
		site += r.hours[i] + .02
	}
	share := func(i int) float64 { return (float64(p.hours[i]) + 10*(r.hours[i]+.02)/site) / (own + 10) }
	at, mass := share(h), 0.0
	for i := range p.hours {
		if s := share(i); s <= at {
			mass += s
		}
	}
	return pos(logE(min(1, mass)))
}

// hourOf is the hour of the week.
func hourOf(t int64) int { return int(math.Mod(float64(t/3600), 168)) }
