package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

// witnessKey prints the key that a log's configuration names; the first time it makes the witness.
func witnessKey(_ context.Context, l *line) error {
	dir := witnessDir(l)
	name := l.String("name", "", "`NAME` in which a new witness signs, such as witness.example/county; chosen when empty")
	if err := l.parse(); err != nil {
		return err
	}
	if *dir == "" {
		return errNoState
	}
	s, err := witness.MakeKey(*dir, *name)
	if err == nil {
		_, err = fmt.Fprintln(l.out, s.Verifier())
	}
	return err
}

var errNoState = outcome.New(outcome.Required, "name the witness's own directory with --state or CHARTWARDEN_STATE").At("--state")

func witnessDir(l *line) *string {
	var dir string
	l.setting(&dir, "state", "`DIR` of the witness: its key and what it cosigned, a few kilobytes")
	return &dir
}

// witnessServe answers logs until it is told to end.
func witnessServe(ctx context.Context, l *line) error {
	dir := witnessDir(l)
	var logs many
	var listen, cert, key string
	l.Var(&logs, "log", "verifier `KEY` of a log to watch, as `audit verify` and the integrity page show it; repeatable")
	l.StringVar(&listen, "listen", "127.0.0.1:8090", "`ADDR`, host:port")
	l.StringVar(&cert, "tls-cert", "", "PEM `FILE`; logs on other machines want https")
	l.StringVar(&key, "tls-key", "", "PEM `FILE`")
	if err := l.parse(); err != nil {
		return err
	}
	if *dir == "" {
		return errNoState
	}
	if (cert == "") != (key == "") {
		return outcome.New(outcome.Invalid, "give both --tls-cert and --tls-key, or neither")
	}
	var keys []tlog.Verifier
	for _, text := range logs {
		v, err := tlog.ParseVerifier(text)
		if err != nil || v.Cosigns() {
			return outcome.New(outcome.Value, "write --log as the verifier key of a log: ORIGIN+ID+KEY, as `chartwarden audit verify` prints it").At("--log")
		}
		keys = append(keys, v)
	}
	if keys == nil {
		return outcome.New(outcome.Required, "name the logs to watch: --log VKEY ...").At("--log")
	}
	w, err := witness.Open(witness.Options{Dir: *dir, Logs: keys, Logger: logger()})
	if err != nil {
		return err
	}
	defer w.Close()
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return outcome.Wrap("witness", outcome.NoStore, "the address "+listen+" cannot be listened on: name a free port of an address that this machine has", err)
	}
	srv := &http.Server{Handler: w.Handler(), ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(logger().Handler(), slog.LevelWarn)}
	scheme := "http"
	ended := make(chan error, 1)
	go func() {
		if cert != "" {
			ended <- srv.ServeTLS(listener, cert, key)
			return
		}
		ended <- srv.Serve(listener)
	}()
	if cert != "" {
		scheme = "https"
	}
	fmt.Fprintln(os.Stderr, "chartwarden: listening on "+scheme+"://"+listener.Addr().String())
	select {
	case err := <-ended:
		return outcome.Wrap("witness", outcome.NoStore, "the witness stopped by itself: check --tls-cert and --tls-key", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(drain); errors.Is(err, context.DeadlineExceeded) {
		return srv.Close()
	} else if err != nil {
		return err
	}
	return nil
}
