// Package db keeps one capability's tables in one SQLite file and makes writes durable together.
//
// A file has one writer goroutine and a pool of read-only connections. [DB.Write] queues a function; the writer takes everything
// that waits, runs each function under its own savepoint, commits once, and only then lets the callers go: one fsync serves them
// all and no timer adds delay. [Batcher] is the same for callers whose items go into one statement.
//
//	d, err := db.Open(ctx, filepath.Join(dir, "records.db"), db.Options{})
//	err = db.Migrate(ctx, d, "record", migrations)
//	err = d.Write(ctx, func(tx *sql.Tx) error { _, err := tx.Exec(`insert ...`); return err })
//	rows, err := d.Reader().QueryContext(ctx, `select ...`)
//
// A write that returned nil survives a power cut. An I/O error at commit breaks the DB for good ([DB.Broken]): the page may be
// gone although a retry would succeed, so the process is expected to stop, restart and verify.
package db

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"chartwarden/internal/outcome"

	_ "modernc.org/sqlite" // the driver; see docs of the module for why it is the default engine
)

// minimum is the first SQLite without the WAL-reset corruption (https://www.sqlite.org/wal.html).
var minimum = [3]int{3, 51, 3}

// Options tune one file. The zero value is right for a server.
type Options struct {
	Readers  int // open read connections at most; 0 means twice the processors, at least four
	MaxBatch int // functions in one commit at most; 0 means 1,024
}

// DB is one open SQLite file. All methods are safe for concurrent use.
type DB struct {
	path    string
	writer  *sql.DB // one connection: migrations and the writer goroutine take turns on it
	reader  *sql.DB
	queue   chan *job
	max     int
	closing chan struct{}
	stopped chan struct{}
	once    sync.Once
	broken  atomic.Pointer[outcome.Error]
}

// Open opens or creates (mode 0600) the file at path and starts its writer. The directory must exist and lie on a local disk; the
// caller holds [LockDir] on it. Call Close to stop.
//
// Errors: outcome.NoStore when the file cannot be opened or is no database; outcome.NotSupported for a too old SQLite.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, outcome.Wrap("db: open", outcome.NoStore, "the database path is not usable", err)
	}
	if err := createPrivate(abs); err != nil {
		return nil, outcome.Wrap("db: open", outcome.NoStore, "the database file "+filepath.Base(abs)+" cannot be created: check the directory and its permissions", err)
	}
	readers := o.Readers
	if readers == 0 {
		readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	limit := o.MaxBatch
	if limit == 0 {
		limit = 1024
	}
	d := &DB{path: abs, max: limit, queue: make(chan *job, limit), closing: make(chan struct{}), stopped: make(chan struct{})}
	if d.writer, err = sql.Open("sqlite", source(abs, false)); err == nil {
		d.writer.SetMaxOpenConns(1)
		err = check(ctx, d.writer)
	}
	if err == nil {
		d.reader, err = sql.Open("sqlite", source(abs, true))
	}
	if err != nil {
		if d.writer != nil {
			_ = d.writer.Close()
		}
		return nil, outcome.Wrap("db: open", outcome.NoStore, "the database file "+filepath.Base(abs)+" cannot be opened; it may be damaged or not a database", err)
	}
	d.reader.SetMaxOpenConns(readers)
	d.reader.SetMaxIdleConns(readers)
	go d.run()
	return d, nil
}

// Reader gives the pool of read-only connections. Keep its transactions short: a long one keeps the write-ahead log growing.
func (d *DB) Reader() *sql.DB { return d.reader }

// Statement prepares a fixed statement for the functions of [DB.Write], which bind it with tx.Stmt. Prepare at start: it waits for
// the writer. It lives as long as the DB.
func (d *DB) Statement(ctx context.Context, query string) (*sql.Stmt, error) {
	s, err := d.writer.PrepareContext(ctx, query)
	if err != nil {
		return nil, outcome.Wrap("db: prepare", outcome.Exception, "a statement does not fit the schema", err)
	}
	return s, nil
}

// Path is the absolute path of the file.
func (d *DB) Path() string { return d.path }

// Broken reports the I/O error that ended this DB, or nil. Once set it stays: stop the process, restart, verify.
func (d *DB) Broken() error {
	if e := d.broken.Load(); e != nil {
		return e
	}
	return nil
}

// Close lets queued writes finish, stops the writer and closes the file. Later writes fail.
func (d *DB) Close() error {
	d.once.Do(func() { close(d.closing) })
	<-d.stopped
	return errors.Join(d.reader.Close(), d.writer.Close())
}

// source is the driver's DSN. Pragmas are per connection, so they are part of it: by Exec they would reach one connection of a pool.
func source(path string, readOnly bool) string {
	q := url.Values{"_pragma": {
		"busy_timeout(10000)",
		"temp_store(MEMORY)", // nothing decrypted or sorted reaches a temporary file
		"secure_delete(ON)",
		"trusted_schema(OFF)",
		"cell_size_check(ON)",
		"foreign_keys(ON)",
	}}
	if readOnly {
		q.Set("mode", "ro")
		q.Add("_pragma", "query_only(ON)")
	} else {
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(FULL)") // NORMAL loses acknowledged commits at a power cut
		q.Add("_pragma", "cache_size(-65536)")
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil // never open and close a live database file by other means: POSIX locks vanish with any descriptor
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func check(ctx context.Context, d *sql.DB) error {
	var version, mode string
	if err := d.QueryRowContext(ctx, `select sqlite_version()`).Scan(&version); err != nil {
		return err
	}
	if !atLeast(version, minimum) {
		return outcome.New(outcome.NotSupported, "SQLite "+version+" can corrupt its write-ahead log; this program needs 3.51.3 or newer")
	}
	if err := d.QueryRowContext(ctx, `pragma journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return outcome.New(outcome.NoStore, "the file system refuses a write-ahead log; use a local disk")
	}
	return nil
}

func atLeast(version string, want [3]int) bool {
	parts := strings.SplitN(version, ".", 4)
	for i, w := range want {
		if i >= len(parts) {
			return false
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < w {
			return false
		}
		if n > w {
			return true
		}
	}
	return true
}
