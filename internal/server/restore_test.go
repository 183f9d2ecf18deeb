package server_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
)

// copyOf writes a copy of records and keys.
func copyOf(t *testing.T, s *servertest.Server, recipient string) (records, keys string) {
	t.Helper()
	dir := t.TempDir()
	records, keys = filepath.Join(dir, "copy"), filepath.Join(dir, "keys")
	if _, err := s.Backup(t.Context(), server.Copying{Recipients: []string{recipient}, Out: records, KeysOut: keys}); err != nil {
		t.Fatal(err)
	}
	return records, keys
}

// A chart that was erased stays erased, also when the keys come from a copy that is older than that.
func TestARestoreErasesAgain(t *testing.T) {
	s := servertest.Start(t)
	s.Import(t, servertest.Data(t, "fhir", "synthea", "Alfreda_Wyman_3287b938-4670-47eb-91e5-e0ce3df71405.json.gz"))
	found := firstID(t, s.Person(t, "Dana", "front-desk", "").Get(t, "/fhir/Patient?_count=1").Body)
	k, identity := recovery(t)
	_, older := copyOf(t, s, k.Recipient().String())
	if err := s.Gate.ShredNow(t.Context(), access.Job(access.Operator), found, "asked for"); err != nil {
		t.Fatal(err)
	}
	newer, _ := copyOf(t, s, k.Recipient().String())
	s.Stop()
	into := dbtest.New(t)
	into.Dir = filepath.Join(into.Dir, "again")
	back, err := server.Restore(t.Context(), server.Config{Data: into.Dir, Database: into.URL},
		server.Restoring{From: newer, Keys: older, IdentityFile: identity, KeyFile: filepath.Join(s.Dir, "custodian.key")})
	if err != nil || !back.Report.Holds() || back.Erased != 1 {
		t.Fatalf("%+v %+v %v", back, back.Report, err)
	}
	revived := servertest.OpenPlace(t, into)
	if _, err := revived.Gate.Read(t.Context(), access.Job("undo"), "Patient", found); !outcome.Is(err, outcome.Deleted) {
		t.Fatalf("the chart is readable again: %v", err)
	}
}

// Whether a chart was erased is not known where the secret is wrong, or the entry that says so cannot be read: no success is told then.
func TestARestoreThatCannotEraseAgainFails(t *testing.T) {
	s := servertest.Start(t)
	k, identity := recovery(t)
	_, older := copyOf(t, s, k.Recipient().String())
	made := s.Person(t, "Dana", "front-desk", "").Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Ash"}],"gender":"female","birthDate":"1980-01-01"}`)
	if made.Status != 201 {
		t.Fatal(made.Body)
	}
	if err := s.Gate.ShredNow(t.Context(), access.Job(access.Operator), resourcesIn(t, made.Body)[0].ID, "asked for"); err != nil {
		t.Fatal(err)
	}
	records, keys := copyOf(t, s, k.Recipient().String())
	s.Stop()
	r := server.Restoring{From: records, Keys: keys, IdentityFile: identity}

	wrong := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(wrong, []byte("correct horse battery staple"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := server.Config{Data: filepath.Join(t.TempDir(), "again"), PassphraseFile: wrong}
	if back, err := server.Restore(t.Context(), c, r); !outcome.Is(err, outcome.Invalid) {
		t.Errorf("a wrong passphrase: %+v %v", back, err)
	}
	if _, err := os.Stat(c.Data); err == nil {
		t.Error("a wrong passphrase: something was left behind")
	}

	r.Keys, r.KeyFile = older, filepath.Join(s.Dir, "custodian.key")
	back, err := server.Restore(t.Context(), server.Config{Data: filepath.Join(t.TempDir(), "again")}, r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(back.Report.Faults, func(f audit.Fault) bool { return strings.Contains(f.What, "erases a chart") }) {
		t.Errorf("an entry that cannot be read: %+v", back.Report)
	}
}

// A restore that fails takes away what it wrote outside the data directory, so that the next one does not take it for a survivor.
func TestAFailedRestoreLeavesNoJournal(t *testing.T) {
	k, identity := recovery(t)
	s, other := servertest.Start(t), servertest.Start(t)
	records, keys := copyOf(t, s, k.Recipient().String())
	_, foreign := copyOf(t, other, k.Recipient().String())
	s.Stop()
	own, stranger := filepath.Join(s.Dir, "custodian.key"), filepath.Join(other.Dir, "custodian.key")
	for name, r := range map[string]server.Restoring{
		"keys of another installation": {From: records, Keys: foreign, IdentityFile: identity, KeyFile: own},
		"another's key file":           {From: records, Keys: keys, IdentityFile: identity, KeyFile: stranger},
	} {
		volume := filepath.Join(t.TempDir(), "emergency.journal")
		c := server.Config{Data: filepath.Join(t.TempDir(), "again"), JournalFile: volume}
		if _, err := server.Restore(t.Context(), c, r); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(volume); err == nil {
			t.Errorf("%s: a journal was left behind", name)
		}
		if err := os.WriteFile(volume, []byte("of before"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Restore(t.Context(), c, r); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if b, err := os.ReadFile(volume); string(b) != "of before" {
			t.Errorf("%s: the journal that survived is gone: %v", name, err)
		}
	}
}

// A copy goes from and to either engine, and the log goes on: the node's key came with the keys.
func TestARestoreGoesOnWithTheLog(t *testing.T) {
	files := func(t *testing.T) dbtest.Place { return dbtest.Place{Dir: t.TempDir()} }
	database := func(t *testing.T) dbtest.Place { return dbtest.Postgres(t) }
	for name, c := range map[string]struct{ from, to func(*testing.T) dbtest.Place }{
		"from files to a database":    {files, database},
		"from a database to another":  {database, database},
		"from a database to files":    {database, files},
		"from files to another place": {files, files},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.StartAt(t, c.from(t))
			ada := s.Person(t, "Ada", "administrator", "")
			if a := ada.Do(t, "POST", "/fhir/Location", `{"resourceType":"Location","name":"Ward 5"}`); a.Status != 201 {
				t.Fatal(a.Body)
			}
			k, identity := recovery(t)
			records, keys := copyOf(t, s, k.Recipient().String())
			head, origin := s.Log.Head(), s.Log.State().Origin
			s.Stop()
			into := c.to(t)
			into.Dir = filepath.Join(into.Dir, "again")
			r := server.Restoring{From: records, Keys: keys, IdentityFile: identity, KeyFile: filepath.Join(s.Dir, "custodian.key"), Heads: head}
			back, err := server.Restore(t.Context(), server.Config{Data: into.Dir, Database: into.URL}, r)
			if err != nil {
				t.Fatal(err)
			}
			if !back.Report.Holds() || back.Report.Outside == 0 {
				t.Errorf("%+v", back.Report)
			}
			revived := servertest.OpenPlace(t, into)
			if state := revived.Log.State(); state.Cut || state.Origin != origin {
				t.Errorf("the log does not go on: %+v", state)
			}
			ruth := revived.Person(t, "Ruth", "administrator", "")
			if a := ruth.Get(t, "/fhir/Location?name=Ward"); firstID(t, a.Body) == "" {
				t.Error(a.Body)
			}
			if report, err := revived.Verify(t.Context(), nil); err != nil || !report.Holds() {
				t.Errorf("%+v %v", report, err)
			}
			if into.URL != "" { // it is never written over
				if _, err := server.Restore(t.Context(), server.Config{Data: filepath.Join(t.TempDir(), "third"), Database: into.URL}, r); !outcome.Is(err, outcome.Conflict) {
					t.Errorf("a database with an installation: %v", err)
				}
			}
			if _, err := os.Stat(filepath.Join(into.Dir, "custodian.key")); err != nil {
				t.Error(err)
			}
		})
	}
}
