package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// logCheck is the verification of one log, entry by entry.
type logCheck struct {
	v     *verifier
	r     logRow
	size  int64           // entries to look at: up to the newest head
	heads map[int64][]int // size to what is claimed for it
	claim []claim

	tree   *tlog.Tree // of the entries as they are; of the tiles where an entry is missing
	tiled  *tlog.Tree // of the leaves as the tiles have them, from the first difference on; nil before
	tile   []byte     // stored leaves of the present run of 256
	lost   bool       // an entry is missing and no tile tells its leaf: no later root can be recomputed
	differ []int64    // entries that are not what their tile says

	fits      bool  // the newest head fits the entries
	fitsTiles bool  // it fits the leaves in the tiles
	broken    int   // heads that fit neither
	first     int64 // the smallest of them
	good      int64 // the largest size before whose head fits
	trace     *tracer
}

// claim is a root that somebody signed.
type claim struct {
	root  tlog.Hash
	where string
}

func (v *verifier) one(ctx context.Context, r logRow, outside [][]byte, excused bool) error {
	c := &logCheck{v: v, r: r, heads: map[int64][]int{}, tree: &tlog.Tree{}}
	key, err := v.keyOf(r)
	if errors.Is(err, errUnbound) {
		c.fault(-1, err.Error())
		return nil
	}
	if err != nil {
		c.fault(-1, "its key cannot be read")
		return nil
	}
	c.collect(key, outside)
	if v.box != nil {
		c.trace = newTracer(v.box, r.origin, func(at Index, what string) { c.fault(at.Number(), what) })
		c.trace.found = func(p place, at Index) { v.count(p.owner, at) }
	}
	for from := indexOf(r.number, 0); from.Number() < c.size; {
		raw, err := v.span(ctx, from, indexOf(r.number, c.size), 512, true)
		if err != nil {
			return err
		}
		for _, e := range raw {
			if err := c.missing(ctx, e.at.Number()); err != nil {
				return err
			}
			if err := c.entry(ctx, e); err != nil {
				return err
			}
			from = e.at + 1
		}
		if len(raw) == 0 {
			break
		}
		if v.o.Progress != nil {
			v.o.Progress(from.Number(), c.size)
		}
	}
	if err := c.missing(ctx, c.size); err != nil {
		return err
	}
	if err := c.tiles(ctx); err != nil {
		return err
	}
	c.conclude(excused)
	v.report.Logs = append(v.report.Logs, LogReport{Origin: r.origin, Size: c.size, Root: c.tree.Root().String(), Heads: len(c.claim), Key: key.String()})
	return nil
}

func (c *logCheck) fault(number int64, what string) {
	c.v.report.fault(Fault{Log: c.r.origin, Index: number, What: what})
}

// collect reads every head of the log, inside and outside.
func (c *logCheck) collect(key tlog.Verifier, outside [][]byte) {
	for _, h := range c.v.kept {
		if h.at.log() != c.r.number {
			continue
		}
		c.size = max(c.size, h.at.Number())
		cp, _, err := tlog.OpenCheckpoint(h.note, key)
		if err != nil || cp.Origin != c.r.origin || cp.Size != h.at.Number() {
			c.fault(-1, fmt.Sprintf("the head of size %d is not signed by the log's key, or was moved", h.at.Number()))
			continue
		}
		c.add(cp, "")
	}
	if c.size == 0 {
		c.fault(-1, "has no signed head")
	}
	for _, h := range c.v.cosigned {
		if h.at.log() != c.r.number {
			continue
		}
		cp, _, err := tlog.OpenCheckpoint(h.note, key)
		if err != nil || cp.Origin != c.r.origin || cp.Size != h.at.Number() {
			c.fault(-1, fmt.Sprintf("the cosigned head of size %d is not signed by the log's key, or was moved", h.at.Number()))
			continue
		}
		c.add(cp, " cosigned")
	}
	for _, note := range outside {
		if cp, _, err := tlog.OpenCheckpoint(note, key); err == nil && cp.Origin == c.r.origin {
			c.v.report.Outside++
			c.add(cp, " kept elsewhere")
		}
	}
}

func (c *logCheck) add(cp tlog.Checkpoint, where string) {
	c.heads[cp.Size] = append(c.heads[cp.Size], len(c.claim))
	c.claim = append(c.claim, claim{cp.Root, where})
}

// missing names the entries between those seen and number, and goes on with what the tiles know of them.
func (c *logCheck) missing(ctx context.Context, number int64) error {
	for c.tree.Size() < number {
		n := c.tree.Size()
		c.fault(n, "is missing")
		if err := c.turn(ctx, n); err != nil {
			return err
		}
		leaf, ok := c.leaf(n)
		c.lost = c.lost || !ok
		if err := c.grow(ctx, leaf, leaf); err != nil {
			return err
		}
	}
	return nil
}

// turn reads the stored leaves of the next 256 entries when n is the first of them.
func (c *logCheck) turn(ctx context.Context, n int64) error {
	if n%tlog.TileWidth != 0 {
		return nil
	}
	c.tile = nil
	if n+tlog.TileWidth > c.size {
		return nil // no tile yet
	}
	data, err := c.v.tile(ctx, c.r.number)(0, n/tlog.TileWidth)
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return err
	}
	t := tlog.Tile{N: n / tlog.TileWidth, Data: data}
	if t.Width() != tlog.TileWidth {
		c.fault(-1, fmt.Sprintf("the tile of entries %d to %d is missing or cut short", n, n+tlog.TileWidth-1))
		return nil
	}
	c.tile = data
	return nil
}

// leaf is what the tile says of an entry.
func (c *logCheck) leaf(n int64) (tlog.Hash, bool) {
	if c.tile == nil {
		return tlog.Hash{}, false
	}
	at := int(n%tlog.TileWidth) * tlog.HashSize
	return tlog.Hash(c.tile[at : at+tlog.HashSize]), true
}

// grow adds a leaf to the tree of entries and, once they differ, to the tree of tiles; compares higher tiles and signed roots.
func (c *logCheck) grow(ctx context.Context, leaf, tiled tlog.Hash) error {
	if leaf != tiled && c.tiled == nil {
		c.tiled = c.tree.Clone()
	}
	c.tree.Append(leaf)
	if c.tiled != nil {
		c.tiled.Append(tiled)
		c.tiled.Drain()
	}
	for _, t := range c.tree.Drain() {
		if t.Level == 0 {
			continue // compared leaf by leaf
		}
		if data, err := c.v.tileAt(ctx, c.r.number, t); err != nil {
			return err
		} else if !bytes.Equal(data, t.Data) {
			c.fault(-1, t.Path()+" is missing or was changed, or the entries below it were")
		}
	}
	c.compare()
	return nil
}

// entry checks one entry: its place in the tree, its payload, its chains.
func (c *logCheck) entry(ctx context.Context, r rawEntry) error {
	c.v.report.Entries++
	n := r.at.Number()
	if err := c.turn(ctx, n); err != nil {
		return err
	}
	leaf := tlog.LeafHash(r.bytes)
	tiled, ok := c.leaf(n)
	if !ok {
		tiled = leaf
	}
	if leaf != tiled {
		c.differ = append(c.differ, n)
	}
	if err := c.grow(ctx, leaf, tiled); err != nil {
		return err
	}
	e, err := parseEntry(r.bytes)
	if err != nil {
		c.fault(n, "is not a well-formed entry")
		return nil
	}
	c.payload(r, e)
	return nil
}

// compare holds the trees against every root that was signed for their size.
func (c *logCheck) compare() {
	size := c.tree.Size()
	for _, i := range c.heads[size] {
		root := c.claim[i].root
		c.fits = root == c.tree.Root()
		c.fitsTiles = c.tiled != nil && root == c.tiled.Root()
		if c.fits || c.fitsTiles {
			if c.broken == 0 {
				c.good = size
			}
			continue
		}
		if c.broken++; c.first == 0 {
			c.first = size
		}
	}
}

// tiles finds tiles that do not belong.
func (c *logCheck) tiles(ctx context.Context) error {
	var have, want int64
	for n := c.tree.Size() / tlog.TileWidth; n > 0; n /= tlog.TileWidth {
		want += n
	}
	low, high := tileID(c.r.number, 0, 0), tileID(c.r.number+1, 0, 0)
	if err := c.v.d.Reader().QueryRowContext(ctx, `select count(*) from tile where id >= ? and id < ?`, low, high).Scan(&have); err != nil {
		return unreadable(err)
	}
	if have < want || have > want && !c.r.live(c.v.rows) {
		c.fault(-1, fmt.Sprintf("has %d tiles, its size demands %d", have, want))
	}
	return nil
}

// conclude says which entries and heads are at fault, once all is known.
func (c *logCheck) conclude(excused bool) {
	newest := slices.Max(append(sizesOf(c.heads), 0))
	if newest > c.size && excused {
		c.v.report.Notes = append(c.v.report.Notes, fmt.Sprintf("%s was cut: a head of %d entries is known, %d are here", c.r.origin, newest, c.size))
	} else if newest > c.size {
		c.fault(c.size, fmt.Sprintf("is missing, and all after it: a signed head kept elsewhere knows %d entries, %d are here", newest, c.size))
	}
	for _, n := range c.differ {
		switch {
		case c.fitsTiles:
			c.fault(n, "was changed")
		case c.fits:
			c.fault(n, "is as it was signed, but its hash in the tile was changed")
		default:
			c.fault(n, "is not what its tile says: it was changed, or the tile")
		}
	}
	if c.broken > 0 {
		why := fmt.Sprintf("entries %d to %d, or their order, are not what was signed: the head of size %d states another root", c.good, c.first-1, c.first)
		if c.lost {
			why = fmt.Sprintf("the root of size %d cannot be recomputed, because entries are missing", c.first)
		}
		c.fault(-1, fmt.Sprintf("%s (%d heads concerned)", why, c.broken))
	}
	if last := c.v.last[c.r.number].Number(); c.r.live(c.v.rows) && c.v.last[c.r.number] >= indexOf(c.r.number, c.size) {
		c.fault(c.size, fmt.Sprintf("and the entries up to %d lie beyond the newest signed head", last))
	}
	if c.trace != nil {
		for o, k := range c.trace.links {
			c.trace.adopt(o, k)
		}
		c.v.unclaimed += len(c.trace.orphan)
	}
}

func sizesOf(m map[int64][]int) (out []int64) {
	for size := range m {
		out = append(out, size)
	}
	return out
}
