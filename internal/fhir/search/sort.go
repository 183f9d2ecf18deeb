package search

import (
	"cmp"
	"encoding/binary"
	"math"

	"chartwarden/internal/fhir/document"
)

const (
	there   = 0x01
	missing = 0xff // after everything, whichever way the key goes
)

// SortKey encodes where d stands in the order that _sort asks for: compare keys as bytes. Of several values the least counts, or the
// greatest when the order goes down; a period counts by its start; resources without a value come last both ways. The key of a query
// without _sort is empty. It holds patient data: seal it where it leaves the server.
func (q *Query) SortKey(d *document.Doc) []byte {
	if len(q.Sort) == 0 {
		return nil
	}
	w := newWalker(d, q.site())
	defer w.release()
	var key []byte
	for _, s := range q.Sort {
		w.reset()
		w.walk(w.root, s.Param.state)
		key = s.append(key, w.values)
	}
	return key
}

func (s Sort) append(key []byte, values []Value) []byte {
	best := -1
	for i := range values {
		c := 0
		if best >= 0 {
			c = compareForSort(s.Param.Type, &values[i], &values[best])
		}
		if best < 0 || c < 0 && !s.Descending || c > 0 && s.Descending {
			best = i
		}
	}
	if best < 0 {
		return append(key, missing)
	}
	key = append(key, there)
	start := len(key)
	key = appendForSort(key, s.Param.Type, &values[best])
	if s.Descending {
		for i := start; i < len(key); i++ {
			key[i] = ^key[i]
		}
	}
	return key
}

func compareForSort(t Type, a, b *Value) int {
	switch t {
	case Date:
		return cmp.Compare(a.start(), b.start())
	case Number, Quantity:
		return cmp.Compare(a.point(), b.point())
	}
	return cmp.Compare(a.sortText(t), b.sortText(t))
}

func appendForSort(key []byte, t Type, v *Value) []byte {
	switch t {
	case Date:
		return binary.BigEndian.AppendUint64(key, uint64(v.start())^1<<63)
	case Number, Quantity:
		return binary.BigEndian.AppendUint64(key, orderedBits(v.point()))
	}
	for _, c := range []byte(v.sortText(t)) { // 0 ends the text, so a 0 inside is followed by 0xff
		if key = append(key, c); c == 0 {
			key = append(key, 0xff)
		}
	}
	return append(key, 0, 0)
}

func (v *Value) start() int64 {
	if v.From == Never {
		return v.To
	}
	return v.From
}

func (v *Value) point() float64 {
	if math.IsInf(v.Low, 0) {
		return v.High
	}
	return v.Low
}

// orderedBits orders floats as unsigned integers.
func orderedBits(x float64) uint64 {
	bits := math.Float64bits(x)
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

func (v *Value) sortText(t Type) string {
	switch {
	case t == String:
		return v.Folded
	case t == Token && v.Code == "":
		return fold(v.Text)
	case t == Token:
		return v.Code
	case v.ID != "":
		return v.Kind + "/" + v.ID
	case v.URL == "":
		return v.Code // a reference by identifier alone
	}
	return v.URL
}
