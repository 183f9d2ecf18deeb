package tlog

import (
	"fmt"
	"strings"

	"chartwarden/internal/outcome"
)

// Tiles are 8 levels high, so 256 hashes (8 KiB) wide: the only shape that C2SP tlog-tiles knows.
const (
	TileHeight = 8
	TileWidth  = 1 << TileHeight
)

// Tile is a run of hashes of one tile level: Data holds the roots of the complete subtrees of 256^Level leaves numbered from N*256.
// A full tile has 256 hashes. Tiles inside [Tree.Drain] are full.
type Tile struct {
	Level int
	N     int64
	Data  []byte
}

// Width is the number of hashes in the tile.
func (t Tile) Width() int { return len(t.Data) / HashSize }

// Path is where the tile lies in an exported log, for example `tile/0/x001/x234/067` or `tile/1/000.p/17`.
// Source: https://c2sp.org/tlog-tiles.
func (t Tile) Path() string {
	return fmt.Sprintf("tile/%d/%s%s", t.Level, groups(t.N), partial(t.Width()))
}

// BundlePath is where the n-th bundle of entries lies below its folder; width is 256 for a full one.
func BundlePath(n int64, width int) string { return groups(n) + partial(width) }

// groups writes n in groups of three digits, all but the last marked by an x, so that no folder grows beyond a thousand names.
func groups(n int64) string {
	out := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		out = fmt.Sprintf("x%03d/%s", n%1000, out)
	}
	return out
}

func partial(width int) string {
	if width == TileWidth {
		return ""
	}
	return fmt.Sprintf(".p/%d", width)
}

// TileReader returns the hashes of one tile, at least as many as the log's size implies (a full tile where only a part is wanted is
// welcome). It is called with tiles that exist in a log of the size in question, and errors pass through.
type TileReader func(level int, n int64) ([]byte, error)

// nodeOf reads the root of the complete subtree of 2^height leaves with that number from the tile that holds it.
func nodeOf(tile TileReader, height int, number int64) (Hash, error) {
	level, within := height/TileHeight, height%TileHeight
	if within == 0 && level > 0 { // the top of a full tile below: recomputing it there checks the tile against its parent
		level, within = level-1, TileHeight
	}
	first := number << within
	data, err := tile(level, first/TileWidth)
	if err != nil {
		return Hash{}, err
	}
	start := int(first%TileWidth) * HashSize
	end := start + HashSize<<within
	if end > len(data) {
		return Hash{}, outcome.New(outcome.Structure, "a tile is shorter than the size of the log demands").At(Tile{level, first / TileWidth, data}.Path())
	}
	return fold(data[start:end]), nil
}

// fold is the root over a power of two of hashes.
func fold(data []byte) Hash {
	if len(data) == HashSize {
		return Hash(data)
	}
	half := len(data) / 2
	return NodeHash(fold(data[:half]), fold(data[half:]))
}

// AppendBundle adds one entry to a bundle of entries: two bytes of length, big endian, then the entry.
// An entry longer than 65,535 bytes has no form and is refused.
func AppendBundle(dst, entry []byte) ([]byte, error) {
	if len(entry) > 1<<16-1 {
		return nil, outcome.New(outcome.TooLong, "an entry may have at most 65,535 bytes")
	}
	return append(append(dst, byte(len(entry)>>8), byte(len(entry))), entry...), nil
}

// ParseBundle splits a bundle into its entries, which share its memory. More than 256 entries or trailing bytes are refused.
func ParseBundle(b []byte) ([][]byte, error) {
	var out [][]byte
	for len(b) > 0 {
		if len(out) == TileWidth || len(b) < 2 || len(b)-2 < int(b[0])<<8|int(b[1]) {
			return nil, outcome.New(outcome.Structure, "not a bundle of at most 256 entries with two bytes of length before each")
		}
		n := 2 + (int(b[0])<<8 | int(b[1]))
		out, b = append(out, b[2:n:n]), b[n:]
	}
	return out, nil
}

// ParseGroups reads the number that a tile or bundle path ends in; the reverse of what [Tile.Path] and [BundlePath] write.
func ParseGroups(path string) (n int64, width int, err error) {
	bad := outcome.New(outcome.Value, "not a tile number: groups of three digits are expected, all but the last marked by an x")
	width = TileWidth
	if at := strings.Index(path, ".p/"); at >= 0 {
		if _, err := fmt.Sscanf(path[at:], ".p/%d", &width); err != nil || width < 1 || width >= TileWidth {
			return 0, 0, bad
		}
	}
	digits := strings.NewReplacer("x", "", "/", "").Replace(strings.TrimSuffix(path, partial(width)))
	if _, err := fmt.Sscanf(digits, "%d", &n); err != nil || n < 0 || BundlePath(n, width) != path {
		return 0, 0, bad
	}
	return n, width, nil
}
