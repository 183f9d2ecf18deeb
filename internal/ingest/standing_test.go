package ingest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/simulate"
)

// pupil hands what a standing reading gives to an engine and keeps where it is.
type pupil struct {
	*detect.Engine
	spots    map[string]Spot
	rejected []string
}

func (p *pupil) Event(at Spot, e *detect.Event) {
	p.spots[strings.Clone(e.ID)] = at
	p.Judge(e)
}
func (p *pupil) Reject(at Spot, file, why string) {
	p.rejected = append(p.rejected, fmt.Sprintf("%s %d %s", file, at.Line, why))
}

// cut is a file in pieces of about size bytes.
func cut(t *testing.T, f Form, name string, text []byte, size func() int) (out []Piece) {
	t.Helper()
	f, err := Sniff(name, text[:min(len(text), 1<<14)], f)
	if err != nil {
		t.Fatal(err)
	}
	header, line := "", 1
	if f.Map != nil {
		var lines int
		var ok bool
		if header, lines, ok, err = f.Map.Head(name, text); err != nil || !ok {
			t.Fatal(ok, err)
		}
		line, text = line+lines, text[len(header):]
	}
	for len(text) > 0 {
		n := 0
		for want := size(); n == 0; want *= 2 {
			last := want >= len(text)
			if n, err = f.Cut(name, header, text[:min(want, len(text))], last); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, Piece{Number: int64(len(out) + 1), File: name, Form: f, Header: header, First: line, Text: string(text[:n])})
		line += bytes.Count(text[:n], []byte("\n"))
		text = text[n:]
	}
	return out
}

// A log that comes in pieces, wherever they are cut, is judged like the whole file.
func TestPiecesAreJudgedLikeTheWhole(t *testing.T) {
	contextDir, log := hospital(t, simulate.Options{Seed: 3, Staff: 200, Patients: 2000, Days: 10})
	table := filepath.Join(t.TempDir(), "epic.txt")
	f, err := os.Create(table)
	if err != nil {
		t.Fatal(err)
	}
	exports["epic-purview"].write(t, log, f, time.UTC, 1<<30, nil)
	_, _ = f.WriteString("no row\n\"a quote\tthat never ends\n")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		path string
		form Form
	}{"FHIR": {log, Form{}}, "a table": {table, Form{Name: "epic-purview", Zone: time.UTC}}} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			if _, err := Replay(t.Context(), Options{Context: contextDir, Logs: []string{x.path}, Form: x.form, Out: out, Seed: 1}); err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(out, "verdicts.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(x.path)
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(1, 2))
			pieces := cut(t, x.form, filepath.Base(x.path), text, func() int { return 500 + random.IntN(60_000) })
			var got bytes.Buffer
			p := &pupil{spots: map[string]Spot{}, Engine: detect.New(detect.Options{Seed: 1, Verdict: func(v *detect.Verdict) { got.Write(append(v.AppendJSON(nil), '\n')) }})}
			s := NewStanding(p)
			if _, err := s.Learn(t.Context(), contextDir, time.Unix(0, 0), func(file string, line int, why string) { t.Error(file, line, why) }); err != nil {
				t.Fatal(err)
			}
			for some := range slices.Chunk(pieces, 3) {
				if err := s.Take(t.Context(), some); err != nil {
					t.Fatal(err)
				}
			}
			s.own.clock.finish()
			s.stream.Close()
			p.Close()
			if !bytes.Equal(want, got.Bytes()) {
				t.Errorf("%d bytes of verdicts, a replay gives %d", got.Len(), len(want))
			}
			rejected, err := os.ReadFile(filepath.Join(out, "rejected.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(rejected, []byte("\n")); n != len(p.rejected) || name == "a table" && n < 2 {
				t.Errorf("%d lines rejected, a replay rejects %d", len(p.rejected), n)
			}
			found := 0
			for id, at := range p.spots { // a line is found again
				if found++; found > 200 {
					break
				}
				e, ok := pieces[at.Piece-1].Row(at.Line)
				if !ok || name == "FHIR" && e.ID != id {
					t.Fatalf("%s at %+v: %v %+v", id, at, ok, e)
				}
			}
			if len(p.spots) == 0 {
				t.Error("nothing was judged")
			}
		})
	}
}

// What a context gains while the watch stands is told once, as known from then on.
func TestAContextGrows(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("Practitioner.ndjson", `{"resourceType":"Practitioner","id":"a","name":[{"family":"Moreau","given":["Theo"]}]}`+"\n")
	put("hr.csv", "employee id,login,family,given,department,role\nE1,tm,Moreau,Theo,3 West,nurse\n")
	var told []detect.Record
	s := NewStanding(&listener{learn: func(r detect.Record) { told = append(told, r) }})
	learn := func(now int64) int {
		t.Helper()
		told = nil
		if _, err := s.Learn(t.Context(), dir, time.Unix(now, 0), func(file string, line int, why string) { t.Error(file, line, why) }); err != nil {
			t.Fatal(err)
		}
		return len(told)
	}
	if n := learn(1000); n != 3 {
		t.Errorf("told %d: %+v", n, told)
	}
	if n := learn(2000); n != 0 {
		t.Errorf("told again: %+v", told)
	}
	put("Practitioner.ndjson", `{"resourceType":"Practitioner","id":"a","name":[{"family":"Moreau","given":["Theo"]}]}`+"\n"+`{"resourceType":"Practitioner","id":"b"}`+"\n")
	put("Patient.ndjson", `{"resourceType":"Patient","id":"p","meta":{"lastUpdated":"1970-01-01T00:10:00Z"}}`+"\n")
	if learn(3000); len(told) != 2 || told[0].Ref != "Practitioner/b" || told[0].Known != 3000 || told[1].Known != 600 {
		t.Errorf("%+v", told)
	}
	if m, ok := s.Member("Practitioner/employee:e1"); !ok || m != (Member{"Theo Moreau", "nurse", "3 west"}) {
		t.Errorf("%+v %v", m, ok)
	}
}

// keeper reads a context again and again and writes down what is told.
type keeper struct {
	t    *testing.T
	dir  string
	s    *Standing
	told []string
}

func newKeeper(t *testing.T) *keeper {
	k := &keeper{t: t, dir: t.TempDir()}
	k.s = NewStanding(&listener{learn: func(r detect.Record) { k.told = append(k.told, fmt.Sprint(r.Ref, " ", r.Gone)) },
		leaves: func(who string, from int64) { k.told = append(k.told, fmt.Sprint(who, " leaves ", from)) }})
	return k
}

func (k *keeper) put(name, text string) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// learns reads and compares what is told; broken: an error is due.
func (k *keeper) learns(broken bool, want ...string) {
	k.t.Helper()
	k.told = nil
	_, err := k.s.Learn(k.t.Context(), k.dir, time.Unix(1000, 0), func(file string, line int, why string) { k.t.Error(file, line, why) })
	if (err != nil) != broken {
		k.t.Errorf("broken %v: %v", broken, err)
	}
	if !slices.Equal(k.told, want) {
		k.t.Errorf("told %q, want %q", k.told, want)
	}
}

// A role that ends and is active again is told each time.
func TestARoleIsActiveAgain(t *testing.T) {
	k := newKeeper(t)
	role := func(active, end string) string {
		return `{"resourceType":"PractitionerRole","id":"r","active":` + active + `,"practitioner":{"reference":"Practitioner/a"}}` + end
	}
	k.put("PractitionerRole.ndjson", role("true", "\n"))
	k.learns(false, "PractitionerRole/r false")
	k.put("PractitionerRole.ndjson", role("false", "\n"))
	k.learns(false, "PractitionerRole/r true")
	k.put("PractitionerRole.ndjson", role("true", "\n\n"))
	k.learns(false, "PractitionerRole/r false")
	k.put("PractitionerRole.ndjson", role("true", "\n")+role("false", "\n")) // a file that grows
	k.learns(false, "PractitionerRole/r true")
	k.put("PractitionerRole.ndjson", role("true", "\n")+role("false", "\n")+role("true", "\n"))
	k.learns(false, "PractitionerRole/r false")
}

// Teams of a file that is cut are told, and those of its rest when it is whole.
func TestTeamsOfACutFileAreTold(t *testing.T) {
	k := newKeeper(t)
	var plain strings.Builder
	for i := range 40_000 { // more than what is read at once
		fmt.Fprintf(&plain, `{"resourceType":"CareTeam","id":"t%d","subject":{"reference":"Patient/p"},"note":[{"text":"%x"}]}`+"\n", i, rand.New(rand.NewPCG(1, uint64(i))).Uint64())
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(plain.String()))
	_ = z.Close()
	k.put("CareTeam.ndjson.gz", packed.String()[:packed.Len()/2])
	told := map[string]int{}
	for range 2 {
		k.told = nil
		if _, err := k.s.Learn(t.Context(), k.dir, time.Unix(1000, 0), func(string, int, string) {}); (err != nil) != (len(told) == 0) {
			t.Error(err)
		}
		for _, x := range k.told {
			told[x]++
		}
		if len(told) == 0 {
			t.Error("nothing is told of a file that is cut")
		}
		k.put("CareTeam.ndjson.gz", packed.String())
	}
	if len(told) != 40_000 || told["CareTeam/t0 false"] != 1 {
		t.Errorf("%d teams are told, the first %d times", len(told), told["CareTeam/t0 false"])
	}
}

// A last day that hr.csv takes back is taken back; that of leavers.csv stays.
func TestALastDayIsTakenBack(t *testing.T) {
	k := newKeeper(t)
	const head, a = "employee id,family,start,end\n", "Practitioner/employee:1"
	k.put("hr.csv", head+"1,Doe,2020-01-01,\n2,Roe,2020-01-01,\n")
	k.learns(false, a+" false", "Practitioner/employee:2 false")
	k.put("hr.csv", head+"1,Doe,2020-01-01,2020-01-02\n2,Roe,2020-01-01,\n")
	k.put("leavers.csv", "practitioner,last_day\n1,2020-01-05\n")
	k.learns(false, a+" leaves 1578009600", a+" leaves 1578268800")
	k.put("hr.csv", head+"1,Doe,2020-01-01,\n2,Roe,2020-01-01,\n")
	k.learns(false, a+" leaves 0", a+" leaves 1578268800") // the list of leavers stands
	k.put("hr.csv", head+"1,Doe,2020-01-01,\n2,Roe,2020-01-01,\n\n")
	k.learns(false)
}

type listener struct {
	learn  func(detect.Record)
	leaves func(string, int64)
}

func (l *listener) Learn(r detect.Record)       { l.learn(r) }
func (l *listener) Leaves(who string, at int64) { l.leaves(who, at) }
func (*listener) Roster(detect.Shift)           {}
func (*listener) Device(_, _, _ string)         {}
func (*listener) Event(Spot, *detect.Event)     {}
func (*listener) Reject(_ Spot, _, why string)  { panic(why) }
