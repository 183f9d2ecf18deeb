package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"chartwarden/internal/audit"
	"chartwarden/internal/backup"
	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// keyringWord stands in the node's key file of an installation that came from SQLite: its log goes on under the key that the key ring
// gives, so that heads handed out before stay those of one log.
const keyringWord = "keyring"

// movedSuffix marks the files of an installation that lives in a database now.
const movedSuffix = ".moved"

// Moved tells what went over.
type Moved struct {
	Rows   int64
	Report *audit.Report
}

// Move copies a stopped installation from its data directory to an empty PostgreSQL database and verifies it there. Key file, head file
// and emergency journal stay in the directory, which serves with --database from then on; the former files are kept beside under
// another name, also where Report says that something does not hold. When the copy fails nothing has changed in the directory, and the
// database is to be made anew.
//
// Errors: outcome.Lock while a server runs; outcome.Conflict when the database holds an installation; as backup.Transfer.
func Move(ctx context.Context, c Config, to string) (done Moved, err error) {
	c = c.withDefaults()
	if c.Database != "" {
		return done, outcome.New(outcome.Invalid, "the installation to move lies in --data: leave --database out, and name the database with --to").At("--database")
	}
	if err := installed(c); err != nil {
		return done, err
	}
	there := c
	there.Database = to
	there = there.withDefaults()
	if to == "" {
		return done, outcome.New(outcome.Required, "name the database: --to postgres://name@host/database").At("--to")
	}
	if err := there.checkDatabase(); err != nil {
		return done, err
	}
	unlock, err := db.LockDir(c.Data)
	if err != nil {
		return done, err
	}
	defer unlock()
	m, err := transfer(ctx, c, there)
	if err != nil {
		return done, err
	}
	if err := handOver(c, there); err != nil {
		return done, err
	}
	done.Rows = m.Rows()
	done.Report, err = VerifyData(ctx, there, Verification{})
	return done, err
}

// transfer makes empty tables in the database, by starting an installation there that is replaced, and fills them.
func transfer(ctx context.Context, c, there Config) (m backup.Manifest, err error) {
	scratch, err := os.MkdirTemp("", "chartwarden-move-")
	if err != nil {
		return m, outcome.Wrap("server: move", outcome.NoStore, "there is no room for temporary files: set TMPDIR", err)
	}
	defer os.RemoveAll(scratch)
	empty := Config{Data: filepath.Join(scratch, "data"), Database: there.Database, Node: there.Node}
	if err := Init(ctx, empty, true); err != nil {
		return m, err
	}
	made, err := Open(ctx, empty, Options{})
	if err != nil {
		return m, err
	}
	if err := made.Close(); err != nil {
		return m, err
	}
	from, to := &Server{Config: c}, &Server{Config: there}
	defer func() { err = errors.Join(err, from.Close(), to.Close()) }()
	if err := from.openKeys(ctx); err != nil { // the custodian's secret fits
		return m, err
	}
	into := map[string]backup.Target{}
	var sources []backup.Source
	for _, file := range []string{recordsDB, auditDB, keysDB} {
		name := strings.TrimSuffix(file, ".db")
		d := from.keys
		if file != keysDB {
			if d, err = from.openDB(ctx, file); err != nil {
				return m, err
			}
		}
		sources = append(sources, backup.Source{Name: name, DB: d, Skip: rebuilt})
		target, err := to.openDB(ctx, file)
		if err != nil {
			return m, err
		}
		into[name] = backup.Target{DB: target}
	}
	return backup.Transfer(ctx, backup.About{Installation: from.ring.Installation()}, sources, into)
}

// handOver makes the directory one that serves from the database.
func handOver(c, there Config) error {
	key := filepath.Join(there.Data, nodeKeyName)
	if _, err := os.Stat(key); err == nil { // it came from a database before, and its log is signed by this
	} else if err := os.WriteFile(key, []byte(keyringWord+"\n"), 0o600); err != nil {
		return outcome.Wrap("server: move", outcome.NoStore, "the node's key file cannot be written: check the data directory", err)
	}
	for _, file := range []string{keysDB, recordsDB, auditDB} { // the keys first: without them nothing takes the directory for a whole installation
		for _, part := range []string{"", "-wal", "-shm"} {
			path := filepath.Join(c.Data, file) + part
			if err := os.Rename(path, path+movedSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				return outcome.Wrap("server: move", outcome.NoStore, "the former files cannot be put aside: check the data directory", err)
			}
		}
	}
	return syncDir(c.Data)
}
