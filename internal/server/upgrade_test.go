package server_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
)

// unpack gives the data directory that an earlier version left: testdata/README.md says how each was made.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, filepath.Clean("/"+h.Name))
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(name, 0o700)
		} else {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(name, b, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// An installation of the first slice opens with this program: people sign in as before, relationships and charts are there, the log goes on.
func TestUpgradeFromTheFirstSlice(t *testing.T) {
	dir := unpack(t, "v0.1.tar.gz")
	s := servertest.OpenAt(t, dir, time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC))
	physician := s.SignIn(t, identity.Credentials{Person: "y4zc4zub7owgjvgk", Password: "GZPJ4QGDAE7AEXKBZUVZILTHHM", Secret: "TLKUKO2FE5X7DIVMKGEK57NZ5LKX5YGI"}, "")
	a := physician.Get(t, "/fhir/Observation?patient=Patient/castell")
	if a.Status != 200 || !strings.Contains(a.Body, `"value": 74`) || a.Header.Get("X-Audit-Entry") == "" {
		t.Errorf("the physician in charge gets %d %s", a.Status, a.Body)
	}
	if a := physician.Get(t, "/fhir/Observation/pulse/_history/1"); a.Status != 200 || !strings.Contains(a.Body, `"value":72`) {
		t.Errorf("the first version: %d %s", a.Status, a.Body)
	}
	colleague := s.SignIn(t, identity.Credentials{Person: "c3ya37ux4tb6qzg7", Password: "WXJZ5PNJQLPE7FHAPSC7VJGUIV", Secret: "IHA62BYAQK5RM5G7QVRE2BHQZUELOCM2"}, "")
	if a := colleague.Get(t, "/fhir/Patient/castell"); a.Status != 200 { // her grant of an hour ago runs on
		t.Errorf("the grant: %d %s", a.Status, a.Body)
	}
	if state := s.Log.State(); state.Cut || state.Journaling || state.Size < 20 {
		t.Errorf("the log: %+v", state)
	}
	s.Stop()
	report, err := server.VerifyData(t.Context(), server.Config{Data: dir}, server.Verification{})
	if err != nil || !report.Holds() || report.Stored != 6 {
		t.Errorf("%v %+v", err, report)
	}
}
