package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
	"chartwarden/internal/tlog"
)

// ExportOptions say what goes into a bundle. Entries, tiles and heads always go whole: they hold no patient data, and only the whole
// proves that nothing is missing. The other fields select which events are proven one by one and, with Payloads, shown.
type ExportOptions struct {
	Box      *seal.Box // needed for Patient, Person and Payloads
	From, To time.Time // To exclusive; zero: open
	Patient  fhir.PatientID
	Person   string
	Payloads bool // write events.ndjson and openings.ndjson

	node     string // whose log is the first; that of another when it has none here
	cosigned bool   // the log of node is exported as far as a witness just cosigned it
}

func (o ExportOptions) selects() bool {
	return !o.From.IsZero() || !o.To.IsZero() || o.Patient != 0 || o.Person != ""
}

// ExportReport says what was written.
type ExportReport struct {
	Origin  string
	Size    int64
	Events  int64 // lines of events.ndjson
	Proofs  int64
	Entries int64 // of all logs
}

// bundle is the export of one log: a folder with checkpoint, key, heads, entries/, tile/, and what was selected.
type bundle struct {
	*store
	dir    string
	r      logRow
	size   int64
	note   []byte
	tree   *tlog.Tree
	o      ExportOptions
	owned  map[Index][]int // entries of the patient or person; of a patient the parts to be shown. nil: no such choice
	proven []Index
	report *ExportReport
	events *os.File // events.ndjson, common to all logs
}

// ExportBundle writes into dir (which must not exist or be empty) what somebody outside needs to verify the log in d: format
// docs/formats/audit-bundle.md, checked by [VerifyBundle] or by any program of the reader's own. It works beside a running server.
// It appends nothing: whoever calls it has appended an entry of kind [Export] before, and with Payloads has the right to.
//
// The log of the exporting node lies in dir itself, those of other nodes in dir/nodes/<number>, logs that were cut in dir/closed/<number>.
func ExportBundle(ctx context.Context, d *db.DB, dir string, o ExportOptions) (*ExportReport, error) {
	if o.Box == nil && (o.Payloads || o.Patient != 0 || o.Person != "") {
		return nil, outcome.Wrap("audit: export", outcome.Invalid, "selecting by patient or person, and payloads, need the keys", nil)
	}
	if found, err := os.ReadDir(dir); err == nil && len(found) > 0 {
		return nil, outcome.Wrap("audit: export", outcome.Conflict, "the folder for the export is not empty", nil)
	}
	s := &store{d: d, box: o.Box}
	rows, err := s.logs(ctx)
	if err != nil {
		return nil, err
	}
	report := &ExportReport{}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, exportFailed(err)
	}
	var events *os.File
	if o.Payloads {
		if events, err = os.OpenFile(filepath.Join(dir, "events.ndjson"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
			return nil, exportFailed(err)
		}
		defer events.Close()
	}
	first := slices.IndexFunc(rows, func(r logRow) bool { return r.live(rows) && r.node == cmp.Or(o.node, MainNode) })
	if first < 0 {
		first = slices.IndexFunc(rows, func(r logRow) bool { return r.live(rows) })
	}
	for i, r := range rows {
		at, note, err := s.newestHeadSigned(ctx, r.number)
		if err != nil {
			return nil, err
		}
		if o.cosigned && r.live(rows) && r.node == o.node {
			if h, err := s.newestCosigned(ctx, r.number); err == nil && h.note != nil && h.at <= at {
				at, note = h.at, h.note
			}
		}
		b := &bundle{store: s, dir: dir, r: r, size: at.Number(), note: note, o: o, report: report, events: events}
		switch {
		case i == first:
			report.Origin, report.Size = r.origin, b.size
		case r.live(rows):
			b.dir = filepath.Join(dir, "nodes", fmt.Sprint(r.number))
		default:
			b.dir = filepath.Join(dir, "closed", fmt.Sprint(r.number))
		}
		if note == nil { // a node that is joining
			continue
		}
		if err := b.write(ctx); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// Export appends that the log is exported, by whom and why, and exports it; the keys are the log's own.
func (l *Log) Export(ctx context.Context, dir string, o ExportOptions, by Event) (*ExportReport, Logged, error) {
	logged, err := l.Note(ctx, by.of(Export))
	if err != nil {
		return nil, logged, err
	}
	o.Box, o.node = l.box, l.o.Node
	o.cosigned = l.witness(ctx, witnessAtOnce) // the export's own entry included
	if err := l.catchUp(ctx); err != nil {
		return nil, logged, err
	}
	report, err := ExportBundle(ctx, l.d, dir, o)
	return report, logged, err
}

func exportFailed(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("audit: export", outcome.NoStore, "the export cannot be written", err)
}

func (b *bundle) file(data []byte, path ...string) error {
	name := filepath.Join(append([]string{b.dir}, path...)...)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return exportFailed(err)
	}
	return exportFailed(os.WriteFile(name, data, 0o600))
}

func (b *bundle) write(ctx context.Context) error {
	if err := b.choose(ctx); err != nil {
		return err
	}
	kept, err := heads(ctx, b.d.Reader(), indexOf(b.r.number, 0), indexOf(b.r.number, b.size+1))
	if err != nil {
		return err
	}
	cosigned, err := cosignedHeads(ctx, b.d.Reader(), indexOf(b.r.number, 0), indexOf(b.r.number, b.size), math.MaxInt32)
	if err != nil {
		return err
	}
	all := append(bytes.Clone(b.note), '\n') // the newest may have moved on
	for _, h := range cosigned {
		all = append(append(all, h.note...), '\n')
	}
	for _, h := range kept {
		if h.at.Number() < b.size && !slices.ContainsFunc(cosigned, func(c cosignedHead) bool { return c.at == h.at }) {
			all = append(append(all, h.note...), '\n')
		}
	}
	b.tree = &tlog.Tree{}
	if err := b.entries(ctx); err != nil {
		return err
	}
	for _, t := range b.tree.Edge() {
		if err := b.file(t.Data, t.Path()); err != nil {
			return err
		}
	}
	for name, data := range map[string][]byte{"checkpoint": b.note, "key": []byte(b.r.verifier + "\n"), "heads": all} {
		if err := b.file(data, name); err != nil {
			return err
		}
	}
	if b.r.evidence != "" {
		if err := b.file([]byte(b.r.evidence), "evidence"); err != nil {
			return err
		}
	}
	return b.proofs()
}

// choose finds the entries that were selected by owner; by time they are chosen as they pass.
func (b *bundle) choose(ctx context.Context) error {
	var o owner
	switch {
	case b.o.Patient != 0:
		o = owner{ownerPatient, int64(b.o.Patient)}
	case b.o.Person != "":
		o = owner{ownerAgent, b.agentID(Agent{Person: b.o.Person}.acting())}
	default:
		return nil
	}
	b.owned = map[Index][]int{}
	rows, err := b.d.Reader().QueryContext(ctx, `select at, part from lookup where kind = ? and owner = ? and at >= ? and at < ?`, o.kind, o.id, indexOf(b.r.number, 0), indexOf(b.r.number, b.size))
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at Index
		var part int
		if err := rows.Scan(&at, &part); err != nil {
			return unreadable(err)
		}
		if o.kind == ownerPatient {
			b.owned[at] = []int{0, part} // of a page with many patients only this one's part is shown
		} else {
			b.owned[at] = nil
		}
	}
	return unreadable(rows.Err())
}

func (b *bundle) chosen(at Index, e entry) bool {
	if _, ok := b.owned[at]; b.owned != nil && !ok {
		return false
	}
	return (b.o.From.IsZero() || !e.at().Before(b.o.From)) && (b.o.To.IsZero() || e.at().Before(b.o.To))
}

// entries writes entry bundles, full tiles, and what is shown of the selected events.
func (b *bundle) entries(ctx context.Context) error {
	var openings *os.File
	if b.o.Payloads {
		var err error
		if err = os.MkdirAll(b.dir, 0o700); err == nil {
			openings, err = os.OpenFile(filepath.Join(b.dir, "openings.ndjson"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		}
		if err != nil {
			return exportFailed(err)
		}
		defer openings.Close()
	}
	for n := int64(0); n < b.size; n += tlog.TileWidth {
		end := min(n+tlog.TileWidth, b.size)
		raw, err := b.span(ctx, indexOf(b.r.number, n), indexOf(b.r.number, end), tlog.TileWidth, b.o.Payloads)
		if err != nil {
			return err
		}
		if int64(len(raw)) != end-n {
			return outcome.Wrap("audit: export", outcome.Invariant, "entries of the log are missing: verify it first", nil)
		}
		var entries []byte
		for _, r := range raw {
			if entries, err = tlog.AppendBundle(entries, r.bytes); err != nil {
				return err
			}
			b.tree.Append(tlog.LeafHash(r.bytes))
			e, err := parseEntry(r.bytes)
			if err != nil {
				continue // verification names it
			}
			if !b.chosen(r.at, e) {
				continue
			}
			if b.o.selects() { // proofs of everything would only repeat the tiles
				b.proven = append(b.proven, r.at)
			}
			if b.o.Payloads {
				if err := b.show(openings, r); err != nil {
					return err
				}
			}
		}
		b.report.Entries += int64(len(raw))
		if err := b.file(entries, "entries", tlog.BundlePath(n/tlog.TileWidth, len(raw))); err != nil {
			return err
		}
		for _, t := range b.tree.Drain() {
			if err := b.file(t.Data, t.Path()); err != nil {
				return err
			}
		}
	}
	return nil
}

// opening is what lets a reader check the payload of an entry: each part with its salt, or its commitment where it is not shown.
type opening struct {
	Index int64         `json:"index"`
	Parts []openingPart `json:"parts"`
}

type openingPart struct {
	Salted     []byte `json:"salted,omitempty"`
	Commitment []byte `json:"commitment,omitempty"`
}

func (b *bundle) show(openings *os.File, r rawEntry) error {
	o, shown := opening{Index: r.at.Number()}, b.owned[r.at]
	visible := rawEntry{at: r.at, bytes: r.bytes, parts: map[int][]byte{}}
	for _, n := range sortedKeys(r.parts) {
		p := openPart(b.box, n, r.parts[n])
		if p.state == partOpen && (shown == nil || slices.Contains(shown, n)) {
			o.Parts = append(o.Parts, openingPart{Salted: p.salted})
			visible.parts[n] = r.parts[n]
		} else {
			o.Parts = append(o.Parts, openingPart{Commitment: p.commitment[:]})
		}
	}
	line, err := json.Marshal(o)
	if err != nil {
		return exportFailed(err)
	}
	if _, err := openings.Write(append(line, '\n')); err != nil {
		return exportFailed(err)
	}
	read := b.open(visible, b.r.origin)
	b.report.Events++
	_, err = b.events.Write(append(read.Resource(), '\n'))
	return exportFailed(err)
}

// proofs writes a self-contained proof for each selected entry.
func (b *bundle) proofs() error {
	reader := b.tree.Reader(func(level int, n int64) ([]byte, error) {
		return os.ReadFile(filepath.Join(b.dir, tlog.Tile{Level: level, N: n, Data: make([]byte, tlog.TileWidth*tlog.HashSize)}.Path()))
	})
	for _, at := range b.proven {
		path, err := tlog.Inclusion(reader, at.Number(), b.size)
		if err != nil {
			return err
		}
		proof := tlog.Proof{Index: at.Number(), Path: path, Note: bytes.Clone(b.note)}
		if err := b.file(proof.Text(), "proofs", fmt.Sprintf("%d.tlog-proof", at.Number())); err != nil {
			return err
		}
		b.report.Proofs++
	}
	return nil
}
