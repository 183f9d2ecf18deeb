package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// VerifyBundle recomputes an exported bundle, without keys, network or server: entries, tiles, roots, heads, proofs, and that events and
// openings are what the entries committed to. Keys and Heads of o, kept elsewhere, make it a proof; without them a bundle is only
// shown to agree with itself. An error means that it could not look.
func VerifyBundle(ctx context.Context, dir string, o VerifyOptions) (*Report, error) {
	if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err != nil {
		return nil, outcome.Wrap("audit: verify", outcome.NotFound, "the folder holds no audit bundle: there is no checkpoint in it", err)
	}
	report := &Report{}
	events, err := readLines(filepath.Join(dir, "events.ndjson"))
	if err != nil {
		return nil, err
	}
	expected := map[string]string{}
	for i, line := range events {
		var head struct{ ID string }
		if err := json.Unmarshal([]byte(line), &head); err != nil || head.ID == "" || expected[head.ID] != "" {
			report.fault(Fault{Index: -1, What: fmt.Sprintf("line %d of events.ndjson is no event, or one that was there before", i+1)})
			continue
		}
		expected[head.ID] = line
	}
	dirs := []string{dir}
	for _, further := range []string{"nodes", "closed"} {
		found, _ := filepath.Glob(filepath.Join(dir, further, "*"))
		dirs = append(dirs, found...)
	}
	for _, d := range dirs {
		b := &bundleCheck{dir: d, o: o, report: report, events: expected}
		if err := b.check(ctx); err != nil {
			return nil, err
		}
	}
	for id := range expected {
		report.fault(Fault{Index: -1, What: "the event " + id + " in events.ndjson is in no log of the bundle"})
	}
	if len(o.Heads) > 0 && report.Outside == 0 {
		report.fault(Fault{Index: -1, What: "none of the heads given is a signed head of this log"})
	}
	return report, nil
}

// bundleCheck is the verification of one log of a bundle.
type bundleCheck struct {
	dir    string
	o      VerifyOptions
	report *Report
	events map[string]string // id to line; what was found to be true is taken out

	origin string
	head   tlog.Checkpoint
	key    tlog.Verifier
	sums   [][32]byte // commitments by index
	heads  map[int64]tlog.Hash
	raw    map[int64][]byte // entries that are opened or proven
}

func (b *bundleCheck) fault(number int64, what string) {
	b.report.fault(Fault{Log: b.origin, Index: number, What: what})
}

func (b *bundleCheck) check(ctx context.Context) error {
	note, err := os.ReadFile(filepath.Join(b.dir, "checkpoint"))
	if err != nil {
		return unreadableBundle(err)
	}
	origin, _, _ := bytes.Cut(note, []byte("\n"))
	b.origin = string(origin)
	if !b.findKey() {
		b.fault(-1, "there is no key to check its signature with")
		return nil
	}
	if b.head, _, err = tlog.OpenCheckpoint(note, b.key); err != nil {
		b.fault(-1, "its checkpoint is not signed by its key")
		return nil
	}
	if err := b.collectHeads(); err != nil {
		return err
	}
	opened, err := b.readOpenings()
	if err != nil {
		return err
	}
	tree, err := b.entries(ctx)
	if err != nil {
		return err
	}
	if tree.Size() != b.head.Size {
		b.fault(tree.Size(), fmt.Sprintf("is missing: the checkpoint states %d entries, %d are here", b.head.Size, tree.Size()))
	} else if tree.Root() != b.head.Root {
		b.fault(-1, "the entries do not give the root that the checkpoint states")
	}
	b.openings(opened)
	if err := b.vouched(); err != nil {
		return err
	}
	if err := b.proofs(); err != nil {
		return err
	}
	b.report.Logs = append(b.report.Logs, LogReport{Origin: b.origin, Size: tree.Size(), Root: tree.Root().String(), Heads: len(b.heads), Key: b.key.String()})
	return nil
}

// findKey takes the key given for this origin, or believes the bundle's own.
func (b *bundleCheck) findKey() bool {
	for _, text := range b.o.Keys {
		if key, err := tlog.ParseVerifier(text); err == nil && key.Name() == b.origin {
			b.key = key
			return true
		}
	}
	text, err := os.ReadFile(filepath.Join(b.dir, "key"))
	if err != nil {
		return false
	}
	key, err := tlog.ParseVerifier(strings.TrimSpace(string(text)))
	if err != nil || key.Name() != b.origin {
		return false
	}
	b.key = key
	b.report.Notes = append(b.report.Notes, "the key of "+b.origin+" was taken from the bundle itself: compare "+key.String()+" with what you were given")
	return true
}

func (b *bundleCheck) collectHeads() error {
	b.heads = map[int64]tlog.Hash{}
	inside, err := os.ReadFile(filepath.Join(b.dir, "heads"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreadableBundle(err)
	}
	for _, note := range splitHeads(inside) {
		if c, _, err := tlog.OpenCheckpoint(note, b.key); err != nil || c.Origin != b.origin {
			b.fault(-1, "one of its heads is not signed by its key")
		} else {
			b.heads[c.Size] = c.Root
		}
	}
	for _, note := range splitHeads(b.o.Heads) {
		c, _, err := tlog.OpenCheckpoint(note, b.key)
		if err != nil || c.Origin != b.origin {
			continue
		}
		b.report.Outside++
		if root, ok := b.heads[c.Size]; ok && root != c.Root {
			b.fault(-1, fmt.Sprintf("two heads of size %d state different roots: the log was forked", c.Size))
		}
		if c.Size > b.head.Size {
			b.report.Notes = append(b.report.Notes, fmt.Sprintf("a head given knows %d entries; the bundle was made at %d", c.Size, b.head.Size))
		}
		b.heads[c.Size] = c.Root
	}
	return nil
}

// vouched finds which heads of the log, unless it was cut before, the witnesses cosigned whose keys were given.
func (b *bundleCheck) vouched() error {
	cosigners, err := b.o.cosigners()
	if err != nil || len(cosigners) == 0 || filepath.Base(filepath.Dir(b.dir)) == "closed" {
		return err
	}
	notes := splitHeads(b.o.Heads)
	for _, name := range []string{"checkpoint", "heads"} {
		if text, err := os.ReadFile(filepath.Join(b.dir, name)); err == nil {
			notes = append(notes, splitHeads(append(text, '\n'))...)
		}
	}
	for _, w := range cosigners {
		size, at := newestVouched(notes, b.key, w.Key)
		if size == 0 {
			b.fault(-1, "no head of it is cosigned by the witness "+w.Name())
			continue
		}
		b.report.Notes = append(b.report.Notes, fmt.Sprintf("the witness %s cosigned %d of %d entries of %s at %s", w.Name(), min(size, b.head.Size), b.head.Size, b.origin, at.UTC().Format(time.RFC3339)))
	}
	return nil
}

// entries reads every bundle of entries and compares tiles and heads on the way.
func (b *bundleCheck) entries(ctx context.Context) (*tlog.Tree, error) {
	tree := &tlog.Tree{}
	for n := int64(0); n < b.head.Size; n += tlog.TileWidth {
		width := int(min(tlog.TileWidth, b.head.Size-n))
		data, err := os.ReadFile(filepath.Join(b.dir, "entries", tlog.BundlePath(n/tlog.TileWidth, width)))
		if errors.Is(err, fs.ErrNotExist) {
			return tree, nil // the caller names the first entry that is missing
		}
		if err != nil {
			return nil, unreadableBundle(err)
		}
		entries, err := tlog.ParseBundle(data)
		if err != nil {
			b.fault(n, "and those after it are in no well-formed bundle")
			return tree, nil
		}
		for i, raw := range entries {
			b.report.Entries++
			number := n + int64(i)
			tree.Append(tlog.LeafHash(raw))
			e, err := parseEntry(raw)
			if err != nil {
				b.fault(number, "is not a well-formed entry")
			}
			b.sums = append(b.sums, e.commitment)
			if _, wanted := b.raw[number]; wanted {
				b.raw[number] = raw
			}
			if root, ok := b.heads[tree.Size()]; ok && root != tree.Root() {
				b.fault(-1, fmt.Sprintf("the entries do not give the root that its head of size %d states", tree.Size()))
			}
		}
		for _, t := range tree.Drain() {
			if err := b.tile(t); err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	for _, t := range tree.Edge() {
		if err := b.tile(t); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

func (b *bundleCheck) tile(t tlog.Tile) error {
	data, err := os.ReadFile(filepath.Join(b.dir, t.Path()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreadableBundle(err)
	}
	if bytes.Equal(data, t.Data) {
		return nil
	}
	if t.Level > 0 || len(data) != len(t.Data) {
		b.fault(-1, t.Path()+" is missing or is not what the entries give")
		return nil
	}
	for i := range t.Width() {
		at := i * tlog.HashSize
		if !bytes.Equal(data[at:at+tlog.HashSize], t.Data[at:at+tlog.HashSize]) {
			b.fault(t.N*tlog.TileWidth+int64(i), "is not what its tile says: it was changed, or the tile")
		}
	}
	return nil
}

func (b *bundleCheck) readOpenings() ([]opening, error) {
	lines, err := readLines(filepath.Join(b.dir, "openings.ndjson"))
	if err != nil {
		return nil, err
	}
	b.raw = map[int64][]byte{}
	var out []opening
	for i, line := range lines {
		var o opening
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			b.fault(-1, fmt.Sprintf("line %d of openings.ndjson cannot be read", i+1))
			continue
		}
		out = append(out, o)
		b.raw[o.Index] = nil
	}
	return out, nil
}

// openings checks that what is shown of a payload is what the entry committed to, and that the event is what the payload says.
func (b *bundleCheck) openings(opened []opening) {
	for _, o := range opened {
		if o.Index < 0 || o.Index >= int64(len(b.sums)) {
			b.fault(o.Index, "is opened in openings.ndjson and is not in the log")
			continue
		}
		raw := b.raw[o.Index]
		e, err := parseEntry(raw)
		if err != nil {
			continue // named before
		}
		read := Read{Index: Index(o.Index), Origin: b.origin, Recorded: e.at()}
		var sums [][32]byte
		for n, p := range o.Parts {
			if len(p.Salted) < saltSize {
				sums = append(sums, [32]byte(append(p.Commitment, make([]byte, 32)...)[:32]))
				continue
			}
			sums = append(sums, commit(p.Salted))
			read.add(n, part{state: partOpen, salted: p.Salted})
			b.report.Opened++
		}
		if commitment(sums) != b.sums[o.Index] {
			b.fault(o.Index, "its payload in openings.ndjson is not what it committed to")
			continue
		}
		read.Event.Kind = e.kind
		if read.Event.Time.IsZero() {
			read.Event.Time = read.Recorded
		}
		id := fmt.Sprintf("%s-%d", ShortOrigin(b.origin), o.Index)
		switch line, ok := b.events[id]; {
		case !ok:
			b.fault(o.Index, "is opened and its event is not in events.ndjson")
		case line != string(read.Resource()):
			b.fault(o.Index, "its event in events.ndjson is not what its payload says")
		}
		delete(b.events, id)
	}
}

// proofs checks the proofs that lie beside the tiles.
func (b *bundleCheck) proofs() error {
	files, err := filepath.Glob(filepath.Join(b.dir, "proofs", "*.tlog-proof"))
	if err != nil {
		return unreadableBundle(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return unreadableBundle(err)
		}
		p, err := tlog.ParseProof(text)
		if err != nil {
			b.fault(-1, filepath.Base(name)+" is no proof")
			continue
		}
		raw, err := b.entryAt(p.Index)
		if err != nil {
			b.fault(p.Index, "is proven and is not in the bundle")
			continue
		}
		if _, _, err := p.Check(raw, b.key); err != nil {
			b.fault(p.Index, "its proof does not hold")
		}
	}
	return nil
}

func (b *bundleCheck) entryAt(n int64) ([]byte, error) {
	if n >= b.head.Size {
		return nil, fs.ErrNotExist
	}
	first := n - n%tlog.TileWidth
	data, err := os.ReadFile(filepath.Join(b.dir, "entries", tlog.BundlePath(n/tlog.TileWidth, int(min(tlog.TileWidth, b.head.Size-first)))))
	if err != nil {
		return nil, err
	}
	entries, err := tlog.ParseBundle(data)
	if err != nil || int64(len(entries)) <= n-first {
		return nil, fs.ErrNotExist
	}
	return entries[n-first], nil
}

func readLines(path string) (lines []string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadableBundle(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		lines = append(lines, s.Text())
	}
	return lines, unreadableBundle(s.Err())
}

func unreadableBundle(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("audit: verify", outcome.NoStore, "the bundle cannot be read", err)
}
