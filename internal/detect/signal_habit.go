package detect

import "math"

// habit is how much less, or more, an unexplained look says of this person than of the role: who takes calls all day has many.
func (e *Engine) habit(p *person) float64 {
	r := e.stats(p.role)
	share := (r.sum[countUnexplained] + 20) / (r.sum[countPatients] + 400)
	days := min(float64(p.days), usual)
	own := (float64(days*float64(p.means[countUnexplained])) + 25*share) / (float64(days*float64(p.means[countPatients])) + 25)
	return max(-2, min(1.2, math.Log(share/own)))
}
