package policy

import (
	"bufio"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"chartwarden/policies"
)

var keep = flag.Bool("keep", false, "keep decisions of today's shipped bundle for TestOldDecisionReplays")

// kept is a decision as it was once made: its facts, by which bundle, and how it came out.
type kept struct {
	Hash    string
	Person  string
	Facts   json.RawMessage
	Allowed bool
	Permits []string `json:",omitempty"`
	Forbids []string `json:",omitempty"`
}

// Decisions that were kept with the hash of their bundle come out the same by that bundle, whatever the program has become since.
func TestOldDecisionReplays(t *testing.T) {
	if *keep {
		keepDecisions(t)
	}
	f, err := os.Open("testdata/decisions.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sets := map[string]*Set{}
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var k kept
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		if sets[k.Hash] == nil {
			packed, err := os.ReadFile(filepath.Join("testdata", "bundles", k.Hash+".json"))
			if err != nil {
				t.Fatal(err)
			}
			b, err := Unpack(packed)
			if err != nil {
				t.Fatal(err)
			}
			if b.Hash() != k.Hash {
				t.Fatalf("the kept bundle %s was changed: it is %s", k.Hash, b.Hash())
			}
			if sets[k.Hash], err = Reopen(b); err != nil {
				t.Fatal(err)
			}
		}
		facts, err := ReadFacts(string(k.Facts), k.Person)
		if err != nil {
			t.Fatal(err)
		}
		d := sets[k.Hash].Decide(facts.Requests()[0])
		if d.Hash != k.Hash || d.Allowed != k.Allowed || !slices.Equal(d.PermitIDs(), k.Permits) || !slices.Equal(d.ForbidIDs(), k.Forbids) || len(d.Errors) > 0 {
			t.Errorf("line %d was %v by %v, refused by %v; is %+v", n+1, k.Allowed, k.Permits, k.Forbids, d)
		}
	}
	if n < 400 {
		t.Errorf("%d decisions are kept", n)
	}
}

func keepDecisions(t *testing.T) {
	set := Default()
	b, err := Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata/bundles", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", "bundles", set.Hash()+".json"), b.Pack(), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile("testdata/decisions.ndjson", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := world{rand.New(rand.NewPCG(11, 11))}
	for allowed, all := 0, 0; all < 400 || allowed < 200; {
		q := w.question()
		d := set.Decide(q)
		if !d.Allowed && all-allowed >= 200 {
			continue
		}
		all++
		if d.Allowed {
			allowed++
		}
		line, err := json.Marshal(kept{Hash: d.Hash, Person: q.Principal.ID, Facts: json.RawMessage(factsOf(q).Text()), Allowed: d.Allowed, Permits: d.PermitIDs(), Forbids: d.ForbidIDs()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
	}
}

func (w world) question() Request {
	q := Request{w.principal(), pick(w, append(chartActions, Find, Break)...), w.relation(), w.resource(), w.context()}
	if q.Resource.PatientKey != "" {
		q.Resource.PatientKey = "1"
	}
	return q
}

func factsOf(q Request) Facts {
	return Facts{Principal: q.Principal, Action: q.Action, Relation: q.Relation, Context: q.Context, Resources: []Resource{q.Resource}}
}

// What is written of a decision decides the same when it is read again.
func TestFactsDecideTheSame(t *testing.T) {
	w := world{rand.New(rand.NewPCG(5, 5))}
	for range 3_000 {
		q := w.question()
		back, err := ReadFacts(factsOf(q).Text(), q.Principal.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := Default().decide(back.Requests()[0]), Default().decide(q); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nread as %+v\ndecided %+v, now %+v", q, back.Requests()[0], want, got)
		}
	}
}

func FuzzFacts(f *testing.F) {
	w := world{rand.New(rand.NewPCG(6, 6))}
	for range 20 {
		f.Add(factsOf(w.question()).Text())
	}
	f.Fuzz(func(t *testing.T, text string) {
		facts, err := ReadFacts(text, "p")
		if err != nil {
			return
		}
		again, err := ReadFacts(facts.Text(), "p")
		if err != nil || again.Text() != facts.Text() {
			t.Fatalf("%q reads as %q, and then as %q: %v", text, facts.Text(), again.Text(), err)
		}
	})
}

// A bundle in memory is the bundle on the disk.
func TestBundleIsItsFiles(t *testing.T) {
	b, err := Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Unpack(b.Pack())
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(back)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default().Hash(); set.Hash() != want || b.Hash() != want || back.Hash() != want {
		t.Errorf("hashes %s, %s, %s, not %s", set.Hash(), b.Hash(), back.Hash(), want)
	}
	if trials, err := set.Test(back); err != nil || len(trials) < 100 {
		t.Errorf("%d trials, %v", len(trials), err)
	}
}

// What a bundle remembered goes with it, and an action of a later program is decided by the shipped rules.
func TestReplaceForgets(t *testing.T) {
	q := Request{Principal: Principal{Kind: Person, ID: "a", Capacity: Staff, Roles: []string{"physician"}, Active: true, TrainingDue: scenarioNow.Add(time.Hour)}, Action: Read,
		Relation: Relation{CareTeam: true}, Resource: Resource{Type: "Condition", Group: "clinical", Released: true, PatientKey: "1"},
		Context: Context{Now: scenarioNow, Device: Managed, Zone: Hospital, AAL: 2}}
	e := Enforce(Default())
	if d := e.Decide(q); !d.Allowed {
		t.Fatal(d)
	}
	b, err := Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	delete(b, "treatment.cedar")
	other, err := Reopen(b)
	if err != nil {
		t.Fatal(err)
	}
	delete(other.actions, Settings)
	e.Replace(other)
	if d := e.Decide(q); d.Allowed || d.Hash != other.Hash() {
		t.Errorf("after the change: %+v", d)
	}
	q.Action, q.Principal.Roles = Settings, []string{"administrator"}
	if d := e.Decide(q); !d.Allowed || d.Hash != Default().Hash() {
		t.Errorf("an unknown action: %+v", d)
	}
}

// Whoever gives the rules a new fact writes it in Facts too, or decisions can no longer be made again: then correct the numbers.
func TestFactsAreWhole(t *testing.T) {
	for of, want := range map[reflect.Type]int{reflect.TypeFor[Principal](): 14, reflect.TypeFor[Relation](): 13, reflect.TypeFor[Resource](): 7, reflect.TypeFor[Context](): 7} {
		if n := of.NumField(); n != want {
			t.Errorf("%s has %d fields, not %d: write the new one in Facts, and in key of memo.go", of.Name(), n, want)
		}
	}
}
