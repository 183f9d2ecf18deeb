package main

import (
	"context"
	"fmt"
	"os"

	"chartwarden/internal/server"
)

// routes opens a throw-away sandbox, since the list is that of a whole server.
func routes(ctx context.Context, l *line) error {
	asJSON := l.Bool("json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "chartwarden-routes-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := server.Config{Data: dir}
	if err := server.Init(ctx, c, true); err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger()})
	if err != nil {
		return err
	}
	defer s.Close()
	type route struct {
		Method string `json:"method"`
		Path   string `json:"path"`
		Action string `json:"action"`
		Public bool   `json:"public"`
	}
	list := []route{}
	for _, r := range s.Routes() {
		list = append(list, route{r.Method, r.Pattern, r.Action, r.Public})
	}
	if *asJSON {
		return writeJSON(l.out, list)
	}
	for _, r := range list {
		if r.Public {
			r.Action = "(public)"
		}
		fmt.Fprintf(l.out, "%-7s %-55s %s\n", r.Method, r.Path, r.Action)
	}
	return nil
}
