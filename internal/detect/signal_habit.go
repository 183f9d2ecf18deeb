package detect

import "math"

// habit is how much less, or more, an unexplained look says of this person than of the role: who takes calls all day has many.
func (e *Engine) habit(p *person) float64 {
	return max(-2, min(1.2, math.Log(e.roleShare(p.role)/e.openShare(p))))
}

// roleShare is the share of first looks of a role that no reason is known for, openShare that of a person.
func (e *Engine) roleShare(role int32) float64 {
	r := e.stats(role)
	return (r.sum[countUnexplained] + 20) / (r.sum[countPatients] + 400)
}

func (e *Engine) openShare(p *person) float64 {
	days := min(float64(p.days), usual)
	return (float64(days*float64(p.means[countUnexplained])) + 25*e.roleShare(p.role)) / (float64(days*float64(p.means[countPatients])) + 25)
}
