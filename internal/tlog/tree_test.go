package tlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	reference "golang.org/x/mod/sumdb/tlog"
)

// stored is a log as a store would hold it, beside the reference implementation of the same log.
type stored struct {
	tree   *Tree
	leaves []Hash
	tiles  map[string][]byte
	hashes []reference.Hash
}

func (s *stored) ReadHashes(indexes []int64) ([]reference.Hash, error) {
	out := make([]reference.Hash, len(indexes))
	for i, at := range indexes {
		out[i] = s.hashes[at]
	}
	return out, nil
}

func grow(t testing.TB, n int) *stored {
	t.Helper()
	s := &stored{tree: &Tree{}, tiles: map[string][]byte{}}
	for i := range n {
		entry := fmt.Appendf(nil, "entry %d", i)
		s.leaves = append(s.leaves, LeafHash(entry))
		s.tree.Append(LeafHash(entry))
		for _, tile := range s.tree.Drain() {
			s.tiles[tile.Path()] = tile.Data
		}
		more, err := reference.StoredHashes(int64(i), entry, s)
		if err != nil {
			t.Fatal(err)
		}
		s.hashes = append(s.hashes, more...)
	}
	return s
}

// at reads the tiles of the log as it was at that size, with partial tiles cut from longer ones.
func (s *stored) at(size int64) TileReader {
	return s.tree.Reader(func(level int, n int64) ([]byte, error) {
		if data, ok := s.tiles[Tile{level, n, make([]byte, TileWidth*HashSize)}.Path()]; ok {
			return data, nil
		}
		return nil, fmt.Errorf("no tile %d/%d at size %d", level, n, size)
	})
}

func sizes() []int {
	out := []int{0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 65537}
	for range 6 {
		out = append(out, rand.IntN(3000))
	}
	return out
}

func TestRootsAndTilesEqualTheReference(t *testing.T) {
	for _, n := range sizes() {
		s := grow(t, n)
		want, err := reference.TreeHash(int64(n), s)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && s.tree.Root() != Hash(want) {
			t.Fatalf("size %d: root %v, want %v", n, s.tree.Root(), want)
		}
		if got, err := Root(s.at(int64(n)), int64(n)); err != nil || got != s.tree.Root() {
			t.Fatalf("size %d: root from tiles %v, %v", n, got, err)
		}
		for _, tile := range reference.NewTiles(TileHeight, 0, int64(n)) {
			data, err := reference.ReadTileData(tile, s)
			if err != nil {
				t.Fatal(err)
			}
			mine, err := s.at(int64(n))(tile.L, tile.N)
			if err != nil || string(mine[:len(data)]) != string(data) {
				t.Fatalf("size %d: tile %d/%d differs", n, tile.L, tile.N)
			}
		}
	}
}

func TestProofsEqualTheReferenceAndHold(t *testing.T) {
	s := grow(t, 1500)
	for range 300 {
		size := 1 + rand.Int64N(1500)
		index, older := rand.Int64N(size), 1+rand.Int64N(size)
		root, _ := Root(s.at(size), size)
		oldRoot, _ := Root(s.at(older), older)

		path, err := Inclusion(s.at(size), index, size)
		want, _ := reference.ProveRecord(size, index, s)
		if err != nil || fmt.Sprint(path) != fmt.Sprint(want) {
			t.Fatalf("inclusion %d/%d: %v, %v", index, size, path, err)
		}
		if err := CheckInclusion(path, index, size, s.leaves[index], root); err != nil {
			t.Fatalf("inclusion %d/%d: %v", index, size, err)
		}
		chain, err := Consistency(s.at(size), older, size)
		wantTree, _ := reference.ProveTree(size, older, s)
		if err != nil || fmt.Sprint(chain) != fmt.Sprint(wantTree) {
			t.Fatalf("consistency %d/%d: %v, %v", older, size, chain, err)
		}
		if err := CheckConsistency(chain, older, size, oldRoot, root); err != nil {
			t.Fatalf("consistency %d/%d: %v", older, size, err)
		}
		refuseBent(t, path, func(p []Hash) error { return CheckInclusion(p, index, size, s.leaves[index], root) })
		if older < size {
			refuseBent(t, chain, func(p []Hash) error { return CheckConsistency(p, older, size, oldRoot, root) })
		}
		if CheckInclusion(path, index, size, NodeHash(root, root), root) == nil || CheckInclusion(path, size, size, s.leaves[index], root) == nil {
			t.Fatal("a false leaf or index was accepted")
		}
		if older < size && CheckConsistency(chain, older, size, root, root) == nil {
			t.Fatal("a false old root was accepted")
		}
	}
	if err := CheckConsistency(nil, 0, 9, EmptyRoot, s.leaves[0]); err != nil {
		t.Fatal("every log extends the empty one")
	}
}

// refuseBent changes, lengthens and shortens a proof; none of these may hold.
func refuseBent(t *testing.T, proof []Hash, check func([]Hash) error) {
	t.Helper()
	longer := append(append([]Hash(nil), proof...), Hash{1})
	if check(longer) == nil {
		t.Fatal("a longer proof was accepted")
	}
	for i := range proof {
		bent := append([]Hash(nil), proof...)
		bent[i][rand.IntN(HashSize)] ^= 1 << rand.IntN(8)
		if check(bent) == nil || check(proof[:i]) == nil {
			t.Fatal("a bent or shortened proof was accepted")
		}
	}
}

func TestRestoreGivesTheSameTree(t *testing.T) {
	for _, n := range sizes() {
		s := grow(t, n)
		again, err := Restore(int64(n), s.at(int64(n)), func(i int64) (Hash, error) { return s.leaves[i], nil })
		if err != nil || again.Root() != s.tree.Root() || again.Size() != int64(n) {
			t.Fatalf("size %d: %v %v", n, again, err)
		}
		grown, kept := s.tree.Clone(), s.tree.Root()
		for i := range 700 {
			again.Append(Hash{byte(i), byte(i >> 8)})
			grown.Append(Hash{byte(i), byte(i >> 8)})
		}
		if again.Root() != grown.Root() || fmt.Sprint(again.Drain()) != fmt.Sprint(grown.Drain()) {
			t.Fatalf("size %d: restored and cloned trees grow apart", n)
		}
		if s.tree.Root() != kept {
			t.Fatalf("size %d: growing a clone changed the original", n)
		}
	}
}

func TestRestoreShowsATamperedTile(t *testing.T) {
	s := grow(t, 1000)
	s.tiles["tile/0/001"][40] ^= 1
	again, err := Restore(1000, s.at(1000), func(i int64) (Hash, error) { return s.leaves[i], nil })
	if err != nil || again.Root() == s.tree.Root() {
		t.Fatalf("the tampered tile went unseen: %v", err)
	}
	broken := errors.New("disk")
	if _, err := Restore(1000, func(int, int64) ([]byte, error) { return nil, broken }, func(int64) (Hash, error) { return Hash{}, nil }); err == nil {
		t.Fatal("an unreadable tile must fail")
	}
}

func TestPathsAreThoseOfTheReference(t *testing.T) {
	for _, n := range []int64{0, 1, 999, 1000, 1234067, 999999, 1000000000} {
		for _, w := range []int{1, 17, 256} {
			want := reference.Tile{H: 8, L: 3, N: n, W: w}.Path()
			got := Tile{3, n, make([]byte, w*HashSize)}.Path()
			if "tile/8"+got[4:] != want {
				t.Errorf("%s, want %s", got, want)
			}
			back, width, err := ParseGroups(BundlePath(n, w))
			if err != nil || back != n || width != w {
				t.Errorf("%s reads as %d, %d, %v", BundlePath(n, w), back, width, err)
			}
		}
	}
	for _, bad := range []string{"", "1", "0001", "x1/002", "001.p/256", "001.p/0", "x001", "001/002", "../001", "-01"} {
		if _, _, err := ParseGroups(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ParseBundle(b)
		if err != nil {
			return
		}
		var back []byte
		for _, e := range entries {
			if back, err = AppendBundle(back, e); err != nil {
				t.Fatal(err)
			}
		}
		if string(back) != string(b) {
			t.Fatal("a bundle has one form")
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	tree, entry := &Tree{}, make([]byte, 61)
	for i := range b.N {
		entry[0], entry[1], entry[2] = byte(i), byte(i>>8), byte(i>>16)
		tree.Append(LeafHash(entry))
		tree.Drain()
	}
}

func BenchmarkClone(b *testing.B) {
	s := grow(b, 1000)
	for range b.N {
		s.tree.Clone()
	}
}
