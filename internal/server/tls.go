package server

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"chartwarden/internal/outcome"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// tls is the encryption of this server's own listener; nil where a proxy or nobody encrypts. Files are read before anything listens.
func (s *Server) tls() (*tls.Config, error) {
	switch {
	case s.Config.TLSCert != "":
		f := &certificateFiles{cert: s.Config.TLSCert, key: s.Config.TLSKey, now: s.options.Now}
		if _, err := f.get(nil); err != nil {
			return nil, outcome.Wrap("server: tls", outcome.Invalid, "the certificate cannot be used: --tls-cert and --tls-key name readable PEM files that belong together", err)
		}
		return &tls.Config{GetCertificate: f.get, MinVersion: tls.VersionTLS12}, nil
	case s.Config.ACMEDomain != "":
		return s.acme()
	}
	return nil, nil
}

// certificateFiles is a pair of files that somebody else renews: a new pair is taken up within a minute, without a restart.
type certificateFiles struct {
	cert, key string
	now       func() time.Time

	mu     sync.Mutex
	held   *tls.Certificate
	stamp  time.Time // of the certificate's file
	looked time.Time
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held != nil && f.now().Sub(f.looked) < time.Minute {
		return f.held, nil
	}
	f.looked = f.now()
	info, err := os.Stat(f.cert)
	if err == nil && (f.held == nil || !info.ModTime().Equal(f.stamp)) {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(f.cert, f.key); err == nil {
			f.held, f.stamp = &pair, info.ModTime()
		}
	}
	if f.held != nil { // half a renewal: the old pair serves until the new one is whole
		return f.held, nil
	}
	return nil, err
}

// acme gets the certificate by the TLS-ALPN challenge, on the port that serves anyway (RFC 8737). Account and certificate are kept in
// the data directory.
func (s *Server) acme() (*tls.Config, error) {
	client := &acme.Client{DirectoryURL: s.Config.ACMEDirectory}
	if client.DirectoryURL == "" {
		client.DirectoryURL = acme.LetsEncryptURL
	}
	if s.Config.ACMERoots != "" {
		text, err := os.ReadFile(s.Config.ACMERoots)
		roots := x509.NewCertPool()
		if err != nil || !roots.AppendCertsFromPEM(text) {
			return nil, outcome.Wrap("server: tls", outcome.Invalid, "--acme-roots names no readable PEM file of certificates", err)
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		client.HTTPClient = &http.Client{Transport: transport, Timeout: time.Minute}
	}
	m := &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(s.Config.Data, "acme")),
		HostPolicy: autocert.HostWhitelist(s.Config.ACMEDomain), Email: s.Config.ACMEEmail, Client: client}
	c := m.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	return c, nil
}
