//go:build linux

package dbtest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gone waits until a server and its folder are no more.
func gone(t *testing.T, s *Server) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		_, err := os.Stat(s.Dir)
		if errors.Is(err, fs.ErrNotExist) && len(s.made(0)) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the server is still there: %v, processes %v", err, s.made(0))
		}
	}
}

// A server that stands still when its test ends, because the test failed before it was thawed or the whole program ended, ends too.
func TestAFrozenServerEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	for name, freeze := range map[string]func(*testing.T, *Server){
		"forgotten":         func(t *testing.T, s *Server) { s.Freeze(t) },
		"nobody thaws":      func(t *testing.T, s *Server) { s.signal(t, syscall.SIGSTOP) },
		"thawed and frozen": func(t *testing.T, s *Server) { s.Freeze(t)(); s.Freeze(t) },
	} {
		var s *Server
		if t.Run(name, func(t *testing.T) { s = Own(t); freeze(t, s) }); s != nil {
			gone(t, s)
		}
	}
}

// After a crash the number in postmaster.pid may be that of any other process: that one is neither taken for the server nor ended.
func TestANumberOfBeforeTheCrashIsNobodys(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	var s *Server
	var other *exec.Cmd
	t.Run("test", func(t *testing.T) {
		s = Own(t)
		other = exec.Command("sleep", "600")
		other.SysProcAttr = &syscall.SysProcAttr{Credential: s.as.Credential, Pdeathsig: syscall.SIGKILL}
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		stale := func() {
			t.Helper()
			s.Crash(t)
			file := filepath.Join(s.Dir, "data", "postmaster.pid")
			for end := time.Now().Add(time.Minute); len(s.made(0)) > 0 && time.Now().Before(end); {
				time.Sleep(5 * time.Millisecond)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(b), "\n")
			if err := os.WriteFile(file, []byte(strconv.Itoa(other.Process.Pid)+"\n"+rest), 0o600); err != nil {
				t.Fatal(err)
			}
			if pid, err := s.master(); err == nil {
				t.Errorf("process %d is taken for the server", pid)
			}
		}
		stale()
		s.Restart(t)
		stale()
	})
	if other == nil || other.Process == nil {
		return
	}
	gone(t, s)
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other process was ended: %v", err)
	}
	_ = other.Process.Kill()
	if err := other.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the other process ended by %v", err)
	}
}
