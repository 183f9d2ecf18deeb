//go:build unix

package dbtest

import (
	"bytes"
	"context"
	"errors"
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
	alive io.WriteCloser // when it closes, as it does when this process ends, the server stops and its directory goes
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

// supervise runs the server until standard input ends, and then takes everything away. A line on standard input starts it again. Which
// processes are the server's tells the folder that they work in: after a crash the number in postmaster.pid may be another's by now, and
// what was stopped hears of no end before it goes on.
const supervise = `trap '' INT TERM
those() { ls -ld /proc/[0-9]*/cwd 2>/dev/null | awk -v d="$2/data" '$NF == d { split($(NF-2), p, "/"); print p[3] }'; }
master() { head -n 1 "$2/data/postmaster.pid" 2>/dev/null; }
while :; do
  [ ! -e "$2/data/postmaster.pid" ] || [ ! -d /proc/self ] || [ -n "$(those "$@")" ] || rm -f "$2/data/postmaster.pid"
  "$1/postgres" -D "$2/data" -k "$2" </dev/null &
  read again || break
done
all=" $(those "$@" | tr '\n' ' ') "
[ "$all" = "  " ] || kill -CONT $all
case "$all" in
*" $(master "$@") "*) kill -INT $(master "$@") ;;
*) [ -d /proc/self ] || kill -INT $(master "$@") ;;
esac
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ -n "$(those "$@")" ] || break
  sleep 1
done
all=$(those "$@")
[ -z "$all" ] || kill -KILL $all
wait
rm -rf "$2"`

func start() (*Server, error) {
	s, err := room()
	if err != nil {
		return nil, err
	}
	if said, err := s.tool("initdb", "-D", filepath.Join(s.Dir, "data"), "-U", "chartwarden", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"); err != nil {
		return nil, fmt.Errorf("dbtest: initdb: %w: %s", err, said)
	}
	if err := s.configure(settings); err != nil {
		return nil, err
	}
	return s, s.run()
}

// room is a server that is not there yet: its directory and its account.
func room() (*Server, error) {
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
	admin := url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {dir}, "user": {"chartwarden"}}.Encode()}
	return &Server{Dir: dir, bin: binaries(), as: as, admin: admin.String()}, nil
}

// tool runs one of PostgreSQL's programs as the server's account.
func (s *Server) tool(name string, args ...string) ([]byte, error) {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.SysProcAttr, c.Dir = s.as, s.Dir
	return c.CombinedOutput()
}

// configure adds settings, which count from the next start.
func (s *Server) configure(lines string) error {
	conf, err := os.OpenFile(filepath.Join(s.Dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = conf.WriteString(lines)
	return errors.Join(err, conf.Close())
}

// run starts the server under its keeper and waits until it answers.
func (s *Server) run() error {
	keeper := exec.Command("sh", "-c", supervise, "dbtest", s.bin, s.Dir)
	keeper.SysProcAttr, keeper.Dir = s.as, s.Dir
	said, err := os.Create(filepath.Join(s.Dir, "said")) // not the test's own output: go test would wait for it to close
	if err != nil {
		return err
	}
	defer said.Close()
	keeper.Stdout, keeper.Stderr = said, said
	if s.alive, err = keeper.StdinPipe(); err != nil {
		return err
	}
	if err := keeper.Start(); err != nil {
		return err
	}
	go func() { _ = keeper.Wait() }()
	return s.answers(func() {})
}

// answers waits until the server takes statements, and calls again now and then while it does not.
func (s *Server) answers(again func()) error {
	for n, deadline := 1, time.Now().Add(time.Minute); ; n++ {
		err := s.Do(context.Background(), `select 1`)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(s.Dir, "said")) // the error below says enough without
			return fmt.Errorf("dbtest: PostgreSQL does not start: %w: %s", err, bytes.TrimSpace(text))
		}
		time.Sleep(20 * time.Millisecond)
		if n%25 == 0 {
			again()
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

// Copy gives the URL of a new database with all that lies in that of a place, to which nobody may be connected. It goes away with the test.
func (p Place) Copy(t testing.TB) string {
	t.Helper()
	s, from := Start(t), nameOf(p.URL)
	name := "t" + strconv.FormatInt(s.count.Add(1), 10)
	if err := s.Do(t.Context(), `create database `+name+` template `+from); err != nil {
		t.Fatal(err)
	}
	out := strings.Replace(s.admin, "/postgres?", "/"+name+"?", 1)
	t.Cleanup(func() { s.drop(out) })
	return out
}

func nameOf(place string) string {
	u, err := url.Parse(place)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

// drop takes a database away, so that a long run does not fill the disk.
func (s *Server) drop(place string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = s.Do(ctx, `drop database `+nameOf(place)+` with (force)`) // the server's end takes what is left
}
