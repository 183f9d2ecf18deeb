package server_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/detect"
	"chartwarden/internal/hospital"
	"chartwarden/internal/identity"
	"chartwarden/internal/ingest"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
)

// played is a demonstration's hospital whose day is played while detection follows.
type played struct {
	*servertest.Server
	seat  *hospital.Seat
	clock *hospital.Clock

	everybody []string // patients, once they were asked for

	mu       sync.Mutex
	verdicts map[string]string // the newest line of an event and patient
	cases    map[string]string // by person, hypothesis and beginning
	alerts   map[string]string // by id
}

var noon = time.Date(2035, 11, 21, 12, 20, 0, 0, time.UTC) // a Wednesday

// play makes the hospital, 13 hours before noon, and lets its day happen until then.
func play(t testing.TB, before ...func(*played)) *played {
	t.Helper()
	place := dbtest.New(t)
	config := server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost"}
	if err := server.Init(t.Context(), config, true); err != nil {
		t.Fatal(err)
	}
	p := &played{clock: &hospital.Clock{}, verdicts: map[string]string{}, cases: map[string]string{}, alerts: map[string]string{}}
	p.clock.Set(noon.Add(-13 * time.Hour))
	world := hospital.Generate(hospital.Options{Seed: 1, Size: hospital.Small, Now: noon})
	p.seat = &hospital.Seat{Clock: p.clock, World: world}
	s, err := server.Open(context.WithoutCancel(t.Context()), config, server.Options{Now: p.clock.Now, Demo: true, Hospital: world.Name, DemoSeat: p.seat.Sit, DemoFrom: p.seat.Seated,
		Verdict: func(v *detect.Verdict) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.verdicts[v.Event+" "+v.Patient] = string(v.AppendJSON(nil))
		},
		Case: func(c *detect.Case) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.cases[fmt.Sprint(c.Agent, " ", c.Hypothesis, " ", time.Unix(c.Opened, 0).UTC().Format(time.RFC3339))] = string(c.AppendJSON(nil))
		}, Alert: func(c *detect.Case) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.alerts[c.ID] = string(c.AppendJSON(nil))
		}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Watch.Run(running) }()
	t.Cleanup(func() {
		stop()
		<-done
		h.Close()
		_ = s.Close()
	})
	p.Server = &servertest.Server{Server: s, URL: h.URL, Dir: place.Dir}
	p.seat.Gate, p.seat.Trail = s.Gate, s.Persons
	if err := p.seat.Take(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, do := range before {
		do(p)
	}
	if err := p.seat.PlayPast(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.clock.Set(noon)
	return p
}

// catchUp waits until detection has judged everything.
func (p *played) catchUp(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := p.Watch.CatchUp(ctx); err != nil {
		t.Fatalf("%v; %+v", err, p.Watch.State())
	}
}

var updated = regexp.MustCompile(`"lastUpdated":"[^"]*"`)

// context writes what a replay needs: all versions of it, each as known since it was stored.
func (p *played) context(t *testing.T, dir string) {
	t.Helper()
	lines := map[string][]byte{}
	err := p.TellVersions(t.Context(), ingest.Types, func(typ, _ string, known time.Time, line []byte) error {
		line = updated.ReplaceAll(line, []byte(`"lastUpdated":"`+known.Format(time.RFC3339Nano)+`"`))
		lines[typ] = append(append(lines[typ], line...), '\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for typ, text := range lines {
		if err := os.WriteFile(filepath.Join(dir, typ+".ndjson"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// justify has an officer find justified that a unit's staff opens charts of each ward, before the day begins.
func (p *played) justify(t *testing.T) {
	t.Helper()
	p.clock.Set(noon.Add(-13*time.Hour + time.Minute)) // what was stored is known from the next second on that the log reaches
	if _, err := p.Log.Note(t.Context(), audit.Event{Kind: audit.Job, Agent: audit.Agent{Job: "test"}, Interaction: "read", Class: audit.Machine, Purpose: "HOPERAT"}); err != nil {
		t.Fatal(err)
	}
	p.catchUp(t)
	people, err := p.Persons.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	officer := people[slices.IndexFunc(people, func(x identity.Person) bool { return slices.Contains(x.Roles, identity.Privacy) })]
	units := p.Office.Units()
	if len(units) == 0 {
		t.Fatal("detection knows no unit on which patients are")
	}
	departments := map[string]bool{}
	for _, x := range people {
		if x.Practitioner == "" || departments[x.Department] || x.Department == officer.Department || len(departments) == 4 {
			continue
		}
		departments[x.Department] = true
		for _, u := range units {
			c := servertest.Raise(t, p.Office.Store, servertest.Suspicion{Agent: x.Practitioner, Hypothesis: u.Ref, At: p.clock.Now(), Patients: []string{"Patient/nobody"}})
			_, err := p.Office.Take(t.Context(), p.as(officer), c.ID)
			if err == nil {
				_, err = p.Office.Close(t.Context(), p.as(officer), c.ID, casework.Finding{Outcome: casework.Justified, Text: "fills in", Seen: 1,
					Fact: &casework.Fact{Unit: "hers", Of: detect.UnitPatients + u.Ref, Patients: u.Name, Reason: "fills in"}})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	p.clock.Set(p.clock.Now().Add(time.Second))
}

// as is somebody of the house at a computer of the house.
func (p *played) as(x identity.Person) access.Principal {
	return access.Person(&identity.Session{Person: x, Capacity: identity.StaffCapacity, AAL: 2, Trust: policy.Registered, Zone: policy.Hospital, Created: p.clock.Now()})
}

// asksIn has somebody ask a colleague about a patient whose chart is closed to the colleague, who then reads it: it gives the colleague and the patient.
func (p *played) asksIn(t *testing.T) (colleague, patient string) {
	t.Helper()
	people, err := p.Persons.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clinicians := slices.DeleteFunc(people, func(x identity.Person) bool {
		return x.Practitioner == "" || !slices.Contains(x.Roles, identity.Physician) && !slices.Contains(x.Roles, identity.Nurse)
	})
	for _, patient := range p.strangers(t, 1) {
		treats := slices.IndexFunc(clinicians, func(x identity.Person) bool {
			_, err := p.Gate.Read(t.Context(), p.as(x), "Patient", patient)
			return err == nil
		})
		if treats < 0 {
			continue
		}
		for _, x := range slices.Backward(clinicians) {
			if _, err := p.Gate.Read(t.Context(), p.as(x), "Patient", patient); err == nil {
				continue
			}
			if _, err := p.Gate.AskedIn(t.Context(), p.as(clinicians[treats]), patient, x.ID); err != nil {
				continue
			}
			if _, err := p.Gate.Read(t.Context(), p.as(x), "Patient", patient); err != nil {
				t.Fatal(err)
			}
			return x.Practitioner, patient
		}
	}
	t.Fatal("nobody of the house can be asked about anybody")
	return "", ""
}

// justifiedAs writes what was found justified as a replay reads it.
func (p *played) justifiedAs(t *testing.T, dir string) {
	t.Helper()
	list, err := p.Cases.FactsAfter(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	people, err := p.Persons.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := "id,practitioner,patients,from,until\n"
	for _, f := range list {
		for _, x := range people {
			if x.Department == f.Unit && x.Practitioner != "" {
				text += fmt.Sprintf("finding-%d,%s,%s,%s,%s\n", f.Number, x.Practitioner, f.Of, f.From.Format(time.RFC3339Nano), f.Until.Format(time.RFC3339Nano))
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "justified.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newest reads lines of a replay and keeps the last of each key.
func newest(t *testing.T, name string, key func(map[string]any) string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var v map[string]any
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out[key(v)] = lines.Text()
	}
	return out
}

func compare(t *testing.T, what string, live, replayed map[string]string) {
	t.Helper()
	shown, differ := 0, 0
	for _, key := range slices.SortedFunc(maps.Keys(replayed), func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }) {
		line := replayed[key]
		if live[key] == line {
			continue
		}
		if differ++; shown < 5 {
			shown++
			t.Errorf("%s\n  live:   %s\n  replay: %s", what, live[key], line)
		}
	}
	for key, line := range live {
		if _, ok := replayed[key]; !ok {
			if differ++; shown < 5 {
				shown++
				t.Errorf("%s only live: %s", what, line)
			}
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d and %d %ss differ", differ, len(live), len(replayed), what)
	}
}

// The verdicts of the follower are those that a replay of the exported log gives, and its cases too.
func TestReplayGivesWhatTheFollowerSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a day")
	}
	p := play(t, func(p *played) { p.justify(t) })
	colleague, patient := p.asksIn(t)
	p.catchUp(t)
	p.clock.Set(noon.Add(5 * 24 * time.Hour)) // late documentation is waited for no more
	dir := t.TempDir()
	p.context(t, dir)
	p.justifiedAs(t, dir)
	bundle := filepath.Join(dir, "bundle")
	if _, err := p.Gate.ExportLog(t.Context(), access.Job(access.Operator), access.LogExport{Dir: bundle, Payloads: true}); err != nil {
		t.Fatal(err)
	}
	p.catchUp(t)
	sum, err := ingest.Replay(t.Context(), ingest.Options{Context: dir, Logs: []string{filepath.Join(bundle, "events.ndjson")}, Out: filepath.Join(dir, "out"), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "justified.csv")); err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.Replay(t.Context(), ingest.Options{Context: dir, Logs: []string{filepath.Join(bundle, "events.ndjson")}, Out: filepath.Join(dir, "without"), Seed: 1}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events, %d accesses, %d explained, %d cases, %d rejected", sum.Events, sum.Accesses, sum.Explained, sum.Cases, sum.Rejected)
	if sum.Accesses < 300 || sum.Cases == 0 {
		t.Errorf("the day says too little")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	access := func(v map[string]any) string { return fmt.Sprint(v["event"], " ", v["patient"]) }
	said := newest(t, filepath.Join(dir, "out", "verdicts.ndjson"), access)
	compare(t, "verdict", p.verdicts, said)
	if !slices.ContainsFunc(slices.Collect(maps.Values(p.verdicts)), func(line string) bool {
		return strings.Contains(line, colleague+`"`) && strings.Contains(line, "Patient/"+patient+`"`) && strings.Contains(line, `"colleague.asked"`)
	}) {
		t.Errorf("%s was asked about %s and read her chart, and that explains nothing", colleague, patient)
	}
	differ := 0
	for key, line := range newest(t, filepath.Join(dir, "without", "verdicts.ndjson"), access) {
		if line != said[key] {
			differ++
		}
	}
	if t.Logf("%d verdicts change by what was found justified", differ); differ == 0 {
		t.Error("what was found justified says nothing")
	}
	compare(t, "case", p.cases, newest(t, filepath.Join(dir, "out", "cases.ndjson"), func(v map[string]any) string {
		delete(v, "case")
		return fmt.Sprint(v["agent"], " ", v["hypothesis"], " ", v["opened"])
	}))
	compare(t, "alert", p.alerts, newest(t, filepath.Join(dir, "out", "alerts.ndjson"), func(v map[string]any) string { return fmt.Sprint(v["case"]) }))
	if len(p.alerts) == 0 {
		t.Error("nothing of the day was told at once")
	}
}
