package detect

import "math"

// weights say how much each reason speaks for care: the log of how often it holds of real accesses against permuted ones, for every role
// and with decay. They begin at shipped values and are fitted each night.
type weights struct {
	version int
	n       int // samples that they were fitted on last
	base    float64
	least   float64 // that an access with no reason begins with, whatever was fitted
	w       [features]float64
	role    []roleWeights
}

type roleWeights struct {
	base float64
	v    [features]float64
}

// fade is the shipped decay over the buckets.
var fade = [buckets]float64{1, 0.8, 0.5, 0.3}

const baseNats = -2.6 // what an access with no reason begins with

// alive is what the activity of a patient says: permuted patients are mostly at home, real ones mostly not.
var alive = [buckets]float64{1, 0, -.7, -1.5}

func shipped(f int) float64 {
	if f/buckets == int(activity) {
		return alive[f%buckets]
	}
	return vocabulary[f/buckets].prior * fade[f%buckets]
}

// leastLate is what an access with no reason begins with at least, a day later: where everything was documented so far the fit would grow surer
// without end, and one look of some thirty-seven has no reason all the same.
const leastLate = -3.6

// lateWeights begin as the others do.
func lateWeights() *weights {
	w := newWeights()
	w.least = leastLate
	return w
}

func newWeights() *weights {
	w := &weights{base: baseNats, least: math.Inf(-1)}
	for f := range w.w {
		w.w[f] = shipped(f)
	}
	return w
}

func (w *weights) of(role int32) *roleWeights {
	for int(role) >= len(w.role) {
		w.role = append(w.role, roleWeights{})
	}
	if role < 0 {
		return &roleWeights{}
	}
	return &w.role[role]
}

// nats is what one feature is worth to a role.
func (w *weights) nats(role int32, f uint8) float64 {
	if role < 0 || int(role) >= len(w.role) {
		return w.w[f]
	}
	return w.w[f] + w.role[role].v[f]
}

// weigh fills in the nats of each reason and returns the unexplained nats: log of permuted against real, between -6 and 6.
func (w *weights) weigh(role int32, rs []reason) float64 {
	z := w.base
	if role >= 0 && int(role) < len(w.role) {
		z += w.role[role].base
	}
	z = max(z, w.least)
	for i := range rs {
		if rs[i].template != Confirmed { // weighed by itself
			rs[i].nats = w.nats(role, rs[i].feature())
		}
		z += rs[i].nats
	}
	return max(-6, min(6, -z))
}

// sample is one access, real or permuted, as the reasons that hold of it.
type sample struct {
	role int32
	n    uint8
	real bool
	f    [7]uint8
}

func sampleOf(role int32, real bool, rs []reason) sample {
	s := sample{role: role, real: real}
	for _, r := range rs {
		if r.template != Confirmed && int(s.n) < len(s.f) {
			s.f[s.n] = r.feature()
			s.n++
		}
	}
	return s
}

// fit learns from days of samples by gradient steps in a fixed order. The penalties pull towards the shipped values with a strength that
// does not grow with the samples, so that these fade as samples come. An explanation may come to say nothing, never to accuse.
func (w *weights) fit(days [][]sample) {
	n := 0
	for _, d := range days {
		n += len(d)
	}
	if w.n = n; n == 0 {
		return
	}
	const epochs = 2
	pull, pullRole := 20/float64(n), 200/float64(n)
	for epoch := range epochs {
		step := 0.1 / (1 + float64(epoch))
		for _, d := range days {
			for i := range d {
				s := &d[i]
				r := w.of(s.role)
				z := w.base + r.base
				for _, f := range s.f[:s.n] {
					z += w.w[f] + r.v[f]
				}
				g := 1 / (1 + math.Exp(-z)) // d(-log likelihood)/dz
				if s.real {
					g--
				}
				w.base -= step * float64(g)
				r.base -= step * (float64(g) + float64(pullRole*r.base))
				for _, f := range s.f[:s.n] {
					w.w[f] -= step * (g + float64(pull*(w.w[f]-shipped(int(f)))))
					r.v[f] -= step * (g + float64(pullRole*r.v[f]))
					if Template(f/buckets) != activity {
						w.w[f] = max(0, w.w[f])
						r.v[f] = max(-w.w[f], r.v[f])
					}
				}
			}
		}
	}
	w.version++
}
