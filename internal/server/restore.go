package server

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/backup"
	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"

	"filippo.io/age"
)

// Restoring says from what an installation is brought back.
type Restoring struct {
	From         string // file of records and log, or the folder that `serve --backup-to` writes
	Keys         string // file of keys; empty: those in the folder
	IdentityFile string // age identity that opens the copies
	KeyFile      string // the custodian's key file of the installation; empty: a passphrase file in the configuration
	Heads        []byte // signed heads kept elsewhere: what is missing shows
}

// Restored tells what came back and whether it holds.
type Restored struct {
	Taken        time.Time     `json:"taken"`        // moment of the copy
	Installation string        `json:"installation"` //
	Rows         int64         `json:"rows"`
	Seconds      float64       `json:"seconds"`
	Report       *audit.Report `json:"-"`
}

// Restore makes the installation of a copy in c.Data, which is new or empty, and verifies it: every entry, root and signature of the
// log and every version of every record against the entry that announced it. On an error nothing is left there.
//
// Errors: outcome.Conflict when the directory is not empty; outcome.Invalid when an identity or key file does not belong to the copy;
// as backup.Restore. A copy that came back and does not hold is no error: Report says so.
func Restore(ctx context.Context, c Config, r Restoring) (done Restored, err error) {
	begun := time.Now()
	c = c.withDefaults()
	if c.Database != "" {
		return done, outcome.New(outcome.NotSupported, "a copy is brought back into a data directory: leave --database empty, then move it")
	}
	if found, err := os.ReadDir(c.Data); err == nil && len(found) > 0 {
		return done, outcome.New(outcome.Conflict, "the directory "+c.Data+" is not empty: name a new one with --data")
	}
	if info, err := os.Stat(r.From); err == nil && !info.IsDir() && r.Keys == "" {
		return done, outcome.New(outcome.Required, "records open only with their keys, which are a copy of their own: name it with --keys F")
	}
	identities, err := readIdentities(r.IdentityFile)
	if err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(c.Data)
		}
	}()
	if err := emptyInstallation(ctx, c, r); err != nil {
		return done, err
	}
	if err := bringBack(ctx, c, r, identities, &done); err != nil {
		return done, err
	}
	report, err := VerifyData(ctx, c, Verification{Heads: r.Heads})
	if err != nil {
		return done, err
	}
	done.Report, done.Seconds = report, time.Since(begun).Seconds()
	return done, nil
}

// Drill restores into a directory of its own, verifies, and throws it away: the proof that a copy is worth its space.
func Drill(ctx context.Context, c Config, r Restoring) (done Restored, err error) {
	dir, err := os.MkdirTemp("", "chartwarden-drill-")
	if err != nil {
		return done, outcome.Wrap("server: drill", outcome.NoStore, "there is no room for temporary files: set TMPDIR", err)
	}
	defer os.RemoveAll(dir)
	return Restore(ctx, Config{Data: filepath.Join(dir, "data"), PassphraseFile: c.PassphraseFile, TimeZone: c.TimeZone}, r)
}

// emptyInstallation makes databases with today's tables, by starting an installation that is replaced afterwards, and puts the
// custodian's key file of the true one beside them.
func emptyInstallation(ctx context.Context, c Config, r Restoring) error {
	scratch := Config{Data: c.Data, TimeZone: c.TimeZone}
	if err := Init(ctx, scratch, true); err != nil {
		return err
	}
	s, err := Open(ctx, scratch, Options{})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	for _, left := range []string{s.Config.HeadFile, s.Config.JournalFile, filepath.Join(c.Data, keyFileName)} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if r.KeyFile == "" {
		return nil
	}
	if _, err := seal.OpenKeyFile(r.KeyFile); err != nil {
		return err
	}
	b, err := os.ReadFile(r.KeyFile)
	if err != nil {
		return outcome.Wrap("server: restore", outcome.NotFound, "the key file cannot be read: check --key-file", err)
	}
	return os.WriteFile(filepath.Join(c.Data, keyFileName), b, 0o600)
}

func bringBack(ctx context.Context, c Config, r Restoring, with []age.Identity, done *Restored) (err error) {
	into := map[string]backup.Target{"journal": {File: c.JournalFile}}
	for name, file := range map[string]string{"keys": keysDB, "records": recordsDB, "audit": auditDB} {
		d, err := db.Open(ctx, filepath.Join(c.Data, file), db.Options{})
		if err != nil {
			return err
		}
		defer d.Close()
		into[name] = backup.Target{DB: d}
	}
	one := func(from string, names ...string) (backup.Manifest, error) {
		c, free, err := openCopy(from, names[0] == "keys", with)
		if err != nil {
			return backup.Manifest{}, err
		}
		defer free()
		some := map[string]backup.Target{}
		for _, n := range names {
			some[n] = into[n]
		}
		return backup.Restore(ctx, c, some)
	}
	records, err := one(r.From, "records", "audit", "journal")
	if err != nil {
		return err
	}
	from := r.Keys
	if from == "" {
		from = r.From // the folder has both
	}
	keys, err := one(from, "keys")
	if err != nil {
		return err
	}
	if keys.Installation != records.Installation {
		return outcome.New(outcome.Invalid, "the keys belong to another installation than the records: name the right --keys")
	}
	done.Taken, done.Installation, done.Rows = records.Taken, records.Installation, records.Rows()+keys.Rows()
	return nil
}

// openCopy opens a file, or the newest copy in a folder of `serve --backup-to`.
func openCopy(from string, keys bool, with []age.Identity) (c backup.Copy, free func(), err error) {
	free = func() {}
	info, err := os.Stat(from)
	if err != nil {
		return nil, free, outcome.Wrap("server: restore", outcome.NotFound, "there is no copy at "+from+": check --from and --keys", err)
	}
	if !info.IsDir() {
		f, err := os.Open(from)
		if err != nil {
			return nil, free, outcome.Wrap("server: restore", outcome.NotFound, "the copy "+from+" cannot be read", err)
		}
		c, err = backup.OpenFile(f, with...)
		return c, func() { _ = f.Close() }, err
	}
	dir := filepath.Join(from, "records")
	if keys {
		days, err := os.ReadDir(filepath.Join(from, "keys"))
		if err != nil || len(days) == 0 {
			return nil, free, outcome.Wrap("server: restore", outcome.NotFound, "the folder "+from+" holds no keys: name them with --keys", err)
		}
		newest := slices.MaxFunc(days, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		dir = filepath.Join(from, "keys", newest.Name())
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, free, outcome.Wrap("server: restore", outcome.NotFound, "the folder "+from+" holds no copies", err)
	}
	r, err := backup.OpenRepository(dir)
	if err != nil {
		return nil, free, err
	}
	c, err = r.Open("", with...)
	return c, free, err
}

func readIdentities(path string) ([]age.Identity, error) {
	if path == "" {
		return nil, outcome.New(outcome.Required, "name the file of the identity that opens the copy: --identity F")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, outcome.Wrap("server: restore", outcome.NotFound, "the identity file cannot be read: check --identity", err)
	}
	defer f.Close()
	out, err := age.ParseIdentities(f)
	if err != nil {
		return nil, outcome.Wrap("server: restore", outcome.Invalid, "the identity file holds no age identity, AGE-SECRET-KEY-1...", err)
	}
	return out, nil
}
