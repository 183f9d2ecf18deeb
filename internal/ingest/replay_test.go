package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
	three := run(t, dir, file(t, log[:1]...), file(t, log[1:2000]...), file(t, log[2000:]...))
	split := run(t, dir, file(t, log[:777]...), file(t, log[777:]...))
	for name := range whole {
		if whole[name] != one[name] || whole[name] != split[name] || whole[name] != three[name] {
			t.Errorf("%s differs", name)
		}
	}
}

// upTo gives what was written before and at the first verdict on an event.
func upTo(t *testing.T, verdicts, event string) string {
	i := strings.Index(verdicts, `{"event":"`+event+`","revision":1,`)
	if i < 0 {
		t.Fatalf("no verdict on %s", event)
	}
	return verdicts[:i+strings.IndexByte(verdicts[i:], '\n')+1]
}

// casesBefore gives the case lines that are dated before an instant.
func casesBefore(t *testing.T, cases, instant string) (out []string) {
	for l := range strings.Lines(cases) {
		var c struct{ Updated, Opened string }
		if err := json.Unmarshal([]byte(l), &c); err != nil || c.Opened > c.Updated {
			t.Fatalf("%s: %v", l, err)
		}
		if c.Updated < instant {
			out = append(out, l)
		}
	}
	return out
}

func recorded(line string) string {
	_, rest, _ := strings.Cut(line, `"recorded":"`)
	at, _, _ := strings.Cut(rest, `"`)
	return at
}

func TestNothingLooksAhead(t *testing.T) {
	dir, log := town(t, 20)
	whole := run(t, dir, file(t, log...))
	r := rand.New(rand.NewPCG(7, 7))
	dated := 0
	for range 12 {
		cut := 10 + r.IntN(len(log)-10)
		short := run(t, dir, file(t, log[:cut]...))
		last, _ := Event(log[cut-1])
		if upTo(t, short["verdicts.ndjson"], last.ID) != upTo(t, whole["verdicts.ndjson"], last.ID) {
			t.Errorf("cut at %d: verdicts before it changed", cut)
		}
		a, b := casesBefore(t, short["cases.ndjson"], recorded(log[cut-1])), casesBefore(t, whole["cases.ndjson"], recorded(log[cut-1]))
		if dated += len(b); !slices.Equal(a, b) {
			t.Errorf("cut at %d: %d cases are dated before it, %d in the whole log", cut, len(a), len(b))
		}
	}
	if dated == 0 {
		t.Error("no case is dated before a cut")
	}
}

// A fact that becomes known later changes no verdict from before it was known, and some after.
func TestAFactThatIsDelayedChangesNothingBefore(t *testing.T) {
	dir, log := town(t, 20)
	whole := run(t, dir, file(t, log...))
	name := filepath.Join(dir, "Appointment.ndjson")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"2026-02-04T10:30:00Z", "2026-02-12T14:30:00Z", "2026-02-15T11:30:00Z"} {
		late := bytes.ReplaceAll(text, []byte(`"lastUpdated":"`+at), []byte(`"lastUpdated":"2026-02-18T00:00:00Z`))
		if bytes.Equal(late, text) {
			t.Fatalf("nothing is known since %s", at)
		}
		if err := os.WriteFile(name, late, 0o600); err != nil {
			t.Fatal(err)
		}
		delayed := run(t, dir, file(t, log...))
		i := slices.IndexFunc(log, func(l string) bool { return recorded(l) >= at })
		before, _ := Event(log[i-1])
		if upTo(t, delayed["verdicts.ndjson"], before.ID) != upTo(t, whole["verdicts.ndjson"], before.ID) {
			t.Errorf("what is known since %s changes what was said before", at)
		}
		if delayed["verdicts.ndjson"] == whole["verdicts.ndjson"] {
			t.Errorf("what is known since %s changes nothing", at)
		}
		if !slices.Equal(casesBefore(t, delayed["cases.ndjson"], at), casesBefore(t, whole["cases.ndjson"], at)) {
			t.Errorf("what is known since %s changes cases from before", at)
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
