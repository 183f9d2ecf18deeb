package detect

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// audits judges days on which each of some people does each of some acts once, and gives what was drawn by day.
func audits(t *testing.T, days, people int, acts []Kind, o Options, shuffle bool) (out []Case) {
	t.Helper()
	o.Audit = func(c *Case) {
		x := *c
		x.Events, x.Patients = slices.Clone(c.Events), slices.Clone(c.Patients)
		out = append(out, x)
	}
	e := New(o)
	for d := range days {
		for i := range people {
			if shuffle {
				i = people - 1 - i
			}
			for _, k := range acts {
				ev := Event{ID: fmt.Sprintf("%d-%d-%d", d, i, k), Time: storyDay + int64(d)*day + 9*3600, Kind: k, Agent: who(fmt.Sprint("p", i)), Role: "nurse"}
				if k != Export {
					ev.Patients = []string{patientOf(fmt.Sprint("q", i))}
				}
				e.Judge(&ev)
			}
		}
	}
	e.Advance(storyDay + int64(days)*day)
	return out
}

// A tenth of the budget is drawn, the same from the same log in any order of its moment, another from another secret; each kind of act
// and each person can be drawn, and nothing of a day before the day is over.
func TestAuditsAreDrawn(t *testing.T) {
	all := []Kind{Read, Search, Export, Print, Update, Delete, Glass}
	const days, people = 400, 30
	got := audits(t, days, people, all, Options{Seed: 1, Budget: 100}, false) // 3 cases a day are expected: .3 audits
	if n := float64(len(got)); math.Abs(n-.3*days) > 4*math.Sqrt(.3*.7*days) {
		t.Errorf("%v audits in %d days, a tenth of the budget is %v", n, days, .3*days)
	}
	if again := audits(t, days, people, all, Options{Seed: 1, Budget: 100}, true); !slices.EqualFunc(got, again, func(a, b Case) bool { return a.Events[0] == b.Events[0] && a.ID == b.ID }) {
		t.Error("the order of one moment changes what is drawn")
	}
	secret := audits(t, days, people, all, Options{Seed: 1, Budget: 100, Secret: []byte("s")}, false)
	same := 0
	for _, c := range secret {
		if slices.ContainsFunc(got, func(x Case) bool { return x.Events[0] == c.Events[0] }) {
			same++
		}
	}
	if same > len(got)/5 || len(secret) == 0 {
		t.Errorf("%d of %d audits do not depend on the secret", same, len(secret))
	}
	kinds, whom := map[string]int{}, map[string]int{}
	for _, c := range got {
		var d, i, k int
		if _, err := fmt.Sscanf(c.Events[0], "%d-%d-%d", &d, &i, &k); err != nil {
			t.Fatal(err)
		}
		kinds[fmt.Sprint(k)]++
		whom[c.Agent]++
		if over := storyDay + int64(d+1)*day; c.Opened < over || c.Queue != "review" || c.LogE != 0 || c.Posterior != 0 || c.Hypothesis != RandomAudit {
			t.Errorf("%+v", c)
		}
	}
	if len(kinds) != len(all) || len(whom) < people*9/10 {
		t.Errorf("drawn were %v of %v", kinds, whom)
	}
	if kinds[fmt.Sprint(Delete)] > 4*kinds[fmt.Sprint(Read)]+8 {
		t.Errorf("what is worst takes nearly all: %v", kinds)
	}
}

// A small house has one audit in ten days; a large one no more than are kept.
func TestAuditsOfASmallHouse(t *testing.T) {
	n := len(audits(t, 1000, 3, []Kind{Read}, Options{Seed: 2}, false))
	if math.Abs(float64(n)-100) > 40 {
		t.Errorf("%d audits in 1,000 days", n)
	}
	if n := len(audits(t, 30, 300, []Kind{Read}, Options{Seed: 2, Budget: 1e5}, false)); n != 30*drawnMost {
		t.Errorf("%d audits where a day has more than are kept", n)
	}
}
