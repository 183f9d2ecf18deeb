package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// run replays logs over a context and returns the files that must not differ between runs.
func run(t testing.TB, contextDir string, logs ...string) map[string]string {
	t.Helper()
	out := t.TempDir()
	if _, err := Replay(context.Background(), Options{Context: contextDir, Logs: logs, Out: out, Budget: 2, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{"verdicts.ndjson", "cases.ndjson", "rejected.ndjson"} {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(b)
	}
	return got
}

// town is a small made-up log over weeks: people of two units, their appointments and some oddities.
func town(t testing.TB, days int) (contextDir string, log []string) {
	dir := t.TempDir()
	files := map[string]*strings.Builder{}
	put := func(typ, format string, args ...any) {
		if files[typ] == nil {
			files[typ] = &strings.Builder{}
		}
		fmt.Fprintf(files[typ], `{"resourceType":"`+typ+`",`+format+"}\n", args...)
	}
	for i := range 12 {
		put("Practitioner", `"id":"s%d","name":[{"family":"F%d","given":["G"]}],"birthDate":"1980-01-%02d","address":[{"line":["%d High Street"],"postalCode":"1"}]`, i, i, i+1, i+1)
		put("PractitionerRole", `"id":"r%d","practitioner":{"reference":"Practitioner/s%d"},"organization":{"reference":"Organization/u%d"},"code":[{"text":"nurse"}]`, i, i, i%2)
	}
	for i := range 200 {
		put("Patient", `"id":"p%d","name":[{"family":"P%d","given":["H"]}],"birthDate":"19%02d-03-01","address":[{"line":["%d High Street"],"postalCode":"1"}]`, i, i%90, i%80+10, i+1)
	}
	n := 0
	event := func(day, minute, who, patient int) {
		n++
		log = append(log, fmt.Sprintf(`{"resourceType":"AuditEvent","id":"e%d","type":{"code":"rest"},"subtype":[{"code":"read"}],"action":"R","recorded":"2026-02-%02dT%02d:%02d:00Z","outcome":"0","agent":[{"who":{"reference":"Practitioner/s%d"},"role":[{"text":"nurse"}],"requestor":true,"network":{"address":"10.0.%d.1"}},{"type":{"coding":[{"code":"110153"}]},"who":{"reference":"Device/d%d"}}],"entity":[{"what":{"reference":"Patient/p%d"},"type":{"code":"1"},"role":{"code":"1"}}]}`,
			n, day, 8+minute/60, minute%60, who, who%2, who, patient))
	}
	for day := 1; day <= days; day++ {
		for k := range 120 {
			who, patient := k%12, (k*7+day*13)%200
			known := fmt.Sprintf("2026-01-%02dT00:00:00Z", day)
			if k%10 == 3 { // documented late
				known = fmt.Sprintf("2026-02-%02dT%02d:30:00Z", day, 10+k/12)
			}
			if k%17 != 5 {
				put("Appointment", `"id":"a%d-%d","meta":{"lastUpdated":"%s"},"status":"booked","start":"2026-02-%02dT%02d:00:00Z","participant":[{"actor":{"reference":"Patient/p%d"}},{"actor":{"reference":"Practitioner/s%d"}}]`,
					day, k, known, day, 8+k/12, patient, who)
			}
			event(day, k*4, who, patient)
		}
	}
	for typ, b := range files {
		if err := os.WriteFile(filepath.Join(dir, typ+".ndjson"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, log
}

func file(t testing.TB, lines ...string) string {
	name := filepath.Join(t.TempDir(), "log.ndjson")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReplayOfTheContractsSample(t *testing.T) {
	dir := shared(t, "contracts/replay-sample")
	got := run(t, dir, filepath.Join(dir, "log.ndjson"))
	if got["rejected.ndjson"] != "" {
		t.Errorf("rejected: %s", got["rejected.ndjson"])
	}
	accesses, first := map[string]bool{}, 0
	for _, l := range fileLines(t, filepath.Join(dir, "log.ndjson")) {
		if e, _ := Event(l); len(e.Patients) > 0 {
			accesses[e.ID] = true
		}
	}
	for l := range strings.Lines(got["verdicts.ndjson"]) {
		var v struct {
			Event, Agent, Patient string
			Revision              int
			Explained             *bool
			Explanations          []struct {
				Template, Text string
				Nats           float64
			}
			Unexplained *float64 `json:"unexplained_nats"`
			Signals     []struct{ Name, Text string }
			Risk        *float64
		}
		if err := json.Unmarshal([]byte(l), &v); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		if !accesses[v.Event] || v.Agent == "" || v.Patient == "" || v.Explained == nil || v.Unexplained == nil || v.Risk == nil || *v.Risk < 0 || *v.Risk > 1 || *v.Explained != (len(v.Explanations) > 0) {
			t.Errorf("verdict %s", l)
		}
		if v.Revision == 1 {
			first++
		}
	}
	if first != len(accesses) || first != 42 {
		t.Errorf("%d first verdicts of %d accesses", first, len(accesses))
	}
}

func TestTheSameBytesOnOneCoreAndTwoAndFromSplitFiles(t *testing.T) {
	dir, log := town(t, 20)
	whole := run(t, dir, file(t, log...))
	if len(whole["verdicts.ndjson"]) == 0 || len(whole["cases.ndjson"]) == 0 {
		t.Fatal("nothing was judged")
	}
	was := runtime.GOMAXPROCS(1)
	one := run(t, dir, file(t, log...))
	runtime.GOMAXPROCS(was)
	split := run(t, dir, file(t, log[:777]...), file(t, log[777:]...))
	for name := range whole {
		if whole[name] != one[name] || whole[name] != split[name] {
			t.Errorf("%s differs", name)
		}
	}
}

func TestNothingLooksAhead(t *testing.T) {
	dir, log := town(t, 20)
	whole := strings.Split(run(t, dir, file(t, log...))["verdicts.ndjson"], "\n")
	for _, cut := range []int{150, 1000, 1234} {
		short := strings.Split(run(t, dir, file(t, log[:cut]...))["verdicts.ndjson"], "\n")
		last, _ := Event(log[cut-1])
		for i, l := range short {
			if strings.Contains(l, `"event":"`+last.ID+`"`) {
				if !slices.Equal(short[:i+1], whole[:i+1]) {
					t.Errorf("cut at %d: verdicts before it changed", cut)
				}
				break
			}
		}
	}
	// a fact that becomes known later changes no earlier verdict
	name := filepath.Join(dir, "Appointment.ndjson")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	late := bytes.ReplaceAll(text, []byte(`"lastUpdated":"2026-01-15`), []byte(`"lastUpdated":"2026-02-16`))
	if bytes.Equal(late, text) {
		t.Fatal("no fact to delay")
	}
	if err := os.WriteFile(name, late, 0o600); err != nil {
		t.Fatal(err)
	}
	delayed := strings.Split(run(t, dir, file(t, log...))["verdicts.ndjson"], "\n")
	same := 0
	for i := range delayed {
		if delayed[i] != whole[i] {
			break
		}
		same++
	}
	if before := 14 * 120 * 9 / 10; same < 8*120 { // appointments explain up to a week before
		t.Errorf("only %d verdicts before the delay are the same, of some %d", same, before)
	}
	for _, l := range delayed[:same] {
		if strings.Contains(l, `"event":"e1800"`) {
			t.Error("the delay changed nothing")
		}
	}
}

func TestBadLinesAreCountedAndStopNothing(t *testing.T) {
	dir, log := town(t, 1)
	bad := slices.Insert(slices.Clone(log), 10, `{"resourceType":"AuditEvent","id":"x"`, `garbage`)
	got := run(t, dir, file(t, bad...))
	want := `{"file":"log.ndjson","line":11,"reason":"not JSON: ends too early"}` + "\n" + `{"file":"log.ndjson","line":12,"reason":"not JSON: expected {"}` + "\n"
	if got["rejected.ndjson"] != want {
		t.Errorf("rejected %s", got["rejected.ndjson"])
	}
	if clean := run(t, dir, file(t, log...)); clean["verdicts.ndjson"] != got["verdicts.ndjson"] {
		t.Error("bad lines changed verdicts")
	}
}

// BenchmarkReplay runs from files to verdicts over a small town, or over the simulation that CHARTWARDEN_REPLAY names (a directory with
// context and log.ndjson).
func BenchmarkReplay(b *testing.B) {
	dir, log := os.Getenv("CHARTWARDEN_REPLAY"), ""
	if dir != "" {
		dir, log = filepath.Join(dir, "context"), filepath.Join(dir, "log.ndjson")
	} else {
		var lines []string
		dir, lines = town(b, 28)
		log = file(b, lines...)
	}
	for b.Loop() {
		sum, err := Replay(context.Background(), Options{Context: dir, Logs: []string{log}, Out: b.TempDir(), Budget: 2, Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(sum.EventsPerSecond, "events/s")
		b.ReportMetric(float64(sum.PeakMemory)/float64(max(1, sum.People)), "peak-B/person")
	}
}
