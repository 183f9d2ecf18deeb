//go:build unix

package dbtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL that lives as long as the test process. It listens on a socket in its own directory only.
type Server struct {
	Dir   string // of the socket and of the folder `data`
	admin string
	bin   string
	as    *syscall.SysProcAttr
	alive io.Closer // when it closes, as it does when this process ends, the server stops and its directory goes
	count atomic.Int64
}

var shared = sync.OnceValues(func() (*Server, error) { return start() })

// Start gives the server of this test process, starting it the first time. Without PostgreSQL the test is skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	if binaries() == "" {
		t.Skip("no PostgreSQL 15 or newer is installed (initdb in /usr/lib/postgresql/*/bin or PATH)")
	}
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Own gives a server of the test's own, to be broken. It stops with the test.
func Own(t testing.TB) *Server {
	t.Helper()
	if binaries() == "" {
		t.Skip("no PostgreSQL 15 or newer is installed (initdb in /usr/lib/postgresql/*/bin or PATH)")
	}
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.alive.Close() })
	return s
}

// binaries is the folder with initdb and postgres of the newest version, or "".
func binaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is sound
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 && version(found[0]) >= 15 {
		return filepath.Dir(found[0])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb)))) // 0 for none
	return n
}

// account is who runs the server: initdb refuses root.
func account() (*syscall.SysProcAttr, int, int, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{Setpgid: true}, -1, -1, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid) // numbers on every Unix
		gid, _ := strconv.Atoi(u.Gid)
		return &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, uid, gid, nil
	}
	return nil, 0, 0, fmt.Errorf("dbtest: PostgreSQL does not run as root, and there is no account postgres or nobody")
}

// settings are those of a real server, durable commits included; only what a small machine lacks is smaller.
const settings = `
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
autovacuum_naptime = 10min
fsync = on
log_min_messages = warning
`

// supervise runs the server until standard input ends, and then takes everything away.
const supervise = `trap '' INT TERM
"$1/postgres" -D "$2/data" -k "$2" </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$2"`

func start() (*Server, error) {
	as, uid, gid, err := account()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "chartwarden-pg-")
	if err != nil {
		return nil, err
	}
	if uid >= 0 {
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	if err := os.Chmod(dir, 0o711); err != nil { // tests of another account reach the socket
		return nil, err
	}
	s := &Server{Dir: dir, bin: binaries(), as: as}
	init := exec.Command(filepath.Join(s.bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "chartwarden", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	init.SysProcAttr, init.Dir = as, dir
	if said, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("dbtest: initdb: %w: %s", err, said)
	}
	conf, err := os.OpenFile(filepath.Join(dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = conf.WriteString(settings)
		_ = conf.Close()
	}
	if err != nil {
		return nil, err
	}
	s.admin = (&url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {dir}, "user": {"chartwarden"}}.Encode()}).String()
	keeper := exec.Command("sh", "-c", supervise, "dbtest", s.bin, dir)
	keeper.SysProcAttr, keeper.Dir = as, dir
	said, err := os.Create(filepath.Join(dir, "said")) // not the test's own output: go test would wait for it to close
	if err != nil {
		return nil, err
	}
	defer said.Close()
	keeper.Stdout, keeper.Stderr = said, said
	alive, err := keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := keeper.Start(); err != nil {
		return nil, err
	}
	go func() { _ = keeper.Wait() }()
	s.alive = alive
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := s.Do(context.Background(), `select 1`)
		if err == nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(said.Name()) // the error below says enough without
			return nil, fmt.Errorf("dbtest: PostgreSQL does not start: %w: %s", err, bytes.TrimSpace(text))
		}
	}
}

// Do runs a statement as the server's administrator.
func (s *Server) Do(ctx context.Context, statement string) error {
	c, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	return err
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

// database makes an empty database and gives its URL.
func (s *Server) database(t testing.TB) string {
	t.Helper()
	name := "t" + strconv.FormatInt(s.count.Add(1), 10)
	if err := s.Do(t.Context(), `create database `+name+` template template0`); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(s.admin, "/postgres?", "/"+name+"?", 1)
}

// Database is an empty database of a server of the test's own. It goes away with the server.
func (s *Server) Database(t testing.TB) Place {
	t.Helper()
	return Place{Dir: t.TempDir(), URL: s.database(t)}
}

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
	b, err := os.ReadFile(filepath.Join(s.Dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// drop takes a database away, so that a long run does not fill the disk.
func (s *Server) drop(place string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if u, err := url.Parse(place); err == nil {
		_ = s.Do(ctx, `drop database `+strings.TrimPrefix(u.Path, "/")+` with (force)`) // the server's end takes what is left
	}
}
