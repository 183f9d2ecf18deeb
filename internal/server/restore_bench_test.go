package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"

	"filippo.io/age"
)

// BenchmarkRestore brings back an installation of 100,000 resources (1,000 with -short) of 1,000 patients, verification included, on the
// engine of the run. bench/results/restore.md has what came out.
//
//	go test -run xxx -bench BenchmarkRestore -benchtime 1x -timeout 30m ./internal/server
func BenchmarkRestore(b *testing.B) {
	patients, each := 1000, 99
	if testing.Short() {
		patients, each = 10, 99
	}
	s := servertest.Start(b)
	for p := range patients {
		name := fmt.Sprint("urn:uuid:p", p)
		entries := []access.Entry{{Method: "POST", URL: "Patient", FullURL: name, Doc: made(b, fmt.Sprintf(`{"resourceType":"Patient","name":[{"family":"Family%d"}],"birthDate":"1961-03-14"}`, p))}}
		for i := range each {
			entries = append(entries, access.Entry{Method: "POST", URL: "Observation", Doc: made(b, fmt.Sprintf(`{"resourceType":"Observation","status":"final",
				"code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}],"text":"Heart rate"},"subject":{"reference":"%s"},"effectiveDateTime":"2026-01-%02dT08:00:00Z",
				"valueQuantity":{"value":%d,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}`, name, 1+i%28, 60+i))})
		}
		done, err := s.Gate.Import(b.Context(), access.Job("import"), entries)
		if err != nil || done[0].Err != nil || done[each].Err != nil {
			b.Fatal(err, done[0].Err)
		}
	}
	k, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	identity, records, keys := filepath.Join(dir, "identity"), filepath.Join(dir, "copy"), filepath.Join(dir, "keys")
	if err := os.WriteFile(identity, []byte(k.String()+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	copied, err := s.Backup(b.Context(), server.Copying{Recipients: []string{k.Recipient().String()}, Out: records, KeysOut: keys})
	if err != nil {
		b.Fatal(err)
	}
	s.Stop()
	for b.Loop() {
		b.StopTimer()
		into := dbtest.New(b)
		into.Dir = filepath.Join(into.Dir, "again")
		b.StartTimer()
		back, err := server.Restore(b.Context(), server.Config{Data: into.Dir, Database: into.URL},
			server.Restoring{From: records, Keys: keys, IdentityFile: identity, KeyFile: filepath.Join(s.Dir, "custodian.key")})
		if err != nil || !back.Report.Holds() {
			b.Fatal(err, back.Report)
		}
		b.ReportMetric(float64(back.Rows), "rows")
		b.ReportMetric(float64(copied.Bytes)/1e6, "MB/copy")
		b.ReportMetric(float64(back.Report.Stored), "versions")
	}
}

func made(b testing.TB, body string) *document.Doc {
	b.Helper()
	doc, err := document.Parse([]byte(body))
	if err != nil {
		b.Fatal(err)
	}
	return doc
}
