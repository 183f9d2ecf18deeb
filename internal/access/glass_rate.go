package access

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// GlassRate is how often a department opened closed charts with a reason, beside the charts that it opened, over the last [FrictionDays] days.
// It names nobody: departments of fewer than five people with a chart open are added up as one without a name.
type GlassRate struct {
	Department string // empty: small ones together, and people without one
	People     int    // who opened a chart, or were asked before one
	Charts     int    // once for a person and a day
	Glass      int    // openings with the glass
	Later      int    // of those: a fact that somebody else recorded explains it by now
	More       bool   // more than the rate of the others explains, by chance in at most 1 of 100 departments
}

// smallestDepartment is how many people it takes for a figure not to be about one of them.
const smallestDepartment = 5

// glassRates counts by the departments that people are in now.
func (g *Gate) glassRates(ctx context.Context) ([]GlassRate, error) {
	people, err := g.persons.People(ctx)
	if err != nil {
		return nil, err
	}
	department := make(map[string]string, len(people))
	for _, p := range people {
		department[p.ID] = p.Department
	}
	from := g.dayOf(g.now()) - FrictionDays
	each := map[string]*GlassRate{} // by person
	of := func(person string) *GlassRate {
		r := each[person]
		if r == nil {
			r = &GlassRate{People: 1}
			each[person] = r
		}
		return r
	}
	if err := g.perPerson(ctx, `SELECT person, count(*), 0 FROM access_opened WHERE day > ? GROUP BY person`, from, func(person string, n, _ int) { of(person).Charts = n }); err != nil {
		return nil, err
	}
	if err := g.perPerson(ctx, `SELECT person, count(*), count(CASE WHEN verdict = 'explained' AND reviewer = '' THEN 1 END) FROM access_review WHERE kind = 'glass' AND day > ? GROUP BY person`, from,
		func(person string, n, later int) { r := of(person); r.Glass, r.Later = n, later }); err != nil {
		return nil, err
	}
	byName := map[string]*GlassRate{}
	add := func(name string, r GlassRate) {
		to := byName[name]
		if to == nil {
			to = &GlassRate{Department: name}
			byName[name] = to
		}
		to.People, to.Charts, to.Glass, to.Later = to.People+r.People, to.Charts+r.Charts, to.Glass+r.Glass, to.Later+r.Later
	}
	for person, r := range each {
		add(department[person], *r)
	}
	for name, r := range byName {
		if name != "" && r.People < smallestDepartment {
			delete(byName, name)
			add("", *r)
		}
	}
	var out []GlassRate
	var charts, glass int
	for _, r := range byName {
		charts, glass = charts+r.Charts, glass+r.Glass
		if r.People >= smallestDepartment { // the small ones together may still be few
			out = append(out, *r)
		}
	}
	for i := range out {
		r := &out[i]
		if others := charts - r.Charts; others > 0 && r.Department != "" {
			r.More = atLeastByChance(r.Glass, float64(glass-r.Glass+1)/float64(others+1)*float64(r.Charts)) < .01
		}
	}
	slices.SortFunc(out, func(a, b GlassRate) int {
		return cmp.Or(cmp.Compare(b.rate(), a.rate()), cmp.Compare(a.Department, b.Department))
	})
	return out, nil
}

func (r GlassRate) rate() float64 { return float64(r.Glass) / float64(max(r.Charts, 1)) }

// perPerson reads two counts of each person.
func (g *Gate) perPerson(ctx context.Context, query string, from int64, use func(person string, n, of int)) error {
	rows, err := g.db.Reader().QueryContext(ctx, query, from)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var person string
		var n, of int
		if err := rows.Scan(&person, &n, &of); err != nil {
			return unreadable(err)
		}
		use(person, n, of)
	}
	if err := rows.Err(); err != nil {
		return unreadable(err)
	}
	return nil
}

// atLeastByChance is how likely n or more are where mean are expected (Poisson).
func atLeastByChance(n int, mean float64) float64 {
	p, less := math.Exp(-mean), 0.0
	for k := range n {
		less += p
		p *= mean / float64(k+1)
	}
	return max(0, 1-less)
}
