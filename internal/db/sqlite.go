package db

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"

	"modernc.org/sqlite" // the driver; see docs of the module for why it is the default engine
	sqlite3 "modernc.org/sqlite/lib"
)

// minimum is the first SQLite without the WAL-reset corruption (https://www.sqlite.org/wal.html).
var minimum = [3]int{3, 51, 3}

func (d *DB) openSQLite(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return outcome.Wrap("db: open", outcome.NoStore, "the database path is not usable", err)
	}
	d.name = abs
	if err := createPrivate(abs); err != nil {
		return outcome.Wrap("db: open", outcome.NoStore, "the database file "+filepath.Base(abs)+" cannot be created: check the directory and its permissions", err)
	}
	if d.writer, err = sql.Open("sqlite", source(abs, false)); err == nil {
		d.writer.SetMaxOpenConns(1)
		err = check(ctx, d.writer)
	}
	if err == nil {
		d.reader, err = sql.Open("sqlite", source(abs, true))
	}
	if err != nil {
		return outcome.Wrap("db: open", outcome.NoStore, "the database file "+filepath.Base(abs)+" cannot be opened; it may be damaged or not a database", err)
	}
	return nil
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

// code is the primary result code of SQLite in err, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// classifySQLite gives an error of SQLite its outcome and marks d broken where nothing more may be trusted.
func (d *DB) classifySQLite(op string, err error) error {
	switch code(err) {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		fault := outcome.Wrap(op, outcome.NoStore, "the disk failed or the file is damaged; the server must stop and check it", err)
		d.broken.CompareAndSwap(nil, fault)
		return fault
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return outcome.Wrap(op, outcome.NoStore, "the disk is full or read-only, nothing was stored", err)
	case 0:
		return outcome.Wrap(op, outcome.Transient, "the write failed together with others, nothing was stored; please try again", err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_ABORT:
		return outcome.Wrap(op, outcome.Transient, "the database was busy, nothing was stored; please try again", err)
	}
	return outcome.Wrap(op, outcome.Exception, "the database refused a statement, nothing was stored", err)
}

// checkpoint folds the write-ahead log into the file and truncates it.
func (d *DB) checkpoint(ctx context.Context) error {
	var busy, frames, moved int
	if err := d.writer.QueryRowContext(ctx, `pragma wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return d.classify("db: purge", err)
	}
	if busy != 0 {
		return outcome.Wrap("db: purge", outcome.Transient, "a reader holds an older state of the database, please try again", nil)
	}
	return nil
}
