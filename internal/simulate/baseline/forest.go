package baseline

import (
	"fmt"
	"math"
	"slices"
)

// forest is an isolation forest (Liu, Ting, Zhou 2008) on features of a person's day, each relative to the role's past: 100 trees of 256 samples, grown again each Monday.
type forest struct {
	*house
	past  []sample
	roles map[string]*moments
	trees []*node
}

const features = 12

type sample struct {
	role string
	x    [features]float64
}

// moments are mean and spread of a role's features.
type moments struct {
	n    float64
	sum  [features]float64
	sqrs [features]float64
}

type node struct {
	feature     int
	at          float64
	left, right *node
	size        int
}

// featuresOf are counts as logarithms, and shares.
func featuresOf(list []access, home int32) (x [features]float64) {
	patients, devices := map[int32]bool{}, map[int32]bool{}
	night, away, rows := 0.0, 0.0, 0.0
	count := map[byte]float64{}
	for _, a := range list {
		if a.patient >= 0 {
			patients[a.patient] = true
		}
		devices[a.device] = true
		if h := a.at % dayLong / 3600; h < 6 || h >= 22 {
			night++
		}
		if a.place != home {
			away++
		}
		count[a.act]++
		rows = max(rows, float64(a.rows))
	}
	n := float64(max(len(list), 1))
	lg := func(v float64) float64 { return math.Log1p(v) }
	return [features]float64{lg(float64(len(patients))), lg(n), lg(float64(len(devices))), night / n, away / n, lg(count['X']), lg(count['P']), lg(count['D']), lg(count['G']), lg(count['S']),
		lg(rows), lg(count['F'])}
}

func (f *forest) rate(d *day) (out []rating) {
	if d.n%7 == 0 && len(f.past) > 500 {
		f.grow(uint64(d.n))
	}
	var today []sample
	for _, agent := range d.order {
		s := sample{f.role[agent], featuresOf(d.people[agent], f.location[agent])}
		today = append(today, s)
		if f.trees == nil {
			continue
		}
		depth, x := 0.0, f.relative(s)
		for _, t := range f.trees {
			depth += t.depth(x)
		}
		score := math.Pow(2, -depth/float64(len(f.trees))/expected(256))
		out = append(out, rating{agent, float64(4 * score), nil, fmt.Sprintf("isolation %.3f", score)})
	}
	f.past = append(f.past, today...)
	return out
}

// relative is a sample in spreads of its role.
func (f *forest) relative(s sample) (x [features]float64) {
	m := f.roles[s.role]
	if m == nil || m.n < 20 {
		return s.x
	}
	for i := range x {
		mean := m.sum[i] / m.n
		x[i] = (s.x[i] - mean) / (math.Sqrt(max(m.sqrs[i]/m.n-float64(mean*mean), 0)) + .1)
	}
	return x
}

func (f *forest) grow(seed uint64) {
	f.roles = map[string]*moments{}
	for _, s := range f.past {
		m := f.roles[s.role]
		if m == nil {
			m = &moments{}
			f.roles[s.role] = m
		}
		m.n++
		for i, v := range s.x {
			m.sum[i] += v
			m.sqrs[i] += float64(v * v)
		}
	}
	g := &generator{seed*0x9e3779b97f4a7c15 + 1}
	f.trees = nil
	for range 100 {
		var list [][features]float64
		for range 256 {
			list = append(list, f.relative(f.past[g.below(len(f.past))]))
		}
		f.trees = append(f.trees, plant(g, list, 8))
	}
}

func plant(g *generator, list [][features]float64, height int) *node {
	if height == 0 || len(list) < 2 {
		return &node{size: len(list)}
	}
	for range features {
		i := g.below(features)
		lo := slices.MinFunc(list, func(a, b [features]float64) int { return sign(a[i] - b[i]) })[i]
		hi := slices.MaxFunc(list, func(a, b [features]float64) int { return sign(a[i] - b[i]) })[i]
		if hi <= lo {
			continue
		}
		n := &node{feature: i, at: lo + float64((hi-lo)*float64(g.below(1<<20)))/(1<<20)}
		var left, right [][features]float64
		for _, x := range list {
			if x[i] < n.at {
				left = append(left, x)
			} else {
				right = append(right, x)
			}
		}
		n.left, n.right = plant(g, left, height-1), plant(g, right, height-1)
		return n
	}
	return &node{size: len(list)}
}

func sign(x float64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

func (n *node) depth(x [features]float64) float64 {
	d := 0.0
	for n.left != nil {
		if d++; x[n.feature] < n.at {
			n = n.left
		} else {
			n = n.right
		}
	}
	return d + expected(n.size)
}

// expected is the mean depth of an unsuccessful search among n.
func expected(n int) float64 {
	if n < 2 {
		return 0
	}
	v := float64(n)
	return 2*(math.Log(v-1)+.5772156649) - 2*(v-1)/v
}

// generator is SplitMix64.
type generator struct{ state uint64 }

func (g *generator) below(n int) int {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) >> 1 % uint64(n))
}
