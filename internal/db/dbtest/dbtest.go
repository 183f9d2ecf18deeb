// Package dbtest gives tests the engine they run on: SQLite files in the test's own directory, or with CHARTWARDEN_TEST_ENGINE=postgres
// a fresh database of a throw-away PostgreSQL that the test process starts itself.
//
//	place := dbtest.New(t)
//	records := place.Open(t, "records")    // as often as needed: a second Open is a restart, or a second node
//
// A test that only means PostgreSQL calls [Postgres]. Where no PostgreSQL is installed both skip, and say so.
package dbtest

import (
	"os"
	"path/filepath"
	"testing"

	"chartwarden/internal/db"
)

// Place is where the tables of one installation lie.
type Place struct {
	Dir string // for files, empty at first
	URL string // of the database; empty on SQLite
}

// New gives an empty place on the engine of this run. It goes away with the test.
func New(t testing.TB) Place {
	t.Helper()
	if Engine() == db.PostgreSQL {
		return Postgres(t)
	}
	return Place{Dir: t.TempDir()}
}

// Engine is the engine of this run.
func Engine() db.Engine {
	if os.Getenv("CHARTWARDEN_TEST_ENGINE") == string(db.PostgreSQL) {
		return db.PostgreSQL
	}
	return db.SQLite
}

// Postgres gives an empty place on PostgreSQL, whatever the engine of this run.
func Postgres(t testing.TB) Place {
	t.Helper()
	server := Start(t)
	p := server.Database(t)
	t.Cleanup(func() { server.drop(p.URL) })
	return p
}

// Open opens a file or schema of the place until the test ends. name is such as keys, records or audit.
func (p Place) Open(t testing.TB, name string, o ...db.Options) *db.DB {
	t.Helper()
	var options db.Options
	if len(o) > 0 {
		options = o[0]
	}
	d, err := db.Open(t.Context(), p.Source(name), p.Options(name, options))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// Source and Options are what db.Open takes for a file or schema of the place.
func (p Place) Source(name string) string {
	if p.URL != "" {
		return p.URL
	}
	return filepath.Join(p.Dir, name+".db")
}

// Options completes o for a file or schema of the place.
func (p Place) Options(name string, o db.Options) db.Options {
	if p.URL != "" {
		o.Schema = name
	}
	return o
}

// Disk gives the bytes in which the tables of d lie, to look for what must not be there in clear.
func Disk(t testing.TB, d *db.DB) []byte {
	t.Helper()
	if d.Engine() == db.SQLite {
		b, err := os.ReadFile(d.Path())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if _, err := d.Reader().Exec(`checkpoint`); err != nil {
		t.Fatal(err)
	}
	rows, err := d.Reader().Query(`select pg_read_binary_file(pg_relation_filepath(c.oid)) from pg_class c
		where c.relkind in ('r', 'i') and (c.relnamespace=?::regnamespace or c.relnamespace='pg_toast'::regnamespace) and not c.relisshared`, d.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []byte
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
