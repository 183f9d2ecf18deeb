package simulate

// draw is a stream of choices that depends on its seed and key alone: each person, unit, day and scenario has its own, so that one more
// choice in one place changes nothing elsewhere. Only integers are drawn, because floating point may differ between machines.
type draw struct{ state uint64 }

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// key hashes a name and numbers under the seed.
func key(seed uint64, name string, parts ...int) uint64 {
	h := mix(seed ^ 0x5851f42d4c957f2d)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	h = mix(h)
	for _, p := range parts {
		h = mix(h ^ uint64(p))
	}
	return h
}

func newDraw(seed uint64, name string, parts ...int) *draw { return &draw{key(seed, name, parts...)} }

func (d *draw) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return mix(d.state)
}

// below is in [0, n); 0 for n < 1.
func (d *draw) below(n int) int {
	if n < 1 {
		return 0
	}
	return int(d.next() >> 1 % uint64(n))
}

// between is in [lo, hi].
func (d *draw) between(lo, hi int) int { return lo + d.below(hi-lo+1) }

// within is a second in [from, to).
func (d *draw) within(from, to int64) int64 { return from + int64(d.below(int(to-from))) }

// chance is true in so many of a thousand draws.
func (d *draw) chance(permille int) bool { return d.below(1000) < permille }

// early is in [0, n) with a bias to small numbers.
func (d *draw) early(n int) int { return min(d.below(n), d.below(n), d.below(n)) }

func pick[T any](d *draw, from []T) T { return from[d.below(len(from))] }

// some is n of from without repetition, in drawn order; fewer when there are no more.
func some[T any](d *draw, from []T, n int) []T {
	out := append([]T(nil), from...)
	n = min(n, len(out))
	for i := range n {
		j := i + d.below(len(out)-i)
		out[i], out[j] = out[j], out[i]
	}
	return out[:n]
}
