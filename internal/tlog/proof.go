package tlog

import (
	"math/bits"

	"chartwarden/internal/outcome"
)

// errProof is deliberately one sentence for every way in which a proof can be wrong: its reader can do nothing else than not believe it.
var errProof = outcome.New(outcome.Invariant, "the proof does not lead to the root of the checkpoint")

// Root recomputes the root of the first size leaves from tiles.
func Root(tile TileReader, size int64) (Hash, error) {
	if size == 0 {
		return EmptyRoot, nil
	}
	return span(tile, 0, size)
}

// Inclusion returns the audit path that shows the leaf at index to be in the log of that size, lowest node first.
// Source: https://www.rfc-editor.org/rfc/rfc6962#section-2.1.1.
func Inclusion(tile TileReader, index, size int64) ([]Hash, error) {
	if index < 0 || index >= size {
		return nil, outcome.New(outcome.NotFound, "the log of that size has no such entry")
	}
	var path []Hash
	lo, hi := int64(0), size
	for hi-lo > 1 { // walking down gives the highest sibling first
		mid := lo + split(hi-lo)
		from, to := mid, hi
		if index < mid {
			hi = mid
		} else {
			from, to = lo, mid
			lo = mid
		}
		h, err := span(tile, from, to)
		if err != nil {
			return nil, err
		}
		path = append(path, h)
	}
	return reversed(path), nil
}

// Consistency returns the proof that the log of size old is a prefix of the log of that size. It is empty when one of them is empty or
// they are equal. Source: https://www.rfc-editor.org/rfc/rfc6962#section-2.1.2.
func Consistency(tile TileReader, old, size int64) ([]Hash, error) {
	if old < 0 || old > size {
		return nil, outcome.New(outcome.Value, "a log can be consistent only with a smaller one")
	}
	if old == 0 || old == size {
		return nil, nil
	}
	var path []Hash
	lo, hi, whole := int64(0), size, true
	for old != hi {
		mid := lo + split(hi-lo)
		from, to := mid, hi
		if old <= mid {
			hi = mid
		} else {
			from, to = lo, mid
			lo, whole = mid, false
		}
		h, err := span(tile, from, to)
		if err != nil {
			return nil, err
		}
		path = append(path, h)
	}
	if !whole {
		h, err := span(tile, lo, hi)
		if err != nil {
			return nil, err
		}
		path = append(path, h)
	}
	return reversed(path), nil
}

// CheckInclusion returns nil when proof shows leaf at index under root.
// Source: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2.
func CheckInclusion(proof []Hash, index, size int64, leaf, root Hash) error {
	if index < 0 || index >= size {
		return errProof
	}
	node, last, h := index, size-1, leaf
	for _, p := range proof {
		if last == 0 {
			return errProof
		}
		if node&1 == 1 || node == last {
			h = NodeHash(p, h)
			for node&1 == 0 && node != 0 {
				node, last = node>>1, last>>1
			}
		} else {
			h = NodeHash(h, p)
		}
		node, last = node>>1, last>>1
	}
	if last != 0 || h != root {
		return errProof
	}
	return nil
}

// CheckConsistency returns nil when proof shows that the log with oldRoot is a prefix of the one under root.
// Source: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4.2.
func CheckConsistency(proof []Hash, old, size int64, oldRoot, root Hash) error {
	switch {
	case old < 0 || old > size || old == 0 && oldRoot != EmptyRoot:
		return errProof
	case old == size && oldRoot != root, old == size && len(proof) > 0, old == 0 && len(proof) > 0:
		return errProof
	case old == size, old == 0:
		return nil
	}
	if old&(old-1) == 0 {
		proof = append([]Hash{oldRoot}, proof...)
	}
	if len(proof) == 0 {
		return errProof
	}
	node, last := old-1, size-1
	for node&1 == 1 {
		node, last = node>>1, last>>1
	}
	before, after := proof[0], proof[0]
	for _, p := range proof[1:] {
		if last == 0 {
			return errProof
		}
		if node&1 == 1 || node == last {
			before, after = NodeHash(p, before), NodeHash(p, after)
			for node&1 == 0 && node != 0 {
				node, last = node>>1, last>>1
			}
		} else {
			after = NodeHash(after, p)
		}
		node, last = node>>1, last>>1
	}
	if last != 0 || before != oldRoot || after != root {
		return errProof
	}
	return nil
}

// split is the largest power of two below n: where RFC 6962 divides n leaves.
func split(n int64) int64 { return 1 << (bits.Len64(uint64(n-1)) - 1) }

// span is the hash over the leaves lo..hi, which is a node of the tree or the ragged right part of one.
func span(tile TileReader, lo, hi int64) (Hash, error) {
	if n := hi - lo; n&(n-1) == 0 && lo%n == 0 {
		height := bits.TrailingZeros64(uint64(n))
		return nodeOf(tile, height, lo>>height)
	}
	mid := lo + split(hi-lo)
	left, err := span(tile, lo, mid)
	if err != nil {
		return Hash{}, err
	}
	right, err := span(tile, mid, hi)
	if err != nil {
		return Hash{}, err
	}
	return NodeHash(left, right), nil
}

func reversed(path []Hash) []Hash {
	for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
		path[i], path[j] = path[j], path[i]
	}
	return path
}
