package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// shownHappenings is how much of a chart one page of the timeline tells.
const shownHappenings = 150

// happening is one thing that came to pass.
type happening struct {
	page.Happening
	at moment
}

// happenings tells a chart in order, newest first: visits, procedures, problems, immunizations, notes and reports. What is planned and
// has not begun is no happening yet.
func happenings(docs map[string][]*document.Doc, now time.Time, opens func(paper) string) []happening {
	zone := now.Location()
	var out []happening
	add := func(at moment, title, sub string, marks ...look.Mark) *happening {
		out = append(out, happening{page.Happening{When: at.within(now), Title: title, Sub: sub, Marks: marks}, at})
		return &out[len(out)-1]
	}
	for _, d := range docs["Encounter"] {
		root := d.Root()
		if s := root.Get("status").Text(); withdrawn(root) || s == "cancelled" || s == "planned" {
			continue
		}
		e := add(momentOf(zone, root.Get("period")), encounterTitle(root), encounterSub(root))
		if e.Ongoing = underWay(root); e.Ongoing {
			e.Marks = []look.Mark{{Tone: look.Accent, Text: "Now"}}
		} else if end := momentOf(zone, root.Path("period", "end")); days(e.at.at, end.at) > 0 {
			e.Sub = sentences(e.Sub, "Until "+end.day().Text())
		}
	}
	for _, d := range docs["Procedure"] {
		root := d.Root()
		if s := root.Get("status").Text(); withdrawn(root) || s == "not-done" || s == "preparation" {
			continue
		}
		add(momentOf(zone, root.Get("performedDateTime"), root.Get("performedPeriod")), cmp.Or(words(root.Get("code")), "Procedure"),
			sentences(words(root.Path("reasonCode")), root.Path("performer", "actor", "display").Text()))
	}
	for _, d := range docs["Condition"] {
		root := d.Root()
		if withdrawn(root) {
			continue
		}
		e := add(momentOf(zone, root.Get("onsetDateTime"), root.Get("onsetPeriod"), root.Get("recordedDate")), cmp.Or(words(root.Get("code")), "Problem"), "Problem")
		if end := momentOf(zone, root.Get("abatementDateTime"), root.Get("abatementPeriod")); !end.at.IsZero() {
			e.Sub = "Problem, until " + end.day().Text()
		}
	}
	for _, d := range docs["Immunization"] {
		if root := d.Root(); !withdrawn(root) && root.Get("status").Text() == "completed" {
			add(momentOf(zone, root.Get("occurrenceDateTime")), cmp.Or(words(root.Get("vaccineCode")), "Vaccine"), "Immunization")
		}
	}
	for _, x := range papers(docs["DocumentReference"], docs["DiagnosticReport"], now) {
		e := add(x.at, x.Kind, x.Author)
		if x.Title != x.Kind {
			e.Title = x.Kind + ": " + x.Title
		}
		e.Href = opens(x)
	}
	out = slices.DeleteFunc(out, func(h happening) bool { return h.at.at.After(now) })
	slices.SortStableFunc(out, func(a, b happening) int { return b.at.at.Compare(a.at.at) })
	return out
}

// sentences writes two short sentences one after the other; either may be empty.
func sentences(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + ". " + b
}

// years gathers happenings by year; those without a date stand last.
func years(list []happening) []page.Year {
	var out []page.Year
	for _, h := range list {
		title := "Date not known"
		if !h.at.at.IsZero() {
			title = strconv.Itoa(h.at.at.Year())
		}
		if n := len(out); n == 0 || out[n-1].Title != title {
			out = append(out, page.Year{Title: title})
		}
		last := &out[len(out)-1]
		last.Events = append(last.Events, h.Happening)
	}
	return out
}

func (p *Pages) timeline(w http.ResponseWriter, r *http.Request) {
	from, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("from"), "0"))
	if err != nil || from < 0 {
		p.fail(w, r, outcome.New(outcome.Value, "the address names a part of the timeline that is not there"))
		return
	}
	o, ok := p.open(w, r, page.TabTimeline, "Timeline", "Procedure", "Condition", "Immunization", "DocumentReference", "DiagnosticReport")
	if !ok {
		return
	}
	all := happenings(o.chart.Docs, p.now(), func(x paper) string { return o.opensAt(x) })
	v := page.TimelineView{Chart: o.view, Total: len(all)}
	from = min(from, len(all))
	to := min(from+shownHappenings, len(all))
	v.Years = years(all[from:to])
	if to < len(all) {
		v.Older = look.Link{Text: "Earlier: " + look.Plural(int64(len(all)-to), "entry", "entries"), Href: o.href("timeline") + "?from=" + strconv.Itoa(to)}
	}
	p.draw(w, r, http.StatusOK, page.Timeline(v))
}
