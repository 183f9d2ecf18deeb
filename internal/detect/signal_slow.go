package detect

import "math"

// slow sums, day by day, how many more unexplained patients there were than the person's own level explains: low and slow harvest. The
// level stands still while the sum is high, so that nobody gets the engine used to it.
func (p *person) slow(r *roleStats, k int32) float64 {
	m, _ := r.moments(countStray)
	own := float64(p.own0)
	l0 := max(m+.3, own+math.Sqrt((own+.2)/max(1, float64(p.days)))+.5)
	return creep(p.drift, l0, k)
}

// pace sums, over a person's days, how much better days with an export follow one another than her own share of such days explains: a
// little below every quota, day after day, by somebody who exported now and then.
func (p *person) pace(exported bool) float64 {
	const steady = .9
	n := float64(p.days)
	own := (n*float64(p.exporting) + 1) / (n + 4)
	own += math.Sqrt(own * (1 - own) / (n + 4)) // she may do more of it than was seen
	if own >= steady {
		return max(0, .97*p.paced-1)
	}
	if exported {
		return .97*p.paced + math.Log(steady/own)
	}
	return max(0, .97*p.paced+math.Log((1-steady)/(1-own)))
}
