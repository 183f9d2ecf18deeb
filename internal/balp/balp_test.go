package balp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

// testdata is the folder of published data; tests that need it are skipped without it, and fail in CI.
func testdata(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("CHARTWARDEN_TESTDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("published data is missing: set CHARTWARDEN_TESTDATA")
		}
		t.Skip("not run: published data is missing (CHARTWARDEN_TESTDATA)")
	}
	return path
}

func pick[T any](options ...T) T { return options[rand.IntN(len(options))] }

func some[T any](most int, make func() T) (out []T) {
	for range rand.IntN(most + 1) {
		out = append(out, make())
	}
	return out
}

func anyData() Data {
	return Data{Ref: pick("Observation/1", "Encounter/8/_history/3"), Role: pick("", "3", "20"), Name: pick("", "a name"),
		Details: some(2, func() Detail { return Detail{pick("rows", "bytes", "section"), pick("1", "notes")} })}
}

func anyEvent() Event {
	e := Event{
		ID: pick("", "9f3c-17"), Recorded: time.UnixMicro(1_790_000_000_000_000 + rand.Int64N(1e15)).UTC(), Interaction: pick(append(Interactions(), "heartbeat", "cut")...),
		Outcome: pick(Success, SeriousFailure), OutcomeText: pick("", "refused"), Class: pick("", "deliberate", "incidental", "machine"),
		Purposes: pick([]string{"TREAT"}, []string{"ETREAT", "BTG"}, []string{"HPAYMT"}), Text: pick("", "no pulse, \"unconscious\"\n<b>é</b>"), Origin: "hospital.example/log",
		Site: pick("", "north"), Server: pick("", "https://ehr.example/fhir"), Request: pick("", "r-1"), Query: pick("", "name=x&birthdate=1970"),
		Agent: Agent{Ref: pick("", "Practitioner/17", "Patient/9"), ID: "p-9", Name: pick("", "Dr. A"), Roles: some(2, func() string { return pick("physician", "nurse") }),
			Capacity: pick("", "staff", "patient"), Location: pick("", "Location/3"), Address: pick("", "10.1.2.3", "2001:db8::1", "ws.example"), Device: pick("", "Device/8"),
			Client: pick("", "app-1"), Session: pick("", "s-4"), AAL: rand.IntN(3), Policies: some(2, func() string { return pick("treat.team", "btg") }), Machine: pick(true, false)},
		Patients: some(3, func() Patient {
			return Patient{Ref: "Patient/" + fmt.Sprint(rand.IntN(9)), Identifier: pick("", "mrn-1"), Name: pick("", "n"), Data: some(3, anyData), Details: some(1, func() Detail { return Detail{"template", "care-team"} })}
		}),
		Data: some(1, anyData),
	}
	e.Action = Action(e.Interaction)
	return e
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for range 3000 {
		e := anyEvent()
		line := e.AppendJSON(nil)
		back, err := Parse(line)
		if err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		if !reflect.DeepEqual(e, back) {
			t.Fatalf("\nwrote %+v\nread  %+v\n%s", e, back, line)
		}
	}
}

// The fixed parts of the BALP profiles, read off their definitions: type, subtype, action, and the codes of client, server and person.
func TestProfilesAreKept(t *testing.T) {
	for interaction, want := range map[string][5]string{
		"read": {"R", "110152", "110153", "IRCP", "PatientRead"}, "vread": {"R", "110152", "110153", "IRCP", "PatientRead"},
		"create": {"C", "110153", "110152", "AUT", "PatientCreate"}, "update": {"U", "110153", "110152", "AUT", "PatientUpdate"},
		"delete": {"D", "110150", "custodian", "AUT", "PatientDelete"}, "search": {"E", "110153", "110152", "IRCP", "PatientQuery"},
	} {
		e := Event{Interaction: interaction, Recorded: time.Unix(0, 0), Origin: "o", Query: "q", Agent: Agent{ID: "p", Ref: "Practitioner/1"},
			Patients: []Patient{{Ref: "Patient/1", Data: []Data{{Ref: "Observation/1"}}}}}
		var r resource
		if err := json.Unmarshal(e.AppendJSON(nil), &r); err != nil {
			t.Fatal(err)
		}
		if r.Type != (coding{systemEventType, "rest", ""}) || r.Subtype[0] != (coding{systemRest, interaction, ""}) || r.Action != want[0] || r.Outcome != "0" {
			t.Errorf("%s: %+v", interaction, r)
		}
		kinds := map[string]agent{}
		for _, a := range r.Agent {
			kinds[a.kind()] = a
		}
		if len(r.Agent) != 3 || !kinds[want[3]].Requestor || kinds[want[3]].Network != nil || kinds[want[1]].Network == nil || kinds[want[1]].Who == nil || kinds[want[2]].Network == nil || kinds[want[2]].Who == nil {
			t.Errorf("%s: agents %+v", interaction, r.Agent)
		}
		if r.Meta == nil || !strings.HasSuffix(r.Meta.Profile[0], "IHE.BasicAudit."+want[4]) {
			t.Errorf("%s: profile %v", interaction, r.Meta)
		}
	}
}

func TestPublishedExamplesAreRead(t *testing.T) {
	want := map[string][3]string{ // interaction, who asked, patient
		"disclosure": {"export", "SomeIdiot@nowhere", "Patient/example"}, "error": {"create", "95", ""}, "login": {"login", "95", ""}, "logout": {"logout", "95", ""},
		"media": {"export", "95", ""}, "pixQuery": {"query", "95", ""}, "rest": {"vread", "95", ""}, "search": {"search", "95", ""}, "": {"start", "Grahame", ""},
	}
	files, _ := filepath.Glob(filepath.Join(testdata(t, "audit-samples", "fhir-auditevent-r4"), "*.json"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "AuditEvent-example"), ".json"), "-")
		e, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		patient := ""
		if len(e.Patients) > 0 {
			patient = e.Patients[0].Ref
		}
		if got := [3]string{e.Interaction, e.Agent.ID, patient}; got != want[name] {
			t.Errorf("%s: %v, want %v", name, got, want[name])
		}
		again, err := Parse(e.AppendJSON(nil))
		if err != nil || !reflect.DeepEqual(again, normal(e)) {
			t.Errorf("%s changed by writing and reading\n%+v\n%+v (%v)", name, e, again, err)
		}
	}
	if len(files) != len(want) {
		t.Errorf("%d examples, want %d", len(files), len(want))
	}
}

// normal fills what writing makes explicit.
func normal(e Event) Event {
	if e.Outcome == "" {
		e.Outcome = Success
	}
	if e.Action == "" {
		e.Action = Action(e.Interaction)
	}
	return e
}

func TestRecordedLogsAreRead(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(testdata(t, "contracts", "replay-sample"), "log.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		e, err := Parse([]byte(line))
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		seen[e.Interaction]++
		if !strings.HasPrefix(e.Agent.Ref, "Practitioner/") || !strings.HasPrefix(e.Agent.Device, "Device/") || e.Agent.Address == "" || len(e.Agent.Roles) != 1 || len(e.Purposes) != 1 {
			t.Errorf("line %d: %+v", i+1, e.Agent)
		}
		if again, err := Parse(e.AppendJSON(nil)); err != nil || !reflect.DeepEqual(again.Patients, e.Patients) || again.Interaction != e.Interaction {
			t.Errorf("line %d changed by writing and reading (%v)", i+1, err)
		}
	}
	for _, want := range []string{"read", "search", "create", "update", "operation", "export", "print", "login", "logout", "glass"} {
		if seen[want] == 0 {
			t.Errorf("no %s was understood: %v", want, seen)
		}
	}
}

func TestBrokenEventsAreRefusedWithoutTheirValues(t *testing.T) {
	for text, place := range map[string]string{
		`{`:                             "",
		`{"resourceType":"Patient"}`:    "resourceType",
		`{"resourceType":"AuditEvent"}`: "AuditEvent.recorded",
		`{"resourceType":"AuditEvent","recorded":"2026-01-01T00:00:00"}`:                                                                      "AuditEvent.recorded",
		`{"resourceType":"AuditEvent","recorded":"2026-01-01T00:00:00Z"}`:                                                                     "AuditEvent.type",
		`{"resourceType":"AuditEvent","recorded":"2026-01-01T00:00:00Z","type":{"code":"rest"}}`:                                              "AuditEvent.agent",
		`{"resourceType":"AuditEvent","recorded":"2026-01-01T00:00:00Z","type":{"code":"rest"},"agent":[{"name":"Okafor"}],"action":"X"}`:     "AuditEvent.action",
		`{"resourceType":"AuditEvent","recorded":"2026-01-01T00:00:00Z","type":{"code":"rest"},"agent":[{"name":"Okafor"}],"outcome":"fine"}`: "AuditEvent.outcome",
	} {
		_, err := Parse([]byte(text))
		var e *outcome.Error
		if err == nil || !strings.Contains(err.Error(), place) || strings.Contains(err.Error(), "Okafor") || outcome.CodeOf(err) == outcome.Exception {
			t.Errorf("%s: %v %v", text, err, e)
		}
	}
}

func FuzzParse(f *testing.F) {
	for range 3 {
		f.Add(string(anyEvent().AppendJSON(nil)))
	}
	f.Add(`{"resourceType":"AuditEvent","recorded":"2026-01-01T00:00:00Z","type":{"code":"rest"},"agent":[{}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse([]byte(s))
		if err != nil {
			return
		}
		if _, err := Parse(e.AppendJSON(nil)); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	line := anyEvent().AppendJSON(nil)
	b.SetBytes(int64(len(line)))
	for range b.N {
		_, _ = Parse(line)
	}
}
