package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"

	"chartwarden/internal/ingest/collect"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
)

// collectMessages takes audit messages of other systems from the network until it is told to end.
func collectMessages(ctx context.Context, l *line) error {
	var o collect.Options
	l.StringVar(&o.UDP, "udp", "", "`ADDR` for datagrams (RFC 5426); anybody who reaches it can send some")
	l.StringVar(&o.TLS, "tls", "", "`ADDR` for TLS (RFC 5425)")
	cert := l.String("tls-cert", "", "`FILE` with the certificate for --tls, PEM")
	key := l.String("tls-key", "", "`FILE` with its key, PEM")
	authority := l.String("client-ca", "", "`FILE` with certificates, PEM: only senders that these vouch for are heard")
	zone := l.String("zone", "", "time `ZONE` of times that name none, for example America/New_York")
	out := l.String("out", "", "`FILE` of AuditEvents to append to; it may be moved away while this runs")
	if err := l.parse(); err != nil {
		return err
	}
	var err error
	switch {
	case *out == "":
		return outcome.New(outcome.Required, "name the file to append to: --out FILE")
	case o.TLS != "" && (*cert == "" || *key == ""):
		return outcome.New(outcome.Required, "--tls wants --tls-cert FILE and --tls-key FILE")
	case o.TLS == "" && *authority != "":
		return outcome.New(outcome.Required, "--client-ca is for --tls ADDR")
	}
	if o.TLS != "" {
		if o.Config, err = senders(*cert, *key, *authority); err != nil {
			return err
		}
	}
	if *zone != "" {
		if o.Zone, err = foreign.LoadZone(*zone); err != nil {
			return err
		}
	}
	o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	file, err := collect.OpenFile(*out)
	if err != nil {
		return err
	}
	defer file.Close()
	o.Append = file.Append
	c, err := collect.Listen(o)
	if err != nil {
		return err
	}
	if a := c.UDPAddr(); a != nil {
		fmt.Fprintln(os.Stderr, "chartwarden: collecting on udp", a)
	}
	if a := c.TLSAddr(); a != nil {
		fmt.Fprintln(os.Stderr, "chartwarden: collecting on tls", a)
	}
	if err := c.Run(ctx); err != nil {
		return err
	}
	n := c.Counts()
	fmt.Fprintf(l.out, "%d messages appended, %d rejected, %d datagrams dropped, %d connections, %d refused\n", n.Messages, n.Rejected, n.Dropped, n.Connections, n.Refused)
	return nil
}

// senders is the encryption of the listener.
func senders(cert, key, authority string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, outcome.Wrap("collect: tls", outcome.Invalid, "the certificate cannot be used: --tls-cert and --tls-key name readable PEM files that belong together", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if authority != "" {
		text, err := os.ReadFile(authority)
		config.ClientCAs = x509.NewCertPool()
		if err != nil || !config.ClientCAs.AppendCertsFromPEM(text) {
			return nil, outcome.New(outcome.Invalid, "--client-ca names no readable PEM file of certificates")
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}
