//go:build unix

package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// What can happen to a server of a test's own ([Own]).

// Kill ends the process of a server's connection, or its postmaster when pid is 0, as a crash would.
func (s *Server) Kill(t testing.TB, pid int) {
	t.Helper()
	if pid == 0 {
		pid = s.postmaster(t)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) postmaster(t testing.TB) int {
	t.Helper()
	pid, err := s.master()
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// master is the postmaster as long as it runs: after a crash its file is still there, and the number in it may be another's.
func (s *Server) master() (int, error) {
	b, err := os.ReadFile(filepath.Join(s.Dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err == nil && !s.has(pid) {
		err = fmt.Errorf("dbtest: process %d, of postmaster.pid, is not the server's", pid)
	}
	return pid, err
}

// has reports whether a process is the server's, by the folder that it works in.
func (s *Server) has(pid int) bool {
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if _, none := os.Stat("/proc/self"); none != nil {
		return true // nobody can tell
	}
	return err == nil && strings.TrimSuffix(dir, " (deleted)") == filepath.Join(s.Dir, "data")
}

// Crash ends all processes of the server at once, as a power cut would.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGKILL)
}

// Freeze makes the server stand still until thaw, or the end of the test: connections are taken by the kernel, and nobody answers.
func (s *Server) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	thaw = sync.OnceFunc(func() {
		if parent, err := s.master(); err == nil { // else it was ended meanwhile
			_ = syscall.Kill(parent, syscall.SIGCONT)
		}
		for _, pid := range s.made(0) {
			_ = syscall.Kill(pid, syscall.SIGCONT) // it may have ended by itself
		}
	})
	t.Cleanup(thaw) // before signals: one that fails midway leaves some standing
	s.signal(t, syscall.SIGSTOP)
	return thaw
}

// signal sends a signal to the postmaster and then to all processes that it made.
func (s *Server) signal(t testing.TB, what syscall.Signal) {
	t.Helper()
	all := s.Processes(t)
	if err := syscall.Kill(all[0], what); err != nil {
		t.Fatal(err)
	}
	for _, pid := range s.made(all[0]) { // again: it may have made more
		_ = syscall.Kill(pid, what) // it may have ended by itself
	}
}

// Processes are the ids of the server's processes, the postmaster first. Without a /proc to find them in the test is skipped.
func (s *Server) Processes(t testing.TB) []int {
	t.Helper()
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("there is no /proc to find the processes of a server in")
	}
	parent := s.postmaster(t)
	return append([]int{parent}, s.made(parent)...)
}

// made are the processes that a postmaster made; killed, it leaves them to another parent.
func (s *Server) made(parent int) (out []int) {
	all, _ := filepath.Glob("/proc/[0-9]*") // the pattern is sound
	for _, path := range all {
		if pid, err := strconv.Atoi(filepath.Base(path)); err == nil && pid != parent && s.has(pid) {
			out = append(out, pid)
		}
	}
	return out
}

// Restart starts the server again after a crash and waits until it has recovered.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	start := func() { _, _ = s.alive.Write([]byte("\n")) } // a second server on the directory ends by itself
	start()
	if err := s.answers(start); err != nil {
		t.Fatal(err)
	}
}

// Standby gives a replica of the server, which takes readers. It stops with the test. [Server.Await] makes the server wait for it.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	out, err := room()
	if err != nil {
		t.Fatal(err)
	}
	if said, err := out.tool("pg_basebackup", "-h", s.Dir, "-U", "chartwarden", "-D", filepath.Join(out.Dir, "data"), "-R", "-X", "stream", "-c", "fast", "--no-sync"); err != nil {
		t.Fatalf("pg_basebackup: %v: %s", err, said)
	}
	if err := out.run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.alive.Close() })
	return out
}

// Await makes every commit of the server wait until its standby has it on disk, and comes back when that is so.
func (s *Server) Await(t testing.TB) {
	t.Helper()
	for _, q := range []string{`alter system set synchronous_standby_names = '*'`, `select pg_reload_conf()`} {
		if err := s.Do(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	s.until(t, `select count(*)::int from pg_stat_replication where sync_state = 'sync'`, 1)
}

// Detach stops what a standby receives: from now on its primary leaves it behind.
func (s *Server) Detach(t testing.TB) {
	t.Helper()
	for _, q := range []string{`alter system set primary_conninfo = ''`, `select pg_reload_conf()`} {
		if err := s.Do(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	s.until(t, `select count(*)::int from pg_stat_wal_receiver`, 0)
}

// Promote makes a standby the primary.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	if err := s.Do(t.Context(), `select pg_promote()`); err != nil {
		t.Fatal(err)
	}
	s.until(t, `select pg_is_in_recovery()::int`, 0)
}

// until waits until a query gives a number.
func (s *Server) until(t testing.TB, query string, want int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		got := -1
		c, err := pgx.Connect(t.Context(), s.admin)
		if err == nil {
			err = c.QueryRow(t.Context(), query).Scan(&got)
			_ = c.Close(t.Context())
		}
		if err == nil && got == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %d (%v), want %d", query, got, err, want)
		}
	}
}

// On gives the URL of a place's database at several servers at once: clients use whichever is the primary.
func (p Place) On(t testing.TB, servers ...*Server) string {
	t.Helper()
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, s.Dir)
	}
	q := u.Query()
	q.Set("host", strings.Join(hosts, ","))
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	return u.String()
}

// LoseStandby makes every commit wait for a standby that is not there, and comes back when that is so: a reload reaches the processes of
// a server one after the other.
func (s *Server) LoseStandby(t testing.TB) {
	t.Helper()
	for _, q := range []string{`alter system set synchronous_standby_names = 'nobody'`, `select pg_reload_conf()`} {
		if err := s.Do(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for n := 0; ; n++ {
		committed := make(chan error, 1)
		go func() { committed <- s.Do(context.Background(), fmt.Sprintf(`create table probe%d()`, n)) }()
		for waiting := true; waiting; {
			select {
			case err := <-committed: // at once: not yet
				if err != nil {
					t.Fatal(err)
				}
				waiting = false
			case <-time.After(50 * time.Millisecond):
				if s.releases(t) {
					<-committed
					return
				}
			}
		}
	}
}

// FindStandby ends what LoseStandby began.
func (s *Server) FindStandby(t testing.TB) {
	t.Helper()
	for _, q := range []string{`alter system reset synchronous_standby_names`, `select pg_reload_conf()`} {
		if err := s.Do(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// releases cancels the waits for a standby and reports whether there were any.
func (s *Server) releases(t testing.TB) bool {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.admin)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var n int
	if err := c.QueryRow(t.Context(), `select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n > 0
}
