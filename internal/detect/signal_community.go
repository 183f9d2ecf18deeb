package detect

import (
	"math"
	"slices"
)

// apart measures how far each person's patients of a day are from everybody else's: one minus the mean of the five nearest idf-weighted
// cosines, against the person's own usual. It fills in today.apart, between 0 and 6.
func (e *Engine) setApart(days []int32, on int32) {
	holders := map[int32][]int32{}
	var order []int32
	for _, a := range days {
		d := e.dayOf(a, on)
		for i := range d.patients {
			p := d.patients[i].patient
			if _, ok := holders[p]; !ok {
				order = append(order, p)
			}
			holders[p] = append(holders[p], a)
		}
	}
	total := math.Log(float64(len(days)) + 1)
	idf := func(p int32) float64 { x := total - math.Log(float64(len(holders[p]))); return float64(x * x) }
	norm := map[int32]float64{}
	for _, p := range order {
		x := idf(p)
		for _, a := range holders[p] {
			norm[a] += float64(x * x)
		}
	}
	for _, a := range days {
		d, ps := e.dayOf(a, on), &e.world.persons[a]
		if len(d.patients) == 0 {
			continue
		}
		dots := map[int32]float64{}
		var others []int32
		for i := range d.patients {
			p := d.patients[i].patient
			x := idf(p)
			for _, b := range holders[p] {
				if b == a {
					continue
				}
				if _, ok := dots[b]; !ok {
					others = append(others, b)
				}
				dots[b] += float64(x * x)
			}
		}
		near := make([]float64, 0, len(others))
		for _, b := range others {
			near = append(near, dots[b]/math.Sqrt(float64(norm[a]*norm[b])))
		}
		slices.SortFunc(near, func(x, y float64) int { return -cmpFloat(x, y) })
		sum := 0.0
		for i := range min(5, len(near)) {
			sum += near[i]
		}
		far := 1 - sum/5
		n := float64(ps.apartDays)
		mean := (float64(n*float64(ps.apart)) + 5*.6) / (n + 5)
		dev := math.Sqrt((float64(n*float64(ps.apartVar)) + 5*.04) / (n + 5))
		d.apart = max(0, min(6, (far-mean)/max(dev, .05)))
		k := float64(ps.apartDays) + 1
		delta := far - float64(ps.apart)
		ps.apart += float32(delta / k)
		ps.apartVar += float32((float64(delta*delta)*(k-1)/k - float64(ps.apartVar)) / k)
		ps.apartDays = float32(min(k, 28))
	}
}

func cmpFloat(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
