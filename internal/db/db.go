// Package db keeps one capability's tables and makes writes durable together, on SQLite or on PostgreSQL.
//
// A [DB] is one SQLite file, or one schema of a PostgreSQL database. It has one writer goroutine and a pool of read-only connections.
// [DB.Write] queues a function; the writer takes everything that waits, commits once, and only then lets the callers go: one fsync
// serves them all and no timer adds delay. [Batcher] is the same for callers whose items go into one statement.
//
//	d, err := db.Open(ctx, filepath.Join(dir, "records.db"), db.Options{})
//	d, err := db.Open(ctx, "postgres://host/database", db.Options{Schema: "records"})
//	err = db.Migrate(ctx, d, "record", migrations)
//	err = d.Write(ctx, func(tx *sql.Tx) error { _, err := tx.Exec(`insert ...`, x); return err })
//	rows, err := d.Reader().QueryContext(ctx, `select ...`)
//
// One text serves both engines: placeholders are `?` or `?1`, times and flags are bigint, ids come back by RETURNING. A statement that
// must differ is chosen by [DB.Engine].
//
// A write that returned nil survives a power cut. On SQLite an I/O error at commit breaks the DB for good ([DB.Broken]): the page may be
// gone although a retry would succeed, so the process is expected to stop, restart and verify. PostgreSQL comes back: a lost
// connection is opened anew, and a commit whose fate is unknown is looked up ([ErrDoubt]). Several processes may write to one schema;
// their transactions take turns, as if there were one writer.
package db

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"chartwarden/internal/outcome"
)

// Engine is what lies beneath a [DB].
type Engine string

// The engines.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgres"
)

// Options tune one DB. The zero value is right for a server on SQLite.
type Options struct {
	Schema   string // PostgreSQL only: the schema that holds the tables; it is made when it is not there
	Turn     string // PostgreSQL only: transactions that write wait for those of the same turn; empty: there is one for the schema
	Readers  int    // open read connections at most; 0 means four times the processors, at least sixteen, on PostgreSQL at most twelve
	MaxBatch int    // functions in one commit at most; 0 means 1,024, on PostgreSQL 60
}

// DB is one open SQLite file or PostgreSQL schema. All methods are safe for concurrent use.
type DB struct {
	name      string
	pg        *postgres // nil on SQLite
	writer    *sql.DB   // one connection: migrations and the writer goroutine take turns on it
	reader    *sql.DB
	readers   int
	queue     chan *job
	max       int
	closing   chan struct{}
	stopped   chan struct{}
	once      sync.Once
	followers sync.WaitGroup
	broken    atomic.Pointer[outcome.Error]
}

// Open opens source and starts its writer. source is the path of a SQLite file, which is made (mode 0600) when it is not there, or a
// URL postgres://user@host/database of PostgreSQL 15 or newer (with the parameters of libpq), which then needs Options.Schema. The
// directory of a file must exist and lie on a local disk; the caller holds [LockDir] on it. Call Close to stop.
//
// Errors: outcome.NoStore when it cannot be opened or is no database; outcome.NotSupported for a too old engine; outcome.Invalid for
// an unusable URL. They hold no password.
func Open(ctx context.Context, source string, o Options) (*DB, error) {
	d := &DB{closing: make(chan struct{}), stopped: make(chan struct{}), max: o.MaxBatch}
	readers := o.Readers
	if readers == 0 {
		readers = max(16, 4*runtime.GOMAXPROCS(0))
	}
	var err error
	if IsURL(source) {
		err = d.openPostgres(ctx, source, o)
		readers = min(readers, 12) // a database has a hundred connections for all nodes and schemas
		d.max = min(d.max, subtransactions)
		if d.max == 0 {
			d.max = subtransactions
		}
	} else {
		err = d.openSQLite(ctx, source)
	}
	if err != nil {
		for _, pool := range []*sql.DB{d.writer, d.reader} {
			if pool != nil {
				_ = pool.Close()
			}
		}
		return nil, err
	}
	if d.max == 0 {
		d.max = 1024
	}
	d.queue = make(chan *job, max(1024, d.max))
	d.readers = readers
	d.reader.SetMaxOpenConns(readers)
	d.reader.SetMaxIdleConns(readers)
	go d.run()
	return d, nil
}

// IsURL reports whether source names a PostgreSQL database rather than a file.
func IsURL(source string) bool {
	return strings.HasPrefix(source, "postgres://") || strings.HasPrefix(source, "postgresql://")
}

// Engine tells what lies beneath.
func (d *DB) Engine() Engine {
	if d.pg != nil {
		return PostgreSQL
	}
	return SQLite
}

// Shared reports whether other processes may write to these tables, so that what memory knows of them must be followed.
func (d *DB) Shared() bool { return d.pg != nil }

// Reader gives the pool of read-only connections. A transaction on it sees one moment. Keep it short: a long one keeps what was
// deleted from being cleared away.
func (d *DB) Reader() *sql.DB { return d.reader }

// Readers is how many connections the pool has at most. Whoever holds one and needs another must leave room: if all were held so, all
// would wait for ever.
func (d *DB) Readers() int { return d.readers }

// Statement prepares a fixed statement for the functions of [DB.Write], which bind it with tx.Stmt. Prepare at start: it waits for
// the writer. It lives as long as the DB.
func (d *DB) Statement(ctx context.Context, query string) (*sql.Stmt, error) {
	s, err := d.writer.PrepareContext(ctx, query)
	if err != nil {
		return nil, outcome.Wrap("db: prepare", outcome.Exception, "a statement does not fit the schema", err)
	}
	return s, nil
}

// Path is the absolute path of the file; on PostgreSQL the name of the schema.
func (d *DB) Path() string { return d.name }

// Broken reports the I/O error that ended this DB, or nil. Once set it stays: stop the process, restart, verify. PostgreSQL never
// breaks for good.
func (d *DB) Broken() error {
	if e := d.broken.Load(); e != nil {
		return e
	}
	return nil
}

// Close lets queued writes finish, stops the writer and closes the connections. Later writes fail.
func (d *DB) Close() error {
	d.once.Do(func() { close(d.closing) })
	<-d.stopped
	d.followers.Wait()
	if d.pg != nil {
		d.signOff()
	}
	return errors.Join(d.reader.Close(), d.writer.Close())
}
