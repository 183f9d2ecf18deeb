package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// settlePort turns port 0 into a free one before anything is built: discovery and references name the server's own address.
func settlePort(c *server.Config) error {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port != "0" || c.PublicURL != "" {
		return nil
	}
	free, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return outcome.Wrap("serve", outcome.NoStore, "the address "+c.Listen+" cannot be listened on: name one that this machine has", err)
	}
	c.Listen = free.Addr().String()
	return free.Close()
}

func serve(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	l.listening(&c)
	if err := l.parse(); err != nil {
		return err
	}
	if err := settlePort(&c); err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger(), Commands: controlled})
	if err != nil {
		return err
	}
	err = s.Serve(ctx, func(url string) { fmt.Fprintln(os.Stderr, "chartwarden: listening on "+url) })
	if closed := s.Close(); err == nil {
		err = closed
	}
	return err
}
