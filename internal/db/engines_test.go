package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
)

// engines runs a test on every engine.
func engines(t *testing.T, test func(t *testing.T, p dbtest.Place)) {
	t.Run("sqlite", func(t *testing.T) { test(t, dbtest.Place{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { test(t, dbtest.Postgres(t)) })
}

var items = fstest.MapFS{
	"sqlite/0001_item.sql":   {Data: []byte("-- +goose Up\ncreate table item(n integer primary key, who text, flag integer not null default 0, raw blob);\n-- +goose Down\ndrop table item;\n")},
	"postgres/0001_item.sql": {Data: []byte("-- +goose Up\ncreate table item(n bigint primary key, who text, flag bigint not null default 0, raw bytea);\n-- +goose Down\ndrop table item;\n")},
}

func withItems(t testing.TB, p dbtest.Place) *db.DB {
	t.Helper()
	d := p.Open(t, "records")
	if err := db.Migrate(t.Context(), d, "item", items); err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	return d
}

func exec(t testing.TB, d *db.DB, q string, args ...any) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(q, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, d *db.DB, where string) (n int) {
	t.Helper()
	if err := d.Reader().QueryRow(`select count(*) from item where ` + where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestArgumentsAndResults(t *testing.T) {
	engines(t, func(t *testing.T, p dbtest.Place) {
		d := withItems(t, p)
		type number int64
		exec(t, d, `insert into item(n, who, flag, raw) values(?,?,?,?)`, number(7), "it's ?", true, []byte{0, 255})
		exec(t, d, `insert into item(n, who, flag, raw) values(?2,?1,?3,?4)`, sql.NullString{}, int32(8), false, nil)
		var n number
		var who sql.NullString
		var flag bool
		var raw []byte
		if err := d.Reader().QueryRow(`select n, who, flag, raw from item where n=?1 and (n=?1 or who=?2)`, 7, "x").Scan(&n, &who, &flag, &raw); err != nil || n != 7 || who.String != "it's ?" || !flag || string(raw) != "\x00\xff" {
			t.Errorf("%v %v %v %v %v", n, who, flag, raw, err)
		}
		if err := d.Reader().QueryRow(`select n, who, flag, raw from item where n=?`, 8).Scan(&n, &who, &flag, &raw); err != nil || who.Valid || flag || raw != nil {
			t.Errorf("%v %v %v %v %v", n, who, flag, raw, err)
		}
		if err := d.Reader().QueryRow(`select n from item where n=?`, 9).Scan(&n); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%v", err)
		}
		s, err := d.Statement(t.Context(), `update item set who=? where n=? returning who`)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return tx.Stmt(s).QueryRow("new", 8).Scan(&who) }); err != nil || who.String != "new" {
			t.Errorf("%v %v", who, err)
		}
		if _, err := d.Reader().Exec(`insert into item(n) values(1)`); err == nil {
			t.Error("a reader wrote")
		}
	})
}

func TestOwnErrorUndoesOwnStatements(t *testing.T) {
	engines(t, func(t *testing.T, p dbtest.Place) {
		d := withItems(t, p)
		mine := errors.New("mine")
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				err := d.Write(t.Context(), func(tx *sql.Tx) error {
					if _, err := tx.Exec(`insert into item(n) values(?)`, i); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return mine
					case 2:
						_, err := tx.Exec(`insert into item(n) values(?)`, i) // refused
						return err
					}
					return nil
				})
				switch i % 4 {
				case 1:
					if err != mine {
						t.Errorf("%d: %v", i, err)
					}
				case 2:
					if !outcome.Is(err, outcome.Exception) {
						t.Errorf("%d: %v", i, err)
					}
				default:
					if err != nil {
						t.Errorf("%d: %v", i, err)
					}
				}
			})
		}
		wg.Wait()
		if n, bad := count(t, d, `true`), count(t, d, `n%4 in (1,2)`); n != 100 || bad != 0 {
			t.Errorf("%d rows, %d of failed writes", n, bad)
		}
	})
}

// Nobody's increment is lost, with many writers in one process and with two processes' worth of writers on one database.
func TestNoLostUpdate(t *testing.T) {
	engines(t, func(t *testing.T, p dbtest.Place) {
		nodes := []*db.DB{withItems(t, p)}
		if p.URL != "" {
			nodes = append(nodes, withItems(t, p))
		}
		exec(t, nodes[0], `insert into item(n, flag) values(1, 0)`)
		const writers, each = 32, 20
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for range each {
					err := nodes[i%len(nodes)].Write(context.Background(), func(tx *sql.Tx) error {
						var n int
						if err := tx.QueryRow(`select flag from item where n=1`).Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(`update item set flag=? where n=1`, n+1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if count(t, nodes[0], fmt.Sprint("flag=", writers*each)) != 1 {
			t.Error("an update was lost")
		}
	})
}

func TestAPanicIsTheCallers(t *testing.T) {
	engines(t, func(t *testing.T, p dbtest.Place) {
		d := withItems(t, p)
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not come back")
				}
			}()
			_ = d.Write(t.Context(), func(tx *sql.Tx) error { _, _ = tx.Exec(`insert into item(n) values(7)`); panic("boom") })
		}()
		exec(t, d, `insert into item(n) values(8)`)
		if count(t, d, `true`) != 1 {
			t.Error("what a panic left was stored")
		}
	})
}

func TestReaderSeesOneMoment(t *testing.T) {
	engines(t, func(t *testing.T, p dbtest.Place) {
		d := withItems(t, p)
		exec(t, d, `insert into item(n) values(1)`)
		tx, err := d.Reader().BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		see := func() (n int) {
			if err := tx.QueryRow(`select count(*) from item`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := see()
		exec(t, d, `insert into item(n) values(2)`)
		if after := see(); before != 1 || after != 1 {
			t.Errorf("%d, then %d", before, after)
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	engines(t, func(t *testing.T, p dbtest.Place) {
		d := withItems(t, p)
		newer := fstest.MapFS{}
		for name, f := range items {
			newer[name] = f
		}
		for _, e := range []string{"sqlite", "postgres"} {
			newer[e+"/0002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nalter table item add more text;\n-- +goose Down\nselect 1;\n")}
		}
		if err := db.Migrate(t.Context(), d, "item", newer); err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context(), d, "item", items); !errors.Is(err, db.ErrNewerSchema) || !outcome.Is(err, outcome.NotSupported) {
			t.Errorf("%v", err)
		}
	})
}

func TestNodesMigrateTogether(t *testing.T) {
	p := dbtest.Postgres(t)
	var wg sync.WaitGroup
	for range 4 {
		d := p.Open(t, "records")
		wg.Go(func() {
			if err := db.Migrate(t.Context(), d, "item", items); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPurge(t *testing.T) {
	engines(t, func(t *testing.T, p dbtest.Place) {
		d := withItems(t, p)
		exec(t, d, `insert into item(n) values(1)`)
		exec(t, d, `delete from item`)
		if err := d.Purge(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
