package detect

import "strings"

// names gives small numbers to the strings of one kind, in the order in which they come.
type names struct {
	of   map[string]int32
	text []string
}

func (n *names) number(s string) (i int32, fresh bool) {
	if i, ok := n.of[s]; ok {
		return i, false
	}
	if n.of == nil {
		n.of = map[string]int32{}
	}
	s = strings.Clone(s) // it may be part of a large text
	i = int32(len(n.text))
	n.of[s] = i
	n.text = append(n.text, s)
	return i, true
}

// digest is FNV-1a: the same in every run, on every machine.
func digest(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix is a draw that depends on its arguments alone (SplitMix64), so that no draw depends on how many there were before.
func mix(a, b uint64) uint64 {
	x := a + b*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func unitary(x uint64) float64 { return float64(x>>11) / (1 << 53) }
