package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
	"chartwarden/internal/ingest"
)

// A finding about a department whose staff the context does not tell yet is not given up: it and what follows are told again.
func TestAFindingWaitsForItsDepartment(t *testing.T) {
	s := &session{Watch: New(Options{}), engine: detect.New(detect.Options{Seed: seed})}
	list := []casework.Fact{{Number: 1, Agent: "Practitioner/a", Of: detect.Anybody}, {Number: 2, Unit: "3 West", Of: detect.Anybody}, {Number: 3, Agent: "Practitioner/b", Of: detect.Anybody}}
	known := false
	staff := func(string) ([]string, error) {
		if !known {
			return nil, errNotYet
		}
		return []string{"Practitioner/c"}, nil
	}
	if err := s.justify(list, staff); err != nil || s.facts != 1 {
		t.Errorf("the next is looked for after %d: %v", s.facts, err)
	}
	known = true
	if err := s.justify(list[1:], staff); err != nil || s.facts != 3 {
		t.Errorf("the next is looked for after %d: %v", s.facts, err)
	}
}

// While the context is not read to its end, a department without people is one that is not known yet; of a context that is read it has none.
// What is found is asked for after the context is read.
func TestWhoWorksThereIsAskedAfterTheContext(t *testing.T) {
	p := newPost(t)
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(p.context, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("hr.csv", "employee id,login,family,given,department,role\nu,uu,Moreau,Theo,3 West,nurse\n")
	put("hr.map", "what is this\n")
	o := NewElsewhere(ElsewhereOptions{Log: p.log, Feed: p.feed, Context: p.context, Every: time.Nanosecond})
	r := &elsewhereReading{Elsewhere: o, session: &session{Watch: New(Options{Source: o, Cases: p.cases}), ctx: t.Context(), engine: detect.New(detect.Options{Seed: seed})}}
	r.standing = ingest.NewStanding(pupil{r})
	o.tally.begin(r.standing)
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.staff("3 West"); err != errNotYet {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(p.context, "hr.map")); err != nil {
		t.Fatal(err)
	}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	for unit, want := range map[string]int{"3 West": 1, "4 East": 0} {
		if people, err := r.staff(unit); err != nil || len(people) != want {
			t.Errorf("%s: %v %v", unit, people, err)
		}
	}
}
