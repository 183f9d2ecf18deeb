package foreign

// remembered is how many rows a set holds before it begins a new one: exports of two days that overlap are of one size.
const remembered = 2 << 20

// seen remembers the rows of late by their hashes, at least as many as remembered says and at most twice as many, in 64 MB.
type seen struct{ now, before set }

// again reports whether a row was there, and remembers it.
func (s *seen) again(h uint64) bool {
	if s.now.has(h) || s.before.has(h) {
		return true
	}
	if s.now.n >= remembered {
		s.before, s.now = s.now, set{}
	}
	s.now.add(h)
	return false
}

// set is one of numbers, by open addressing; 0 is kept as 1.
type set struct {
	slots []uint64
	n     int
}

func (s *set) find(h uint64) int {
	i := int(h>>1) & (len(s.slots) - 1)
	for s.slots[i] != 0 && s.slots[i] != h {
		i = (i + 1) & (len(s.slots) - 1)
	}
	return i
}

func (s *set) has(h uint64) bool {
	h = max(h, 1)
	return s.n > 0 && s.slots[s.find(h)] == h
}

func (s *set) add(h uint64) {
	h = max(h, 1)
	if 2*s.n >= len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, max(1024, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				s.slots[s.find(o)] = o
			}
		}
	}
	s.slots[s.find(h)] = h
	s.n++
}
