package baseline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartwarden/internal/simulate"
	"chartwarden/internal/simulate/score"
)

// A small hospital with the attacks that each kind of baseline is made for; every one finds some, writes cases that the scorer takes, and writes the same twice.
func TestBaselinesFindWhatTheyAreMadeFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sim")
	if _, err := simulate.Run(simulate.Options{Out: dir, Seed: 902, Staff: 200, Patients: 4000, Days: 12, Each: 3, Attacks: []string{"household", "kin", "harvest", "stolen-away", "mass-delete", "print-paging"}}); err != nil {
		t.Fatal(err)
	}
	run := func() string {
		out := t.TempDir()
		if err := Run(Options{Names: []string{"all"}, Context: filepath.Join(dir, "context"), Log: filepath.Join(dir, "log.ndjson"), Out: out}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	one, two := run(), run()
	labels, err := os.ReadFile(filepath.Join(dir, "labels.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for name, scenarios := range map[string][]string{"rules": {"household", "kin"}, "rules-filtered": {"household", "kin"}, "unexplained": {"harvest", "stolen-away", "print-paging"},
		"isolation-forest": {"mass-delete", "print-paging"}, "community": {"harvest", "stolen-away", "print-paging"}} {
		a, err1 := os.ReadFile(filepath.Join(one, name, "cases.ndjson"))
		b, err2 := os.ReadFile(filepath.Join(two, name, "cases.ndjson"))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) || len(a) == 0 {
			t.Errorf("%s: two runs differ, or nothing was written: %v %v", name, err1, err2)
			continue
		}
		r, err := score.Judge(score.Input{Labels: bytes.NewReader(labels), Cases: bytes.NewReader(a)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := 0
		for _, s := range scenarios {
			if r.Scenarios[s] != nil {
				found += r.Scenarios[s].Found[3]
			}
		}
		if found == 0 {
			t.Errorf("%s finds none of %v", name, scenarios)
		}
	}
}

// Each rule, by a pair that meets it and no stronger one.
func TestRules(t *testing.T) {
	h := readLines(t, `
{"resourceType":"Practitioner","id":"n","name":[{"family":"Rare"}],"telecom":[{"value":"1"}],"address":[{"line":["5 Oak Lane"],"postalCode":"1"}]}
{"resourceType":"Practitioner","id":"m","name":[{"family":"Else"}],"telecom":[{"value":"2"}],"address":[{"line":["7 Elm Lane"],"postalCode":"1"}]}
{"resourceType":"Practitioner","id":"o","name":[{"family":"Other"}],"telecom":[{"value":"3"}],"address":[{"line":["8 Ash Lane"],"postalCode":"1"}]}
{"resourceType":"PractitionerRole","practitioner":{"reference":"Practitioner/n"},"organization":{"reference":"Organization/a"},"code":[{"text":"nurse"}]}
{"resourceType":"PractitionerRole","practitioner":{"reference":"Practitioner/m"},"organization":{"reference":"Organization/a"},"code":[{"text":"nurse"}]}
{"resourceType":"PractitionerRole","practitioner":{"reference":"Practitioner/o"},"organization":{"reference":"Organization/b"},"code":[{"text":"nurse"}]}
{"resourceType":"Patient","id":"self","name":[{"family":"Rare"}],"address":[{"line":["5 Oak Lane"],"postalCode":"1"}]}
{"resourceType":"Patient","id":"home","name":[{"family":"X"}],"address":[{"line":["5 Oak Lane"],"postalCode":"1"}]}
{"resourceType":"Patient","id":"kin","name":[{"family":"X"}],"contact":[{"telecom":[{"value":"1"}]}]}
{"resourceType":"Patient","id":"kin2","name":[{"family":"X"}]}
{"resourceType":"RelatedPerson","patient":{"reference":"Patient/kin2"},"telecom":[{"value":"1"}]}
{"resourceType":"Patient","id":"name","name":[{"family":"Rare"}],"address":[{"line":["9 Far Lane"],"postalCode":"2"}]}
{"resourceType":"Patient","id":"mate","name":[{"family":"Else"}]}
{"resourceType":"Patient","id":"other","name":[{"family":"Other"}]}
{"resourceType":"Patient","id":"vip","name":[{"family":"X"}]}
{"resourceType":"Patient","id":"next","name":[{"family":"X"}],"address":[{"line":["6 Oak Lane"],"postalCode":"1"}]}
{"resourceType":"Patient","id":"nobody","name":[{"family":"X"}],"address":[{"line":["6 Oak Lane"],"postalCode":"2"}]}
{"resourceType":"Person","link":[{"target":{"reference":"Practitioner/n"}},{"target":{"reference":"Patient/self"}}]}
{"resourceType":"Person","link":[{"target":{"reference":"Practitioner/m"}},{"target":{"reference":"Patient/mate"}}]}
{"resourceType":"Person","link":[{"target":{"reference":"Practitioner/o"}},{"target":{"reference":"Patient/other"}}]}
{"resourceType":"Flag","code":{"coding":[{"code":"VIP"}]},"subject":{"reference":"Patient/vip"}}`)
	r := &rules{house: h}
	for patient, want := range map[string]string{"self": "self", "home": "household", "kin": "family on file", "kin2": "family on file", "name": "family name", "mate": "coworker of the unit",
		"other": "coworker", "vip": "VIP", "next": "neighbour", "nobody": ""} {
		if got, _ := r.rule(h.agents.number("Practitioner/n"), h.patients.number("Patient/"+patient)); got != want {
			t.Errorf("%s: %q, want %q", patient, got, want)
		}
	}
}

// The filter knows what was known by the end of the day, for the person, her department, or her place.
func TestReasons(t *testing.T) {
	h := readLines(t, `
{"resourceType":"PractitionerRole","practitioner":{"reference":"Practitioner/n"},"organization":{"reference":"Organization/a"},"code":[{"text":"nurse"}],"location":[{"reference":"Location/a"}]}
{"resourceType":"CareTeam","meta":{"lastUpdated":"2026-01-06T08:00:00Z"},"subject":{"reference":"Patient/team"},"period":{"start":"2026-01-05T07:00:00Z","end":"2026-01-05T19:00:00Z"},"participant":[{"member":{"reference":"Practitioner/n"}}]}
{"resourceType":"Task","meta":{"lastUpdated":"2026-01-05T08:00:00Z"},"for":{"reference":"Patient/task"},"authoredOn":"2026-01-05T08:00:00Z","owner":{"reference":"Organization/a"}}
{"resourceType":"Encounter","meta":{"lastUpdated":"2026-01-05T08:00:00Z"},"subject":{"reference":"Patient/ward"},"period":{"start":"2026-01-05T07:00:00Z","end":"2026-01-08T19:00:00Z"},"location":[{"location":{"reference":"Location/b"}}]}`)
	at, days := int64(1767607200), int64(dayLong) // 2026-01-05T10:00:00Z
	for _, c := range []struct {
		patient, place string
		at, by         int64
		want           bool
	}{
		{"team", "a", at, at + 14*3600, false}, {"team", "a", at, at + 2*days, true}, {"team", "a", at + 9*days, at + 20*days, false},
		{"task", "a", at, at + days, true}, {"ward", "a", at, at + days, false}, {"ward", "b", at, at + days, true}, {"nobody", "b", at, at + days, false},
	} {
		a := access{agent: h.agents.number("Practitioner/n"), patient: h.patients.number("Patient/" + c.patient), place: h.places.number("Location/" + c.place), at: c.at}
		if got := h.explained(a, c.by); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

func TestWrongUse(t *testing.T) {
	dir := t.TempDir()
	if err := Run(Options{Names: []string{"rules"}, Context: dir, Log: "x", Out: dir}); err == nil || !strings.Contains(err.Error(), "--context") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Practitioner.ndjson"), []byte(`{"resourceType":"Practitioner","id":"n"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Run(Options{Names: []string{"frog"}, Context: dir, Log: "x", Out: dir}); err == nil || !strings.Contains(err.Error(), "frog") {
		t.Error(err)
	}
	if err := Run(Options{Names: []string{"rules"}, Context: dir, Log: filepath.Join(dir, "nothing"), Out: dir}); err == nil || !strings.Contains(err.Error(), "no readable log") {
		t.Error(err)
	}
}

func readLines(t *testing.T, text string) *house {
	t.Helper()
	dir := t.TempDir()
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		var x resource
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(dir, x.ResourceType+".ndjson"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(line); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if _, err := os.Stat(filepath.Join(dir, "Practitioner.ndjson")); err != nil {
		if err := os.WriteFile(filepath.Join(dir, "Practitioner.ndjson"), []byte(`{"resourceType":"Practitioner","id":"n"}`+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h, err := readHouse(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte(`{"id":"1","recorded":"2026-01-05T10:00:00Z","action":"R","type":{"code":"rest"},"subtype":[{"code":"read"}],"agent":[{"who":{"reference":"Practitioner/1"},"requestor":true}],"entity":[{"what":{"reference":"Patient/1"},"type":{"code":"1"},"detail":[{"type":"rows","valueString":"x"}]}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		h := &house{}
		if a, ok := h.entry(line); ok && a.act == 0 {
			t.Error("an entry without an act")
		}
	})
}
