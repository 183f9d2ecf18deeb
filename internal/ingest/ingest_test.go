package ingest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/detect"
)

// shared is the folder of published data, or skips.
func shared(t testing.TB, path string) string {
	root := os.Getenv("CHARTWARDEN_TESTDATA")
	if root == "" {
		root = "../../../shared"
	}
	p := filepath.Join(root, path)
	if _, err := os.Stat(p); err != nil {
		t.Skip("no published data: set CHARTWARDEN_TESTDATA")
	}
	return p
}

func fileLines(t testing.TB, path string) (out []string) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		out = append(out, s.Text())
	}
	return out
}

func TestEventReadsTheContractsSample(t *testing.T) {
	seen := map[detect.Kind]int{}
	for i, l := range fileLines(t, shared(t, "contracts/replay-sample/log.ndjson")) {
		e, why := Event(l)
		if why != "" {
			t.Fatalf("line %d: %s", i+1, why)
		}
		seen[e.Kind]++
		if e.Agent == "" || e.Role == "" || e.Place == "" || e.Address == "" || e.Device == "" {
			t.Errorf("line %d: %+v lacks a field", i+1, e)
		}
	}
	want := map[detect.Kind]int{detect.Search: 12, detect.Login: 8, detect.Logout: 8, detect.Read: 8, detect.Create: 8, detect.Print: 8,
		detect.Export: 8, detect.Update: 4, detect.Delete: 4, detect.Glass: 2, detect.Operation: 2}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("kinds %v, want %v", seen, want)
	}
}

func TestEventReadsPublishedExamples(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "audit-samples/fhir-auditevent-r4"), "*.json"))
	if len(files) != 9 {
		t.Fatalf("%d examples", len(files))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if e, why := Event(string(text)); why != "" {
			t.Errorf("%s: %s", filepath.Base(f), why)
		} else if e.Agent == "" || e.Time == 0 {
			t.Errorf("%s: %+v", filepath.Base(f), e)
		}
	}
}

func TestResourceReadsTheContractsSample(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "contracts/replay-sample"), "[A-Z]*.ndjson"))
	ties := map[detect.Template]int{}
	for _, f := range files {
		for i, l := range fileLines(t, f) {
			r, why := Resource(l)
			if why != "" {
				t.Fatalf("%s line %d: %s", filepath.Base(f), i+1, why)
			}
			for _, x := range r.Ties {
				ties[x.Template]++
			}
		}
	}
	for _, k := range []detect.Template{detect.AppointmentDirect, detect.AppointmentClinic, detect.CareTeam, detect.EncounterParticipant,
		detect.EncounterUnit, detect.OrderDepartment, detect.Consult, detect.ProcedureMine, detect.ProcedureUnit, detect.MessageMine,
		detect.MessageDepartment, detect.TaskMine, detect.TaskDepartment, detect.Billing, detect.Arrival, detect.Research, detect.Quality, detect.Disclosure} {
		if ties[k] == 0 {
			t.Errorf("nothing in the sample is read as %s", k.Name())
		}
	}
}

func TestEventSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                             "not JSON: ends too early",
		`nonsense`:                      "not JSON: expected {",
		`{"id":"a" "b":1}`:              "not JSON: a comma is missing",
		`{"resourceType":"Patient"}`:    "not an AuditEvent",
		`{"resourceType":"AuditEvent"}`: "the event has no id",
		`{"resourceType":"AuditEvent","id":"a","recorded":"yesterday"}`:            "recorded is no instant",
		`{"resourceType":"AuditEvent","id":"a","recorded":"2026-02-02T00:00:00Z"}`: "no agent is named",
		`{"resourceType":"AuditEvent","id":"a"} {}`:                                "not JSON: something follows the event",
	} {
		if _, why := Event(text); why != want {
			t.Errorf("%s: %q, want %q", text, why, want)
		}
	}
}

func TestInstant(t *testing.T) {
	for _, s := range []string{"2026-02-02T06:26:31Z", "1999-12-31T23:59:59+05:30", "2024-02-29T12:00:00.123456-03:00", "1970-01-01T00:00:00Z", "1900-03-01T00:00:00Z"} {
		want, _ := time.Parse(time.RFC3339, s)
		if got, ok := instant(s); !ok || got != want.Unix() {
			t.Errorf("%s: %d %v, want %d", s, got, ok, want.Unix())
		}
	}
	for _, s := range []string{"", "x", "2026-13-01", "2026-02-02T06:26:31", "2026-02-02T06:26", "2026-02-02T06:26:31+x"} {
		if _, ok := instant(s); ok {
			t.Errorf("%q passes for an instant", s)
		}
	}
}

// endless is a line of n bytes, then a good one.
type endless struct {
	n    int64
	tail io.Reader
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n > 0 {
		k := int(min(int64(len(p)), e.n))
		for i := range p[:k] {
			p[i] = 'x'
		}
		e.n -= int64(k)
		return k, nil
	}
	return e.tail.Read(p)
}

func TestLinesComeInOrder(t *testing.T) {
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, "line %d\n", i+1)
	}
	n := 0
	err := lines(context.Background(), strings.NewReader(b.String()), func(s string) (string, string) { return s, "" }, func(l line[string]) error {
		n++
		if l.number != n || l.value != fmt.Sprintf("line %d", n) {
			t.Fatalf("%d: %+v", n, l)
		}
		return nil
	})
	if err != nil || n != 200_000 {
		t.Errorf("%d lines, %v", n, err)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(`{"resourceType":"AuditEvent","id":"a","recorded":"2026-02-02T00:00:00Z","agent":[{"who":{"reference":"Practitioner/1"},"requestor":true}]}`)
	f.Add(`{"entity":[{"what":{"identifier":{"value":"9"}},"detail":[{"type":"rows","valueString":"\u00e9\ud83d\ude00"}]}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		e, why := Event(s)
		if why == "" && (e.ID == "" || e.Agent == "") {
			t.Errorf("accepted without id or agent: %+v", e)
		}
	})
}

func FuzzResource(f *testing.F) {
	f.Add(`{"resourceType":"Encounter","id":"a","status":"in-progress","subject":{"reference":"Patient/1"},"location":[{"location":{"reference":"Location/2"},"period":{"start":"2026-01-01"}}]}`)
	f.Add(`{"resourceType":"Consent","id":"a","provision":{"type":"permit","actor":[{"reference":{"reference":"Practitioner/1"}}]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		if r, why := Resource(s); why == "" && r.Ref == "" {
			t.Errorf("accepted without a name: %+v", r)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add("practitioner,location,start,end\nPractitioner/1,Location/2,2026-01-01T00:00:00Z,2026-01-01T08:00:00Z\n")
	f.Fuzz(func(t *testing.T, s string) {
		_ = roster(context.Background(), strings.NewReader(s), func(x detect.Shift) {
			if x.To < x.From {
				t.Error("a shift ends before it begins")
			}
		}, func(int, string) {})
	})
}

func TestTables(t *testing.T) {
	dir := shared(t, "contracts/replay-sample")
	reject := func(n int, why string) { t.Errorf("line %d: %s", n, why) }
	shifts, gone, places := 0, map[string]int64{}, map[string]string{}
	for name, read := range map[string]func(io.Reader) error{
		"roster.csv": func(r io.Reader) error {
			return roster(context.Background(), r, func(detect.Shift) { shifts++ }, reject)
		},
		"leavers.csv": func(r io.Reader) error {
			return leavers(context.Background(), r, func(p string, end int64) { gone[p] = end }, reject)
		},
		"devices.csv": func(r io.Reader) error {
			return devices(context.Background(), r, func(d, _, p string) { places[d] = p }, reject)
		},
	} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := read(f); err != nil {
			t.Error(name, err)
		}
		f.Close()
	}
	if end, _ := instant("2026-01-15"); shifts != 18 || gone["Practitioner/ba9aa0370c"] != end || places["Device/8ffde71d"] != "Location/089af896" {
		t.Error(shifts, gone, places)
	}
	var why []string
	_ = leavers(context.Background(), strings.NewReader("practitioner,last_day\nPractitioner/1,soon\nPractitioner/2\n"), func(string, int64) {}, func(n int, w string) { why = append(why, fmt.Sprint(n, w)) })
	if want := []string{"2last_day is no date", "3a column is missing"}; !reflect.DeepEqual(why, want) {
		t.Errorf("%q", why)
	}
}

func BenchmarkEvent(b *testing.B) {
	ls := fileLines(b, shared(b, "contracts/replay-sample/log.ndjson"))
	n := 0
	for _, l := range ls {
		n += len(l)
	}
	b.SetBytes(int64(n / len(ls)))
	for i := 0; b.Loop(); i++ {
		if _, why := Event(ls[i%len(ls)]); why != "" {
			b.Fatal(why)
		}
	}
}
