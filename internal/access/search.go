package access

import (
	"context"
	"net/url"
	"slices"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Page is one page of a search, opened and masked.
type Page struct {
	Docs     []*document.Doc
	Included []*document.Doc // what _include and _revinclude add
	Total    int             // of what p may see; -1 when not counted
	Next     string          // sealed cursor of the next page; empty on the last
	Entry    string
	Reason   Reason
}

// Search answers q, which stands in text as it was asked: inside one patient when q names one, by the directory for Patient, over
// staff and system data for those types, else across all charts that are open to p. Hidden records are left out before anything is
// counted, sorted, paged, chained or included, and masks hold while matching. One entry names every record of the page.
//
// Errors: outcome.Forbidden with the way forward when q names a patient nothing of whose chart is open to p, asks a token for more
// than it is good for, or comes from somebody to whom no relation opens any chart; outcome.TooCostly, naming the parameter that helps.
func (g *Gate) Search(ctx context.Context, p Principal, q *search.Query, text string) (Page, error) {
	return g.search(ctx, p, question{q: q, text: text})
}

// Continue answers the page after the one that gave the cursor. The cursor is sealed and holds the whole question; it is good for the
// person who asked, for half an hour. Policy is asked anew: a right that was lost meanwhile empties the page.
// Errors: those of [Gate.Search]; outcome.Expired.
func (g *Gate) Continue(ctx context.Context, p Principal, typ, token string) (Page, error) {
	after, err := g.records.OpenCursor(p.cursorKey(), token)
	if err != nil {
		return Page{}, err
	}
	values, err := url.ParseQuery(after.Query())
	if err != nil || after.Type() != typ {
		return Page{}, outcome.New(outcome.Invalid, "the cursor is of another search").At("_cursor")
	}
	how := g.reading()
	how.Strict = false // what was passed over on the first page is on the next
	q, err := search.Parse(typ, values, how)
	if err != nil {
		return Page{}, err
	}
	return g.search(ctx, p, question{q: q, text: after.Query(), after: after})
}

// reading is how searches are read here.
func (g *Gate) reading() search.Options {
	return search.Options{Zone: g.zone, Base: g.base, Now: g.now(), Strict: true}
}

// question is a search as the door passes it on.
type question struct {
	q     *search.Query
	text  string
	after *record.Cursor
}

func (g *Gate) search(ctx context.Context, p Principal, q question) (Page, error) {
	id, one := q.q.Patient()
	switch {
	case q.q.Type == "Patient":
		return g.searchCharts(ctx, p, q)
	case one:
		return g.searchChart(ctx, p, q, id)
	case fhir.InPatientCompartment(q.q.Type):
		return g.searchCharts(ctx, p, q)
	}
	return g.searchDirectory(ctx, p, q)
}

// searchChart searches inside one chart: what the residual policy allows, in the masked form.
func (g *Gate) searchChart(ctx context.Context, p Principal, q question, id string) (Page, error) {
	c, err := g.chartByID(ctx, id)
	if outcome.Is(err, outcome.NotFound) {
		if err := g.absent(ctx, p, policy.Search, "search-type", q.q.Type, nil); err != nil {
			return Page{}, err
		}
		return g.empty(ctx, p, q)
	}
	if err != nil {
		return Page{}, err
	}
	return g.searchIn(ctx, p, q, c)
}

// searchDirectory searches staff, places and schedules, which belong to no patient.
func (g *Gate) searchDirectory(ctx context.Context, p Principal, q question) (Page, error) {
	return g.searchIn(ctx, p, q, chart{})
}

// searchIn searches one chart, or what belongs to no patient, after the door has let p in.
func (g *Gate) searchIn(ctx context.Context, p Principal, q question, c chart) (Page, error) {
	s, d, err := g.permit(ctx, p, policy.Search, "search-type", c, func(s standing) policy.Resource { return s.typical(q.q.Type) })
	if err != nil {
		return Page{}, err
	}
	if err := g.admitQuery(ctx, s, q.q, d); err != nil {
		return Page{}, err
	}
	v := g.look(ctx, p, policy.Search)
	if err := v.know(s); err != nil {
		return Page{}, err
	}
	found, err := v.search(q, c.number)
	if err != nil {
		return Page{}, err
	}
	in := v.of(c.number).standing
	in.kind = q.q.Type
	return g.page(v, s.event("search-type", "E"), q, found, permitted{standing: in, decision: d, action: policy.Search})
}

// searchCharts asks the directory of patients, or looks across charts. Each candidate is judged by its own relation before it is
// counted; one entry names all patients of the page, as an incidental access.
func (g *Gate) searchCharts(ctx context.Context, p Principal, q question) (Page, error) {
	v := g.look(ctx, p, policy.Search)
	nobody := v.of(0)
	if nobody == nil {
		return Page{}, v.err
	}
	s := nobody.standing
	none, err := v.open.Empty()
	if err != nil {
		return Page{}, err
	}
	if r := s.typical(q.q.Type); none { // an administrator: an empty page would say that there is nothing to be found
		s.asked = q.q.Type + "?" + q.text
		return Page{}, g.refuse(ctx, s, policy.Search, "search-type", r, g.decide(s, policy.Search, r))
	}
	if err := g.admitPatients(ctx, s, q.q); err != nil {
		return Page{}, err
	}
	found, err := v.search(q, 0)
	if err != nil {
		return Page{}, err
	}
	e := s.event("search-type", "E")
	if s.class() == "deliberate" {
		e.Class = "incidental"
	}
	return g.page(v, e, q, found)
}

// page appends one entry that names every record of the page, and opens it.
func (g *Gate) page(v *sight, e audit.Event, q question, found *record.Page, first ...permitted) (Page, error) {
	if e.Query == "" {
		e.Query = q.q.Type + "?" + q.text
	}
	records := slices.Concat(found.Hits, found.Included)
	if len(records)+len(first) == 0 {
		e.PolicyHash = g.policy.Hash()
		logged, err := g.log.Query(v.ctx, e)
		if err != nil {
			return Page{}, err
		}
		return Page{Total: found.Total, Entry: logged.Entry()}, nil
	}
	opened, err := v.disclose(e, records, first...)
	if err != nil {
		return Page{}, err
	}
	out := Page{Docs: opened.Docs, Total: found.Total, Next: found.Next, Entry: opened.Entry}
	if len(first) > 0 {
		out.Reason = opened.Reason
	}
	sound := 0
	for _, x := range found.Hits {
		if x.Fault() == nil {
			sound++
		}
	}
	out.Docs, out.Included = opened.Docs[:sound:sound], opened.Docs[sound:]
	out.Docs, err = shorten(q.q, out.Docs)
	return out, err
}

// empty answers a search that nobody's chart can match, and says so in the log.
func (g *Gate) empty(ctx context.Context, p Principal, q question) (Page, error) {
	e := g.alone(p).event("search-type", "E")
	e.Query = q.q.Type + "?" + q.text
	entry, err := g.log.Query(ctx, e)
	if err != nil {
		return Page{}, err
	}
	return Page{Entry: entry.Entry()}, nil
}

// shorten leaves of each document what _elements or _summary asks for.
func shorten(q *search.Query, docs []*document.Doc) ([]*document.Doc, error) {
	for i, d := range docs {
		var err error
		if docs[i], err = q.Shorten(d); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// cursorKey binds a cursor to who asks: one handed on opens nothing for another.
func (p Principal) cursorKey() string {
	switch {
	case p.App != nil: // its scopes are asked anew, so the next token of the same authorization may go on
		return "app:" + p.App.Client.ID + " " + p.App.Authorization
	case p.Session == nil:
		return "job:" + p.Job
	}
	return p.Session.Person.ID + " " + p.Session.Capacity
}
