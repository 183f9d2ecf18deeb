package main

import (
	"bytes"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartwarden/internal/tied"

	"github.com/pquerna/otp/totp"
	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"chartwarden": main})
}

// The scripts use the program as a stranger does: only its command line, its files and its address.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "take": take, "sql": alter, "start": start, "stop": stop, "signin": signIn, "get": get,
		},
	})
}

// exits CODE PROGRAM ARGS... runs a command that has to end with CODE. One that is wrong or cannot run says so in one line.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit %d, want %d", code, want)
	}
	if said := ts.ReadFile("stderr"); code == 2 && (strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "chartwarden: ")) {
		ts.Fatalf("an error is one line that begins with the program's name, not %q", said)
	}
}

// take VAR REGEXP keeps what the first group of REGEXP finds in the last stdout.
func take(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("no %s on stdout", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// sql FILE STATEMENT changes a database behind the program's back.
func alter(ts *testscript.TestScript, _ bool, args []string) {
	d, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer d.Close()
	done, err := d.Exec(args[1])
	ts.Check(err)
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("nothing was changed")
	}
}

// running are the servers of all scripts by the address that their script knows.
var running sync.Map

type process struct {
	*exec.Cmd
	mu   sync.Mutex
	said bytes.Buffer
}

// Write keeps what the process says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

var listening = regexp.MustCompile(`(?m)^chartwarden: listening on (\S+)$`)

// start VAR ARGS... starts `chartwarden ARGS` and keeps in VAR the address on which it says to listen.
func start(ts *testscript.TestScript, _ bool, args []string) {
	p := &process{Cmd: tied.Command("chartwarden", args[1:]...)}
	p.Dir, p.Stderr = ts.MkAbs("."), p
	p.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	ts.Check(p.Start())
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	ts.Defer(func() { _ = p.Process.Kill() })
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found := listening.FindStringSubmatch(p.text()); found != nil {
			ts.Setenv(args[0], found[1])
			running.Store(found[1], func() error {
				ts.Check(p.Process.Signal(syscall.SIGTERM))
				return <-ended
			})
			return
		}
		select {
		case err := <-ended:
			ts.Fatalf("the server ended: %v\n%s", err, p.text())
		default:
		}
	}
	ts.Fatalf("the server does not listen:\n%s", p.text())
}

// stop ADDRESS ends a server as an operating system does; it has to end with 0.
func stop(ts *testscript.TestScript, _ bool, args []string) {
	end, ok := running.LoadAndDelete(args[0])
	if !ok {
		ts.Fatalf("no server at %s", args[0])
	}
	ts.Check(end.(func() error)())
}

// signin VAR ADDRESS PERSON PASSWORD SECRET keeps a session cookie in VAR.
func signIn(ts *testscript.TestScript, _ bool, args []string) {
	code, err := totp.GenerateCode(args[4], time.Now())
	ts.Check(err)
	answer, err := http.PostForm(args[1]+"/session/test", url.Values{"person": {args[2]}, "password": {args[3]}, "totp": {code}})
	ts.Check(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent || len(answer.Cookies()) != 1 {
		ts.Fatalf("sign-in: %s", answer.Status)
	}
	ts.Setenv(args[0], answer.Cookies()[0].String())
}

// get STATUS URL [COOKIE]
func get(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest("GET", args[1], nil)
	ts.Check(err)
	if len(args) > 2 {
		r.Header.Set("Cookie", strings.SplitN(args[2], ";", 2)[0])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	ts.Check(err)
	defer answer.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body.Bytes(), 0o600))
	if strconv.Itoa(answer.StatusCode) != args[0] {
		ts.Fatalf("%s, want %s\n%s", answer.Status, args[0], body.String())
	}
}
