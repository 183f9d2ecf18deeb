package web

import (
	"net/http"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The summary: understand in a minute. Each card says how much it leaves out.
const (
	summaryResults    = 8
	summaryProblems   = 12
	summaryEncounters = 5
	summaryDocuments  = 6
	looksRead         = 300 // lines of the access list that the side is folded from
)

func (p *Pages) summary(w http.ResponseWriter, r *http.Request) {
	types := append([]string{"Observation", "DiagnosticReport", "Condition", "DocumentReference", "Composition"}, drugTypes...)
	o, ok := p.open(w, r, page.TabSummary, "Chart summary", types...)
	if !ok {
		return
	}
	now := p.now()
	if printed(r) != nil {
		p.draw(w, r, http.StatusOK, page.Summary(p.summaryView(o, time.Time{})))
		return
	}
	list, err := p.looks(r.Context(), w, o, access.Window{Limit: looksRead})
	o.view.Looked, o.view.LookedShown = lookers(list.Lines, o.who.Session.Person.ID, now), "The patient can see this list too."
	if err != nil {
		o.view.LookedShown = "This list cannot be read at the moment. The chart is complete."
	}
	p.draw(w, r, http.StatusOK, page.Summary(p.summaryView(o, lastLook(list.Lines, o.who.Session.Person.ID, now))))
}

func (p *Pages) summaryView(o *opened, last time.Time) page.SummaryView {
	now := p.now()
	docs := o.chart.Docs
	v := page.SummaryView{Chart: o.view, Since: since(o, last, now)}
	all := readings(docs["Observation"], docs["DiagnosticReport"], p.o.Zone)
	v.Vitals, v.VitalsSpan = vitals(all, now, o.result)
	v.Results, v.ResultsOf, v.ResultsAll = latestResults(all, now, summaryResults, o.result)
	active := problems(docs["Condition"], now)
	v.Problems, v.ProblemsAll = active[:min(len(active), summaryProblems)], len(active)
	taken, stopped := o.medications(now)
	v.Medications, v.MedsWords = shown(taken), counted(len(taken), "current", len(stopped), "stopped or finished")
	visits := encounters(docs["Encounter"], now)
	for i := range visits {
		visits[i].Href = o.href("timeline")
	}
	v.Encounters, v.EncountersAll = visits[:min(len(visits), summaryEncounters)], len(visits)
	papers := o.papers(now)
	v.Documents, v.DocumentsAll = papers[:min(len(papers), summaryDocuments)], len(papers)
	return v
}

func counted(n int, what string, m int, other string) string {
	out := look.Number(int64(n)) + " " + what
	if m > 0 {
		out += ", " + look.Number(int64(m)) + " " + other
	}
	return out
}

// problems lists active conditions, the newest first; who knows of none says so on the card.
func problems(docs []*document.Doc, now time.Time) []page.Item {
	type dated struct {
		page.Item
		at time.Time
	}
	var list []dated
	seen := map[string]bool{}
	for _, d := range docs {
		root := d.Root()
		if withdrawn(root) || coded(root.Get("clinicalStatus"), "inactive", "remission", "resolved") || root.Get("abatementDateTime").Exists() {
			continue
		}
		name := words(root.Get("code"))
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		at := momentOf(now.Location(), root.Get("onsetDateTime"), root.Get("onsetPeriod"), root.Get("recordedDate"))
		item := dated{page.Item{Title: name, When: at.since(now)}, at.at}
		if severity := words(root.Get("severity")); severity != "" {
			item.Sub = severity
		}
		if coded(root.Get("verificationStatus"), "unconfirmed", "provisional", "differential") {
			item.Marks = []look.Mark{{Text: "Not confirmed"}}
		}
		list = append(list, item)
	}
	slices.SortStableFunc(list, func(a, b dated) int { return b.at.Compare(a.at) })
	out := make([]page.Item, len(list))
	for i, x := range list {
		out[i] = x.Item
	}
	return out
}

// encounters lists visits and stays, those under way first, then the newest.
func encounters(docs []*document.Doc, now time.Time) []page.Item {
	type dated struct {
		page.Item
		at     time.Time
		going  bool
		coming bool
	}
	var list []dated
	for _, d := range docs {
		root := d.Root()
		if s := root.Get("status").Text(); withdrawn(root) || s == "cancelled" {
			continue
		}
		at := momentOf(now.Location(), root.Get("period"))
		item := dated{page.Item{Title: encounterTitle(root), Sub: encounterSub(root), When: at.day()}, at.at, underWay(root), at.at.After(now)}
		switch {
		case item.going:
			item.Marks = []look.Mark{{Tone: look.Accent, Text: "Now"}}
		case item.coming:
			item.Marks = []look.Mark{{Text: "Planned"}}
		}
		list = append(list, item)
	}
	slices.SortStableFunc(list, func(a, b dated) int {
		if a.going != b.going {
			if a.going {
				return -1
			}
			return 1
		}
		return b.at.Compare(a.at)
	})
	out := make([]page.Item, len(list))
	for i, x := range list {
		out[i] = x.Item
	}
	return out
}

// encounterTitle is what people call a visit: by where it was, else by what it was for.
func encounterTitle(e document.Node) string {
	kind := map[string]string{"IMP": "Stay", "ACUTE": "Stay", "NONAC": "Stay", "OBSENC": "Observation stay", "EMER": "Emergency visit", "VR": "Call or video visit",
		"HH": "Home visit", "SS": "Day stay", "PRENC": "Before admission"}[e.Path("class", "code").Text()]
	what := words(e.Path("type"))
	where := ""
	for l := range e.Get("location").Items() {
		if s := l.Path("location", "display").Text(); s != "" {
			where = s
		}
	}
	if where == "" {
		where = words(e.Get("serviceType"))
	}
	switch {
	case kind != "" && where != "" && where != kind:
		return kind + ", " + where
	case kind != "" && what == "":
		return kind
	case kind == "" && where != "":
		return "Visit, " + where
	case what != "":
		return what
	}
	return "Visit"
}

func encounterSub(e document.Node) string {
	sub := reasonOf(e)
	for one := range e.Get("participant").Items() {
		if name := one.Path("individual", "display").Text(); name != "" {
			if sub != "" {
				sub += ". "
			}
			return sub + name
		}
	}
	return sub
}

// since says what is new since the person last looked; nil on the first look.
func since(o *opened, last, now time.Time) *page.Since {
	if last.IsZero() {
		return nil
	}
	out := &page.Since{When: look.Recent(last.In(now.Location()), now)}
	fresh := func(types ...string) (n int) {
		for _, t := range types {
			for _, d := range o.chart.Docs[t] {
				if at, ok := d.LastUpdated(); ok && at.After(last) {
					n++
				}
			}
		}
		return n
	}
	for _, x := range []struct {
		types     []string
		one, many string
		tab       page.Tab
	}{
		{[]string{"Observation"}, "new reading or result", "new readings and results", page.TabResults},
		{[]string{"MedicationRequest", "MedicationStatement"}, "change of medication", "changes of medication", page.TabMedications},
		{[]string{"DocumentReference", "Composition"}, "new note or document", "new notes and documents", page.TabNotes},
		{[]string{"Condition"}, "change of a problem", "changes of problems", page.TabTimeline},
		{[]string{"Encounter"}, "change of a visit", "changes of visits", page.TabTimeline},
	} {
		if n := fresh(x.types...); n > 0 {
			out.Links = append(out.Links, look.Link{Text: look.Plural(int64(n), x.one, x.many), Href: o.href(string(x.tab))})
		}
	}
	return out
}
