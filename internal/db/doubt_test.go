package db_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
)

// hammer lets many callers write rows, each with a number of its own, until stop closes, and says what each was told.
func hammer(d *db.DB, stop chan struct{}) (told map[int]error) {
	told = map[int]error{}
	var mu sync.Mutex
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := int(next.Add(1))
				err := d.Write(context.Background(), func(tx *sql.Tx) error { _, err := tx.Exec(`insert into item(n) values(?)`, n); return err })
				mu.Lock()
				told[n] = err
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return told
}

// agree compares what callers were told with what is there.
func agree(t *testing.T, d *db.DB, told map[int]error) {
	t.Helper()
	there := map[int]bool{}
	rows, err := d.Reader().Query(`select n from item`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		there[n] = true
	}
	stored, failed, doubtful := 0, 0, 0
	for n, err := range told {
		switch {
		case err == nil && !there[n]:
			t.Errorf("%d was acknowledged and is not there", n)
		case err == nil:
			stored++
		case errors.Is(err, db.ErrDoubt):
			doubtful++
		case there[n]:
			t.Errorf("%d is there, and its caller was told %v", n, err)
		default:
			failed++
			if !outcome.Is(err, outcome.Transient) && !outcome.Is(err, outcome.NoStore) {
				t.Errorf("%v", err)
			}
		}
	}
	t.Logf("%d stored, %d failed, %d in doubt", stored, failed, doubtful)
}

// Connections are cut at any moment: each caller is told what became of its write, and the next writes go on.
func TestConnectionsCutInMidCommit(t *testing.T) {
	server := dbtest.Own(t)
	d := withItems(t, server.Database(t))
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for range 30 {
			time.Sleep(20 * time.Millisecond)
			if err := server.Do(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity where application_name='chartwarden records'`); err != nil {
				t.Error(err)
			}
		}
	}()
	told := hammer(d, stop)
	agree(t, d, told)
	exec(t, d, `insert into item(n) values(-1)`)
}

// A crash of the whole server (a killed backend takes all others with it) is told as truly, and a restart needs nothing of us.
func TestServerCrashes(t *testing.T) {
	server := dbtest.Own(t)
	d := withItems(t, server.Database(t))
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for range 3 {
			time.Sleep(200 * time.Millisecond)
			var pid int
			if err := d.Reader().QueryRow(`select pg_backend_pid()`).Scan(&pid); err == nil {
				server.Kill(t, pid)
			}
			time.Sleep(500 * time.Millisecond)
		}
	}()
	told := hammer(d, stop)
	for range 100 { // while it recovers
		if err := d.Reader().Ping(); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	agree(t, d, told)
	exec(t, d, `insert into item(n) values(-1)`)
}

// With a standby that does not answer, a commit whose wait is cancelled is stored here only: nobody is told that it is safe.
func TestACancelledWaitForAStandbyIsDoubt(t *testing.T) {
	if testing.Short() {
		t.Skip("waits as long as a commit in doubt is asked about")
	}
	server := dbtest.Own(t)
	d := withItems(t, server.Database(t))
	server.LoseStandby(t)
	told := make(chan error, 1)
	go func() {
		told <- d.Write(context.Background(), func(tx *sql.Tx) error { _, err := tx.Exec(`insert into item(n) values(1)`); return err })
	}()
	for {
		select {
		case err := <-told:
			if !errors.Is(err, db.ErrDoubt) || !outcome.Is(err, outcome.NoStore) || strings.Contains(err.Error(), "nothing was stored") {
				t.Errorf("%v", err)
			}
			return
		case <-time.After(200 * time.Millisecond):
			if err := server.Do(t.Context(), `select pg_cancel_backend(pid) from pg_stat_activity where wait_event='SyncRep'`); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNoServer(t *testing.T) {
	_, err := db.Open(t.Context(), "postgres://ruth:secret@127.0.0.1:1/none", db.Options{Schema: "records"})
	if !outcome.Is(err, outcome.NoStore) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if _, err := db.Open(t.Context(), "postgres://%zz", db.Options{Schema: "records"}); !outcome.Is(err, outcome.Invalid) {
		t.Errorf("%v", err)
	}
}
