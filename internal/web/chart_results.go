package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/web/page"
)

// sparked is how many readings a spark shows.
const sparked = 12

// byKind gathers readings of one kind, newest first in each, the kind with the newest reading first.
func byKind(all []reading) [][]reading {
	at := map[string]int{}
	var out [][]reading
	for _, r := range all {
		i, ok := at[r.key]
		if !ok {
			i = len(out)
			at[r.key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], r)
	}
	return out
}

// result is one kind of reading as a line: the newest, what it was before, and a spark.
func result(of []reading, now time.Time, href func(reading) string) page.Result {
	r := of[0]
	out := page.Result{Name: r.name, Href: href(r), Value: cmp.Or(r.text, "No value"), Unit: r.unit, Flag: r.flag, Tone: r.tone, Usual: r.usualText,
		When: r.at.recent(now), By: r.by}
	if len(of) > 1 {
		out.Before = of[1].text
	}
	for i := min(len(of), sparked) - 1; i >= 0; i-- {
		if _, _, pair := of[i].pressure(); of[i].unit == r.unit && (of[i].measured || pair) {
			out.Spark = append(out.Spark, level(of[i]))
		}
	}
	if len(out.Spark) < 2 {
		out.Spark = nil
	}
	return out
}

// latestResults are the kinds that the summary shows: what is critical, then what is out of range, then the rest, each newest first.
// of is when the newest was measured, total how many kinds there are.
func latestResults(all []reading, now time.Time, most int, href func(reading) string) (rows []page.Result, of string, total int) {
	kinds := slices.DeleteFunc(byKind(all), func(k []reading) bool { return !laboratory(k[0]) })
	if len(kinds) == 0 {
		return nil, "", 0
	}
	newest := kinds[0][0].at
	slices.SortStableFunc(kinds, func(a, b []reading) int {
		switch {
		case worse(a[0].tone, b[0].tone):
			return -1
		case worse(b[0].tone, a[0].tone):
			return 1
		}
		return 0
	})
	for _, k := range kinds {
		// An abnormal value of years ago is history, not a latest result.
		if len(rows) < most && newest.at.Sub(k[0].at.at) < 90*24*time.Hour {
			rows = append(rows, result(k, now, href))
		}
	}
	return rows, newest.recent(now).Text(), len(kinds)
}

func laboratory(r reading) bool {
	return r.sign == 0 && r.category != "social-history" && r.category != "survey" && r.category != "vital-signs"
}

// categories names the groups of readings that belong to no report. Source: http://terminology.hl7.org/CodeSystem/observation-category.
var categories = map[string]string{
	"laboratory": "Laboratory", "vital-signs": "Vital signs", "imaging": "Imaging", "social-history": "Social history", "survey": "Questionnaires",
	"exam": "Examination", "procedure": "Procedures", "therapy": "Therapy", "activity": "Activity",
}

// late are the groups that stand after those with results of a laboratory.
var late = []string{"Vital signs", "Examination", "Questionnaires", "Social history", "Activity"}

// resultGroups lists every kind of reading once, by report or category; the newest group first, vital signs and history last.
func resultGroups(all []reading, now time.Time, href func(reading) string) []page.ResultGroup {
	type group struct {
		page.ResultGroup
		newest time.Time
		kinds  [][]reading
	}
	at := map[string]int{}
	var groups []group
	for _, kind := range byKind(all) {
		r := kind[0]
		title := cmp.Or(r.panel, categories[r.category], "Other results")
		if r.sign > 0 {
			title = categories["vital-signs"]
		}
		i, ok := at[title]
		if !ok {
			i = len(groups)
			at[title] = i
			groups = append(groups, group{ResultGroup: page.ResultGroup{Title: title, When: r.at.recent(now), By: r.by}, newest: r.at.at})
		}
		g := &groups[i]
		g.kinds = append(g.kinds, kind)
		if g.By != r.by {
			g.By = ""
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(slices.Index(late, a.Title)-slices.Index(late, b.Title), b.newest.Compare(a.newest))
	})
	out := make([]page.ResultGroup, len(groups))
	for i, g := range groups {
		// Within a report in its own order, vital signs in theirs, anything else newest first.
		slices.SortStableFunc(g.kinds, func(a, b []reading) int { return cmp.Or(a[0].sign-b[0].sign, a[0].order-b[0].order) })
		for _, kind := range g.kinds {
			g.Rows = append(g.Rows, result(kind, now, href))
		}
		g.Total = len(g.Rows)
		out[i] = g.ResultGroup
	}
	return out
}

// shownReadings is how many readings of one kind the page of its history lists.
const shownReadings = 200

// history fills the page of one kind of reading: that of the reading with the id. False when there is none.
func history(all []reading, id string, now time.Time) (page.ResultView, bool) {
	i := slices.IndexFunc(all, func(r reading) bool { return r.id == id })
	if i < 0 {
		return page.ResultView{}, false
	}
	var of []reading
	for _, r := range all {
		if r.key == all[i].key {
			of = append(of, r)
		}
	}
	none := func(reading) string { return "" }
	v := page.ResultView{Name: of[0].name, Latest: result(of, now, none), Total: len(of)}
	v.Latest.When = of[0].at.whole()
	if len(of) > 1 {
		if w := (window{from: of[len(of)-1].at.at, to: of[0].at.at}); w.from.Before(w.to) {
			v.Trend = w.trend(of[0].name, of)
		}
	}
	for _, r := range of[:min(len(of), shownReadings)] {
		v.Rows = append(v.Rows, page.Result{Name: r.name, Value: cmp.Or(r.text, "No value"), Unit: r.unit, Flag: r.flag, Tone: r.tone, Usual: r.usualText, When: r.at.whole(), By: r.by})
	}
	return v, true
}

func (p *Pages) results(w http.ResponseWriter, r *http.Request) {
	o, ok := p.open(w, r, page.TabResults, "Results", "Observation", "DiagnosticReport")
	if !ok {
		return
	}
	all := readings(o.chart.Docs["Observation"], o.chart.Docs["DiagnosticReport"], p.o.Zone)
	p.draw(w, r, http.StatusOK, page.Results(page.ResultsView{Chart: o.view, Groups: resultGroups(all, p.now(), o.result)}))
}

func (p *Pages) resultHistory(w http.ResponseWriter, r *http.Request) {
	o, ok := p.open(w, r, page.TabResults, "Result", "Observation")
	if !ok {
		return
	}
	v, found := history(readings(o.chart.Docs["Observation"], nil, p.o.Zone), r.PathValue("item"), p.now())
	if !found {
		p.fail(w, r, outcome.New(outcome.NotFound, "this result is not in the chart, or it was withdrawn"))
		return
	}
	v.Chart = o.view
	p.draw(w, r, http.StatusOK, page.ResultHistory(v))
}
