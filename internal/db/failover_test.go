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
// standby that commits wait for, each caller is told what became of its write.
func TestWritersFollowAPromotedStandby(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	first := dbtest.Own(t)
	place := first.Database(t)
	second := first.Standby(t)
	first.Await(t)
	place.URL = place.On(t, first, second)
	d := withItems(t, place)
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

// Readers go where writers go: a standby may be behind, and what was ended would seem to go on.
func TestReadersLeaveAStandbyAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	first := dbtest.Own(t)
	place := first.Database(t)
	second := first.Standby(t)
	place.URL = place.On(t, second, first) // the standby is asked first
	d := withItems(t, place)
	second.Detach(t)
	exec(t, d, `insert into item(n) values(1)`)
	var n int
	if err := d.Reader().QueryRow(`select count(*) from item`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}
