package access

import (
	"context"
	"net/url"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
	"chartwarden/internal/scope"
)

// Page is one page of a search, opened and masked.
type Page struct {
	Docs   []*document.Doc
	Total  int    // of what p may see; -1 when not counted
	Next   string // sealed cursor of the next page; empty on the last
	Entry  string
	Reason Reason
}

// Search answers q, which stands in text as it was asked: inside one patient when q names one, by the directory for Patient, over
// staff and system data for those types. Hidden records are left out before anything is counted, sorted or paged, and masks hold while
// matching.
//
// Errors: outcome.Forbidden with the way forward when nothing of the chart is open to p; outcome.TooCostly for a search across
// patients, naming the parameter that helps.
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
	q, err := search.Parse(typ, values, g.reading())
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
	case one && q.q.Type != "Patient":
		return g.searchChart(ctx, p, q, id)
	case q.q.Type == "Patient":
		return g.searchPatients(ctx, p, q)
	case !fhir.InPatientCompartment(q.q.Type):
		return g.searchDirectory(ctx, p, q)
	}
	return Page{}, outcome.New(outcome.TooCostly, "this would look through every chart: name the patient, for example by patient=<id>")
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
	s, d, err := g.permit(ctx, p, policy.Search, "search-type", c, func(s standing) policy.Resource { return s.typical(q.q.Type) })
	if err != nil {
		return Page{}, err
	}
	if err := g.admitQuery(ctx, s, q.q, d); err != nil {
		return Page{}, err
	}
	filter, err := g.policy.Filter(s.who, policy.Search, s.relation, s.context)
	if err != nil {
		return Page{}, err
	}
	m := g.masker(s, policy.Search, q.q.Type)
	found, err := g.records.Search(ctx, record.SearchRequest{Query: q.q, Text: q.text, Patient: c.number, After: q.after, Principal: p.cursorKey(),
		Mask: func(x *record.Sealed) func(string) bool { return m.drop(x.Type()) },
		Allows: func(x *record.Sealed) bool {
			return filter.Allows(s.resource(x)) && s.holds(scope.Search, x) && g.alsoAllowed(ctx, s, policy.Search, x)
		}})
	if err != nil {
		return Page{}, err
	}
	return g.page(ctx, s, d, q, found)
}

// searchDirectory searches staff, places and schedules, which belong to no patient.
func (g *Gate) searchDirectory(ctx context.Context, p Principal, q question) (Page, error) {
	s, d, err := g.permit(ctx, p, policy.Search, "search-type", chart{}, func(s standing) policy.Resource { return s.typical(q.q.Type) })
	if err != nil {
		return Page{}, err
	}
	if err := g.admitQuery(ctx, s, q.q, d); err != nil {
		return Page{}, err
	}
	found, err := g.records.Search(ctx, record.SearchRequest{Query: q.q, Text: q.text, After: q.after, Principal: p.cursorKey(),
		Allows: func(x *record.Sealed) bool {
			return x.Patient() == 0 && g.decide(s, policy.Search, s.resource(x)).Allowed && s.holds(scope.Search, x)
		}})
	if err != nil {
		return Page{}, err
	}
	return g.page(ctx, s, d, q, found)
}

// page appends one entry that names every record of the page, and opens it.
func (g *Gate) page(ctx context.Context, s standing, d policy.Decision, q question, found *record.Page) (Page, error) {
	e := s.event("search-type", "E")
	e.Query = q.q.Type + "?" + q.text
	opened, err := g.disclose(ctx, e, permitted{s, d, found.Hits, policy.Search})
	if err != nil {
		return Page{}, err
	}
	docs, err := shorten(q.q, opened.Docs)
	return Page{Docs: docs, Total: found.Total, Next: found.Next, Entry: opened.Entry, Reason: opened.Reason}, err
}

// empty answers a search that nobody's chart can match, and says so in the log.
func (g *Gate) empty(ctx context.Context, p Principal, q question) (Page, error) {
	e := standing{principal: p, at: g.now()}.event("search-type", "E")
	e.Query = q.q.Type + "?" + q.text
	entry, err := g.log.Query(ctx, e)
	if err != nil {
		return Page{}, err
	}
	return Page{Entry: entry.Entry()}, nil
}

// searchPatients asks the directory of patients. Each candidate is judged by its own relation before it is counted; one entry names
// all patients of the page, as an incidental access.
func (g *Gate) searchPatients(ctx context.Context, p Principal, q question) (Page, error) {
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return Page{}, err
	}
	if err := g.admitPatients(ctx, s, q.q); err != nil {
		return Page{}, err
	}
	standings := map[fhir.PatientID]standing{}
	decisions := map[fhir.PatientID]policy.Decision{}
	maskers := map[fhir.PatientID]masker{}
	var failed error
	allows := func(x *record.Sealed) bool {
		if failed != nil {
			return false
		}
		var c chart
		var one standing
		if c, failed = g.chartOf(ctx, x); failed != nil {
			return false
		}
		if one, failed = g.relate(ctx, p, c); failed != nil {
			return false
		}
		d := g.decide(one, policy.Search, one.resource(x))
		if d.Allowed = d.Allowed && one.holds(scope.Search, x); d.Allowed {
			standings[x.Patient()], decisions[x.Patient()], maskers[x.Patient()] = one, d, g.masker(one, policy.Search, "Patient")
		}
		return d.Allowed
	}
	found, err := g.records.Search(ctx, record.SearchRequest{Query: q.q, Text: q.text, After: q.after, Principal: p.cursorKey(), Allows: allows,
		Mask: func(x *record.Sealed) func(string) bool { return maskers[x.Patient()].drop("Patient") }})
	if err == nil {
		err = failed
	}
	if err != nil {
		return Page{}, err
	}
	e := s.event("search-type", "E")
	e.Query = "Patient?" + q.text
	if s.class() == "deliberate" {
		e.Class = "incidental"
	}
	if len(found.Hits) == 0 {
		e.PolicyHash = g.policy.Hash()
		logged, err := g.log.Query(ctx, e)
		if err != nil {
			return Page{}, err
		}
		return Page{Total: found.Total, Entry: logged.Entry()}, nil
	}
	parts := make([]permitted, len(found.Hits))
	for i, hit := range found.Hits {
		parts[i] = permitted{standings[hit.Patient()], decisions[hit.Patient()], []*record.Sealed{hit}, policy.Search}
	}
	opened, err := g.disclose(ctx, e, parts...)
	if err != nil {
		return Page{}, err
	}
	docs, err := shorten(q.q, opened.Docs)
	return Page{Docs: docs, Total: found.Total, Next: found.Next, Entry: opened.Entry}, err
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
