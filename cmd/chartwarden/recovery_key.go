package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"filippo.io/age"

	"chartwarden/internal/outcome"
)

// recoveryKey makes the pair of keys that copies are sealed to and opened with, as age-keygen does, for sites that have only this program.
// It needs no installation, and belongs on another machine than the server's.
func recoveryKey(_ context.Context, l *line) error {
	to := l.String("out", "", "`F` to write the identity to, which opens the copies; it must not exist")
	if err := l.parse(); err != nil {
		return err
	}
	if *to == "" {
		return outcome.New(outcome.Required, "name the file to write the identity to: --out F").At("--out")
	}
	pair, err := age.GenerateX25519Identity()
	if err != nil {
		return outcome.Wrap("recovery key", outcome.Exception, "no key could be made, please try again", err)
	}
	f, err := os.OpenFile(*to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return outcome.New(outcome.Value, *to+" is there already, and copies may hang on it: name another file").At("--out")
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "# recipient: %s\n%s\n", pair.Recipient(), pair)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return outcome.Wrap("recovery key", outcome.NoStore, "the identity cannot be written to "+*to, err)
	}
	fmt.Fprintf(l.out, "%s\n", pair.Recipient())
	fmt.Fprintf(os.Stderr, "chartwarden: %s opens every copy sealed to this recipient. Keep it off the server and away from its administrators, twice; lost, no copy opens.\n", *to)
	return nil
}
