package main

import (
	"context"
	"fmt"

	"chartwarden/internal/server"
)

// config prints the effective configuration; it holds no secret, only where secrets lie.
func config(_ context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	l.listening(&c)
	_ = l.Bool("json", true, "as JSON, which it always is")
	if err := l.parse(); err != nil {
		return err
	}
	return writeJSON(l.out, c.Shown())
}

func version(_ context.Context, l *line) error {
	if err := l.parse(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(l.out, "chartwarden", server.Version)
	return err
}
