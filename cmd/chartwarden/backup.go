package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// copyRequest is the request of `backup`.
type copyRequest struct {
	server.Copying
	JSON bool
}

// backupNow writes one copy, beside a running server too.
func backupNow(ctx context.Context, l *line) error {
	var c server.Config
	var r copyRequest
	l.installation(&c)
	l.StringVar(&r.Out, "out", "", "`F` to write records and log to; sealed")
	l.StringVar(&r.KeysOut, "keys-out", "", "`F` to write the wrapped keys to, which belong elsewhere and are kept for 30 days at most")
	l.Var((*many)(&r.Recipients), "recipient", "age public `KEY` to which the copy is sealed, repeatable; its identity belongs to neither this machine nor its administrators")
	l.BoolVar(&r.JSON, "json", false, "say what was written as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.Out == "" {
		return outcome.New(outcome.Required, "name the file to write: --out F")
	}
	for _, f := range []*string{&r.Out, &r.KeysOut} { // a running server works in another directory
		if *f == "" {
			continue
		}
		var err error
		if *f, err = filepath.Abs(*f); err != nil {
			return err
		}
	}
	return carryOut(ctx, c, "backup", r, l.out)
}

func writeCopy(ctx context.Context, s *server.Server, r copyRequest, out *bytes.Buffer) error {
	done, err := s.Backup(ctx, r.Copying)
	if err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(out, done)
	}
	fmt.Fprintf(out, "%s: %d rows, %d bytes, sealed. The copy is entry %s.\n", done.Out, done.Rows, done.Bytes, done.Entry)
	if done.Keys == "" {
		fmt.Fprintln(out, "It opens nothing without the keys: copy them too with --keys-out F, to another place, and keep the custodian's key file or passphrase.")
	} else {
		fmt.Fprintf(out, "%s: the wrapped keys. Keep it elsewhere, for 30 days at most, and the custodian's key file or passphrase for ever.\n", done.Keys)
	}
	fmt.Fprintf(out, "Try it:  chartwarden restore --from %s --drill --keys F --identity F --key-file F\n", done.Out)
	return nil
}
