package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// watchAnother runs an installation that watches another system, until it is told to end.
func watchAnother(ctx context.Context, l *line) error {
	var c server.Config
	var w server.Watched
	l.installation(&c)
	l.listening(&c)
	l.StringVar(&w.Incoming, "incoming", "", "`DIR` into which the other system's log files come: whole ones, and such that grow; they are read and left alone")
	l.StringVar(&w.Context, "context", "", "`DIR` that says who is who: FHIR R4 NDJSON, hr.csv, roster.csv, leavers.csv, devices.csv; read again where it changes")
	form := formOf(l, "auto")
	l.StringVar(&w.UDP, "syslog-udp", "", "`ADDR` on which audit messages are taken as datagrams (RFC 5426); anybody who reaches it can send some")
	l.StringVar(&w.TLS, "syslog-tls", "", "`ADDR` on which audit messages are taken by TLS (RFC 5425)")
	cert := l.String("syslog-cert", "", "`FILE` with the certificate for --syslog-tls, PEM")
	key := l.String("syslog-key", "", "`FILE` with its key, PEM")
	authority := l.String("syslog-client-ca", "", "`FILE` with certificates, PEM: only senders that these vouch for are heard")
	l.DurationVar(&w.Silence, "silence", 26*time.Hour, "after how long without anything new the privacy office is told, for example 2h")
	if err := l.parse(); err != nil {
		return err
	}
	var err error
	switch {
	case w.Incoming == "" && w.UDP == "" && w.TLS == "":
		return outcome.New(outcome.Required, "say where the other system's log comes: --incoming DIR, --syslog-tls ADDR or --syslog-udp ADDR")
	case w.Context == "":
		return outcome.New(outcome.Required, "name the directory that says who is who: --context DIR")
	case w.TLS != "" && (*cert == "" || *key == ""):
		return outcome.New(outcome.Required, "--syslog-tls wants --syslog-cert FILE and --syslog-key FILE")
	case w.TLS == "" && *authority != "":
		return outcome.New(outcome.Required, "--syslog-client-ca is for --syslog-tls ADDR")
	case w.Silence <= 0:
		return outcome.New(outcome.Value, "--silence is a time above 0, for example 26h")
	}
	for name, dir := range map[string]string{"--incoming": w.Incoming, "--context": w.Context} {
		if st, err := os.Stat(dir); dir != "" && (err != nil || !st.IsDir()) {
			return outcome.New(outcome.NotFound, name+" names no directory: make "+dir+" first")
		}
	}
	if w.Form, err = form(); err != nil {
		return err
	}
	if w.Form.Zone == nil && c.TimeZone != "" && (w.Form.Map == nil || w.Form.Map.Zone == "") {
		if w.Form.Zone, err = foreign.LoadZone(c.TimeZone); err != nil { // where the site is, its other clocks are
			return err
		}
	}
	if w.TLS != "" {
		if w.Senders, err = senders(*cert, *key, *authority); err != nil {
			return err
		}
	}
	if err := settlePort(&c); err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger(), Commands: controlled, Watched: &w})
	if err != nil {
		return err
	}
	err = s.Serve(ctx, func(url string) {
		if x := s.Collector(); x != nil {
			if a := x.UDPAddr(); a != nil {
				fmt.Fprintln(os.Stderr, "chartwarden: collecting on udp", a)
			}
			if a := x.TLSAddr(); a != nil {
				fmt.Fprintln(os.Stderr, "chartwarden: collecting on tls", a)
			}
		}
		fmt.Fprintln(os.Stderr, "chartwarden: listening on "+url)
	})
	if closed := s.Close(); err == nil {
		err = closed
	}
	return err
}
