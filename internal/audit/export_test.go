package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/balp"
	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// exported is a bundle of everything, with the key that an outsider was given once.
func exported(t *testing.T, s *site, o ExportOptions) (dir string, key string, report *ExportReport) {
	t.Helper()
	l := s.start()
	dir = filepath.Join(t.TempDir(), "bundle")
	report, logged, err := l.Export(t.Context(), dir, o, Event{Agent: Agent{Person: "p-auditor"}, Interaction: "export", Text: "yearly audit"})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := l.Entry(t.Context(), logged.Index()); err != nil || e.Event.Kind != Export {
		t.Fatal("the export is no entry", err)
	}
	key = l.Verifier()
	s.stop()
	return dir, key, report
}

func TestABundleIsVerifiedWithoutTheServer(t *testing.T) {
	t.Parallel()
	s := filled(t, 600)
	dir, key, report := exported(t, s, ExportOptions{Payloads: true})
	heads, _ := os.ReadFile(s.path("heads"))
	r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{key}, Heads: heads})
	if err != nil || !r.Holds() || r.Entries != report.Size || r.Opened == 0 || r.Outside == 0 || len(r.Notes) > 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	lines, err := readLines(filepath.Join(dir, "events.ndjson"))
	if err != nil || int64(len(lines)) != report.Events || report.Events != report.Size {
		t.Fatalf("%d lines, %+v, %v", len(lines), report, err)
	}
	e, err := balp.Parse([]byte(lines[20]))
	if err != nil || e.ID != fmt.Sprintf("%s-20", ShortOrigin(origin)) || e.Origin != origin || e.Patients[0].Ref == "" || e.Agent.ID != nurse.Person || e.Agent.Ref != nurse.Practitioner {
		t.Fatalf("%+v, %v", e, err)
	}
	if _, err := ExportBundle(t.Context(), s.database("audit.db"), dir, ExportOptions{}); !outcome.Is(err, outcome.Conflict) {
		t.Fatal("wrote over another export", err)
	}
}

func TestABundleOfOnePatientShowsNobodyElse(t *testing.T) {
	t.Parallel()
	s := filled(t, 120)
	dir, key, report := exported(t, s, ExportOptions{Payloads: true, Patient: 4})
	if report.Events == 0 || report.Events != report.Proofs || report.Events >= report.Size {
		t.Fatalf("%+v", report)
	}
	text, err := os.ReadFile(filepath.Join(dir, "events.ndjson"))
	if err != nil || !bytes.Contains(text, []byte(`"Patient/4"`)) || bytes.Contains(text, []byte(`"Patient/5"`)) {
		t.Fatal("another patient is shown", err)
	}
	openings, err := readLines(filepath.Join(dir, "openings.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range openings {
		var o opening
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		for _, p := range o.Parts[1:] {
			if about, err := parsePatient(append(p.Salted, make([]byte, saltSize)...)[saltSize:]); len(p.Salted) > 0 && err == nil && about.Patient != 4 && about.Patient != 0 {
				t.Fatalf("the part of %d is opened", about.Patient)
			}
		}
	}
	if r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{key}}); err != nil || !r.Holds() {
		t.Fatalf("%+v, %v", r, err)
	}
	proofs, _ := filepath.Glob(filepath.Join(dir, "proofs", "*"))
	b, err := os.ReadFile(proofs[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.ParseProof(b); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutPayloadsABundleSaysNothingOfPatients(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("one goroutine, many rounds: not for the race detector")
	}
	s := filled(t, 300)
	began := s.now.now()
	dir, key, _ := exported(t, s, ExportOptions{From: began.Add(-time.Minute)})
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if b, err := os.ReadFile(path); err == nil && (bytes.Contains(b, []byte("Patient")) || bytes.Contains(b, []byte("nurse"))) {
			t.Errorf("%s speaks of people", path)
		}
		return err
	})
	if r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{key}}); err != nil || !r.Holds() {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := ExportBundle(t.Context(), s.database("audit.db"), t.TempDir()+"/x", ExportOptions{Payloads: true}); !outcome.Is(err, outcome.Invalid) {
		t.Fatal(err)
	}
}

func TestEveryByteOfABundleCounts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("one goroutine, many rounds: not for the race detector")
	}
	s := filled(t, 270)
	dir, key, _ := exported(t, s, ExportOptions{Payloads: true, Patient: 4})
	var files []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(path) != "key" { // the key is believed only when none was given
			files = append(files, path)
		}
		return err
	})
	proofs := 0
	for _, file := range files {
		if strings.Contains(file, "proofs") {
			if proofs++; proofs > 1 { // one stands for all
				continue
			}
		}
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, len(whole) / 3, len(whole) * 2 / 3, len(whole) - 2} {
			bent := bytes.Clone(whole)
			bent[at] ^= 0x04
			check := func(b []byte, what string) {
				if err := os.WriteFile(file, b, 0o600); err != nil {
					t.Fatal(err)
				}
				if r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{key}}); err != nil || r.Holds() {
					t.Errorf("%s of %s: nobody noticed (%v)", what, file[len(dir):], err)
				}
			}
			check(bent, fmt.Sprint("byte ", at))
			if at == 0 && !strings.HasSuffix(file, "heads") { // heads may be fewer
				check(whole[:len(whole)/2], "half")
			}
		}
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{key}}); err != nil || !r.Holds() {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err := VerifyBundle(t.Context(), dir, VerifyOptions{}); err != nil || !r.Holds() || len(r.Notes) != 1 {
		t.Fatalf("a bundle without a key from elsewhere must say so: %+v, %v", r, err)
	}
}

func TestLogsThatWereCutAreExportedToo(t *testing.T) {
	t.Parallel()
	s := grown(t, 20)
	old := s.copyDir("audit.db")
	l := s.start()
	disclose(t, l, reading(1, 2))
	s.stop()
	s.rollBack(old)
	dir, key, report := exported(t, s, ExportOptions{Payloads: true})
	r, err := VerifyBundle(t.Context(), dir, VerifyOptions{Keys: []string{key}})
	if err != nil || !r.Holds() || len(r.Logs) != 2 || report.Origin != origin+"-2" {
		t.Fatalf("%+v, %v", r, err)
	}
}

// The verifier in the guides is another program in another language: it must come to the same result.
func TestTheGuidesVerifierAgrees(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("one goroutine, many rounds: not for the race detector")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: python3 is missing")
	}
	script := filepath.Join("..", "..", "docs", "guides", "verify-audit-bundle.py")
	s := filled(t, 300)
	dir, key, _ := exported(t, s, ExportOptions{Payloads: true, Patient: 4})
	run := func(want bool, args ...string) string {
		t.Helper()
		out, err := exec.Command(python, append([]string{script, dir}, args...)...).CombinedOutput()
		if (err == nil) != want {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if out := run(true, "--key", key); !strings.Contains(out, "holds") {
		t.Fatal(out)
	}
	run(false, "--key", strings.Replace(key, "log+", "log+0", 1))
	for _, name := range []string{"entries/000", "tile/0/000", "openings.ndjson"} {
		file := filepath.Join(dir, name)
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bent := bytes.Clone(whole)
		bent[len(bent)/2] ^= 0x04
		if err := os.WriteFile(file, bent, 0o600); err != nil {
			t.Fatal(err)
		}
		run(false, "--key", key)
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(true, "--key", key)
}
