package db_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
)

// The primary dies under load and its standby takes over. One URL names both: writers and readers follow by themselves, and with a
// standby that commits wait for, each caller is told what became of its write. Readers never use a standby, which may be behind.
func TestWritersFollowAPromotedStandby(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	first := dbtest.Own(t)
	place := first.Database(t)
	second := first.Standby(t)
	first.Await(t)
	place.URL = place.On(t, second, first) // the standby is asked first
	d := withItems(t, place)
	var behind bool
	if err := d.Reader().QueryRow(`select pg_is_in_recovery()`).Scan(&behind); err != nil || behind {
		t.Errorf("a reader uses a standby: %v", err)
	}
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		time.Sleep(300 * time.Millisecond)
		first.Crash(t)
		second.Promote(t)
		end := time.Now().Add(time.Minute)
		for time.Now().Before(end) {
			if err := d.Write(context.Background(), func(tx *sql.Tx) error { _, err := tx.Exec(`insert into item(n) values(-1)`); return err }); err == nil {
				return
			}
		}
	}()
	told := hammer(d, stop)
	for n, err := range told { // while nothing took writes, callers were told so
		if err != nil && !errors.Is(err, db.ErrDoubt) && !outcome.Is(err, outcome.Transient) && !outcome.Is(err, outcome.NoStore) {
			t.Errorf("%d: %v", n, err)
		}
	}
	agree(t, d, told)
	exec(t, d, `insert into item(n) values(-2)`)
}

// A primary that hangs without dying, so that no connection breaks, is given up, and writers go where the new one is.
func TestWritersLeaveAPrimaryThatHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	first := dbtest.Own(t)
	place := first.Database(t)
	second := first.Standby(t)
	first.Await(t)
	place.URL = place.On(t, first, second)
	for round, when := range []string{"between writes", "within one"} {
		d := withItems(t, place)
		db.Impatient(d, 2*time.Second)
		var thaw func()
		hang := func() {
			thaw = first.Freeze(t)
			second.Promote(t)
		}
		if when == "between writes" {
			hang()
		}
		told := d.Write(t.Context(), func(tx *sql.Tx) error {
			if when == "within one" {
				hang()
			}
			_, err := tx.Exec(`insert into item(n) values(?)`, round)
			return err
		})
		if told != nil && !outcome.Is(told, outcome.NoStore) && !outcome.Is(told, outcome.Transient) {
			t.Errorf("%s: %v", when, told)
		}
		exec(t, d, `insert into item(n) values(?)`, round+10)
		stored := -1
		if err := d.Reader().QueryRow(`select count(*) from item where n=?`, round).Scan(&stored); err != nil || (stored == 1) != (told == nil) {
			t.Errorf("%s: %d rows of a write that ended with %v: %v", when, stored, told, err)
		}
		thaw()
		if when == "between writes" { // the other way round
			first.Crash(t)
			first, second = second, second.Standby(t)
			place.URL = place.On(t, first, second)
		}
	}
}
