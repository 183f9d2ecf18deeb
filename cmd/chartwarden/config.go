package main

import (
	"cmp"
	"context"
	"fmt"

	"chartwarden/internal/server"
)

// config prints the effective configuration; it holds no secret, only where secrets lie.
func config(_ context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	l.listening(&c)
	_ = l.Bool("json", true, "as JSON, which it is unless --explain is given")
	tell := l.Bool("explain", false, "as text: each setting, where it comes from and what it means")
	if err := l.parse(); err != nil {
		return err
	}
	if *tell {
		origins := c.Origins
		c = c.Shown()
		for _, s := range server.Settings(&c) {
			fmt.Fprintf(l.out, "--%s %s\n    %s: %s\n", s.Flag, *s.Value, cmp.Or(origins[s.Flag], server.FromDefault), s.Means)
		}
		return nil
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
