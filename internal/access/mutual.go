package access

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"chartwarden/internal/identity"
)

// Two people who agree to each other's requests more often than turns would bring about have made the second person a form.

const (
	mutualDays  = 90
	mutualEach  = 2   // each asked and got a yes so often at least: once is a favour
	mutualLevel = .01 // how seldom turns alone may give as many, over all pairs that are looked at
)

// Mutual is a pair of people who agreed to each other's requests more often than turns explain.
type Mutual struct {
	One, Other identity.Person
	Agreed     int     // requests of one of them to which the other agreed
	Asked      int     // requests of the two to which anybody agreed
	Expected   float64 // of Agreed, if who agrees were who agrees to the others' requests
}

// mutual are the pairs of the last 90 days, the most striking first.
func (g *Gate) mutual(ctx context.Context) ([]Mutual, error) {
	agreed, err := g.persons.Agreements(ctx, g.now().AddDate(0, 0, -mutualDays))
	if err != nil {
		return nil, err
	}
	out := mutuals(agreed)
	for i := range out {
		for _, one := range []*identity.Person{&out[i].One, &out[i].Other} {
			if p, err := g.persons.Person(ctx, one.ID); err == nil {
				*one = p
			}
		}
		if out[i].One.Name > out[i].Other.Name {
			out[i].One, out[i].Other = out[i].Other, out[i].One
		}
	}
	return out, nil
}

// mutuals judges each pair that agreed both ways: how likely is as much or more, if each request went to a second person as often as the
// requests of everybody else went to her? A pair is told where that is rarer than mutualLevel shared among all pairs that there could be.
func mutuals(agreed []identity.Agreed) []Mutual {
	by := map[string]map[string]int{} // asker, second
	decided, asked := map[string]int{}, map[string]int{}
	for _, a := range agreed {
		if by[a.Asker] == nil {
			by[a.Asker] = map[string]int{}
		}
		by[a.Asker][a.Second]++
		decided[a.Second]++
		asked[a.Asker]++
	}
	// share is how often second would agree to asker's requests, by what she does for others. One is added to each, so that nobody is impossible.
	share := func(asker, second string) float64 {
		all := 0
		for x, n := range decided {
			if x != asker {
				all += n - by[asker][x] + 1
			}
		}
		return float64(decided[second]-by[asker][second]+1) / float64(all)
	}
	type judged struct {
		Mutual
		chance float64
	}
	var pairs []judged
	for _, a := range slices.Sorted(maps.Keys(by)) {
		for _, b := range slices.Sorted(maps.Keys(by[a])) {
			if a >= b || by[a][b] < mutualEach || by[b][a] < mutualEach {
				continue
			}
			there, back := share(a, b), share(b, a)
			pairs = append(pairs, judged{
				Mutual{One: identity.Person{ID: a}, Other: identity.Person{ID: b}, Agreed: by[a][b] + by[b][a], Asked: asked[a] + asked[b],
					Expected: float64(asked[a])*there + float64(asked[b])*back},
				atLeast(by[a][b]+by[b][a], binomial(asked[a], there), binomial(asked[b], back))})
		}
	}
	slices.SortStableFunc(pairs, func(x, y judged) int { return cmp.Compare(x.chance, y.chance) })
	var out []Mutual
	people := maps.Clone(asked)
	maps.Copy(people, decided)
	all := float64(len(people)*(len(people)-1)) / 2 // those that agreed once or never could have been the striking ones as well
	for _, p := range pairs {
		if p.chance <= mutualLevel/all {
			out = append(out, p.Mutual)
		}
	}
	return out
}

// binomial is how likely each count from 0 to n is when each of n comes with chance p.
func binomial(n int, p float64) []float64 {
	out := make([]float64, n+1)
	out[0] = 1
	for i := 1; i <= n; i++ {
		for k := i; k >= 0; k-- {
			out[k] *= 1 - p
			if k > 0 {
				out[k] += out[k-1] * p
			}
		}
	}
	return out
}

// atLeast is how likely two counts together come to n or more.
func atLeast(n int, one, other []float64) (chance float64) {
	for i, p := range one {
		for k, q := range other {
			if i+k >= n {
				chance += p * q
			}
		}
	}
	return chance
}
