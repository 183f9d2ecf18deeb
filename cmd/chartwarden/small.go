package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"chartwarden/internal/server"
)

func version(_ context.Context, args []string, out io.Writer) error {
	_, err := fmt.Fprintln(out, "chartwarden", server.Version)
	return err
}

// config prints the effective configuration; it holds no secret, only where secrets lie.
func config(_ context.Context, args []string, out io.Writer) error {
	var c server.Config
	fs := flags("config", &c)
	serving(fs, &c)
	if err := parse(fs, args, false); err != nil {
		return err
	}
	return writeJSON(out, c.Effective())
}

// routes opens a throw-away sandbox, since the list is that of a whole server.
func routes(ctx context.Context, args []string, out io.Writer) error {
	var c server.Config
	fs := flags("routes", &c)
	asJSON := fs.Bool("json", false, "as JSON")
	if err := parse(fs, args, false); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "chartwarden-routes-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c = server.Config{Data: dir}
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
	var list []route
	for _, r := range s.Routes() {
		list = append(list, route{r.Method, r.Pattern, r.Action, r.Public})
	}
	if *asJSON {
		return writeJSON(out, list)
	}
	for _, r := range list {
		fmt.Fprintf(out, "%-7s %-55s %s\n", r.Method, r.Path, r.Action)
	}
	return nil
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
