package detect

import "math/bits"

// index finds the place of something in a list by its hash. It keeps nothing but places, so that it takes some six bytes for each, a fourth
// of what a map would.
type index struct {
	slots []int32 // 1 + place; 0 is free
	n     int
}

// find gives the place of the one that is meant, among those of a hash; -1 when there is none.
func (x *index) find(hash uint64, meant func(place int32) bool) int32 {
	if x.n == 0 {
		return -1
	}
	for i := x.slot(hash); x.slots[i] != 0; i = (i + 1) % len(x.slots) {
		if p := x.slots[i] - 1; meant(p) {
			return p
		}
	}
	return -1
}

// add takes in a place that is new. hashOf tells the hash of those that are there.
func (x *index) add(hash uint64, place int32, hashOf func(place int32) uint64) {
	if 4*(x.n+1) > 3*len(x.slots) {
		x.resize(max(16, len(x.slots)+len(x.slots)/2), hashOf)
	}
	x.put(hash, place)
	x.n++
}

func (x *index) resize(slots int, hashOf func(place int32) uint64) {
	old := x.slots
	x.slots = make([]int32, slots)
	for _, s := range old {
		if s != 0 {
			x.put(hashOf(s-1), s-1)
		}
	}
}

func (x *index) put(hash uint64, place int32) {
	i := x.slot(hash)
	for x.slots[i] != 0 {
		i = (i + 1) % len(x.slots)
	}
	x.slots[i] = place + 1
}

func (x *index) slot(hash uint64) int {
	i, _ := bits.Mul64(hash, uint64(len(x.slots)))
	return int(i)
}
