package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/tied"
)

// A real certificate authority (Pebble) asks this server over TLS-ALPN and issues its certificate; nothing is taken for granted.
func TestCertificateByACME(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a certificate authority")
	}
	const domain = "charts.hospital.example"
	bin := t.TempDir()
	for _, name := range []string{"pebble", "pebble-challtestsrv"} {
		build := exec.CommandContext(t.Context(), "go", "build", "-modfile=../../tools/go.mod", "-o", filepath.Join(bin, name), "github.com/letsencrypt/pebble/v2/cmd/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			t.Skipf("the certificate authority cannot be built here: %s", bytes.TrimSpace(out))
		}
	}
	dns, directory, ours := free(t), free(t), free(t)
	run(t, filepath.Join(bin, "pebble-challtestsrv"), nil, "-dnsserver", dns, "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-management", free(t))
	roots := authority(t, bin, directory, ours, dns)

	data := t.TempDir()
	c := Config{Data: data, Listen: ours, ACMEDomain: domain, ACMEDirectory: "https://" + directory + "/dir", ACMERoots: roots}
	if err := Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), c, Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if want := "https://" + domain + ":" + port(ours); s.Config.PublicURL != want {
		t.Errorf("it calls itself %s", s.Config.PublicURL)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.Serve(ctx, func(url string) { ready <- url }) }()
	defer func() { stop(); <-ended }()
	if url := <-ready; !strings.HasPrefix(url, "https://") {
		t.Fatal(url)
	}
	var conn *tls.Conn
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(200 * time.Millisecond) { // the authority takes its time
		conn, err = tls.Dial("tcp", ours, &tls.Config{ServerName: domain, InsecureSkipVerify: true})
		if err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		t.Fatal("no certificate:", err)
	}
	defer conn.Close()
	leaf := conn.ConnectionState().PeerCertificates[0]
	if leaf.VerifyHostname(domain) != nil || !strings.Contains(leaf.Issuer.CommonName, "Pebble") {
		t.Errorf("certificate of %v by %s", leaf.DNSNames, leaf.Issuer.CommonName)
	}
	if _, err := tls.Dial("tcp", ours, &tls.Config{ServerName: "other.example", InsecureSkipVerify: true}); err == nil {
		t.Error("a certificate for any name that is asked for")
	}
}

// authority runs Pebble, which reaches names through dns and checks them on our port, and gives the file of its own https root.
func authority(t *testing.T, bin, directory, ours, dns string) (roots string) {
	t.Helper()
	key, cert := selfSigned(t)
	dir := t.TempDir()
	roots = filepath.Join(dir, "cert.pem")
	var portNumber int
	if _, err := fmt.Sscan(port(ours), &portNumber); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{"listenAddress": directory, "managementListenAddress": free(t),
		"certificate": roots, "privateKey": filepath.Join(dir, "key.pem"), "httpPort": 1, "tlsPort": portNumber}})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"cert.pem": cert, "key.pem": key, "config.json": config} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, filepath.Join(bin, "pebble"), []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=20"}, "-config", filepath.Join(dir, "config.json"), "-dnsserver", dns)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		answer, err := client.Get("https://" + directory + "/dir")
		if err == nil {
			answer.Body.Close()
			return roots
		}
		if time.Now().After(end) {
			t.Fatal("the authority does not answer: ", err)
		}
	}
}

// A renewed pair of files is taken up, half of one is not.
func TestRenewedCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	f := &certificateFiles{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	clock := time.Now()
	f.now = func() time.Time { return clock }
	write := func(name string, b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(2 * time.Minute)
		if err := os.Chtimes(name, clock, clock); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.get(nil); err == nil {
		t.Error("a pair that is not there")
	}
	key, cert := selfSigned(t)
	write(f.key, key)
	write(f.cert, cert)
	serves := func() []byte {
		pair, err := f.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	}
	if !bytes.Equal(serves(), cert) {
		t.Error("not the pair of the files")
	}
	newKey, newCert := selfSigned(t)
	write(f.cert, newCert)
	if !bytes.Equal(serves(), cert) {
		t.Error("half of a renewal serves")
	}
	write(f.key, newKey)
	if !bytes.Equal(serves(), newCert) {
		t.Error("the renewed pair does not serve")
	}
}

func selfSigned(t *testing.T) (key, cert []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// free is a loopback address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// run starts a program that ends with the test.
func run(t *testing.T, program string, env []string, args ...string) {
	t.Helper()
	c := tied.Command(program, args...)
	c.Env = append(os.Environ(), env...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
}
