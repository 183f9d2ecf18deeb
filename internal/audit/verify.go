package audit

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

// VerifyOptions say what is known from elsewhere. The zero value checks that the log agrees with itself.
type VerifyOptions struct {
	Box         *seal.Box                 // opens payloads; nil: payloads, chains and look-up tables are not checked
	Keys        []string                  // verifier keys, kept elsewhere: of logs (without, and without Box, a log is believed its own key), and of witnesses that must have cosigned each log
	Heads       []byte                    // heads kept elsewhere, read before the call: one signed note or a head file
	Witnesses   []witness.Remote          // witnesses that must cosign each log, and where they are asked; those of Keys are asked where the log's store says
	Within      time.Duration             // how old the newest cosignature of a witness may be that cannot be asked; 0: a day
	Offline     bool                      // ask nobody
	Now         func() time.Time          // nil: time.Now
	Node        string                    // whose emergency journal JournalFile is; empty: [MainNode]
	Secret      []byte                    // of that node, as in [Options]; nil when it has none or it is not at hand
	JournalFile string                    // emergency journal of Node
	Clinical    iter.Seq2[Stored, error]  // every stored version of every record
	Progress    func(entries, size int64) // called now and then; may be nil
	Entry       func(*Read)               // told of each entry in order, opened, to compare what other tables hold; may be nil
}

// Stored is one version of a record as it lies in the record store.
type Stored struct {
	Record  fhir.RecordID
	Version int64
	Ref     string   // Type/id
	Hash    [32]byte // SHA-256 of the stored ciphertext
	Foreign bool     // the ciphertext does not open in its row: another chart, record, version or operation than it was sealed for
}

// Report is what verification found. The log holds if there are no faults.
type Report struct {
	Logs     []LogReport
	Entries  int64
	Opened   int64   // parts of payloads that were opened and fit their commitment
	Redacted int64   // parts removed by an entry that says so
	Erased   int64   // parts whose key was shredded
	Locked   int64   // parts that could not be opened here
	Dangling []Index // intents without a conclusion
	Outside  int     // heads from elsewhere that were compared
	Stored   int64   // record versions that were compared
	Notes    []string
	Faults   []Fault
	More     int64 // faults beyond the list
}

// LogReport is one log of the installation.
type LogReport struct {
	Origin string
	Size   int64
	Root   string
	Heads  int
	Key    string
}

// Fault is one thing that is not as it was written.
type Fault struct {
	Log    string // origin; empty when the fault is in no single log
	Index  int64  // number of the entry, -1: of no single entry
	Record string // Type/id with version, when a stored record is at fault
	Row    string // table and row, when a row beside the records is at fault
	What   string
}

func (f Fault) String() string {
	where := f.Log
	if f.Index >= 0 {
		where = fmt.Sprintf("%s/%d", f.Log, f.Index)
	}
	if f.Record != "" {
		where += " " + f.Record
	}
	if f.Row != "" {
		where += " " + f.Row
	}
	return strings.TrimSpace(where) + ": " + f.What
}

// most is how many faults are listed; the rest is counted.
const most = 10_000

func (r *Report) fault(f Fault) {
	if len(r.Faults) < most {
		r.Faults = append(r.Faults, f)
	} else {
		r.More++
	}
}

// Add takes in a fault that the caller found in what lies beside the log.
func (r *Report) Add(f Fault) { r.fault(f) }

// Holds reports that no fault was found.
func (r *Report) Holds() bool { return len(r.Faults) == 0 }

// Verify recomputes the log in d from its entries: leaves, tiles, roots, signatures, heads kept elsewhere, commitments, chains, look-up
// tables, journals, and the record store where it is given. It writes nothing, works beside a running server, and never stops at the
// first fault. An error means that it could not look, not that something is wrong.
func Verify(ctx context.Context, d *db.DB, o VerifyOptions) (*Report, error) {
	if err := upToDate(ctx, d); err != nil {
		return nil, err
	}
	if o.Node == "" {
		o.Node = MainNode
	}
	v := &verifier{store: &store{d: d, box: o.Box}, o: o, report: &Report{}, counts: map[owner]int64{}, intents: map[version]intended{}, taken: Cursor{},
		removed: map[target]bool{}, said: map[target]bool{}, prepared: map[string]Index{}, merged: map[string]bool{}, dangling: map[Index]bool{}}
	if err := v.snapshot(ctx); err != nil {
		return nil, err
	}
	rows := v.rows
	if len(rows) == 0 {
		return nil, outcome.New(outcome.NotFound, "there is no audit log in this data directory")
	}
	if err := v.strays(ctx, rows); err != nil {
		return nil, err
	}
	outside := splitHeads(o.Heads)
	for _, r := range rows {
		if r.evidence != "" && !r.acknowledged {
			v.report.fault(Fault{Log: r.origin, Index: -1, What: "was opened because the log before it was cut, and nobody has acknowledged that. " + r.evidence})
		} else if r.evidence != "" {
			v.report.Notes = append(v.report.Notes, r.origin+" was opened after a cut that was acknowledged")
		}
		if err := v.one(ctx, r, outside, v.excused(r)); err != nil {
			return nil, err
		}
	}
	if err := v.witnessed(ctx); err != nil {
		return nil, err
	}
	if err := v.vouched(ctx, outside); err != nil {
		return nil, err
	}
	if len(o.Heads) > 0 && v.report.Outside == 0 {
		v.report.fault(Fault{Index: -1, What: "none of the heads given is a signed head of this log"})
	}
	if err := v.since(ctx); err != nil {
		return nil, err
	}
	v.unredacted()
	if err := v.journals(ctx, outside); err != nil {
		return nil, err
	}
	if err := v.lists(ctx); err != nil {
		return nil, err
	}
	if err := v.clinical(ctx); err != nil {
		return nil, err
	}
	v.report.Dangling = slices.Sorted(maps.Keys(v.dangling))
	return v.report, nil
}

// verifier is one run of Verify.
type verifier struct {
	*store
	o      VerifyOptions
	report *Report

	rows     []logRow // with their ends when the run began
	last     Cursor   // the newest entry of each log then
	listed   Cursor   // how far the look-up tables were then
	kept     []headRow
	cosigned []cosignedHead
	taken    Cursor // how far later entries were taken in
	peers    []peer

	counts    map[owner]int64 // entries before listed, by owner
	intents   map[version]intended
	removed   map[target]bool // parts that are not there any more
	said      map[target]bool // parts of which an entry says so
	prepared  map[string]Index
	merged    map[string]bool
	dangling  map[Index]bool
	unclaimed int // tags whose owner cannot be told any more
}

type target struct {
	at   Index
	part int
}

type intended struct {
	at    Index
	hash  [32]byte
	ended bool // its write was concluded as stored
}

// snapshot fixes what the run looks at, while the logs may go on growing: all of it is read in one transaction.
func (v *verifier) snapshot(ctx context.Context) error {
	tx, err := v.d.Reader().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return unreadable(err)
	}
	defer func() { _ = tx.Rollback() }()
	if v.cosigned, err = cosignedHeads(ctx, tx, 0, math.MaxInt64, math.MaxInt32); err != nil { // before the heads, none of which is older than they
		return err
	}
	if v.rows, err = logsIn(ctx, tx); err != nil {
		return err
	}
	if v.listed, err = cursorsOf(ctx, tx, lookupName); err != nil {
		return err
	}
	v.last = Cursor{}
	for _, r := range v.rows {
		v.listed[r.number] = min(v.listed.next(r.number), r.end)
		var last sql.NullInt64
		if err := tx.QueryRowContext(ctx, `select max(at) from entry where at >= ? and at < ?`, indexOf(r.number, 0), indexOf(r.number+1, 0)).Scan(&last); err != nil {
			return unreadable(err)
		}
		if v.last[r.number] = indexOf(r.number, 0) - 1; last.Valid {
			v.last[r.number] = Index(last.Int64)
		}
	}
	v.kept, err = heads(ctx, tx, 0, math.MaxInt64)
	return err
}

// excused reports that somebody took note of the cut that ended a log.
func (v *verifier) excused(r logRow) bool {
	for _, next := range v.rows {
		if next.node == r.node && next.number > r.number {
			return next.acknowledged
		}
	}
	return false
}

// strays finds entries of logs that nobody opened.
func (v *verifier) strays(ctx context.Context, rows []logRow) error {
	known := map[int64]bool{}
	for _, r := range rows {
		known[r.number] = true
	}
	found, err := v.d.Reader().QueryContext(ctx, `select at / 1099511627776, count(*) from entry group by 1`)
	if err != nil {
		return unreadable(err)
	}
	defer found.Close()
	for found.Next() {
		var number, n int64
		if err := found.Scan(&number, &n); err != nil {
			return unreadable(err)
		}
		if !known[number] {
			v.report.fault(Fault{Index: -1, What: fmt.Sprintf("there are %d entries of a log number %d that was never opened", n, number)})
		}
	}
	return unreadable(found.Err())
}

// keyOf is the key that a log's heads must be signed by.
func (v *verifier) keyOf(r logRow) (tlog.Verifier, error) {
	if v.box != nil {
		return v.verifierOf(r)
	}
	for _, text := range v.o.Keys {
		if key, err := tlog.ParseVerifier(text); err == nil && key.Name() == r.origin {
			return key, nil
		}
	}
	v.report.Notes = append(v.report.Notes, "the key of "+r.origin+" was taken from the data directory itself")
	return tlog.ParseVerifier(r.verifier)
}

// unredacted finds parts that were removed although no entry says so.
func (v *verifier) unredacted() {
	for t := range v.removed {
		if v.said[t] {
			v.report.Redacted++
		} else {
			v.report.fault(Fault{Log: v.originOf(t.at), Index: t.at.Number(), What: fmt.Sprintf("part %d of its payload was removed and no redaction says so", t.part)})
		}
	}
	for t := range v.said {
		if !v.removed[t] {
			v.report.fault(Fault{Log: v.originOf(t.at), Index: t.at.Number(), What: fmt.Sprintf("part %d of its payload was redacted and is there again", t.part)})
		}
	}
}

func (v *verifier) rowOf(i Index) logRow {
	for _, r := range v.rows {
		if r.number == i.log() {
			return r
		}
	}
	return logRow{}
}

func (v *verifier) originOf(i Index) string { return v.rowOf(i).origin }

// journals checks that every emergency journal that the node prepared is merged, or stands ready and is empty.
func (v *verifier) journals(ctx context.Context, outside [][]byte) error {
	if v.box == nil {
		return nil
	}
	if v.o.JournalFile == "" {
		v.report.Notes = append(v.report.Notes, "the emergency journal was not looked at")
	}
	here, base := "", ""
	for _, r := range v.rows {
		if r.node == v.o.Node {
			base = r.origin
			break
		}
	}
	if v.o.JournalFile != "" && base != "" {
		j, err := openJournalFile(v.box, v.o.JournalFile, base, nil)
		switch {
		case outcome.Is(err, outcome.Invariant):
			v.report.fault(Fault{Index: -1, What: "the emergency journal was altered"})
		case err == nil:
			here = j.id
			if j.n > 0 && !v.merged[j.id] {
				v.report.fault(Fault{Index: -1, What: fmt.Sprintf("the emergency journal %s holds %d entries that are not merged into the log", j.id, j.n)})
			}
			signer, err := (&Log{store: v.store, o: Options{Secret: v.o.Secret}}).signerOf(j.origin)
			if err == nil && behind(signer, j, outside) {
				v.report.fault(Fault{Index: -1, What: "the emergency journal " + j.id + " is shorter than a signed state of it that is kept elsewhere"})
			}
			_ = j.close()
		}
	}
	for id, at := range v.prepared {
		if !v.merged[id] && id != here && v.o.JournalFile != "" && v.rowOf(at).node == v.o.Node {
			v.report.fault(Fault{Log: v.originOf(at), Index: at.Number(), What: "prepared the emergency journal " + id + ", which is missing and was never merged"})
		}
	}
	return ctx.Err()
}

// Verify is [Verify] over this log with all that it knows: keys, head file and emergency journal. clinical may be nil.
func (l *Log) Verify(ctx context.Context, clinical iter.Seq2[Stored, error]) (*Report, error) {
	if l.d == nil {
		return nil, errNoLog
	}
	o := VerifyOptions{Box: l.box, Node: l.o.Node, Secret: l.o.Secret, JournalFile: l.o.JournalFile, Witnesses: l.o.Witnesses, Now: l.o.Now, Clinical: clinical}
	if l.o.HeadFile != "" {
		heads, err := os.ReadFile(l.o.HeadFile)
		if err != nil {
			return nil, outcome.Wrap("audit: verify", outcome.NoStore, "the head file cannot be read", err)
		}
		o.Heads = heads
	}
	return Verify(ctx, l.d, o)
}
