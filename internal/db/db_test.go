package db

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tied"
)

func open(t testing.TB, o Options) *DB {
	t.Helper()
	d, err := Open(t.Context(), filepath.Join(t.TempDir(), "test ?#%.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	exec1(t, d, `create table item(n integer primary key, who text)`)
	return d
}

func exec1(t testing.TB, d *DB, q string, args ...any) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(q, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, d *DB) (n int) {
	t.Helper()
	if err := d.Reader().QueryRow(`select count(*) from item`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPragmasHoldOnEveryConnection(t *testing.T) {
	d := open(t, Options{})
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "secure_delete": "1", "temp_store": "2", "trusted_schema": "0", "cell_size_check": "1"} {
		for name, pool := range map[string]*sql.DB{"writer": d.writer, "reader": d.reader} {
			var got string
			if err := pool.QueryRow("pragma " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s %s = %s, want %s (%v)", name, pragma, got, want, err)
			}
		}
	}
	if _, err := d.Reader().Exec(`insert into item(who) values('x')`); err == nil {
		t.Error("a reader wrote")
	}
	info, err := os.Stat(d.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOwnErrorRollsBackOwnStatementsOnly(t *testing.T) {
	d := open(t, Options{})
	mine := errors.New("mine")
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			err := d.Write(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.Exec(`insert into item(n) values(?)`, i); err != nil {
					return err
				}
				if i%3 == 0 {
					return mine
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, mine) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	var bad int
	if err := d.Reader().QueryRow(`select count(*) from item where n%3=0`).Scan(&bad); err != nil || bad != 0 || count(t, d) != 133 {
		t.Fatalf("%d rows of failed functions, %d in all, %v", bad, count(t, d), err)
	}
}

func TestPanicReachesItsCallerAndNobodyElse(t *testing.T) {
	d := open(t, Options{})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = d.Write(t.Context(), func(tx *sql.Tx) error { _, _ = tx.Exec(`insert into item(n) values(7)`); panic("boom") })
	}()
	exec1(t, d, `insert into item(n) values(8)`)
	if count(t, d) != 1 {
		t.Fatal("the panicking function left a row")
	}
}

func TestWaitingWriteIsGivenUpWhole(t *testing.T) {
	d := open(t, Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.Write(context.Background(), func(*sql.Tx) error { close(entered); <-leave; return nil }) })
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	ran := atomic.Bool{}
	result := make(chan error)
	go func() { result <- d.Write(ctx, func(*sql.Tx) error { ran.Store(true); return nil }) }()
	cancel()
	if err := <-result; !outcome.Is(err, outcome.Transient) {
		t.Fatalf("%v", err)
	}
	close(leave)
	wg.Wait()
	if err := d.Close(); err != nil || ran.Load() {
		t.Fatalf("ran %v, %v", ran.Load(), err)
	}
	if err := d.Write(t.Context(), func(*sql.Tx) error { return nil }); !outcome.Is(err, outcome.NoStore) {
		t.Fatalf("write after close: %v", err)
	}
}

func TestBatcherTakesWhatWaitsInOneCommit(t *testing.T) {
	d := open(t, Options{})
	var calls atomic.Int32
	b := NewBatcher(d, 64, func(tx *sql.Tx, items []int) error {
		calls.Add(1)
		if len(items) == 0 || len(items) > 64 {
			return fmt.Errorf("%d items", len(items))
		}
		for _, n := range items {
			if _, err := tx.Exec(`insert into item(n) values(?)`, n); err != nil {
				return err
			}
		}
		return nil
	})
	var wg sync.WaitGroup
	for c := range 50 {
		wg.Go(func() {
			for i := range 20 {
				if err := b.Do(t.Context(), c*20+i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if count(t, d) != 1000 || calls.Load() >= 1000 {
		t.Fatalf("%d rows in %d calls", count(t, d), calls.Load())
	}
	if err := b.Do(t.Context(), 0); err == nil { // a duplicate key
		t.Error("an error of apply was swallowed")
	}
	b.Close()
	if err := b.Do(t.Context(), 5000); !outcome.Is(err, outcome.NoStore) {
		t.Errorf("after close: %v", err)
	}
}

func TestMigrateRefusesANewerSchema(t *testing.T) {
	d := open(t, Options{})
	one := fstest.MapFS{"0001_first.sql": {Data: []byte("-- +goose Up\ncreate table a(n integer);\n")}}
	two := fstest.MapFS{"0001_first.sql": one["0001_first.sql"], "0002_second.sql": {Data: []byte("-- +goose Up\ncreate table b(n integer);\n")}}
	other := fstest.MapFS{"0001_other.sql": {Data: []byte("-- +goose Up\ncreate table c(n integer);\n")}}
	for _, step := range []struct {
		capability string
		fs         fstest.MapFS
	}{{"one", one}, {"one", one}, {"other", other}, {"one", two}} {
		if err := Migrate(t.Context(), d, step.capability, step.fs); err != nil {
			t.Fatal(err)
		}
	}
	err := Migrate(t.Context(), d, "one", one)
	if !errors.Is(err, ErrNewerSchema) || !outcome.Is(err, outcome.NotSupported) {
		t.Fatalf("%v", err)
	}
	bad := fstest.MapFS{"0001_bad.sql": {Data: []byte("-- +goose Up\ncreate table d(n integer);\ncreate nonsense;\n")}}
	if err := Migrate(t.Context(), d, "bad", bad); err == nil {
		t.Fatal("a bad migration passed")
	}
	var n int
	if _ = d.Reader().QueryRow(`select count(*) from sqlite_master where name='d'`).Scan(&n); n != 0 {
		t.Fatal("a failed migration left a table")
	}
	if err := Migrate(t.Context(), d, "x; drop", one); err == nil {
		t.Fatal("a capability name became SQL")
	}
}

// Two that were written side by side may land in either order: the lower number is applied when it comes.
func TestAMigrationThatLandedLateIsApplied(t *testing.T) {
	d := open(t, Options{})
	file := func(table string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table " + table + "(n integer);\n")}
	}
	early := fstest.MapFS{"0001_a.sql": file("a"), "0003_c.sql": file("c")}
	whole := fstest.MapFS{"0001_a.sql": early["0001_a.sql"], "0002_b.sql": file("b"), "0003_c.sql": early["0003_c.sql"]}
	for _, fs := range []fstest.MapFS{early, whole, whole} {
		if err := Migrate(t.Context(), d, "one", fs); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := d.Reader().QueryRow(`select count(*) from sqlite_master where name in ('a','b','c')`).Scan(&n); err != nil || n != 3 {
		t.Errorf("%d tables, %v", n, err)
	}
}

func TestDamagedOrForeignFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is not a database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); !outcome.Is(err, outcome.NoStore) {
		t.Fatalf("%v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(path, "y.db"), Options{}); !outcome.Is(err, outcome.NoStore) {
		t.Fatalf("%v", err)
	}
}

func TestOldSQLiteIsRefused(t *testing.T) {
	for version, want := range map[string]bool{"3.51.2": false, "3.51.3": true, "3.52.0": true, "4.0.0": true, "3.7.17": false, "3.51": false, "x": false} {
		if atLeast(version, minimum) != want {
			t.Errorf("%s: %v", version, !want)
		}
	}
}

func TestFullDiskStoresNothingAndIsNotFatal(t *testing.T) {
	d := open(t, Options{})
	exec1(t, d, `create table blob(b blob)`)
	if _, err := d.writer.Exec(`pragma max_page_count=20`); err != nil {
		t.Fatal(err)
	}
	err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`insert into blob values(zeroblob(1000000))`); return err })
	if !outcome.Is(err, outcome.NoStore) || d.Broken() != nil {
		t.Fatalf("%v, broken %v", err, d.Broken())
	}
	exec1(t, d, `insert into item(n) values(1)`)
}

func TestPurgeLeavesNoDeletedBytes(t *testing.T) {
	d := open(t, Options{})
	exec1(t, d, `insert into item(n, who) values(1, 'a-secret-that-must-vanish')`)
	exec1(t, d, `delete from item`)
	if err := d.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(d.Path()), "*"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || strings.Contains(string(b), "must-vanish") {
			t.Errorf("%s holds it (%v)", filepath.Base(f), err)
		}
	}
}

// The tests below need a second process: the test binary itself, sent to one of these by an environment variable.
func TestMain(m *testing.M) {
	switch dir := os.Getenv("DB_TEST_DIR"); os.Getenv("DB_TEST_CHILD") {
	case "write":
		childWrite(dir)
	case "lock":
		if _, err := LockDir(dir); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		fmt.Println("locked")
		select {}
	case "limit":
		childLimit(dir)
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, kind, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := tied.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DB_TEST_CHILD="+kind, "DB_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func childWrite(dir string) {
	d, err := Open(context.Background(), filepath.Join(dir, "k.db"), Options{})
	if err != nil {
		panic(err)
	}
	_ = d.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`create table if not exists item(n integer primary key)`)
		return err
	})
	out := make(chan int64)
	for range 16 {
		go func() {
			for {
				var n int64
				err := d.Write(context.Background(), func(tx *sql.Tx) error {
					r, err := tx.Exec(`insert into item default values`)
					if err == nil {
						n, err = r.LastInsertId()
					}
					return err
				})
				if err == nil {
					out <- n
				}
			}
		}()
	}
	for n := range out {
		fmt.Println(n)
	}
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]bool{}
	for range 3 {
		cmd, out := child(t, "write", dir)
		for n := 0; n < 200 && out.Scan(); n++ {
			seen[out.Text()] = true
		}
		_ = cmd.Process.Kill()
		for out.Scan() { // what it said before it died counts too; a last line cut short does not
			if out.Text() != "" {
				seen[out.Text()] = true
			}
		}
		_ = cmd.Wait()
		d, err := Open(t.Context(), filepath.Join(dir, "k.db"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for n := range seen {
			var found int
			if err := d.Reader().QueryRow(`select count(*) from item where n=?`, n).Scan(&found); err != nil || found != 1 {
				t.Fatalf("%q was acknowledged and is gone (%v)", n, err)
			}
		}
		_ = d.Close()
	}
}

func TestOneServerPerDirectory(t *testing.T) {
	dir := t.TempDir()
	cmd, out := child(t, "lock", dir)
	if !out.Scan() || out.Text() != "locked" {
		t.Fatal(out.Text())
	}
	_, err := LockDir(dir)
	if !outcome.Is(err, outcome.Lock) || !strings.Contains(err.Error(), fmt.Sprint(cmd.Process.Pid)) {
		t.Fatalf("%v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	release, err := LockDir(dir)
	if err != nil {
		t.Fatalf("after a kill: %v", err)
	}
	release()
	again, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	again()
	if _, err := LockDir(filepath.Join(dir, "absent")); !outcome.Is(err, outcome.NoStore) {
		t.Fatalf("%v", err)
	}
}

// childLimit lets the kernel refuse to grow files, which the engine sees as an I/O error at commit.
func childLimit(dir string) {
	d, err := Open(context.Background(), filepath.Join(dir, "l.db"), Options{})
	if err != nil {
		panic(err)
	}
	write := func(q string) error {
		return d.Write(context.Background(), func(tx *sql.Tx) error { _, err := tx.Exec(q); return err })
	}
	if err := write(`create table item(b blob)`); err != nil {
		panic(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100_000, Max: 100_000}); err != nil {
		panic(err)
	}
	first := write(`insert into item values(zeroblob(500000))`)
	second := write(`insert into item values(zeroblob(10))`)
	fmt.Println(outcome.CodeOf(first), d.Broken() != nil, outcome.CodeOf(second))
}

func TestIOErrorBreaksForGood(t *testing.T) {
	_, out := child(t, "limit", t.TempDir())
	if out.Scan(); out.Text() != "no-store true no-store" {
		t.Fatalf("%q", out.Text())
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, clients := range []int{1, 64, 512} {
		b.Run(fmt.Sprint("clients-", clients), func(b *testing.B) {
			d := open(b, Options{})
			blob := make([]byte, 300)
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range clients {
				wg.Go(func() {
					for next.Add(1) <= int64(b.N) {
						_ = d.Write(context.Background(), func(tx *sql.Tx) error { _, err := tx.Exec(`insert into item(who) values(?)`, blob); return err })
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

// A caller who gave up before asking is never served, whatever room the queue has.
func TestGivenUpBeforeItBegan(t *testing.T) {
	d := open(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := NewBatcher(d, 8, func(*sql.Tx, []int) error { t.Error("the batch ran"); return nil })
	defer b.Close()
	for range 50 {
		if err := d.Write(ctx, func(*sql.Tx) error { t.Error("the write ran"); return nil }); !outcome.Is(err, outcome.Transient) {
			t.Fatalf("write: %v", err)
		}
		if err := b.Do(ctx, 1); !outcome.Is(err, outcome.Transient) {
			t.Fatalf("batch: %v", err)
		}
	}
}
