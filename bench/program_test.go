package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// scratch holds the built program and the installations of this run.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "bench"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// program builds chartwarden as it ships, once.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "chartwarden")
	if out, err := exec.Command("go", "build", "-o", path, "chartwarden/cmd/chartwarden").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// command runs the program to its end and gives what it printed and what it took.
func command(b *testing.B, args ...string) ([]byte, *os.ProcessState) {
	b.Helper()
	path, err := program()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		b.Fatalf("%s: %v", args[0], err)
	}
	return out, c.ProcessState
}

func processorTime(p *os.ProcessState) time.Duration { return p.UserTime() + p.SystemTime() }

// hospital is an installation with the Synthea patients, each in an open visit with one physician.
type hospital struct {
	dir       string
	physician identity.Credentials
	jar       http.CookieJar // with the physician's session, once she has signed in: a code is good for one sign-in
	middling  string         // record number of the patient whose bundle is nearest to 300 entries
}

var built struct {
	sync.Once
	hospital
}

// theHospital makes the installation the first time it is asked for; benchmarks after the first find what those before them wrote.
func theHospital(b *testing.B) *hospital {
	b.Helper()
	data := servertest.Data(b, "fhir", "synthea")
	built.Do(func() {
		h := hospital{dir: filepath.Join(scratch, "hospital")}
		command(b, "init", "--sandbox", "--data", h.dir)
		command(b, "import", "--data", h.dir, data)
		visits := filepath.Join(scratch, "visits.ndjson")
		h.middling = writeVisits(b, data, visits)
		command(b, "import", "--data", h.dir, visits)
		out, _ := command(b, "person", "add", "--data", h.dir, "--name", "Anna Lindqvist", "--role", "physician", "--practitioner", "Practitioner/anna", "--test-credentials")
		if err := json.Unmarshal(out, &h.physician); err != nil {
			b.Fatal(err)
		}
		built.hospital = h
	})
	return &built.hospital
}

// writeVisits writes the physician and a visit in progress with every patient of data, and tells the record number of the patient
// nearest to 300 resources.
func writeVisits(b *testing.B, data, path string) (middling string) {
	bundles, err := filepath.Glob(filepath.Join(data, "*.json.gz"))
	if err != nil {
		b.Fatal(err)
	}
	lines := []string{`{"resourceType":"Practitioner","id":"anna","name":[{"family":"Lindqvist","given":["Anna"]}]}`}
	best := 1 << 30
	for i, bundle := range bundles {
		patient, number, entries := readBundle(b, bundle)
		if patient == "" {
			continue
		}
		if off := max(entries-300, 300-entries); off < best {
			best, middling = off, number
		}
		lines = append(lines, `{"resourceType":"Encounter","id":"now-`+strconv.Itoa(i)+`","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},`+
			`"subject":{"reference":"`+patient+`"},"participant":[{"individual":{"reference":"Practitioner/anna"}}],"period":{"start":"`+time.Now().UTC().Format(time.RFC3339)+`"}}`)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		b.Fatal(err)
	}
	return middling
}

// readBundle gives the full URL of the Patient in a bundle, the record number, and the number of entries.
func readBundle(b *testing.B, path string) (patient, number string, entries int) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	for entry, err := range document.SplitBundle(r).Entries() {
		if err != nil {
			b.Fatal(err)
		}
		entries++
		if doc, err := entry.Doc(); err == nil && doc.Type() == "Patient" {
			patient = entry.FullURL()
			number = strings.Clone(doc.Root().Path("identifier", "value").Text())
		}
	}
	return patient, number, entries
}

// process is a running `chartwarden serve`.
type process struct {
	*exec.Cmd
	url   string
	ready time.Duration // from its start until /readyz answered
}

// serve starts the program on an installation and waits until it is ready. It ends with the benchmark.
func serve(b *testing.B, dir string, more ...string) *process {
	b.Helper()
	path, err := program()
	if err != nil {
		b.Fatal(err)
	}
	address := freeAddress(b)
	p := &process{Cmd: exec.Command(path, append([]string{"serve", "--data", dir, "--listen", address}, more...)...), url: "http://" + address}
	start := time.Now()
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.stop)
	for time.Since(start) < time.Minute {
		if answer, err := http.Get(p.url + "/readyz"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusNoContent {
				p.ready = time.Since(start)
				return p
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	b.Fatal("the server did not become ready within a minute")
	return nil
}

// freeAddress is one on which nothing listens: a server that is there already would be measured instead.
func freeAddress(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *process) stop() {
	if p.ProcessState == nil {
		_ = p.Process.Signal(syscall.SIGTERM)
		_ = p.Wait()
	}
}

// status is a figure of the process in kB, as Linux tells it; 0 elsewhere.
func (p *process) status(name string) (kB int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			_, _ = fmt.Sscan(rest, &kB)
		}
	}
	return kB
}

// cpu is the processor time of the process so far, as Linux tells it; 0 elsewhere.
func (p *process) cpu() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var own, system int
	if len(fields) > 12 {
		_, _ = fmt.Sscan(fields[11], &own)
		_, _ = fmt.Sscan(fields[12], &system)
	}
	return time.Duration(own+system) * tick
}

// median is the middle of some durations, in milliseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return milliseconds(times[len(times)/2])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
