package server_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// cutter stands between the program and PostgreSQL and breaks connections in mid-commit.
type cutter struct {
	dir           string       // of its socket
	often         atomic.Int64 // of so many commits one is cut; 0: none
	before, after atomic.Int64 // commits cut before PostgreSQL got them, and before their answer came back

	holds   atomic.Bool   // the next commit of the records is held up
	held    chan struct{} // one is
	release chan struct{} // closed: it goes on
}

// cutCommits starts one in front of the server whose socket lies in dir.
// Source of the framing: https://www.postgresql.org/docs/current/protocol-message-formats.html.
func cutCommits(t testing.TB, dir string) *cutter {
	t.Helper()
	own, err := os.MkdirTemp("", "cut") // the name of a test's own directory is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{dir: own, held: make(chan struct{}), release: make(chan struct{})}
	listener, err := net.Listen("unix", filepath.Join(own, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close(); _ = os.RemoveAll(own) })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.5432"))
				if err != nil {
					return
				}
				defer server.Close()
				go func() {
					_, _ = io.Copy(client, server)
					_ = client.Close()
				}()
				c.carry(client, server)
			}()
		}
	}()
	return c
}

// carry hands messages of a client on until one is cut, or either side ends. Only the first message has no type.
func (c *cutter) carry(client, server net.Conn) {
	records := false
	for head := 4; ; head = 5 {
		b := make([]byte, head)
		if _, err := io.ReadFull(client, b); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint32(b[head-4:])) - 4
		if n < 0 || n > 1<<28 {
			return
		}
		b = append(b, make([]byte, n)...)
		if _, err := io.ReadFull(client, b[head:]); err != nil {
			return
		}
		if head == 4 {
			records = bytes.Contains(b, []byte("chartwarden records"))
		}
		often, commit := c.often.Load(), b[0] == 'Q' && strings.HasPrefix(strings.ToLower(string(b[head:])), "commit")
		if commit && records && c.holds.CompareAndSwap(true, false) {
			close(c.held)
			<-c.release
			_, _ = server.Write(b)
			return
		}
		commit = commit && often > 0 && rand.Int64N(often) == 0
		if commit && rand.IntN(2) == 0 {
			c.before.Add(1)
			return
		}
		if commit {
			_ = client.Close() // the answer finds nobody
		}
		if _, err := server.Write(b); err != nil {
			return
		}
		if commit {
			c.after.Add(1)
			return
		}
	}
}

// hostOf is a socket's directory as a URL has it.
func hostOf(dir string) string { return url.Values{"host": {dir}}.Encode() }
