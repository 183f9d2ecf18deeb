package baseline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// community rates how far a person's patients of the day are from those of her nearest peers, against her own past: after the community anomaly detection (CADS) of Chen and
// Malin (2011), with cosines of patients weighted by rarity instead of a decomposition.
type community struct{ past map[int32]*series }

// series is a person's past distances.
type series struct{ n, sum, squares float64 }

const nearest = 5

func (c *community) rate(d *day) (out []rating) {
	sets := map[int32][]int32{}
	opened := map[int32][]int32{} // patients to people
	for _, agent := range d.order {
		seen := map[int32]bool{}
		for _, a := range d.people[agent] {
			if a.patient >= 0 && !seen[a.patient] {
				seen[a.patient] = true
				sets[agent] = append(sets[agent], a.patient)
				opened[a.patient] = append(opened[a.patient], agent)
			}
		}
	}
	weight := func(p int32) float64 {
		x := math.Log(float64(len(d.order)+1) / float64(len(opened[p])))
		return float64(x * x)
	}
	norm := map[int32]float64{}
	for _, agent := range d.order {
		for _, p := range sets[agent] {
			w := weight(p)
			norm[agent] += float64(w * w)
		}
	}
	for _, agent := range d.order {
		if len(sets[agent]) == 0 {
			continue
		}
		dot := map[int32]float64{}
		for _, p := range sets[agent] {
			w := weight(p)
			for _, other := range opened[p] {
				if other != agent {
					dot[other] += float64(w * w)
				}
			}
		}
		var near []float64
		for other, x := range dot {
			near = append(near, x/math.Sqrt(float64(norm[agent]*norm[other])))
		}
		slices.SortFunc(near, func(a, b float64) int { return cmp.Compare(b, a) })
		far := 1.0
		for _, x := range near[:min(nearest, len(near))] {
			far -= x / nearest
		}
		s := c.past[agent]
		if s == nil {
			s = &series{}
			c.past[agent] = s
		}
		if s.n >= 4 {
			mean := s.sum / s.n
			sd := math.Sqrt(max(s.squares/s.n-float64(mean*mean), 0)) + .03
			if z := (far - mean) / sd; z > 0 {
				out = append(out, rating{agent, z, nil, fmt.Sprintf("far from her peers by %.2f", far)})
			}
		}
		s.n, s.sum, s.squares = s.n+1, s.sum+far, s.squares+float64(far*far)
	}
	return out
}
