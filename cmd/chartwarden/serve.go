package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"chartwarden/internal/server"
)

func serve(ctx context.Context, args []string, _ io.Writer) error {
	var c server.Config
	fs := flags("serve", &c)
	serving(fs, &c)
	_ = fs.String("node", "", "name of this node; one node in this version")
	if err := parse(fs, args, false); err != nil {
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

// controlled are the commands that a running server carries out for another process.
var controlled = map[string]server.Command{"person": personCommand, "policy": policyExplain}
