package detect

import "math"

// idle is the log e-value of an account that wakes after weeks of nothing, while the log went on; one that was just given a role is
// new, not dormant.
func (e *Engine) idle(p *person, t int64) float64 {
	since := max(p.last, e.resumed)
	if p.last == 0 {
		if p.hired > e.start && t-p.hired < 5*day || len(p.shifts) > 0 && p.shifts[0].from > e.start+7*day {
			return 0
		}
	}
	gap := float64(t-since) / float64(day)
	if gap < 14 {
		return 0
	}
	return min(8, math.Log(gap/7)*2.5)
}
