package foreign

// remembered is how many rows are remembered at least: exports of two days that overlap are of one size.
const remembered = 2 << 20

// Seen remembers what came of late by hashes: at least the last so many, and at most twice as many, each in sixteen bytes. It is for one
// goroutine.
type Seen struct {
	most        int
	now, before set
}

// NewSeen makes one that remembers at least the last so many.
func NewSeen(most int) *Seen { return &Seen{most: most} }

// Again reports whether a hash came before, and remembers it.
func (s *Seen) Again(h uint64) bool {
	if s.now.has(h) || s.before.has(h) {
		return true
	}
	if s.now.n >= s.most {
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
