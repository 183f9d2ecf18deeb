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

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/backup"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
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
	At           time.Time     `json:"at"`           // when it was done
	Taken        time.Time     `json:"taken"`        // moment of the copy
	Installation string        `json:"installation"` //
	Rows         int64         `json:"rows"`
	Erased       int           `json:"erased"` // charts whose keys came back and were destroyed again, as the log says
	Seconds      float64       `json:"seconds"`
	Report       *audit.Report `json:"-"`
}

// Restore makes the installation of a copy in c.Data, which is new or empty, with its tables in c.Database where one is named, which is
// empty too. Keys of charts that were erased since are destroyed again, for which the custodian's secret is needed. Then it verifies: every
// entry, root and signature of the log and every version of every record against the entry that announced it. On an error nothing is left
// in the directory nor where the emergency journal lies, and the database is to be made anew.
//
// Errors: outcome.Conflict when the directory is not empty, or the database holds an installation; outcome.Invalid when an identity, the
// keys or the custodian's secret do not belong to the copy; as backup.Restore. A copy that came back and does not hold is no error: Report says so.
func Restore(ctx context.Context, c Config, r Restoring) (done Restored, err error) {
	begun := time.Now()
	c = c.withDefaults()
	if err := c.checkDatabase(); err != nil {
		return done, err
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
	_, found := os.Stat(c.JournalFile)
	defer func() {
		if err != nil {
			_ = os.RemoveAll(c.Data)
			if errors.Is(found, fs.ErrNotExist) { // else it survived what the copy is for
				_ = os.Remove(c.JournalFile)
			}
		}
	}()
	if err := emptyInstallation(ctx, c, r); err != nil {
		return done, err
	}
	if err := bringBack(ctx, c, r, identities, &done); err != nil {
		return done, err
	}
	unread, err := eraseAgain(ctx, c, &done)
	if err != nil {
		return done, err
	}
	report, err := VerifyData(ctx, c, Verification{Heads: r.Heads})
	if err != nil {
		return done, err
	}
	for _, fault := range unread {
		report.Add(fault)
	}
	done.At = time.Now().UTC()
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
	if c.Database != "" { // its directory is none of an installation with tables of its own
		dir, err := os.MkdirTemp("", "chartwarden-restore-")
		if err != nil {
			return outcome.Wrap("server: restore", outcome.NoStore, "there is no room for temporary files: set TMPDIR", err)
		}
		defer os.RemoveAll(dir)
		scratch.Data, scratch.Database, scratch.Node = filepath.Join(dir, "data"), c.Database, c.Node
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return outcome.Wrap("server: restore", outcome.NoStore, "the data directory cannot be made: check the path and its rights", err)
		}
	}
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
	nodeKey := filepath.Join(c.Data, nodeKeyName)
	into := map[string]backup.Target{"journal": {File: c.JournalFile}, "node": {File: nodeKey}}
	for name, file := range map[string]string{"keys": keysDB, "records": recordsDB, "audit": auditDB} {
		d, err := c.openDB(ctx, file)
		if err != nil {
			return err
		}
		defer d.Close()
		into[name] = backup.Target{DB: d}
	}
	from := r.Keys
	if from == "" {
		from = r.From // the folder has both
	}
	records, free, err := openCopy(r.From, false, with)
	if err != nil {
		return err
	}
	defer free()
	keys, free, err := openCopy(from, true, with)
	if err != nil {
		return err
	}
	defer free()
	if keys.Header().Installation != records.Header().Installation { // before anything is written
		return outcome.New(outcome.Invalid, "the keys belong to another installation than the records: name the right --keys")
	}
	one := func(c backup.Copy, names ...string) (backup.Manifest, error) {
		some := map[string]backup.Target{}
		for _, n := range names {
			some[n] = into[n]
		}
		return backup.Restore(ctx, c, some)
	}
	told, err := one(records, "records", "audit", "journal")
	if err != nil {
		return err
	}
	secrets, err := one(keys, "keys", "node")
	if err != nil {
		return err
	}
	if _, err := os.Stat(nodeKey); errors.Is(err, fs.ErrNotExist) && c.Database != "" {
		if err := os.WriteFile(nodeKey, []byte(keyringWord+"\n"), 0o600); err != nil { // it lay in files, whose log is signed by the key ring
			return outcome.Wrap("server: restore", outcome.NoStore, "the node's key file cannot be written: check the data directory", err)
		}
	}
	done.Taken, done.Installation, done.Rows = told.Taken, told.Installation, told.Rows()+secrets.Rows()
	return nil
}

// eraseAgain destroys the keys that the log says were destroyed: the copy of the keys may be older than that. unread are the entries of
// which nobody knows here whether, or whom, they erase.
func eraseAgain(ctx context.Context, c Config, done *Restored) (unread []audit.Fault, err error) {
	s := &Server{Config: c}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.openKeys(ctx); err != nil {
		return nil, err
	}
	trail, err := s.openDB(ctx, auditDB)
	if err != nil {
		return nil, err
	}
	var erased []int64
	if err := audit.Scan(ctx, trail, s.ring.Box("audit"), []audit.Kind{audit.Keys}, func(r audit.Read) error {
		if r.Damaged || r.Withheld > 0 && (r.Event.Interaction == "" || r.Event.Interaction == access.Shredding) {
			unread = append(unread, audit.Fault{Log: r.Origin, Index: r.Index.Number(), What: "is about keys and cannot be read here: whether it erases a chart that is back is not known"})
		}
		for _, part := range r.Event.Patients {
			if r.Event.Interaction == access.Shredding && part.Patient != 0 {
				erased = append(erased, int64(part.Patient))
			}
		}
		return nil
	}); err != nil {
		return unread, err
	}
	for _, patient := range erased {
		if err := s.ring.Box("record").Shred(ctx, patient, record.ChartKey); err != nil {
			return unread, err
		}
	}
	done.Erased = len(erased)
	return unread, nil
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
