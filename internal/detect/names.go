package detect

import (
	"hash/maphash"
	"strings"
)

// names gives small numbers to the strings of one kind, in the order in which they come.
type names struct {
	text []string
	by   index
}

var namesSeed = maphash.MakeSeed()

func hashOfName(s string) uint64 { return maphash.String(namesSeed, s) }

func (n *names) number(s string) (i int32, fresh bool) {
	hash := hashOfName(s)
	if i := n.of(hash, s); i >= 0 {
		return i, false
	}
	i = int32(len(n.text))
	n.text = append(room(n.text), strings.Clone(s)) // it may be part of a large text
	n.by.add(hash, i, func(i int32) uint64 { return hashOfName(n.text[i]) })
	return i, true
}

// known is the number of a string that has one.
func (n *names) known(s string) (i int32, ok bool) {
	i = n.of(hashOfName(s), s)
	return i, i >= 0
}

func (n *names) of(hash uint64, s string) int32 {
	return n.by.find(hash, func(i int32) bool { return n.text[i] == s })
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
