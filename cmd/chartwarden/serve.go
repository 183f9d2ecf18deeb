package main

import (
	"context"
	"fmt"
	"os"

	"chartwarden/internal/server"
)

func serve(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	l.listening(&c)
	_ = l.String("node", "", "`NAME` of this node; one node in this version")
	if err := l.parse(); err != nil {
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
