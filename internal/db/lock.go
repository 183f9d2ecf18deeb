//go:build unix

package db

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"chartwarden/internal/outcome"
)

// LockDir makes this process the only server on a data directory until release is called or the process ends, however it ends:
// the kernel drops the lock, so a kill leaves nothing to clean up. The file `lock` in the directory names the holder for people.
//
// Errors: outcome.Lock when another process holds it; outcome.NoStore when the directory is not usable.
func LockDir(dir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, outcome.Wrap("db: lock", outcome.NoStore, "the data directory cannot be used: check that it exists and its permissions", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, outcome.Wrap("db: lock", outcome.NoStore, "the data directory cannot be locked; use a local disk", err)
		}
		return nil, outcome.Wrap("db: lock", outcome.Lock, "another server"+holder(f)+" runs on this data directory: stop it first", err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // only words for people; the lock itself is the kernel's
	}
	return func() { _ = f.Close() }, nil
}

func holder(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
		return " (process " + strconv.Itoa(pid) + ")"
	}
	return ""
}
