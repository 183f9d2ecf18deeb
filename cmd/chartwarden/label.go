package main

import (
	"context"
	"fmt"

	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// labelRecords gives older records the sensitivity labels that the rules of this version say.
func labelRecords(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	if err := l.parse(); err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger()})
	if err != nil {
		return err
	}
	defer s.Close()
	if s.Watches() {
		return outcome.New(outcome.Conflict, "this installation watches another record system and holds no charts")
	}
	screen := terminal()
	n, err := s.Gate.LabelAll(ctx, func(n int) {
		if screen != nil {
			fmt.Fprintf(screen, "\r%d labelled", n)
		}
	})
	if screen != nil {
		fmt.Fprintln(screen)
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(l.out, "%d records got a label\n", n); err != nil {
		return err
	}
	return s.Close()
}
