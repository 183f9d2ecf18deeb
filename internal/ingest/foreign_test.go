package ingest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/simulate"
)

// A simulated log, written as each system would, reads back as what that system can carry (exports says what that is), and is judged the
// same as AuditEvents that say so.
func TestEachPresetCarriesWhatItCan(t *testing.T) {
	if testing.Short() {
		t.Skip("a hospital is simulated")
	}
	contextDir, log := hospital(t, simulate.Options{Seed: 3, Staff: 200, Patients: 4000, Days: 14})
	zone, err := foreign.LoadZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range foreign.Presets() {
		x, ok := exports[name]
		if !ok {
			t.Errorf("no export is written as %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			var table bytes.Buffer
			var want []detect.Event
			glass := map[[2]string]int64{}
			rows := x.write(t, log, &table, zone, 25_000, func(e detect.Event) {
				if k := [2]string{e.Agent, ""}; e.Kind == detect.Glass { // a reason stands in every row of a day: only the first is the breaking
					k[1] = e.Patients[0]
					if at, ok := glass[k]; ok && e.Time-at < 86400 {
						e.Kind = detect.Read
					} else {
						glass[k] = e.Time
					}
				}
				want = append(want, e)
			})
			if rows < 25_000 {
				t.Fatalf("only %d rows", rows)
			}
			export := filepath.Join(t.TempDir(), "export.txt")
			if err := os.WriteFile(export, table.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			form, err := FormOf(name, "", "", "America/New_York")
			if err != nil {
				t.Fatal(err)
			}
			events := filepath.Join(t.TempDir(), "events.ndjson")
			rejected := filepath.Join(t.TempDir(), "rejected.ndjson")
			sum, err := Convert(context.Background(), Options{Context: contextDir, Logs: []string{export}, Form: form, Out: events}, rejected)
			if err != nil || sum.Rejected != sum.Foreign.Duplicates {
				t.Fatalf("%v, rejected %q", err, fileLines(t, rejected))
			}
			got := fileLines(t, events)
			// two rows that are one byte by byte count once: without a number of its own a table cannot tell them apart
			if len(got)+sum.Foreign.Duplicates != len(want) || sum.Foreign.Duplicates > len(want)/100 {
				t.Fatalf("%d events and %d duplicates of %d rows", len(got), sum.Foreign.Duplicates, len(want))
			}
			if f := sum.Foreign; f.UnknownPeople+f.UnknownPatients+f.OutOfOrder+f.PutInOrder+f.MissingTimes+len(f.Notes) > 0 {
				t.Errorf("%+v", f)
			}
			i := 0
			for _, line := range got {
				e, why := Event(line)
				if why != "" {
					t.Fatal(why)
				}
				for ; i < len(want); i++ {
					w := want[i]
					if w.ID == "" {
						w.ID = e.ID
					}
					if reflect.DeepEqual(e, w) {
						break
					}
					if i > 0 && sameSecond(want[i], want[:i]) { // a duplicate
						continue
					}
					t.Fatalf("row %d is read as\n%+v\nwant\n%+v", i, e, w)
				}
				i++
			}
			// what was read gives the same verdicts and cases, as a table and as AuditEvents
			table1, fhir := runForm(t, contextDir, Form{}, events), runForm(t, contextDir, form, export)
			for _, file := range []string{"verdicts.ndjson", "cases.ndjson"} {
				if table1[file] != fhir[file] || file == "verdicts.ndjson" && len(fhir[file]) == 0 {
					t.Errorf("%s differs", file)
				}
			}
		})
	}
}

func sameSecond(e detect.Event, before []detect.Event) bool {
	for i := len(before) - 1; i >= 0 && before[i].Time == e.Time; i-- {
		if reflect.DeepEqual(before[i], e) {
			return true
		}
	}
	return false
}

func runForm(t *testing.T, contextDir string, form Form, log string) map[string]string {
	out := t.TempDir()
	if _, err := Replay(context.Background(), Options{Context: contextDir, Logs: []string{log}, Form: form, Out: out, Budget: 2, Seed: 1}); err != nil {
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
