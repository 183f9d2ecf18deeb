package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/tied"

	"github.com/pquerna/otp/totp"
)

// workshop holds the program, the directories that it works in, and the browser's profile.
var workshop string

func TestMain(m *testing.M) {
	var err error
	if workshop, err = os.MkdirTemp("", "chartwarden-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	stopBrowser()
	if demonstration.process != nil {
		demonstration.stop()
	}
	_ = os.RemoveAll(workshop)
	os.Exit(code)
}

// program builds chartwarden once.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workshop, "chartwarden")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/chartwarden").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// run carries out a command of the program that has to succeed and gives what it prints.
func run(t testing.TB, args ...string) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("chartwarden %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// process is a server in a process of its own.
type process struct {
	command *exec.Cmd
	base    string // as browsers see it
	printed *printed
	ended   chan struct{}
}

// printed keeps what a process prints while it runs.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// launch starts a command that serves on a free port and waits until it listens.
func launch(args ...string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return launchAt(port, args...)
}

func launchAt(port string, args ...string) (*process, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	p := &process{base: "http://localhost:" + port, printed: &printed{}, ended: make(chan struct{})}
	p.command = tied.Command(path, append(args, "--listen", "127.0.0.1:"+port)...)
	p.command.Stdout, p.command.Stderr = p.printed, p.printed
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.command.Wait() // how it ended stands in what it printed
		close(p.ended)
	}()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(p.printed.String(), "chartwarden: listening on ") {
			return p, nil
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("the server does not start:\n%s", p.printed)
		default:
		}
	}
	p.stop()
	return nil, errors.New("the server does not listen within a minute")
}

// stop asks this process to end and waits until it has.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may be gone already
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// freePort is a port that nobody listens on now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// signIn is how one person of the demonstration signs in, as the program prints it.
type signIn struct {
	role, name, login, password, secret string
}

// code is a code of the person's authenticator, of the step that is so many steps after the present one.
func (s signIn) code(t testing.TB, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(s.secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// hired is somebody new whom the command line adds to the demonstration, with credentials.
func (h hospital) hired(t testing.TB, name, role string) signIn {
	t.Helper()
	var made identity.Credentials
	out := run(t, "person", "add", "--data", h.dir, "--name", name, "--role", role, "--test-credentials")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatalf("person add printed %q: %v", out, err)
	}
	return signIn{role, name, made.Person, made.Password, made.Secret}
}

// hospital is the running demonstration.
type hospital struct {
	*process
	dir  string
	cast map[string]signIn // by role
}

var demonstration hospital

var printedSignIn = regexp.MustCompile(`(?m)^  (\S+) +(\S.*?\S) +(\S+) +password (\S+) +TOTP secret (\S+)$`)

// runs are the tests that have used the present demonstration, by name.
var runs = map[string]testing.TB{}

// demo starts the demonstration with the first test that asks for it. The tests of a run share it; a test that is repeated gets a new
// one, for the first run has used codes up, added people and left notes.
func demo(t testing.TB) hospital {
	t.Helper()
	needsBrowser(t)
	if before, known := runs[t.Name()]; demonstration.process != nil && known && before != t {
		demonstration.stop()
		demonstration.process = nil
		clear(runs)
	}
	runs[t.Name()] = t
	if demonstration.process == nil {
		begin(t)
	}
	return demonstration
}

// morning is a time zone in which it is about ten o'clock, or eleven: a desk at night has nobody to check in.
func morning() string {
	return fmt.Sprintf("Etc/GMT%+d", max(-14, min(12, time.Now().UTC().Hour()-10)))
}

func begin(t testing.TB) {
	t.Helper()
	dir, err := os.MkdirTemp(workshop, "demo-")
	if err != nil {
		t.Fatal(err)
	}
	demonstration.dir = filepath.Join(dir, "data")
	if demonstration.process, err = launch("demo", "--data", demonstration.dir, "--time-zone", morning()); err != nil {
		t.Fatal(err)
	}
	demonstration.cast = map[string]signIn{}
	for _, m := range printedSignIn.FindAllStringSubmatch(demonstration.printed.String(), -1) {
		demonstration.cast[m[1]] = signIn{m[1], m[2], m[3], m[4], m[5]}
	}
}
