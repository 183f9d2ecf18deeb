package simulate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// small is a hospital that a test can afford, on a seed that belongs to tests.
func small(t testing.TB, change func(*Options)) (*Summary, string) {
	t.Helper()
	o := Options{Out: filepath.Join(t.TempDir(), "out"), Seed: 900, Staff: 220, Patients: 4000, Days: 14, Each: 1}
	if change != nil {
		change(&o)
	}
	s, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, o.Out
}

var once struct {
	sync.Once
	dir     string
	summary *Summary
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(once.dir)
	os.Exit(code)
}

// shared is one run that tests only read.
func shared(t testing.TB) (*Summary, string) {
	t.Helper()
	once.Do(func() {
		if once.dir, once.err = os.MkdirTemp("", "simulate-test-"); once.err == nil {
			once.summary, once.err = Run(Options{Out: once.dir, Seed: 900, Staff: 220, Patients: 4000, Days: 18, Each: 1})
		}
	})
	if once.err != nil {
		t.Fatal(once.err)
	}
	return once.summary, once.dir
}

// between cuts what stands behind one mark and before the next out of a line.
func between(line, mark, end string) string {
	_, rest, ok := strings.Cut(line, mark)
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, end)
	return rest
}

// entry is what tests need of each line of a log, without the cost of decoding millions.
type entry struct{ id, at, agent, line string }

func entries(t testing.TB, dir string) (out []entry) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "log.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		out = append(out, entry{between(l, `"id":"`, `"`), between(l, `"recorded":"`, `"`), between(l, `"who":{"reference":"`, `"`), l})
	}
	return out
}

func decode(t testing.TB, line string) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return m
}

// guilty are the ids that labels of attacks name.
func guilty(t testing.TB, dir string) map[string]bool {
	out := map[string]bool{}
	for _, l := range lines(t, filepath.Join(dir, "labels.ndjson"))[1:] {
		if l["kind"] == "attack" {
			for _, e := range l["events"].([]any) {
				out[e.(string)] = true
			}
		}
	}
	return out
}

// lines decodes a file of NDJSON.
func lines(t testing.TB, path string) (out []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var m map[string]any
		if err := json.Unmarshal(in.Bytes(), &m); err != nil {
			t.Fatalf("%s: %v: %s", path, err, in.Text())
		}
		out = append(out, m)
	}
	return out
}

// The same options give the same bytes, on one core and on two.
func TestRunIsDeterministic(t *testing.T) {
	tree := func(dir string) map[string][]byte {
		out := map[string][]byte{}
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(dir, p)
				out[rel], err = os.ReadFile(p)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	shorter := func(o *Options) { o.Days = 11 }
	before := runtime.GOMAXPROCS(1)
	_, one := small(t, shorter)
	runtime.GOMAXPROCS(2)
	_, two := small(t, shorter)
	runtime.GOMAXPROCS(before)
	a, b := tree(one), tree(two)
	if len(a) != len(b) {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs between one core and two", name)
		}
	}
}

// Attacks add to the innocent log and change nothing in it but the sessions around it.
func TestAttacksOnlyAdd(t *testing.T) {
	accesses := func(dir string, leaveOut map[string]bool) (out []string) {
		for _, e := range entries(t, dir) {
			if strings.Contains(e.line, `"entity":`) && !leaveOut[e.id] {
				out = append(out, e.id+" "+e.at)
			}
		}
		slices.Sort(out)
		return out
	}
	_, with := small(t, func(o *Options) {
		o.Attacks = []string{"household", "harvest", "stalking", "bulk-export", "mass-delete"}
	})
	_, without := small(t, func(o *Options) { o.Attacks = []string{"none"} })
	labelled := guilty(t, with)
	if len(labelled) < 60 {
		t.Fatalf("only %d labelled entries", len(labelled))
	}
	if a, b := accesses(with, labelled), accesses(without, nil); !slices.Equal(a, b) {
		t.Errorf("%d innocent accesses with attacks, %d without, and they differ", len(a), len(b))
	}
}

func TestLogIsWhatTheContractSays(t *testing.T) {
	s, dir := shared(t)
	log := entries(t, dir)
	if len(log) != s.Events {
		t.Errorf("%d entries, the summary says %d", len(log), s.Events)
	}
	seen, last := map[string]entry{}, ""
	for _, e := range log {
		if _, twice := seen[e.id]; twice {
			t.Fatalf("id %s twice", e.id)
		}
		if e.at < last {
			t.Fatalf("%s comes after %s", e.at, last)
		}
		seen[e.id], last = e, e.at
	}
	labels := lines(t, filepath.Join(dir, "labels.ndjson"))
	from := labels[0]["judged_from"].(string)
	kinds := map[string]int{}
	for _, l := range labels[1:] {
		kinds[l["kind"].(string)]++
		agents := []any{l["agent"]}
		if more, ok := l["with"].([]any); ok {
			agents = append(agents, more...)
		}
		for _, id := range l["events"].([]any) {
			e, ok := seen[id.(string)]
			if !ok {
				t.Fatalf("label %v names an entry that is not there: %v", l["label"], id)
			}
			if !slices.Contains(agents, any(e.agent)) {
				t.Errorf("label %v names an entry of somebody else", l["label"])
			}
			if l["kind"] == "attack" && e.at < from {
				t.Errorf("label %v is of %v, before the first judged day", l["label"], e.at)
			}
		}
	}
	if kinds["attack"] < len(scenarios)-8 || kinds["twin"] < 10 {
		t.Errorf("%v labels", kinds)
	}
	for _, name := range s.Unplayed {
		if !slices.Contains([]string{"report-writer", "leaver", "self-grant", "dormant", "poisoning", "slow-export", "minor", "vip", "vip-crowd"}, name) {
			t.Errorf("nobody plays %s in a small hospital", name)
		}
	}
}

// What somebody does for no good reason must not show in how it is written: ids, files' order and the shapes of lines.
func TestNothingButTheDeedTells(t *testing.T) {
	_, dir := shared(t)
	for _, name := range []string{"Task", "Appointment", "ServiceRequest", "Patient"} {
		ids := lines(t, filepath.Join(dir, "context", name+".ndjson"))
		sorted := 0
		for i := 1; i < len(ids); i++ {
			if ids[i-1]["id"].(string) < ids[i]["id"].(string) {
				sorted++
			}
		}
		if sorted < len(ids)*9/10 {
			t.Errorf("%s is not ordered by id within a day", name)
		}
	}
	attacks := guilty(t, dir)
	innocent, suspect := map[string]bool{}, map[string]bool{}
	for i, e := range entries(t, dir) {
		if attacks[e.id] {
			suspect[shape(decode(t, e.line))] = true
		} else if i%5 == 0 || strings.Contains(e.line, `"D","recorded"`) || strings.Contains(e.line, "110106") || strings.Contains(e.line, "operation") || strings.Contains(e.line, "110127") || strings.Contains(e.line, "PractitionerRole") {
			innocent[shape(decode(t, e.line))] = true
		}
	}
	for s := range suspect {
		if !innocent[s] {
			t.Errorf("only attacks look like %s", s)
		}
	}
}

// shape is the structure of a line without its values.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k, x := range v {
			keys = append(keys, k+":"+shape(x))
		}
		slices.Sort(keys)
		return "{" + strings.Join(keys, ",") + "}"
	case []any:
		var parts []string
		for _, x := range v {
			parts = append(parts, shape(x))
		}
		slices.Sort(parts)
		return "[" + strings.Join(slices.Compact(parts), ";") + "]"
	case string:
		return "s"
	case bool:
		return "b"
	}
	return "n"
}

// sample is the contract's, as it is published beside the project.
func sample(t *testing.T) string {
	root := os.Getenv("CHARTWARDEN_TESTDATA")
	if root == "" {
		root = "../../../shared"
	}
	dir := filepath.Join(root, "contracts", "replay-sample")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the contract's sample is not here (CHARTWARDEN_TESTDATA)")
	}
	return dir
}

// Every entry has the exact shape of the sample's entries of its kind.
func TestEntriesHaveTheShapeOfTheSample(t *testing.T) {
	dir := sample(t)
	kind := func(e map[string]any) string {
		out := e["type"].(map[string]any)["code"].(string)
		if sub, ok := e["subtype"].([]any); ok {
			out += "/" + sub[0].(map[string]any)["code"].(string)
		}
		return out + " " + e["action"].(string)
	}
	take := func(path string) (tops, entities map[string]map[string]bool) {
		tops, entities = map[string]map[string]bool{}, map[string]map[string]bool{}
		put := func(m map[string]map[string]bool, k, v string) {
			if m[k] == nil {
				m[k] = map[string]bool{}
			}
			m[k][v] = true
		}
		log := entries(t, path)
		for i, l := range log {
			if len(log) > 1000 && i%9 > 0 && strings.Contains(l.line, `"rest"`) && !strings.Contains(l.line, "operation") && !strings.Contains(l.line, "delete") {
				continue
			}
			e := decode(t, l.line)
			for _, x := range asList(e["entity"]) {
				put(entities, "", shape(x))
			}
			delete(e, "entity")
			put(tops, kind(e), shape(e))
		}
		return tops, entities
	}
	wantTops, wantEntities := take(dir)
	_, out := shared(t)
	tops, entities := take(out)
	for k, shapes := range tops {
		for s := range shapes {
			if !wantTops[k][s] {
				t.Errorf("%s: the sample has no %s", k, s)
			}
		}
	}
	for k := range wantTops {
		if tops[k] == nil {
			t.Errorf("no entry of the kind %s", k)
		}
	}
	for s := range entities[""] {
		if !wantEntities[""][s] {
			t.Errorf("the sample has no entity %s", s)
		}
	}
}

func asList(v any) []any { l, _ := v.([]any); return l }

// Every path of every reference resource occurs in the sample's, but for those that the sample is too small to show.
func TestFactsHaveTheShapeOfTheSample(t *testing.T) {
	dir := sample(t)
	_, out := shared(t)
	more := []string{"Patient.meta", "Patient.deceasedDateTime", "RelatedPerson", "PractitionerRole.healthcareService", "Practitioner.meta", "Flag.meta", "Person.meta", "Encounter.participant", "Encounter.location", "Encounter.partOf"}
	files, err := filepath.Glob(filepath.Join(out, "context", "*.ndjson"))
	if err != nil || len(files) < 18 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		want := map[string]bool{}
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			for _, l := range lines(t, filepath.Join(dir, name)) {
				paths(strings.TrimSuffix(name, ".ndjson"), l, want)
			}
		}
		got := map[string]bool{}
		for _, l := range lines(t, f) {
			paths(strings.TrimSuffix(name, ".ndjson"), l, got)
		}
		for p := range got {
			if !want[p] && !slices.ContainsFunc(more, func(m string) bool { return strings.HasPrefix(p, m) }) {
				t.Errorf("the sample has no %s", p)
			}
		}
	}
	for _, table := range []string{"roster.csv", "leavers.csv", "devices.csv"} {
		a, err1 := os.ReadFile(filepath.Join(dir, table))
		b, err2 := os.ReadFile(filepath.Join(out, "context", table))
		if err1 != nil || err2 != nil || strings.SplitN(string(a), "\n", 2)[0] != strings.SplitN(string(b), "\n", 2)[0] {
			t.Errorf("%s has another head: %v %v", table, err1, err2)
		}
	}
}

func paths(at string, v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			paths(at+"."+k, x, into)
		}
	case []any:
		for _, x := range v {
			paths(at, x, into)
		}
	default:
		into[at] = true
	}
}

func TestMissingFeedsAreNotWritten(t *testing.T) {
	_, dir := small(t, func(o *Options) { o.Missing, o.Days = []string{"CareTeam", "Task", "roster"}, 10 })
	for _, name := range []string{"CareTeam.ndjson", "Task.ndjson", "roster.csv"} {
		if _, err := os.Stat(filepath.Join(dir, "context", name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"staff": {Staff: 3}, "patients": {Patients: 10}, "days": {Days: 2}, "noise": {Noise: 99}, "each": {Each: -1}, "attacks": {Attacks: []string{"frog"}}, "missing": {Missing: []string{"Frog"}},
	} {
		o.Out = t.TempDir()
		if _, err := Run(o); err == nil || !strings.Contains(err.Error(), "--"+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, dir := small(t, func(o *Options) { o.Days = 10 })
	if _, err := Run(Options{Out: dir}); err == nil {
		t.Error("a simulation was overwritten")
	}
}
