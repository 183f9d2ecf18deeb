package server_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/backup"
	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"

	"filippo.io/age"
)

// recovery is a pair of which the installation knows the public half only.
func recovery(t *testing.T) (k *age.X25519Identity, file string) {
	t.Helper()
	k, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(file, []byte(k.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return k, file
}

// copied are the chunks of each table in a copy: equal chunks are equal rows.
func copied(t *testing.T, file string, k age.Identity) map[string][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := backup.Read(f, k)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, p := range m.Sources {
		for _, table := range p.Tables {
			out[p.Name+"."+table.Name] = table.Chunks
		}
	}
	return out
}

func TestAnInstallationComesBackFromItsCopy(t *testing.T) {
	s := servertest.Start(t)
	s.Import(t, servertest.Data(t, "fhir", "synthea", "Alfreda_Wyman_3287b938-4670-47eb-91e5-e0ce3df71405.json.gz"))
	k, identity := recovery(t)
	to, dir := []string{k.Recipient().String()}, t.TempDir()
	out, keys := filepath.Join(dir, "copy"), filepath.Join(dir, "keys")
	done, err := s.Backup(t.Context(), server.Copying{Recipients: to, Out: out, KeysOut: keys})
	if err != nil {
		t.Fatal(err)
	}
	if done.Rows == 0 || !strings.Contains(done.Entry, "/") {
		t.Fatalf("%+v", done)
	}
	if _, err := s.Backup(t.Context(), server.Copying{Recipients: to, Out: out}); !outcome.Is(err, outcome.Conflict) {
		t.Errorf("a copy was overwritten: %v", err)
	}
	head := s.Log.Head()
	s.Stop()
	keyFile := filepath.Join(t.TempDir(), "custodian.key")
	if err := os.Rename(filepath.Join(s.Dir, "custodian.key"), keyFile); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.Dir); err != nil { // the fire
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again")
	r := server.Restoring{From: out, Keys: keys, IdentityFile: identity, KeyFile: keyFile, Heads: head}
	back, err := server.Restore(t.Context(), server.Config{Data: again}, r)
	if err != nil {
		t.Fatal(err)
	}
	if !back.Report.Holds() || back.Report.Stored == 0 || back.Report.Outside != 1 {
		t.Errorf("it does not hold: %+v", back.Report)
	}
	revived := servertest.Open(t, again)
	twin := filepath.Join(dir, "twin")
	if _, err := revived.Backup(t.Context(), server.Copying{Recipients: to, Out: twin}); err != nil {
		t.Fatal(err)
	}
	was, is := copied(t, out, k), copied(t, twin, k)
	for table, chunks := range was {
		if strings.HasPrefix(table, "records.") && !strings.HasPrefix(table, "records.identity_session") && !reflect.DeepEqual(chunks, is[table]) {
			t.Errorf("%s came back otherwise", table)
		}
	}
	// Care goes on: the patient's chart is read, and the log continues under the same origin.
	physician := revived.Person(t, "Ada", "physician", "")
	if a := physician.Get(t, "/fhir/metadata"); a.Status != 200 {
		t.Error(a.Status)
	}
	if revived.Log.State().Cut && dbtest.Engine() == db.SQLite { // the key that signs a node's log is in no copy
		t.Error("the log was cut although nothing is missing")
	}
}

// What is missing since the copy shows against a head kept elsewhere; the installation opens all the same.
func TestARestoreTellsWhatIsMissing(t *testing.T) {
	s := servertest.Start(t)
	k, identity := recovery(t)
	out, keys := filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "keys")
	if _, err := s.Backup(t.Context(), server.Copying{Recipients: []string{k.Recipient().String()}, Out: out, KeysOut: keys}); err != nil {
		t.Fatal(err)
	}
	s.Person(t, "Bo", "nurse", "") // after the copy
	s.Stop()
	back, err := server.Restore(t.Context(), server.Config{Data: filepath.Join(t.TempDir(), "again")},
		server.Restoring{From: out, Keys: keys, IdentityFile: identity, KeyFile: filepath.Join(s.Dir, "custodian.key"), Heads: s.Log.Head()})
	if err != nil {
		t.Fatal(err)
	}
	if back.Report.Holds() {
		t.Error("a restore of an older state holds against a newer head")
	}
}

// An emergency journal that survived on its own volume may hold entries that the copy does not: a restore leaves it alone.
func TestARestoreKeepsTheJournalThatSurvived(t *testing.T) {
	s := servertest.Start(t)
	k, identity := recovery(t)
	out, keys := filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "keys")
	if _, err := s.Backup(t.Context(), server.Copying{Recipients: []string{k.Recipient().String()}, Out: out, KeysOut: keys}); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	volume := filepath.Join(t.TempDir(), "emergency.journal")
	if err := os.Rename(s.Config.JournalFile, volume); err != nil {
		t.Fatal(err)
	}
	was, err := os.Stat(volume)
	if err != nil {
		t.Fatal(err)
	}
	back, err := server.Restore(t.Context(), server.Config{Data: filepath.Join(t.TempDir(), "again"), JournalFile: volume},
		server.Restoring{From: out, Keys: keys, IdentityFile: identity, KeyFile: filepath.Join(s.Dir, "custodian.key")})
	if err != nil || !back.Report.Holds() {
		t.Errorf("%v %+v", err, back.Report)
	}
	if is, err := os.Stat(volume); err != nil || !os.SameFile(was, is) {
		t.Error("the journal that survived was replaced")
	}
}

func TestACopyWithoutItsKeysOpensNothing(t *testing.T) {
	s := servertest.Start(t)
	s.Import(t, servertest.Data(t, "fhir", "synthea", "Alfreda_Wyman_3287b938-4670-47eb-91e5-e0ce3df71405.json.gz"))
	k, identity := recovery(t)
	dir := t.TempDir()
	out, keys := filepath.Join(dir, "copy"), filepath.Join(dir, "keys")
	if _, err := s.Backup(t.Context(), server.Copying{Recipients: []string{k.Recipient().String()}, Out: out, KeysOut: keys}); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(s.Dir, "custodian.key")
	other := servertest.Start(t)
	_, stranger := recovery(t)
	for name, c := range map[string]struct {
		r    server.Restoring
		code outcome.Code
	}{
		"another's identity":       {server.Restoring{From: out, Keys: keys, IdentityFile: stranger, KeyFile: own}, outcome.Invalid},
		"no keys":                  {server.Restoring{From: out, IdentityFile: identity, KeyFile: own}, outcome.Required},
		"another's key file":       {server.Restoring{From: out, Keys: keys, IdentityFile: identity, KeyFile: filepath.Join(other.Dir, "custodian.key")}, outcome.Invalid},
		"records in keys":          {server.Restoring{From: keys, Keys: out, IdentityFile: identity, KeyFile: own}, outcome.Invalid},
		"no such file":             {server.Restoring{From: out + "x", Keys: keys, IdentityFile: identity, KeyFile: own}, outcome.NotFound},
		"no identity":              {server.Restoring{From: out, Keys: keys, KeyFile: own}, outcome.Required},
		"an identity that is none": {server.Restoring{From: out, Keys: keys, IdentityFile: own, KeyFile: own}, outcome.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "again")
			_, err := server.Restore(t.Context(), server.Config{Data: data}, c.r)
			if !outcome.Is(err, c.code) {
				t.Errorf("%v", err)
			}
			if left, _ := os.ReadDir(data); len(left) > 0 {
				t.Error("something was left behind")
			}
		})
	}
	plain, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Wyman", "Alfreda", "Observation"} {
		if bytes.Contains(plain, []byte(name)) {
			t.Errorf("the copy shows %s", name)
		}
	}
}

func TestContinuousCopies(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	k, identity := recovery(t)
	c := server.Config{Data: dir, BackupTo: to, BackupRecipients: k.Recipient().String()}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	start, days := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC), atomic.Int64{}
	s, err := server.Open(t.Context(), c, server.Options{Now: func() time.Time { return start.AddDate(0, 0, int(days.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		if _, err := s.BackupInto(t.Context()); err != nil {
			t.Fatal(err)
		}
		days.Add(20)
	}
	kept, err := os.ReadDir(filepath.Join(to, "keys"))
	if err != nil || len(kept) != 2 || kept[0].Name() != "2026-11-21" {
		t.Errorf("keys of %v remain: %v", kept, err)
	}
	done, err := server.Drill(t.Context(), server.Config{}, server.Restoring{From: to, IdentityFile: identity, KeyFile: filepath.Join(dir, "custodian.key")})
	if err != nil || !done.Report.Holds() || !done.Taken.Equal(time.Date(2026, 12, 11, 3, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v %v", done, err)
	}
}
