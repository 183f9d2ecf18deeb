// Package record keeps FHIR resources sealed, version by version, and gives content only against a receipt of the audit.
//
// Reading: [Store.Read], [Store.Search], [Store.Chart] and [Store.History] give [*Sealed] values. They say what they are (type, id,
// version, patient, field group, labels) so that the door can decide; [Sealed.Open] gives the document to whoever shows an unused
// receipt naming that record and version. record looks inside only to match and sort.
//
// Writing is split in two, because the audit intent comes first and names the hash of what will be stored:
//
//	p, err := store.Prepare(ctx, []record.Write{{Op: record.Create, Type: "Observation", Doc: doc, Author: person}})
//	// decide on p.Changes()
//	intent, err := log.Intend(ctx, audit.Event{..., Patients: p.Intents()})
//	sealed, err := store.Commit(ctx, p, intent)   // all or nothing; projections run in the same transaction
//
// A version is never overwritten, and a delete is a version. Ids made here are an encrypted pair of numbers: they reveal no order,
// cannot be guessed and need no index. Only ids that clients chose have an index row, under a keyed name.
package record

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/care"
	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

//go:embed migrations
var embedded embed.FS

// Projection follows the records inside the transaction that writes them: what it derives is never ahead of or behind them. Its
// error undoes the write. It must not use a context that can be cancelled and must be idempotent.
type Projection interface {
	Project(ctx context.Context, tx *sql.Tx, c care.Change) error
	// Committed tells that the transaction whose number the changes bore is durable, before anybody is told of it.
	Committed(tx int64)
}

// Options open a [Store].
type Options struct {
	DB          *db.DB    // records.db
	Box         *seal.Box // of the family "record"
	Projections []Projection
	Now         func() time.Time // time.Now when nil
	Zone        *time.Location   // of dates written without one; UTC when nil
	Base        string           // the server's own FHIR base URL; references below it are local
	// OpenReferences accepts a write that names a patient who is not here: the compartment is kept for the Patient that may come.
	// Off, such a write is refused, since a mistyped id would start a chart that nobody finds.
	OpenReferences bool
	// Shelves bounds what searches keep in memory, in bytes; 64 MiB when 0. See docs/adr/0065.
	Shelves int
	// Untagged says that the rows are of an earlier version and have no tags until [Store.TagRows]: till then they are believed.
	Untagged bool
	Altered  func(table string, row int64) // told of each row that this program did not write, each time it is met; may be nil
}

// Store keeps the records of one installation. All methods are safe for concurrent use.
type Store struct {
	d       *db.DB
	box     *seal.Box
	tags    tags
	o       Options
	ids     ids
	numbers numbers
	kinds   kinds
	dir     directory
	write   writers
	// newest is the last transaction that was committed: what a search that begins now sees.
	newest   atomic.Int64
	foreign  foreign
	rewound  atomic.Bool // see Rewound
	shelves  shelves
	consents consents
	filling  chan struct{} // a place for each search that holds a reading while it asks for more: fewer than there are connections
	// prepared are the queries that every request makes, for the pool of readers.
	prepared map[string]*sql.Stmt
}

// Open brings the tables up to date and fills the directory of patients, which opens each Patient once (about 10 microseconds each).
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Altered == nil {
		o.Altered = func(string, int64) {}
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, outcome.Wrap("record: open", outcome.Exception, "the migrations are missing", err)
	}
	if err := db.Migrate(ctx, o.DB, "record", files); err != nil {
		return nil, err
	}
	s := &Store{d: o.DB, box: o.Box, tags: newTags(o.Box), o: o, ids: ids{o.Box.Block("id")}, filling: make(chan struct{}, max(1, o.DB.Readers()/2))}
	if s.write, err = prepareWriters(ctx, o.DB); err != nil {
		return nil, err
	}
	s.prepared = map[string]*sql.Stmt{}
	for _, q := range []string{currentOf, aliasOf, patientOf, patientUnder, ofPatient, ofKind, alsoOf, newestTx, anyShared, chartsOf, decidedBy, identifiedAs} {
		if s.prepared[q], err = o.DB.Reader().PrepareContext(ctx, q); err != nil {
			return nil, unreadable(err)
		}
	}
	s.shelves.most, s.shelves.byKey = cmp.Or(o.Shelves, defaultShelves), map[shelfKey]*shelf{}
	var newest int64
	if err := s.one(ctx, o.DB.Reader(), newestTx).Scan(&newest); err != nil {
		return nil, unreadable(err)
	}
	s.newest.Store(newest)
	if err := s.numbers.start(ctx, o.DB); err != nil {
		return nil, err
	}
	if err := s.kinds.load(ctx, o.DB); err != nil {
		return nil, err
	}
	if o.DB.Shared() { // at once, so that no node meets a type that another node was first to store
		if err := s.kinds.allotAll(ctx, o.DB); err != nil {
			return nil, err
		}
	}
	s.foreign.seen = newest
	s.dir.slots, s.dir.chosen, s.dir.erased = map[fhir.PatientID]uint32{}, map[fhir.PatientID]string{}, map[fhir.PatientID]bool{}
	s.box.Follow(func(owner int64, kind string) {
		if kind == ChartKey {
			s.forget(fhir.PatientID(owner))
		}
	})
	if err := s.fillDirectory(ctx); err != nil {
		return nil, err
	}
	if err := s.fillIdentifiers(ctx); err != nil {
		return nil, err
	}
	o.DB.Follow(s.followNodes)
	return s, nil
}

// searching is how queries and values of this site are read.
func (s *Store) searching() search.Options { return search.Options{Zone: s.o.Zone, Base: s.o.Base} }

// kinds numbers resource types. Numbers are the table's, so that they survive any change of the specification's list.
type kinds struct {
	mu     sync.RWMutex
	number map[string]int64
	name   map[int64]string
}

func (k *kinds) load(ctx context.Context, d *db.DB) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.number, k.name = map[string]int64{}, map[int64]string{}
	rows, err := d.Reader().QueryContext(ctx, `select kind, name from kind`)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var name string
		if err := rows.Scan(&n, &name); err != nil {
			return unreadable(err)
		}
		k.number[name], k.name[n] = n, name
	}
	if err := rows.Err(); err != nil {
		return unreadable(err)
	}
	return nil
}

// of gives the number of a type, or 0 when nothing of that type was ever stored.
func (k *kinds) of(name string) int64 {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.number[name]
}

func (k *kinds) called(n int64) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.name[n]
}

// all are the numbers that there are.
func (k *kinds) all() (out []int64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for n := range k.name {
		out = append(out, n)
	}
	return out
}

// allotAll numbers every type that there is.
func (k *kinds) allotAll(ctx context.Context, d *db.DB) error {
	var missing []string
	for _, name := range fhir.ResourceTypes() {
		if k.of(name) == 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`insert into kind(name) select unnest(cast(? as text[])) on conflict (name) do nothing`, missing)
		return err
	})
	if err != nil {
		return outcome.Wrap("record: kinds", outcome.NoStore, "the types of records could not be numbered", err)
	}
	return k.load(ctx, d)
}

// allot gives the number of a type, making one the first time.
func (k *kinds) allot(ctx context.Context, d *db.DB, name string) (int64, error) {
	if n := k.of(name); n != 0 {
		return n, nil
	}
	var n int64
	err := d.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow(`insert into kind(name) values(?) on conflict (name) do update set name=excluded.name returning kind`, name).Scan(&n)
	})
	if err != nil {
		return 0, outcome.Wrap("record: kinds", outcome.NoStore, "the record could not be saved, please try again", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.number[name], k.name[n] = n, name
	return n, nil
}
