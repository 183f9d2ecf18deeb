package detect

import "math"

// idle is the log e-value of an account that wakes after weeks of nothing, while the log went on; one that was just given a role is
// new, not dormant.
func (e *Engine) idle(p *person, t int64) float64 {
	since := max(p.last, e.resumed)
	if p.last == 0 {
		if p.hired > e.start && t-p.hired < 5*day || int64(p.planned.from) > e.start+7*day {
			return 0
		}
	}
	gap := float64(t-since) / float64(day)
	if gap < 14 {
		return 0
	}
	return min(8, math.Log(gap/7)*2.5)
}

// woken is what it says of a day that the account was at rest: much of one that looks around without a known reason, little where many
// woke on one day, as when a practice joins, and nothing of work that is explained. A leaver's account
// has nothing to do; where the work goes on as before, the last day was put off.
func (e *Engine) woken(d *today) float64 {
	open := 0.0
	for i := range d.patients {
		if d.patients[i].nats > -1 {
			open += 1 / float64(len(d.patients))
		}
	}
	if d.ended { // not even a sign-in is anybody's work
		return 13
	}
	if d.leaver {
		return max(1, float64(14*open)-1)
	}
	if d.dormant == 0 {
		return 0
	}
	return pos(float64(d.dormant*open) - 1.5*math.Log(float64(max(1, e.awake[d.day%2]))))
}
