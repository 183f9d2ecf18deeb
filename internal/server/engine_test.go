package server_test

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/server/servertest"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// The tests of this package run on either engine (dbtest). An installation is known by its data directory: what is said to the program,
// to the tables behind its back and to a copy finds the database by it.

// urls are the databases of installations on PostgreSQL, by data directory.
var urls sync.Map

// lies notes where the tables of an installation lie; on SQLite url is empty.
func lies(dir, url string) {
	urls.Store(dir, url)
	servertest.Lies(dir, url)
}

func urlOf(dir string) string {
	found, _ := urls.Load(dir)
	text, _ := found.(string) // none: files
	return text
}

// placed completes the arguments of a command with the database of the installation that they name.
func placed(args []string) []string {
	if i := slices.Index(args, "--data"); i >= 0 && i+1 < len(args) && urlOf(args[i+1]) != "" && !slices.Contains(args, "--database") {
		return append(slices.Clone(args), "--database", urlOf(args[i+1]))
	}
	return args
}

// filesOf names what PostgreSQL keeps of an installation outside its directory: its database's files, the write-ahead log, and what the
// server said.
func filesOf(t testing.TB, dir string) []string {
	t.Helper()
	if urlOf(dir) == "" {
		return nil
	}
	d := openFile(t, dir, "records.db")
	defer d.Close()
	var base string
	if err := d.QueryRow(`select oid from pg_database where datname=current_database()`).Scan(&base); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exec(`checkpoint`); err != nil {
		t.Fatal(err)
	}
	server := dbtest.Start(t)
	return []string{filepath.Join(server.Dir, "data", "base", base), filepath.Join(server.Dir, "data", "pg_wal"), filepath.Join(server.Dir, "said")}
}

// onFiles skips what is done to the files of SQLite.
func onFiles(t testing.TB) {
	t.Helper()
	if dbtest.Engine() != db.SQLite {
		t.Skip("it is done to the files of SQLite")
	}
}

// openTables opens one of keys.db, records.db, audit.db as another program would, also beside a running server.
func openTables(dir, file string) (*sql.DB, error) {
	kind, source := "sqlite", "file:"+filepath.Join(dir, file)+"?_pragma=busy_timeout(10000)"
	if at := urlOf(dir); at != "" {
		u, err := url.Parse(at)
		if err != nil {
			return nil, err
		}
		q := u.Query()
		q.Set("search_path", strings.TrimSuffix(file, ".db"))
		u.RawQuery = q.Encode()
		kind, source = "pgx", u.String()
	}
	d, err := sql.Open(kind, source)
	if err == nil {
		d.SetMaxOpenConns(1)
	}
	return d, err
}

var phrases = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`x'([0-9a-f]*)'`), `'\x$1'::bytea`},
	{regexp.MustCompile(`zeroblob\((\d+)\)`), `decode(repeat('00',$1),'hex')`},
}

// said is SQLite's SQL in the words of the engine of this run.
func said(query string) string {
	if dbtest.Engine() == db.PostgreSQL {
		for _, p := range phrases {
			query = p.from.ReplaceAllString(query, p.to)
		}
	}
	return query
}

// flipped is SQL for a blob with its last byte changed.
func flipped(column string) string {
	if dbtest.Engine() == db.PostgreSQL {
		return `set_byte(` + column + `, length(` + column + `)-1, 255-get_byte(` + column + `, length(` + column + `)-1))`
	}
	return strings.ReplaceAll(`substr($, 1, length($)-1) || case substr($, -1) when x'00' then x'01' else x'00' end`, "$", column)
}

// columnsOf lists the columns of a table of the records.
func columnsOf(t testing.TB, dir, table string) (out []string) {
	t.Helper()
	d := openFile(t, dir, "records.db")
	defer d.Close()
	rows, err := d.Query(`select * from ` + table + ` where 1=0`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if out, err = rows.Columns(); err != nil {
		t.Fatal(err)
	}
	return out
}
