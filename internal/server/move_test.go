package server_test

import (
	"strings"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
)

// An installation goes from files to PostgreSQL: people, relationships, charts and the log, which goes on under its own name.
func TestMoveToPostgreSQL(t *testing.T) {
	there := dbtest.Postgres(t)
	dir := unpack(t, "v0.1.tar.gz")
	first := servertest.OpenAt(t, dir, time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)) // brings the tables up to date
	if _, err := server.Move(t.Context(), server.Config{Data: dir}, there.URL); !outcome.Is(err, outcome.Lock) {
		t.Errorf("moved beside a running server: %v", err)
	}
	state := first.Log.State()
	first.Stop()
	done, err := server.Move(t.Context(), server.Config{Data: dir}, there.URL)
	if err != nil {
		t.Fatal(err)
	}
	if !done.Report.Holds() || done.Report.Stored != 6 {
		t.Fatalf("%+v", done.Report)
	}
	if _, err := server.Open(t.Context(), server.Config{Data: dir}, server.Options{}); err == nil {
		t.Error("the former files open still")
	}
	there.Dir = dir
	s := servertest.OpenPlaceAt(t, there, time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC))
	if now := s.Log.State(); now.Cut || now.Origin != state.Origin || now.Size <= state.Size {
		t.Errorf("the log went on as %+v, it was %+v", now, state)
	}
	physician := s.SignIn(t, identity.Credentials{Person: "y4zc4zub7owgjvgk", Password: "GZPJ4QGDAE7AEXKBZUVZILTHHM", Secret: "TLKUKO2FE5X7DIVMKGEK57NZ5LKX5YGI"}, "")
	if a := physician.Get(t, "/fhir/Observation?patient=Patient/castell"); a.Status != 200 || !strings.Contains(a.Body, `"value": 74`) {
		t.Errorf("the physician in charge gets %d %s", a.Status, a.Body)
	}
	note := `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/castell"}}`
	for range 2 { // numbers go on behind those that came
		if a := physician.Do(t, "POST", "/fhir/Observation", note); a.Status != 201 {
			t.Errorf("a write after the move: %d %s", a.Status, a.Body)
		}
	}
	s.Stop()
	report, err := server.VerifyData(t.Context(), server.Config{Data: dir, Database: there.URL}, server.Verification{})
	if err != nil || !report.Holds() || report.Stored != 8 {
		t.Errorf("%v %+v", err, report)
	}
	if _, err := server.VerifyData(t.Context(), server.Config{Data: unpack(t, "v0.1.tar.gz")}, server.Verification{}); !outcome.Is(err, outcome.NotSupported) {
		t.Errorf("an installation that was not brought up to date is judged: %v", err)
	}
	if _, err := server.Move(t.Context(), server.Config{Data: unpack(t, "v0.1.tar.gz")}, there.URL); !outcome.Is(err, outcome.Conflict) {
		t.Errorf("moved over another installation: %v", err)
	}
}
