package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/backup"
	"chartwarden/internal/outcome"

	"filippo.io/age"
)

// rebuilt are the tables that a copy leaves out: those that followers of the log write anew from its entries, and those by which the
// nodes of a database agree, which SQLite does not have.
var rebuilt = []string{"cursor", "lookup", "chain", "number", "shredding"}

// keysKept is how long copies of the keys live: what was shredded is beyond recovery when the last copy from before is gone.
const keysKept = 30 * 24 * time.Hour

// Copying says where a copy goes and to which public keys it is sealed. The identity that opens it belongs neither on this machine nor
// to its administrators.
type Copying struct {
	Recipients []string // age recipients
	Out        string   // file for records and log
	KeysOut    string   // file for the wrapped keys, which never lie with the records; empty: none
}

// Copied says what a copy holds.
type Copied struct {
	Taken time.Time `json:"taken"`
	Out   string    `json:"out"`
	Rows  int64     `json:"rows"`
	Bytes int64     `json:"bytes"` // written now; of a folder only what was new
	Keys  string    `json:"keys,omitempty"`
	Entry string    `json:"entry"` // of the audit log
}

// Backup writes a copy of the installation to new files, while the server runs. The entry in the log comes first.
//
// Errors: outcome.Invalid for a recipient that is none; outcome.Conflict when a file exists; as backup.WriteFile.
func (s *Server) Backup(ctx context.Context, c Copying) (done Copied, err error) {
	to, err := recipients(c.Recipients)
	if err != nil {
		return done, err
	}
	if c.Out == "" {
		return done, outcome.New(outcome.Required, "name the file to write: --out F")
	}
	for _, f := range []string{c.Out, c.KeysOut} {
		if _, err := os.Stat(f); f != "" && err == nil {
			return done, outcome.New(outcome.Conflict, "there is a file "+f+" already: a copy never overwrites another")
		}
	}
	about, entry, err := s.announce(ctx, "a copy to one file, sealed to "+strings.Join(c.Recipients, ", "))
	if err != nil {
		return done, err
	}
	done = Copied{Taken: about.Taken, Out: c.Out, Keys: c.KeysOut, Entry: entry}
	m, size, err := copyTo(ctx, c.Out, about, s.sources(), to)
	if err != nil {
		return done, err
	}
	done.Rows, done.Bytes = m.Rows(), size
	if c.KeysOut != "" {
		if _, _, err = copyTo(ctx, c.KeysOut, about, s.keySources(), to); err != nil {
			return done, err
		}
	}
	return done, nil
}

// copyTo writes one file under another name first: a name stands for a whole copy.
func copyTo(ctx context.Context, name string, about backup.About, sources []backup.Source, to []age.Recipient) (m backup.Manifest, size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".copy-*")
	if err != nil {
		return m, 0, outcome.Wrap("server: backup", outcome.NoStore, "the file "+name+" cannot be made: check the path, its rights and its space", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	m, err = backup.WriteFile(ctx, f, about, sources, to...)
	if err == nil {
		err = f.Sync()
	}
	if info, failed := f.Stat(); failed == nil {
		size = info.Size()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		err = outcome.Wrap("server: backup", outcome.NoStore, "the copy cannot be written to "+name, err)
	}
	return m, size, err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// BackupInto adds a copy to the folder of the configuration: what changed since the last one. Keys go to a folder of their own below
// it, one for each day, and are removed after 30 days.
func (s *Server) BackupInto(ctx context.Context) (done Copied, err error) {
	to, err := recipients(s.Config.recipients())
	if err != nil {
		return done, err
	}
	about, entry, err := s.announce(ctx, "a copy to the folder, sealed to "+s.Config.BackupRecipients)
	if err != nil {
		return done, err
	}
	records, err := backup.OpenRepository(filepath.Join(s.Config.BackupTo, "records"))
	if err != nil {
		return done, err
	}
	keysDir := filepath.Join(s.Config.BackupTo, "keys")
	keys, err := backup.OpenRepository(filepath.Join(keysDir, about.Taken.UTC().Format(time.DateOnly)))
	if err != nil {
		return done, err
	}
	done = Copied{Taken: about.Taken, Out: s.Config.BackupTo, Entry: entry}
	m, added, err := records.Add(ctx, about, s.sources(), to...)
	if err != nil {
		return done, err
	}
	_, more, err := keys.Add(ctx, about, s.keySources(), to...) // after the records: a key is durable before what it seals
	if err != nil {
		return done, err
	}
	done.Rows, done.Bytes = m.Rows(), added+more
	return done, forgetKeys(keysDir, about.Taken)
}

// forgetKeys removes the days of keys that are too old.
func forgetKeys(dir string, now time.Time) error {
	days, err := os.ReadDir(dir)
	if err != nil {
		return outcome.Wrap("server: backup", outcome.NoStore, "the folder of keys cannot be read", err)
	}
	for _, d := range days {
		if day, err := time.Parse(time.DateOnly, d.Name()); err == nil && now.Sub(day) > keysKept+24*time.Hour {
			if err := os.RemoveAll(filepath.Join(dir, d.Name())); err != nil {
				return outcome.Wrap("server: backup", outcome.NoStore, "old keys cannot be removed: what was erased stays recoverable until they are", err)
			}
		}
	}
	return nil
}

// announce writes the entry of a copy and says whose it is.
func (s *Server) announce(ctx context.Context, text string) (backup.About, string, error) {
	if s.trail == nil || s.Log.State().Journaling {
		return backup.About{}, "", outcome.New(outcome.NoStore, "the audit log cannot be written, so no copy is made: the last one stays the newest")
	}
	logged, err := s.Log.Note(ctx, audit.Event{Kind: audit.Job, Agent: audit.Agent{Job: "backup"}, Action: "E", Interaction: "backup",
		Class: audit.Machine, Purpose: "HSYSADMIN", Text: text})
	if err != nil {
		return backup.About{}, "", err
	}
	return backup.About{Installation: s.ring.Installation(), Sandbox: s.Sandbox(), Program: Version, Taken: s.options.Now().UTC(),
		Head: string(s.Log.Head())}, logged.Entry(), nil
}

func (s *Server) sources() []backup.Source {
	return []backup.Source{{Name: "records", DB: s.records, Skip: rebuilt}, {Name: "audit", DB: s.trail, Skip: rebuilt}, {Name: "journal", File: s.Config.JournalFile}}
}

func (s *Server) keySources() []backup.Source {
	return []backup.Source{{Name: "keys", DB: s.keys, Skip: rebuilt}, {Name: "node", File: filepath.Join(s.Config.Data, nodeKeyName)}}
}

func recipients(texts []string) ([]age.Recipient, error) {
	var out []age.Recipient
	for _, text := range texts {
		parsed, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil {
			return nil, outcome.New(outcome.Value, "a recipient is an age public key, age1...; make a pair on another machine with `chartwarden recovery-key` and keep its identity there").At("--recipient")
		}
		out = append(out, parsed...)
	}
	if len(out) == 0 {
		return nil, outcome.New(outcome.Required, "name the public key to which copies are sealed: --recipient age1...").At("--recipient")
	}
	return out, nil
}

// recipients are the configured ones.
func (c Config) recipients() []string {
	return slices.DeleteFunc(strings.Split(c.BackupRecipients, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
}

// backups adds a copy each few minutes while the server runs. A copy that fails stops nothing else; it is told, and its age is a metric.
func (s *Server) backups(ctx context.Context) {
	if s.Config.BackupTo == "" {
		return
	}
	every := time.NewTicker(s.Config.backupEvery())
	defer every.Stop()
	for {
		if done, err := s.BackupInto(ctx); err == nil {
			s.lastCopy.Store(done.Taken.Unix())
		} else if ctx.Err() == nil {
			s.options.Logger.Error("no copy was made; the last one stays the newest", "folder", s.Config.BackupTo, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}
