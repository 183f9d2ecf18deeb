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
	return e.stats(p.role).share(countUnexplained, countPatients, p, 25)
}

// share is which share of what one count counts another does, of a person who is also as others of the role are. The role counts for weight
// of the person's own, and begins at one in twenty.
func (r *roleStats) share(part, whole int, p *person, weight float64) float64 {
	days := min(float64(p.days), usual)
	usually := (r.sum[part] + .8*weight) / (r.sum[whole] + 16*weight)
	return (float64(days*float64(p.means[part])) + float64(weight*usually)) / (float64(days*float64(p.means[whole])) + weight)
}

// beyond is the log e-value of so large a part of a day's whole, against its usual share. Who never has a reason on file has none on a busy day either: a reason
// that is missing says as much as reasons usually are there.
func (d *today) beyond(part, whole int, share float64) float64 {
	return tooMany(int(d.counts[part]), int(d.counts[whole]), share)
}

func tooMany(k, n int, share float64) float64 {
	return logE(binomialTail(n, min(k, n), min(.95, share)))
}
