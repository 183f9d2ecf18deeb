package detect

import "math"

// secondSignal counts charts at which a person only looked while a colleague of the same role did the work: where work names
// nobody, as at a desk, each need asks for one of them. A reason that anybody at the desk has is the best cover for who copies a list; that the
// work was somebody else's tells the two apart. A ward shares its patients.
var secondSignal = counter{"volume.second", "more charts than usual at which a colleague of the same role did the work", .6, 1}

// seconds counts them anew for the people of a day.
func (e *Engine) seconds(people []int32, on int32) {
	type desk struct{ role, patient int32 }
	wrote := map[desk]bool{}
	for _, a := range people {
		d := e.dayOf(a, on)
		for i := range d.patients {
			if l := &d.patients[i]; l.wrote {
				wrote[desk{d.role, l.patient}] = true
			}
		}
	}
	for _, a := range people {
		d := e.dayOf(a, on)
		if e.desksOf(d.role) == 0 {
			continue
		}
		n := int32(0)
		for i := range d.patients {
			if l := &d.patients[i]; !l.wrote && !l.sought && wrote[desk{d.role, l.patient}] {
				n++
			}
		}
		d.counts[countSecond] = n
	}
}

// creep adds a day's count to a sum of how much more than usual it was, day after day: a CUSUM of a Poisson count (Lucas 1985,
// https://doi.org/10.1080/00401706.1985.10488030) against what is usual.
func creep(sum, usual float64, k int32) float64 {
	d := max(3, .7*usual)
	return max(0, .97*sum+.5*(float64(k)*math.Log((usual+d)/usual)-d))
}

// seconded sums up, day by day, how many more such charts there were than the role's mean and the person's own explain.
func (p *person) seconded(r *roleStats, k int32) float64 {
	m, _ := r.moments(countSecond)
	own := float64(p.means[countSecond])
	return creep(p.second, max(m+.3, own+math.Sqrt((own+.2)/max(1, float64(p.days)))+.5), k)
}
