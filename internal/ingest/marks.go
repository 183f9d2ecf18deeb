package ingest

import "hash/maphash"

// marks remembers the lines of a file as it was read last, so that reading it again tells what changed. A line that went and came back, such as
// a role that is active again, has changed. It is for one goroutine, but for met.
type marks struct {
	seed      maphash.Seed
	last, now map[uint64]int32 // how often a line stands there
}

func newMarks() *marks { return &marks{seed: maphash.MakeSeed()} }

func (t *marks) begin() { t.now = map[uint64]int32{} }

func (t *marks) key(line string) uint64 { return maphash.String(t.seed, line) }

// met reports whether a line was there; many may ask while one reads.
func (t *marks) met(key uint64) bool { return t.last[key] > 0 }

// fresh counts a line, and reports whether it stands there once more than before.
func (t *marks) fresh(key uint64) bool {
	t.now[key]++
	return t.now[key] > t.last[key]
}

// end says that the file is read, whole or as far as it could be: what follows is then as it was.
func (t *marks) end(whole bool) {
	if !whole {
		for key, n := range t.last {
			t.now[key] = max(t.now[key], n)
		}
	}
	t.last, t.now = t.now, nil
}
