package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
	"chartwarden/internal/witness"
)

// Init makes a new installation in c.Data: the directory (0700), the custodian's key file or passphrase, the key ring. It refuses a
// directory that holds one. Sandbox is bound under the custodian and can never be changed.
func Init(ctx context.Context, c Config, sandbox bool) error {
	c = c.withDefaults()
	if err := c.check(sandbox); err != nil { // before anything exists: a second attempt would be refused
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, keysDB)); err == nil {
		return outcome.New(outcome.Conflict, "this directory already holds an installation: name another, or start that one with `chartwarden serve`")
	}
	if c.Database != "" { // before anything exists
		keys, err := c.openDB(ctx, keysDB)
		if err != nil {
			return err
		}
		_ = keys.Close()
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return outcome.Wrap("server: init", outcome.NoStore, "the data directory cannot be made: check the path and its rights", err)
	}
	release, err := db.LockDir(c.Data)
	if err != nil {
		return err
	}
	defer release()
	var custodian seal.Custodian
	if c.PassphraseFile != "" {
		custodian, err = passphrase(c.PassphraseFile)
	} else {
		custodian, err = seal.CreateKeyFile(filepath.Join(c.Data, keyFileName))
	}
	if err != nil {
		return err
	}
	keys, err := c.openDB(ctx, keysDB)
	if err == nil {
		_, err = seal.Create(ctx, keys, custodian, sandbox)
		_ = keys.Close() // what was created is durable
	}
	if err == nil || c.Database == "" {
		return err
	}
	if c.PassphraseFile == "" {
		_ = os.Remove(filepath.Join(c.Data, keyFileName)) // nothing is wrapped by it
	}
	if outcome.Is(err, outcome.Conflict) {
		return outcome.New(outcome.Conflict, "this database already holds an installation: for another node copy "+keyFileName+" of the first into the data directory and run `chartwarden serve --node NAME`")
	}
	return err
}

// openKeys unwraps the key ring with the custodian's secret.
func (s *Server) openKeys(ctx context.Context) error {
	var custodian seal.Custodian
	var err error
	if s.Config.PassphraseFile != "" {
		custodian, err = passphrase(s.Config.PassphraseFile)
	} else if s.Config.Data == "" {
		err = outcome.New(outcome.NotFound, "no data directory and no passphrase file was named")
	} else {
		custodian, err = seal.OpenKeyFile(filepath.Join(s.Config.Data, keyFileName))
	}
	if outcome.Is(err, outcome.NotFound) && s.Config.Database != "" {
		return outcome.Wrap("server: keys", outcome.NotFound, "the data directory has no "+keyFileName+": run `chartwarden init` first, or for another node copy that file of the first", err)
	}
	if err != nil {
		return err
	}
	s.custodian = custodian
	if s.keys, err = s.openDB(ctx, keysDB); err != nil {
		return err
	}
	s.ring, err = seal.Open(ctx, s.keys, custodian)
	return err
}

func passphrase(path string) (seal.Custodian, error) {
	words, err := os.ReadFile(path)
	if err != nil {
		return nil, outcome.Wrap("server: passphrase", outcome.NotFound, "the passphrase file cannot be read: check --passphrase-file", err)
	}
	return seal.OpenPassphrase(bytes.TrimSpace(words))
}

func (s *Server) auditOptions() audit.Options {
	return audit.Options{Witnesses: s.witnesses(), Alone: s.Config.Witnesses == noWitness, Client: s.options.Outward, DB: s.trail, Box: s.ring.Box("audit"), Origin: s.origin(), Node: s.Config.Node, Secret: s.secret, HeadFile: s.Config.HeadFile,
		JournalFile: s.Config.JournalFile, Version: Version, Sandbox: s.ring.Sandbox(), Now: s.options.Now, Logger: s.options.Logger}
}

// witnesses are those of the configuration, which was checked when the server was opened.
func (s *Server) witnesses() []witness.Remote {
	all, _ := s.Config.witnesses()
	for i := range all {
		all[i].Client = s.options.Outward
	}
	return all
}

// origin is the name of this installation's log; a sandbox says so in it.
func (s *Server) origin() string {
	if s.ring.Sandbox() {
		return "chartwarden.example/sandbox/" + s.ring.Installation()
	}
	return "chartwarden.example/log/" + s.ring.Installation()
}
