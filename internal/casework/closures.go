package casework

import (
	"cmp"
	"context"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/policy"
)

// Pair is how often one officer closed cases about one person.
type Pair struct {
	Officer string // name
	Who     Who
	Closed  int
	Of      map[string]int // by outcome
	Last    time.Time
}

// Closures reports who closed whose cases within a year, the most frequent first: an officer who closes one person's cases again and
// again is seen. The reading is an entry. Errors: as [Office.Cases].
func (f *Office) Closures(ctx context.Context, p access.Principal) ([]Pair, string, error) {
	entry, err := f.o.Gate.StepCase(ctx, p, policy.Cases, access.CaseStep{Step: "queue", Text: "closures by officer and person"})
	if err != nil {
		return nil, "", err
	}
	me := staff(p)
	done, err := f.closed(ctx, me, Filter{})
	if err != nil {
		return nil, "", err
	}
	var out []Pair
	at := map[[2]string]int{}
	for _, c := range done {
		if c.Closer == "" || f.now().Sub(c.Closed) > 365*24*time.Hour {
			continue
		}
		key := [2]string{c.Closer, c.Agent}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			nobody := c
			nobody.Owner = "" // the report names nobody whom cases were about
			out = append(out, Pair{Officer: f.name(ctx, c.Closer), Who: f.who(ctx, &nobody, me), Of: map[string]int{}})
		}
		out[i].Closed++
		out[i].Of[c.Outcome]++
		if c.Closed.After(out[i].Last) {
			out[i].Last = c.Closed
		}
	}
	slices.SortStableFunc(out, func(a, b Pair) int { return cmp.Or(b.Closed-a.Closed, b.Last.Compare(a.Last)) })
	return out, entry, nil
}
