package tlog

import (
	"math/bits"

	"chartwarden/internal/outcome"
)

// Tree is the growing right edge of a log: its size, its root, and the tiles that are not yet full. The zero Tree is empty.
// Memory is bounded: one hash a level and one open tile per 256-fold of size. A Tree belongs to one goroutine.
type Tree struct {
	size  int64
	spine []Hash   // spine[h] is the root of the complete subtree of 2^h leaves at the edge, valid when bit h of size is set
	edge  [][]byte // edge[L] is the open tile of level L
	full  []Tile   // filled since the last Drain
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Append adds one leaf: about two hashes of work on average.
func (t *Tree) Append(leaf Hash) {
	t.place(0, leaf)
	h := leaf
	height := bits.TrailingZeros64(^uint64(t.size))
	for i := range height {
		h = NodeHash(t.spine[i], h)
		if (i+1)%TileHeight == 0 {
			t.place((i+1)/TileHeight, h)
		}
	}
	for len(t.spine) <= height {
		t.spine = append(t.spine, Hash{})
	}
	t.spine[height] = h
	t.size++
}

// place puts the hash of a complete subtree into the open tile of its level and closes the tile when that fills it.
func (t *Tree) place(level int, h Hash) {
	for len(t.edge) <= level {
		t.edge = append(t.edge, nil)
	}
	t.edge[level] = append(t.edge[level], h[:]...)
	if len(t.edge[level]) == TileWidth*HashSize {
		n := t.size >> (TileHeight * (level + 1))
		t.full = append(t.full, Tile{Level: level, N: n, Data: t.edge[level]})
		t.edge[level] = nil
	}
}

// Root is the hash that a checkpoint of this size states.
func (t *Tree) Root() Hash {
	if t.size == 0 {
		return EmptyRoot
	}
	low := bits.TrailingZeros64(uint64(t.size))
	root := t.spine[low]
	for i := low + 1; i < len(t.spine); i++ {
		if t.size>>i&1 == 1 {
			root = NodeHash(t.spine[i], root)
		}
	}
	return root
}

// Drain returns the tiles that became full since the last call; they never change again and belong to the caller.
func (t *Tree) Drain() []Tile {
	out := t.full
	t.full = nil
	return out
}

// Edge returns the open tiles, lowest level first, as copies. With the full tiles they hold every hash of the tree.
func (t *Tree) Edge() []Tile {
	var out []Tile
	for level, data := range t.edge {
		if len(data) > 0 {
			out = append(out, Tile{Level: level, N: t.size >> (TileHeight * (level + 1)), Data: append([]byte(nil), data...)})
		}
	}
	return out
}

// Reader gives the tiles of the tree as it is: the open ones from memory, the full ones from full. It holds until the tree grows.
func (t *Tree) Reader(full TileReader) TileReader {
	return func(level int, n int64) ([]byte, error) {
		if level < len(t.edge) && n == t.size>>(TileHeight*(level+1)) {
			return t.edge[level], nil
		}
		return full(level, n)
	}
}

// Clone returns a Tree that grows apart from t: a writer grows the clone and keeps it only when its commit held.
func (t *Tree) Clone() *Tree {
	out := &Tree{size: t.size, spine: append([]Hash(nil), t.spine...), edge: make([][]byte, len(t.edge))}
	for i, data := range t.edge {
		out.edge[i] = append(make([]byte, 0, TileWidth*HashSize), data...)
	}
	return out
}

// Restore rebuilds the edge of a log of that size from its full tiles and its last leaves. Inner open tiles are recomputed from the
// full tiles below them, so a tile that was tampered with shows as another root. The caller compares [Tree.Root] with its checkpoint.
func Restore(size int64, tile TileReader, leaf func(index int64) (Hash, error)) (*Tree, error) {
	if size < 0 {
		return nil, outcome.New(outcome.Value, "a log cannot have a negative size")
	}
	t := &Tree{size: size}
	for level := 0; size>>(TileHeight*level) > 0; level++ {
		count := size >> (TileHeight * level)
		var open []byte
		for i := count - count%TileWidth; i < count; i++ {
			var h Hash
			var err error
			if level == 0 {
				h, err = leaf(i)
			} else {
				h, err = nodeOf(tile, TileHeight*level, i)
			}
			if err != nil {
				return nil, err
			}
			open = append(open, h[:]...)
		}
		t.edge = append(t.edge, open)
	}
	t.spine = make([]Hash, bits.Len64(uint64(size)))
	for height := range t.spine {
		if size>>height&1 == 0 {
			continue
		}
		open, within := t.edge[height/TileHeight], height%TileHeight
		width := len(open) / HashSize
		start := width &^ (1<<(within+1) - 1)
		t.spine[height] = fold(open[start*HashSize : (start+1<<within)*HashSize])
	}
	return t, nil
}
