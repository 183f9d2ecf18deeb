package access_test

import (
	"os"
	"path/filepath"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Whoever exports the log may verify it, and may read it for what tells whom it is about; the export is an entry that the patient sees.
func TestTheLogLeavesThroughTheDoor(t *testing.T) {
	w := newWard(t)
	as := func(role string) access.Principal {
		t.Helper()
		c := w.Person(t, "Some "+role, role, "")
		sessions, err := w.Persons.Sessions(t.Context(), c.Person.Person)
		if err != nil || len(sessions) != 1 {
			t.Fatal("no session", err)
		}
		return access.Person(sessions[0])
	}
	administrator, privacy := as("administrator"), as("privacy")
	for _, c := range []struct {
		who  string
		p    access.Principal
		x    access.LogExport
		code outcome.Code
	}{
		{"a physician", as("physician"), access.LogExport{}, outcome.Forbidden},
		{"an administrator", administrator, access.LogExport{}, ""},
		{"an administrator who wants events", administrator, access.LogExport{Payloads: true}, outcome.Forbidden},
		{"an administrator who asks about a patient", administrator, access.LogExport{PatientID: w.maren}, outcome.Forbidden},
		{"the privacy officer", privacy, access.LogExport{PatientID: w.maren, Payloads: true}, ""},
		{"the privacy officer about nobody", privacy, access.LogExport{PatientID: "absent"}, outcome.NotFound},
		{"another job", access.Job("import"), access.LogExport{}, outcome.Forbidden},
		{"nobody", access.Principal{}, access.LogExport{}, outcome.Invalid}, // an entry needs somebody who acts
		{"the command line", access.Job(access.Operator), access.LogExport{Payloads: true}, ""},
	} {
		c.x.Dir = filepath.Join(t.TempDir(), "bundle")
		done, err := w.Gate.ExportLog(t.Context(), c.p, c.x)
		if c.code != "" {
			if !outcome.Is(err, c.code) {
				t.Errorf("%s: %v, want %s", c.who, err, c.code)
			}
			if _, err := os.Stat(c.x.Dir); err == nil {
				t.Errorf("%s: refused, and something was written", c.who)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.who, err)
			continue
		}
		if report, err := audit.VerifyBundle(t.Context(), c.x.Dir, audit.VerifyOptions{Heads: w.Log.Head()}); err != nil || !report.Holds() {
			t.Errorf("%s: the bundle does not hold: %v %v", c.who, report, err)
		}
		newest, err := w.Log.Range(t.Context(), audit.Span{Kinds: []audit.Kind{audit.Export}}, audit.Page{Limit: 1})
		if err != nil || len(newest) != 1 || newest[0].Entry() != done.Entry {
			t.Errorf("%s: the newest export is not entry %s: %v", c.who, done.Entry, err)
		}
	}
	seen, err := w.Gate.WhoLooked(t.Context(), privacy, w.maren, access.Window{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range seen.Lines {
		if l.Kind == audit.Export {
			return
		}
	}
	t.Error("the patient's list does not say that it was exported")
}
