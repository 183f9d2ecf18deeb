package detect

import "math"

// slow sums, day by day, how many more unexplained patients there were than the person's own level explains: low and slow harvest. The
// level stands still while the sum is high, so that nobody gets the engine used to it.
func (p *person) slow(r *roleStats, k int32) float64 {
	m, _ := r.moments(countUnexplained)
	own := float64(p.own0)
	l0 := max(m+.3, own+math.Sqrt((own+.2)/max(1, float64(p.days)))+.5)
	d := max(3, .7*l0)
	return max(0, .97*p.drift+.5*(float64(k)*math.Log((l0+d)/l0)-d))
}

// pace is the same for exports: small ones below every quota, again and again, by somebody who seldom exports.
func (p *person) pace(r *roleStats, k int32) float64 {
	m, _ := r.moments(countExports)
	own := float64(p.means[countExports])
	l0 := max(.5*m, own+math.Sqrt((own+.1)/max(1, 4*float64(p.days)))) + .08
	const d = .8
	return max(0, .97*p.paced+float64(float64(k)*math.Log((l0+d)/l0))-d)
}
