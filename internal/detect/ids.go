package detect

import (
	"encoding/hex"
	"slices"
)

// ids keeps ids of events one behind another, in the order in which they came: a string of each would take three times as much.
// UUIDs, which most are, take half.
type ids struct {
	packed []byte
	ends   []uint32
}

// add keeps one and gives its number, which is that of the last when it is the same again.
func (s *ids) add(id string) int32 {
	n := len(s.ends)
	if n > 0 && s.at(int32(n-1)) == id {
		return int32(n - 1)
	}
	if cap(s.packed)-len(s.packed) <= len(id) {
		s.packed = append(make([]byte, 0, len(s.packed)+len(s.packed)/4+len(id)+1), s.packed...)
	}
	s.packed = pack(s.packed, id)
	s.ends = append(room(s.ends), uint32(len(s.packed)))
	return int32(n)
}

// at is the id of a number, "" when there is none.
func (s *ids) at(i int32) string {
	if i < 0 || int(i) >= len(s.ends) {
		return ""
	}
	from := uint32(0)
	if i > 0 {
		from = s.ends[i-1]
	}
	return unpack(s.packed[from:s.ends[i]])
}

// clip gives back room that is not needed any more.
func (s *ids) clip() { s.packed, s.ends = slices.Clone(s.packed), slices.Clone(s.ends) }

// packedUUID begins a UUID as it is packed; no text in UTF-8 begins so, and what else does is kept behind plainText.
const packedUUID, plainText = 0xff, 0xfe

func pack(b []byte, id string) []byte {
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		var digits [32]byte
		n := copy(digits[:], id[:8])
		for _, from := range []int{9, 14, 19} {
			n += copy(digits[n:], id[from:from+4])
		}
		copy(digits[n:], id[24:])
		var raw [16]byte
		if _, err := hex.Decode(raw[:], digits[:]); err == nil && !slices.ContainsFunc(digits[:], func(c byte) bool { return c < 'a' && c > '9' }) {
			return append(append(b, packedUUID), raw[:]...)
		}
	}
	if id != "" && id[0] >= plainText {
		b = append(b, plainText)
	}
	return append(b, id...)
}

func unpack(b []byte) string {
	switch {
	case len(b) > 0 && b[0] == packedUUID:
		var text [36]byte
		hex.Encode(text[:], b[1:5])
		for i, at := range []int{9, 14, 19} {
			text[at-1] = '-'
			hex.Encode(text[at:], b[5+2*i:7+2*i])
		}
		text[23] = '-'
		hex.Encode(text[24:], b[11:])
		return string(text[:])
	case len(b) > 0 && b[0] == plainText:
		b = b[1:]
	}
	return string(b)
}
