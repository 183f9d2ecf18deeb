package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// A chart opens part by part: each page asks the door for the types that it shows and no others, under one entry.

func (p *Pages) chartRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/chart/{patient}", Action: policy.Read, Handler: p.summary},
		{Method: "GET", Pattern: "/chart/{patient}/timeline", Action: policy.Read, Handler: p.timeline},
		{Method: "GET", Pattern: "/chart/{patient}/results", Action: policy.Read, Handler: p.results},
		{Method: "GET", Pattern: "/chart/{patient}/results/{item}", Action: policy.Read, Handler: p.resultHistory},
		{Method: "GET", Pattern: "/chart/{patient}/medications", Action: policy.Read, Handler: p.medications},
		{Method: "GET", Pattern: "/chart/{patient}/notes", Action: policy.Read, Handler: p.notes},
		{Method: "GET", Pattern: "/chart/{patient}/notes/{note}", Action: policy.Read, Handler: p.note},
		{Method: "GET", Pattern: "/chart/{patient}/notes/new", Action: policy.Write, Handler: p.write},
		{Method: "POST", Pattern: "/chart/{patient}/notes", Action: policy.Write, Handler: p.doWrite},
		{Method: "POST", Pattern: "/chart/{patient}/notes/draft", Action: policy.Write, Handler: p.keepDraft},
		{Method: "POST", Pattern: "/chart/{patient}/notes/{note}/amend", Action: policy.Write, Handler: p.amend},
		{Method: "GET", Pattern: "/chart/{patient}/documents", Action: policy.Read, Handler: p.documents},
		{Method: "GET", Pattern: "/chart/{patient}/documents/{document}", Action: policy.Read, Handler: p.document},
		{Method: "GET", Pattern: "/chart/{patient}/access", Action: policy.Read, Handler: p.chartAccess},
		{Method: "POST", Pattern: "/chart/{patient}/print", Action: policy.Print, Handler: p.print},
		{Method: "POST", Pattern: "/glass", Action: policy.Break, Handler: p.glass},
		{Method: "POST", Pattern: "/chart/{patient}/glass/end", Action: policy.Break, Handler: p.giveBack},
	}
}

// opened is a chart that the door has opened for a request, with the frame that all its pages share.
type opened struct {
	who   access.Principal
	chart *access.Chart
	view  page.ChartView
}

// everyPage are the types that each page of a chart shows on its storyboard.
var everyPage = []string{"AllergyIntolerance", "Encounter"}

// open asks the door for the chart that the address names: the types of the storyboard and those of the page. A chart that stays closed
// is answered here, with the closed page or a refusal, and open says false.
func (p *Pages) open(w http.ResponseWriter, r *http.Request, tab page.Tab, title string, types ...string) (*opened, bool) {
	who := p.asks(r)
	if who.Session.Capacity == identity.PatientCapacity { // patients have the portal
		see(w, r, "/me")
		return nil, false
	}
	id := r.PathValue("patient")
	paper := printed(r)
	open := p.o.Gate.Chart
	if paper != nil {
		open = p.o.Gate.Print
	}
	c, err := open(r.Context(), who, id, append(slices.Clone(everyPage), types...)...)
	if err != nil && paper != nil {
		p.fail(w, r, err) // it may be open all the same
		return nil, false
	}
	if err != nil {
		p.shut(w, r, id, err)
		return nil, false
	}
	entered(w, c.Entry)
	p.name(r.Context(), w, who, c)
	o := &opened{who: who, chart: c}
	o.view = page.ChartView{Shell: withEntry(p.shell(r, title, ""), c.Entry), Patient: story(c, p.now()), Tab: tab, Withheld: withheld(c), Hidden: c.Hidden}
	o.view.Shell.Sheet = p.sheet(r, c, paper)
	return o, true
}

// shut answers for a chart that did not open.
func (p *Pages) shut(w http.ResponseWriter, r *http.Request, id string, err error) {
	if outcome.Is(err, outcome.Forbidden) {
		p.closed(w, r, id, attempt{err: err})
		return
	}
	p.fail(w, r, err)
}

// withheld says that there is more, and never what.
func withheld(c *access.Chart) string {
	var out []string
	switch {
	case c.Withheld > 0 && len(c.Hidden) > 0:
		out = append(out, look.Plural(int64(c.Withheld), "record is", "records are")+" not shown to you: your role covers a part of the chart, and some records may be restricted.")
	case c.Withheld > 0:
		out = append(out, look.Plural(int64(c.Withheld), "record is", "records are")+" restricted and not shown to you. Who is cleared for such records can open them.")
	}
	if c.Damaged > 0 {
		out = append(out, look.Plural(int64(c.Damaged), "record was", "records were")+" altered outside this server and cannot be shown. Tell an administrator.")
	}
	return strings.Join(out, " ")
}

// entered names in the answer the entries that were durable before it, as the header X-Audit-Entry.
func entered(w http.ResponseWriter, entries ...string) {
	for _, e := range entries {
		if e == "" {
			continue
		}
		if before := w.Header().Get(auditHeader); before != "" {
			e = before + ", " + e
		}
		w.Header().Set(auditHeader, e)
	}
}

const auditHeader = "X-Audit-Entry"

// href is the address of a part of the chart.
func (o *opened) href(parts ...string) string { return chartHref(o.chart.PatientID, parts...) }

func chartHref(patient string, parts ...string) string {
	return "/chart/" + strings.Join(append([]string{patient}, parts...), "/")
}

// result is the address of the history of a reading: by the id of one of them, which says nothing about what was measured.
func (o *opened) result(r reading) string { return o.href("results", r.id) }

// looks reads who looked at the chart. That list is never a reason not to show the chart: an error is told on the page.
func (p *Pages) looks(ctx context.Context, w http.ResponseWriter, o *opened, window access.Window) (access.AccessList, error) {
	list, err := p.o.Gate.WhoLooked(ctx, o.who, o.chart.PatientID, window)
	entered(w, list.Entry)
	return list, err
}
