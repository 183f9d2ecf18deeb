package hospital

import "hash/fnv"

// draw is a stream of choices that depends on its seed and key alone. Each patient, unit and day has a stream of its own, so that
// one more choice in one place changes nothing elsewhere, and charts can be made in any order. Only integers are drawn: floating
// point differs between machines in the last place, and two machines must make the same bytes.
type draw struct{ state uint64 }

func newDraw(seed uint64, key string) *draw {
	h := fnv.New64a()
	h.Write([]byte(key))
	d := &draw{h.Sum64() ^ seed*0x9e3779b97f4a7c15}
	d.next()
	return d
}

// next is SplitMix64 (Steele, Lea, Flood 2014).
func (d *draw) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is in [0, n); 0 for n < 1.
func (d *draw) below(n int) int {
	if n < 1 {
		return 0
	}
	return int(d.next() % uint64(n))
}

// between is in [lo, hi].
func (d *draw) between(lo, hi int) int { return lo + d.below(hi-lo+1) }

// around is bell-shaped, within spread of mid: the mean of three.
func (d *draw) around(mid, spread int) int {
	sum := d.below(2*spread+1) + d.below(2*spread+1) + d.below(2*spread+1)
	return mid - spread + (2*sum+3)/6
}

// share is percent of n, rounded by chance, so that many small steps add up to what they should.
func (d *draw) share(n, percent int) int {
	if n < 0 {
		return -d.share(-n, percent)
	}
	return (n*percent + d.below(100)) / 100
}

func (d *draw) chance(percent int) bool { return d.below(100) < percent }

func pick[T any](d *draw, from []T) T { return from[d.below(len(from))] }

// early picks as Zipf's law does, roughly: the first of a list is drawn most often.
func early[T any](d *draw, from []T) T {
	return from[min(d.below(len(from)), d.below(len(from)))]
}
