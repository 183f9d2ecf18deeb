package care

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
)

// stored is everything known, without row numbers.
func (w *world) stored() []string {
	w.t.Helper()
	rows, err := w.d.Reader().Query(`select ` + edgeColumns + ` from care_edge`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			w.t.Fatal(err)
		}
		r.id = 0
		out = append(out, fmt.Sprintf("%+v", r))
	}
	slices.Sort(out)
	return out
}

// history is a life of random resources, each version by somebody at some time.
func history(w *world, r *rand.Rand, n int) (out []Change) {
	people := []Actor{anna, bob, clerk}
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	for range n {
		w.now = w.now.Add(time.Duration(r.IntN(40)) * time.Minute)
		start := w.now.Add(time.Duration(r.IntN(200)-100) * time.Hour)
		end := start.Add(time.Duration(r.IntN(50)) * time.Hour)
		if r.IntN(3) == 0 {
			end = time.Time{}
		}
		by, who := people[r.IntN(3)], people[r.IntN(2)]
		id := pick("1", "2", "3")
		text := ""
		switch r.IntN(8) {
		case 0, 1:
			text = anEncounter(id, pick("planned", "in-progress", "finished", "cancelled"), start, end, who, pick("ATND", "CON", ""))
		case 2:
			text = anAppointment(id, pick("booked", "arrived", "fulfilled", "noshow"), start, start.Add(time.Hour), who)
		case 3:
			text = aTeam(id, pick("active", "inactive"), fmt.Sprintf("'start':'%s'", stamp(start)), who)
		case 4:
			text = fmt.Sprintf(observation, "Encounter/"+id)
		case 5:
			text = fmt.Sprintf(`{'resourceType':'PractitionerRole','id':'%s','practitioner':%s,'organization':{'reference':'Organization/lab'}}`, id, ref(who))
		case 6:
			text = fmt.Sprintf(`{'resourceType':'ServiceRequest','id':'%s','status':'%s','intent':'order','subject':{'reference':'Patient/7'},'requester':%s,'performer':[{'reference':'Organization/lab'}]}`,
				id, pick("active", "completed", "draft"), ref(who))
		case 7:
			text = fmt.Sprintf(`{'resourceType':'Patient','id':'7','generalPractitioner':[%s]}`, ref(who))
		}
		c := w.change(by, text)
		c.Deleted = r.IntN(12) == 0
		out = append(out, c)
	}
	return out
}

// Projecting the history from scratch gives what was kept step by step, whatever was repeated or rolled back on the way.
func TestRebuildEqualsIncremental(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	undone := errors.New("undone")
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		live := newWorld(t)
		changes := history(live, r, 60)
		for _, c := range changes {
			if r.IntN(4) == 0 { // a write that fails behind the projection leaves nothing
				err := live.d.Write(context.Background(), func(tx *sql.Tx) error {
					if err := live.Project(context.Background(), tx, c); err != nil {
						return err
					}
					return undone
				})
				if !errors.Is(err, undone) {
					t.Fatal(err)
				}
			}
			live.apply(c)
			if r.IntN(4) == 0 {
				live.apply(c)
			}
		}
		again := &world{t: t, d: newWorld(t).d, box: live.box}
		var err error
		if again.Graph, err = Open(context.Background(), again.d, live.box, Options{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			again.apply(c)
		}
		if a, b := live.stored(), again.stored(); !slices.Equal(a, b) {
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Errorf("%s\nrebuilt\n%s", a[i], b[i])
				}
			}
			t.Fatalf("seed %d: %d rows, rebuilt %d", seed, len(a), len(b))
		}
		for _, who := range []Actor{anna, bob} {
			for range 20 {
				at := noon.Add(time.Duration(r.IntN(30)) * time.Hour)
				if a, b := facts(live.relate(who, at).Facts), facts(again.relate(who, at).Facts); a != b {
					t.Fatalf("seed %d: %q, rebuilt %q", seed, a, b)
				}
			}
		}
	}
}

// Bitemporal: what was known at a moment never changes afterwards.
func TestThePastStaysAsItWasKnown(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(4, 4))
	type view struct {
		at   time.Time
		who  Actor
		seen string
	}
	var views []view
	for _, c := range history(w, r, 80) {
		w.apply(c)
		for _, who := range []Actor{anna, bob} {
			views = append(views, view{c.KnownAt, who, facts(w.relate(who, c.KnownAt).Facts)})
		}
	}
	for i, v := range views {
		if i+2 < len(views) && views[i+2].at.Equal(v.at) {
			continue // more came at the same instant
		}
		if got := facts(w.relate(v.who, v.at).Facts); got != v.seen {
			t.Fatalf("at %v: %q, was %q", v.at, got, v.seen)
		}
	}
}

// The tables name nobody.
func TestTablesNameNobody(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'CareTeam','id':'t','subject':{'reference':'Patient/7'},'participant':[{'member':{'reference':'Practitioner/okafor-maren','display':'Maren Okafor'}}]}`)
	if err := w.d.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := dbtest.Disk(t, w.d)
	for _, name := range []string{"okafor", "Okafor", "Practitioner/"} {
		if bytes.Contains(text, []byte(name)) {
			t.Errorf("the file holds %q", name)
		}
	}
	if team, err := w.Team(t.Context(), maren, noon); err != nil || len(team) != 1 || team[0].Name != "Maren Okafor" {
		t.Errorf("%+v %v", team, err)
	}
}

func TestConstantsInQueries(t *testing.T) {
	for query, want := range map[string]string{stillKnown: fmt.Sprint(never), mineQuery: fmt.Sprint(after), mineQuery + " ": fmt.Sprint(ahead), relationQuery: fmt.Sprint(recent)} {
		if !strings.Contains(query, want) {
			t.Errorf("%s does not hold %s", query, want)
		}
	}
}

// The vocabulary in the documents is that of the code.
func TestVocabularyIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/explanations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range vocabulary {
		if line := fmt.Sprintf("| `%s` | %s | %s |", x.id, x.staff, x.patient); !strings.Contains(string(text), line) {
			t.Errorf("missing: %s", line)
		}
	}
	if n := strings.Count(string(text), "| `care."); n != len(vocabulary) {
		t.Errorf("%d documented, %d in use", n, len(vocabulary))
	}
}

func crowd(b *testing.B) *world {
	w := newWorld(b)
	w.says(clerk, `{'resourceType':'PractitionerRole','id':'r','practitioner':%s,'organization':{'reference':'Organization/lab'}}`, ref(anna))
	w.says(clerk, `{'resourceType':'Schedule','id':'s','actor':[%s,{'reference':'Location/5west'}],'planningHorizon':{'start':'%s','end':'%s'}}`, ref(anna), stamp(noon.Add(-time.Hour)), stamp(noon.Add(time.Hour)))
	err := w.d.Write(context.Background(), func(tx *sql.Tx) error {
		for i := range 20_000 {
			start := noon.Add(-time.Duration(i%600) * 24 * time.Hour)
			c := w.change(clerk, strings.ReplaceAll(anEncounter(fmt.Sprint("e", i), "finished", start, start.Add(time.Hour), []Actor{anna, bob}[i%2], "ATND"), "Patient/7", fmt.Sprint("Patient/", i%200)))
			if err := w.Project(context.Background(), tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return w
}

func BenchmarkRelate(b *testing.B) {
	w := crowd(b)
	for b.Loop() {
		if _, err := w.Relate(context.Background(), anna, 8, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRelateStranger(b *testing.B) {
	w := crowd(b)
	for b.Loop() {
		if _, err := w.Relate(context.Background(), Actor{Person: "x", Practitioner: "Practitioner/x"}, 8, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatients(b *testing.B) {
	w := crowd(b)
	for b.Loop() {
		if _, err := w.Patients(context.Background(), anna, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProject(b *testing.B) {
	w := crowd(b)
	b.ResetTimer()
	err := w.d.Write(context.Background(), func(tx *sql.Tx) error {
		for i := 0; b.Loop(); i++ {
			c := w.change(clerk, anEncounter(fmt.Sprint("n", i), "in-progress", noon, time.Time{}, anna, "ATND"))
			if err := w.Project(context.Background(), tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkProjectObservation(b *testing.B) {
	w := crowd(b)
	c := w.change(clerk, fmt.Sprintf(observation, "Encounter/e5"))
	err := w.d.Write(context.Background(), func(tx *sql.Tx) error {
		for b.Loop() {
			if err := w.Project(context.Background(), tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
