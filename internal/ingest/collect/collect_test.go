package collect

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest"
)

func message(i int) string {
	return fmt.Sprintf(`<85>1 2026-03-02T09:15:00Z ward7 EHR 12 IHE+RFC-3881 - `+"\ufeff"+`<?xml version="1.0"?><AuditMessage><EventIdentification EventActionCode="R" EventDateTime="2026-03-02T09:15:00Z" EventOutcomeIndicator="0"><EventID csd-code="110110"/></EventIdentification><ActiveParticipant UserID="kim" UserIsRequestor="true"/><ParticipantObjectIdentification ParticipantObjectID="%d" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"/></AuditMessage>`, i)
}

func counted(s string) string { return fmt.Sprint(len(s), " ", s) }

// authority makes certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.key, a.cert, _ = a.issue(nil)
	return a
}

func (a *authority) issue(by *authority) (*ecdsa.PrivateKey, *x509.Certificate, tls.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: by == nil, BasicConstraintsValid: true}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// running is a collector that runs, with its file.
type running struct {
	*Collector
	path string
	stop func() error
}

func start(t *testing.T, o Options) *running {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	file, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if o.Append == nil {
		o.Append = file.Append
	}
	c, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	var once sync.Once
	var result error
	stop := func() error {
		once.Do(func() {
			cancel()
			select {
			case result = <-ended:
			case <-time.After(time.Minute):
				t.Error("it does not end")
			}
			file.Close()
		})
		return result
	}
	t.Cleanup(func() { _ = stop() })
	return &running{c, path, stop}
}

// until polls generously: how soon a message arrives depends on the machine.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain: " + what)
		}
	}
}

// patients reads the file back.
func patients(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for line := range strings.Lines(string(text)) {
		e, why := ingest.Event(strings.TrimSuffix(line, "\n"))
		if why != "" || e.Agent != "Practitioner/login:kim" || e.Kind != detect.Read || len(e.Patients) != 1 {
			t.Fatalf("%s: %q %+v", line, why, e)
		}
		got[e.Patients[0]]++
	}
	return got
}

func TestDatagrams(t *testing.T) {
	c := start(t, Options{UDP: "127.0.0.1:0"})
	conn, err := net.Dial("udp", c.UDPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range 20 {
		text := message(i)
		if i == 7 {
			text = "nonsense"
		}
		_, _ = io.WriteString(conn, text)
		until(t, "a datagram", func() bool { n := c.Counts(); return n.Messages+n.Rejected == int64(i+1) })
	}
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	got := patients(t, c.path)
	if len(got) != 19 || got["Patient/mrn:3"] != 1 || c.Counts() != (Counts{Messages: 19, Rejected: 1}) {
		t.Errorf("%v %+v", got, c.Counts())
	}
}

func TestStreams(t *testing.T) {
	a := newAuthority(t)
	_, _, server := a.issue(a)
	c := start(t, Options{TLS: "127.0.0.1:0", Config: &tls.Config{Certificates: []tls.Certificate{server}}, Most: 4096})
	client := &tls.Config{RootCAs: a.pool()}
	var senders sync.WaitGroup
	for s := range 4 {
		senders.Go(func() {
			conn, err := tls.Dial("tcp", c.TLSAddr().String(), client)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for i := range 50 {
				text := counted(message(s*100 + i))
				switch i {
				case 10:
					text = "9 <85>1 abc" // no audit message, and one more after it
				case 20:
					text = counted("<85>1 " + strings.Repeat("x", 9000)) // too long
				case 30:
					text = message(s*100+i) + "\n" // a line
				}
				if _, err := io.WriteString(conn, text); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	until(t, "all messages", func() bool { return c.Counts().Messages == 4*48 })
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	if got := patients(t, c.path); len(got) != 4*48 || c.Counts().Rejected < 8 || c.Counts().Connections != 4 {
		t.Errorf("%d patients, %+v", len(got), c.Counts())
	}
}

func TestOnlyKnownSendersAreHeard(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	_, _, server := a.issue(a)
	_, _, known := a.issue(a)
	_, _, strange := b.issue(b)
	c := start(t, Options{TLS: "127.0.0.1:0", Config: &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: a.pool(), ClientAuth: tls.RequireAndVerifyClientCert}})
	for i, config := range []*tls.Config{{RootCAs: a.pool()}, {RootCAs: a.pool(), Certificates: []tls.Certificate{strange}}, {RootCAs: a.pool(), Certificates: []tls.Certificate{known}}} {
		if conn, err := tls.Dial("tcp", c.TLSAddr().String(), config); err == nil {
			_, _ = io.WriteString(conn, counted(message(i)))
			defer conn.Close()
		}
	}
	until(t, "the known sender", func() bool { n := c.Counts(); return n.Messages == 1 && n.Refused == 2 })
	_ = c.stop()
	if got := patients(t, c.path); got["Patient/mrn:2"] != 1 || len(got) != 1 {
		t.Error(got)
	}
}

// Who begins a message and does not end it, or says nothing, does not keep others out.
func TestSlowAndManyConnections(t *testing.T) {
	a := newAuthority(t)
	_, _, server := a.issue(a)
	c := start(t, Options{TLS: "127.0.0.1:0", Config: &tls.Config{Certificates: []tls.Certificate{server}}, Connections: 2, Patience: 300 * time.Millisecond})
	client := &tls.Config{RootCAs: a.pool()}
	dial := func() *tls.Conn {
		conn, err := tls.Dial("tcp", c.TLSAddr().String(), client)
		if err != nil {
			return nil
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	mute, err := net.Dial("tcp", c.TLSAddr().String()) // never begins a handshake
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	var slow *tls.Conn
	until(t, "a place for the slow one", func() bool { slow = dial(); return slow != nil })
	_, _ = io.WriteString(slow, "500 <85>1 half of")
	until(t, "both to be ended", func() bool { return c.Counts().Refused >= 2 })
	var quick *tls.Conn
	until(t, "a place for the quick one", func() bool { quick = dial(); return quick != nil })
	_, _ = io.WriteString(quick, counted(message(1)))
	until(t, "its message", func() bool { return c.Counts().Messages == 1 })
	_ = c.stop()
}

// A slow file makes senders wait and loses nothing of theirs.
func TestBackPressure(t *testing.T) {
	a := newAuthority(t)
	_, _, server := a.issue(a)
	gate := make(chan struct{})
	var mu sync.Mutex
	seen := map[string]bool{}
	c := start(t, Options{TLS: "127.0.0.1:0", Config: &tls.Config{Certificates: []tls.Certificate{server}}, Append: func(events []detect.Event) error {
		<-gate
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			seen[e.Patients[0]] = true
		}
		return nil
	}})
	const n = 3 * queued
	done := make(chan error, 1)
	go func() {
		conn, err := tls.Dial("tcp", c.TLSAddr().String(), &tls.Config{RootCAs: a.pool()})
		if err == nil {
			defer conn.Close()
			for i := 0; i < n && err == nil; i++ {
				_, err = io.WriteString(conn, counted(message(i)))
			}
		}
		done <- err
	}()
	until(t, "the queue to be full", func() bool { return len(c.queue) == queued })
	close(gate)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	until(t, "everything", func() bool { return c.Counts().Messages == n })
	_ = c.stop()
	if len(seen) != n {
		t.Errorf("%d of %d", len(seen), n)
	}
}

func TestAFileThatFailsEndsIt(t *testing.T) {
	full := errors.New("full")
	c := start(t, Options{UDP: "127.0.0.1:0", Append: func([]detect.Event) error { return full }})
	conn, err := net.Dial("udp", c.UDPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, message(1))
	until(t, "the end", func() bool {
		_, err := c.packets.(*net.UDPConn).WriteTo(nil, c.UDPAddr())
		return errors.Is(err, net.ErrClosed)
	})
	if err := c.stop(); !errors.Is(err, full) || c.Counts().Messages != 0 {
		t.Error(err, c.Counts())
	}
}

func TestTheFileIsMendedAndRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.ndjson")
	for text, want := range map[string]string{"": "", "a\n": "a\n", "a\nhalf": "a\n", "half": "", "a\n" + strings.Repeat("x", 200_000): "a\n", strings.Repeat("x", 200_000): ""} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("%.20q is mended to %.20q", text, got)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e := []detect.Event{{ID: "1", Kind: detect.Read, Agent: "Practitioner/login:kim", Patients: []string{"Patient/1"}}}
	for _, away := range []string{"", path + ".1", path + ".2"} {
		if away != "" {
			if err := os.Rename(path, away); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{path, path + ".1", path + ".2"} {
		if got := patients(t, p); got["Patient/1"] != 1 {
			t.Errorf("%s: %v", filepath.Base(p), got)
		}
	}
	if _, err := OpenFile(t.TempDir()); err == nil {
		t.Error("a directory is written to")
	}
}
