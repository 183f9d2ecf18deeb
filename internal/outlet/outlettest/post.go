// Package outlettest stands in for the world outside in tests of what leaves.
//
//	address, mails := outlettest.Post(t)
package outlettest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// Post is a mail server on this machine that keeps what it gets, until the test ends.
func Post(t testing.TB) (address string, mails func() []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var mu sync.Mutex
	var all []string
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprint(c, "220 here\r\n")
				in := bufio.NewScanner(c)
				text, inside := "", false
				for in.Scan() {
					switch s := in.Text(); {
					case inside && s == ".":
						inside = false
						mu.Lock()
						all = append(all, text)
						mu.Unlock()
						fmt.Fprint(c, "250 taken\r\n")
					case inside:
						text += s + "\n"
					case strings.HasPrefix(s, "DATA"):
						inside = true
						fmt.Fprint(c, "354 go on\r\n")
					case strings.HasPrefix(s, "QUIT"):
						fmt.Fprint(c, "221 bye\r\n")
						return
					default:
						fmt.Fprint(c, "250 fine\r\n")
					}
				}
			}()
		}
	}()
	return l.Addr().String(), func() []string { mu.Lock(); defer mu.Unlock(); return append([]string{}, all...) }
}
