package audit

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/gob"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
)

// The tests of this package run on either engine: what they say to the database behind the log's back is SQLite's and is said to
// PostgreSQL in its words.
var phrases = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`x'([0-9a-f]*)'`), `'\x$1'::bytea`},
	{regexp.MustCompile(`zeroblob\((\d+)\)`), `decode(repeat('00',$1),'hex')`},
	{regexp.MustCompile(` as blob\)`), ` as bytea)`},
	{regexp.MustCompile(`hex\((.*?\))\)='(\w+)'`), `upper(encode($1,'hex'))='$2'`},
	{regexp.MustCompile(`\bchar\(`), `chr(`},
	{regexp.MustCompile(`(\d+) ?<< ?(39|4\d)`), `$1::bigint<<$2`},
	{regexp.MustCompile(`create trigger full .*`), `create function full() returns trigger language plpgsql as 'begin raise ''full''; end'; create trigger full before insert on entry execute function full()`},
	{regexp.MustCompile(`drop trigger full`), `drop function full cascade`},
}

func said(d *db.DB, q string) string {
	if d.Engine() == db.PostgreSQL {
		for _, w := range phrases {
			q = w.from.ReplaceAllString(q, w.to)
		}
		q = strings.ReplaceAll(q, "full", `"full"`)
		q = strings.ReplaceAll(q, `''"full"''`, `''full''`)
	}
	return q
}

// kept are tables with their rows, as a copy of a database.
type kept map[string]keptRows

type keptRows struct {
	Columns []string
	Rows    [][]any
}

func init() {
	gob.Register([]byte{})
	gob.Register("")
	gob.Register(int64(0))
}

var logTables = []string{"log", "entry", "payload", "tile", "head", "journal", "lookup", "chain", "intent", "lease", "cursor", "cosigned", "witness"}

// copyTables is the whole audit database of a stopped site on PostgreSQL.
func (s *site) copyTables() []byte {
	s.t.Helper()
	d := s.database("audit.db")
	defer d.Close()
	out := kept{}
	for _, table := range logTables {
		rows, err := d.Reader().Query(`select * from ` + table)
		if err != nil {
			s.t.Fatal(err)
		}
		var k keptRows
		k.Columns, _ = rows.Columns()
		for rows.Next() {
			row, to := make([]any, len(k.Columns)), make([]any, len(k.Columns))
			for i := range row {
				to[i] = &row[i]
			}
			if err := rows.Scan(to...); err != nil {
				s.t.Fatal(err)
			}
			for i := range row {
				if row[i] == nil {
					row[i] = "\x00null"
				}
			}
			k.Rows = append(k.Rows, row)
		}
		_ = rows.Close()
		out[table] = k
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(out); err != nil {
		s.t.Fatal(err)
	}
	return b.Bytes()
}

func (s *site) putTables(b []byte) {
	s.t.Helper()
	var in kept
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&in); err != nil {
		s.t.Fatal(err)
	}
	d := s.database("audit.db")
	defer d.Close()
	if err := db.Migrate(context.Background(), d, "audit", embeddedMigrations()); err != nil {
		s.t.Fatal(err)
	}
	err := d.Write(context.Background(), func(tx *sql.Tx) error {
		for _, table := range logTables {
			if _, err := tx.Exec(`delete from ` + table); err != nil {
				return err
			}
			k := in[table]
			marks := strings.TrimSuffix(strings.Repeat("?,", len(k.Columns)), ",")
			for _, row := range k.Rows {
				for i := range row {
					if row[i] == "\x00null" {
						row[i] = nil
					}
				}
				if _, err := tx.Exec(fmt.Sprintf(`insert into %s(%s) values(%s)`, table, strings.Join(k.Columns, ","), marks), row...); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// lose takes the audit database away.
func (s *site) lose() {
	s.t.Helper()
	if s.in.URL == "" {
		for _, tail := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(s.path("audit.db" + tail))
		}
		return
	}
	s.edit(`drop schema audit cascade`)
}

// elsewhere is the site with another directory and, on PostgreSQL, another database, both empty.
func (s *site) moved(t testing.TB) *site {
	out := *s
	out.t, out.dir = t, t.TempDir()
	if s.in.URL != "" {
		out.in = dbtest.New(t)
	}
	return &out
}

// files skips a test that damages files of SQLite.
func (s *site) files() {
	if s.in.URL != "" {
		s.t.Skip("on PostgreSQL there is no file to damage")
	}
}
