// Package audit makes an access durable and provable before anything is shown, and hands out the receipt for it.
//
// Every act is an entry of a transparency log: entry, sealed payload, tiles and signed head are one transaction, so that an act is
// durable and provable at the same instant. There is no way to append less: no switch, no sampling, no queue in memory.
//
//	log, err := audit.Open(ctx, audit.Options{DB: auditDB, Box: ring.Box("audit"), Origin: "hospital.example/log", HeadFile: ..., JournalFile: ...})
//	receipt, err := log.Disclose(ctx, audit.Event{Agent: agent, Interaction: "read", Patients: parts})   // durable when err is nil
//	err = receipt.Redeem(record, version)                                                                // once for each version named
//	logged, err := log.Refuse(ctx, event)                                                                // opens nothing
//
// Only [Log.Disclose] makes a [Receipt]; refusals, intents, conclusions, searches and notes give a [Logged]. Readers are
// [Log.OfPatient], [Log.OfPerson] and [Log.Range]; [Log.Follow] hands every entry to whoever derives state from the log.
// [Verify] and [VerifyBundle] recompute everything and name each fault; they need no running server.
//
// When the log cannot be written, reads of charts that are explained or behind broken glass go on through an emergency journal, see
// [State].
//
// Formats: docs/formats/audit-entry.md, docs/formats/emergency-journal.md, docs/formats/audit-bundle.md.
package audit

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
	"chartwarden/internal/witness"
)

//go:embed migrations/*/*.sql
var embedded embed.FS

func embeddedMigrations() fs.FS {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic("audit: " + err.Error()) // only for an invalid name
	}
	return files
}

// Options say where the log lives.
type Options struct {
	DB          *db.DB           // audit.db; nil when it cannot be opened: only the emergency journal serves
	Box         *seal.Box        // of the family "audit"
	Origin      string           // name of the installation's log: no spaces, no `+`; fixed
	Node        string           // name of this node among those that share DB, each with a log of its own; empty: [MainNode]
	Secret      []byte           // of this node alone, 32 bytes, gives the keys that sign its logs; nil: they come from Box, for a store of one node
	HeadFile    string           // where each newest head is also kept, best on another volume; empty: nowhere, and [State] says so
	Witnesses   []witness.Remote // outsiders who cosign each newest head; none: those that cosigned it last, if any did
	Alone       bool             // with no Witnesses: ask nobody, also not those
	Client      *http.Client     // by which those are asked; nil: as usual
	JournalFile string           // emergency journal, best on another volume; empty: none, and a disk fault stops all reads
	JournalSize int64            // bytes set aside for it; 0 means 64 MiB
	Version     string           // of the program, for the entry of each start
	Sandbox     bool             // stated by the log's first entry
	Now         func() time.Time
	Tick        func(time.Duration) (<-chan time.Time, func()) // a ticker; nil means time.NewTicker
	Logger      *slog.Logger

	links int // chains kept in memory, in each of two generations; 0 means 65,536
}

// Log is the open audit log of this process. All methods are safe for concurrent use.
type Log struct {
	*store
	o       Options
	boot    *boot
	writer  *writer
	batch   *db.Batcher[*act]
	head    atomic.Pointer[held]
	grown   signal
	base    string // origin of this node's first log
	roster  atomic.Pointer[[]logRow]
	lost    atomic.Bool // to another process
	altered atomic.Bool // the tables are not as this process left them

	recent   recent
	lookups  lookups
	catching sync.Mutex // one catch-up at a time

	merging    sync.RWMutex // held while journal is replaced
	journal    *journal     // nil: none
	journaling atomic.Bool

	outside outsiders

	heading        sync.Mutex // one write to the head file at a time
	written        Index      // head that it holds
	writtenJournal int64

	mu       sync.Mutex
	state    State
	stop     context.CancelFunc
	running  sync.WaitGroup
	attested map[int64]Index // heads of other nodes' logs that an entry states; the keeper's
	beat     time.Time       // when the keeper last saw the log grow or made it grow
	seen     Index
	saw      time.Time // when the keeper last looked at the other nodes' heads
}

// State is what people must know about the log: banners and restrictions follow from it.
type State struct {
	Origin string
	Size   int64

	// Cut: outside evidence contradicted the log, so it was closed and this one opened. Until a person acknowledges it by
	// [Log.Acknowledge], exports, administration and deletes wait. Evidence holds the heads that disagree.
	Cut      bool
	Evidence string

	// Outside is what the head file said at start: "agrees", "unknown" (there was none, or it could not be read) or "none" (not
	// configured). Only "agrees" says that nothing is missing; none of them stops care.
	Outside string

	// Witnesses are those of the log of this node. WitnessAge is how long ago an independent one cosigned its newest head, or, while none
	// did, how long this process runs; it says nothing when there is none. Disputed: one knows another history or a longer one, in words
	// for people; exports, administration and deletes wait, and the next start cuts the log.
	Witnesses  []Witness
	WitnessAge time.Duration
	Disputed   string

	// Journaling: the log could not be written and the emergency journal serves. Waiting counts its entries that are not merged yet.
	Journaling bool
	Waiting    int64
	Fault      string // why, in words for people
}

// Open checks the log, resumes it, and starts its keeper: head file, witnesses, heartbeat, look-up tables, merging of the emergency journal.
// The caller holds the lock of the data directory. Close it before DB.
//
// A log that contradicts the head file, a witness or itself is never continued: it stays as it is, a new one opens, and [State] says so.
//
// Errors: outcome.Invalid when DB holds the log of another origin; outcome.NotSupported when it was written by a newer program;
// outcome.NoStore when it cannot be read, or when DB is nil and there is no emergency journal to serve from.
func Open(ctx context.Context, o Options) (*Log, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tick == nil {
		o.Tick = func(d time.Duration) (<-chan time.Time, func()) { t := time.NewTicker(d); return t.C, t.Stop }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.JournalSize == 0 {
		o.JournalSize = 64 << 20
	}
	if o.links == 0 {
		o.links = 1 << 16
	}
	if err := o.checkNode(); err != nil {
		return nil, err
	}
	l := &Log{store: &store{d: o.DB, box: o.Box}, o: o, boot: &boot{now: o.Now}, grown: newSignal(), base: nodeOrigin(o.Origin, o.Node), attested: map[int64]Index{}}
	l.state = State{Origin: l.base, Outside: "none"}
	if o.DB == nil {
		if err := l.openJournalOnly(); err != nil {
			return nil, err
		}
		l.run(ctx)
		return l, nil
	}
	if err := db.Migrate(ctx, o.DB, "audit", embeddedMigrations()); err != nil {
		return nil, err
	}
	var err error
	if l.hot, err = compile(ctx, o.DB); err != nil {
		return nil, err
	}
	if l.parts, err = o.DB.Reader().PrepareContext(ctx, partsBetween); err != nil {
		return nil, unreadable(err)
	}
	if err := l.beginWitnesses(ctx); err != nil {
		return nil, err
	}
	first, err := l.begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.beginLookups(ctx); err != nil {
		return nil, err
	}
	l.batch = db.NewBatcher(o.DB, 1024, l.writer.apply)
	if err := l.start(ctx, first); err != nil {
		l.batch.Close()
		return nil, err
	}
	l.run(ctx)
	return l, nil
}

// run starts what goes on beside the callers, until Close.
func (l *Log) run(ctx context.Context) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.beat, l.saw = l.o.Now(), l.o.Now()
	l.running.Go(func() { l.keep(running) })
	if l.d != nil {
		l.running.Go(func() { l.followLookups(running) })
	}
	if l.d != nil && len(l.o.Witnesses) > 0 {
		l.running.Go(func() { l.visit(running) })
	}
}

// start appends the first entries of this process and brings the emergency journal in.
func (l *Log) start(ctx context.Context, first *act) error {
	if first != nil {
		if err := l.commit(ctx, first); err != nil {
			return err
		}
	}
	if _, err := l.append(ctx, Started, l.own(Event{Interaction: "start", Text: l.o.Version}), nil); err != nil {
		return err
	}
	var journal errNoJournal
	if err := l.openJournal(ctx); errors.As(err, &journal) {
		l.o.Logger.Error("there is no emergency journal: if the log fails, all reading stops", "err", err)
	} else if err != nil {
		return err
	}
	l.writeHead()
	return nil
}

// own fills in that the log itself acts.
func (l *Log) own(e Event) Event {
	e.Agent, e.Class = Agent{Job: "audit"}, Machine
	return e
}

// Close stops the keeper, writes the last head to the head file, brings it to the witnesses and ends all receipts. The DB stays open.
func (l *Log) Close() error {
	if l.boot.ended.Swap(true) {
		return nil
	}
	if l.stop != nil {
		l.stop()
		l.running.Wait()
	}
	if l.batch != nil {
		l.batch.Close()
	}
	l.writeHead()
	l.witness(context.Background(), witnessAtOnce)
	l.merging.Lock()
	defer l.merging.Unlock()
	if l.journal == nil {
		return nil
	}
	j := l.journal
	l.journal = nil
	return j.close()
}

// State reports how the log stands now.
func (l *Log) State() State {
	l.merging.RLock()
	defer l.merging.RUnlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.state
	s.Journaling = l.journaling.Load()
	if h := l.head.Load(); h != nil {
		s.Size = h.tree.Size()
	}
	l.ofWitnesses(&s)
	if l.journal != nil {
		s.Waiting, _ = l.journal.length()
	}
	return s
}

// Acknowledge records that a person took note of the cut; what waited for it may go on. The event is that person's.
func (l *Log) Acknowledge(ctx context.Context, e Event) (Logged, error) {
	h := l.head.Load()
	if h == nil {
		return Logged{}, errNoLog
	}
	logged, err := l.append(ctx, Acknowledged, e, acknowledge(h.number))
	if err == nil {
		l.mu.Lock()
		l.state.Cut, l.state.Evidence = false, ""
		l.mu.Unlock()
	}
	return logged, err
}

var errNoLog = outcome.New(outcome.NoStore, "the audit log is out of order: charts open only through the emergency journal")

// signal tells any number of waiters that something grew.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() signal { return signal{ch: make(chan struct{})} }

func (s *signal) raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}
