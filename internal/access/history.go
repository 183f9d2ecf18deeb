package access

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
	"chartwarden/internal/scope"
)

// Versioned is one step of a history.
type Versioned struct {
	Type, ID string
	Doc      *document.Doc // nil for a deletion
	Version  int64
	Updated  time.Time
	Deleted  bool
}

// HistoryPage is one page of a history, newest first.
type HistoryPage struct {
	Versions []Versioned
	Total    int    // of what p may see; -1 when not counted
	Next     string // sealed cursor of the next page; empty on the last
	Entry    string
}

// span is what _since, _at and _count ask for.
type span struct {
	since, from, to time.Time
	count           int
}

// History gives the versions of one resource, of a type (id empty) or of everything (both empty), as far as p may see them: each
// judged by its own labels, by those of the current version, and a deletion by those of the version before it. What is hidden is left
// out before anything is counted or paged. asked holds _since, _at and _count; token is the Next of the page before, instead of them.
//
// Errors: those of [Gate.Read] for one resource, which may be deleted; outcome.Invalid, naming the parameter; outcome.TooCostly;
// outcome.Expired for an old token. Source: https://hl7.org/fhir/R4/http.html#history.
func (g *Gate) History(ctx context.Context, p Principal, typ, id string, asked url.Values, token string) (HistoryPage, error) {
	name := typ
	if id != "" {
		name += "/" + id
	}
	var after *record.Cursor
	if token != "" {
		var err error
		if after, err = g.records.OpenCursor(p.cursorKey(), token); err != nil {
			return HistoryPage{}, err
		}
		if asked, err = url.ParseQuery(after.Query()); err != nil || !after.IsFeed(name) {
			return HistoryPage{}, outcome.New(outcome.Invalid, "the cursor is of another history").At("_cursor")
		}
	}
	spanned, err := g.span(asked)
	if err != nil {
		return HistoryPage{}, err
	}
	if id != "" {
		return g.historyOfOne(ctx, p, typ, id, spanned, asked.Encode(), after)
	}
	return g.historyOfMany(ctx, p, typ, spanned, asked.Encode(), after)
}

// span reads the parameters of a history.
func (g *Gate) span(asked url.Values) (s span, err error) {
	s.count = -1
	for name, values := range asked {
		if len(values) != 1 {
			return s, outcome.New(outcome.Invalid, "this parameter is given more than once: keep one").At("parameter " + name)
		}
		switch name {
		case "_format", "_pretty":
		case "_count":
			if s.count, err = strconv.Atoi(values[0]); err != nil || s.count < 0 {
				return s, outcome.New(outcome.Invalid, "_count is a whole number, 0 or more").At("parameter _count")
			}
		case "_since", "_at":
			q, err := search.Parse("Patient", url.Values{"_lastUpdated": values}, g.reading())
			if err != nil || len(q.Clauses()[0].Any) != 1 || q.Clauses()[0].Any[0].Prefix != search.Eq {
				return s, outcome.New(outcome.Invalid, "write a date or an instant, such as 2026-03-01T08:00:00Z, with + as %2B").At("parameter " + name)
			}
			when := q.Clauses()[0].Any[0]
			if name == "_since" {
				s.since = time.UnixMicro(when.From)
			} else {
				s.from, s.to = time.UnixMicro(when.From), time.UnixMicro(when.To)
			}
		default:
			return s, outcome.New(outcome.NotSupported, "a history takes _since, _at, _count, _format and _pretty: leave the rest out").At("url")
		}
	}
	return s, nil
}

// pageOfOne bounds a page of the history of one resource that names no _count.
const pageOfOne = 200

// historyOfOne gives the versions of one resource page by page. A later page is judged like the first: who lost the right meanwhile,
// or may not see a label that came since, gets nothing more.
func (g *Gate) historyOfOne(ctx context.Context, p Principal, typ, id string, asked span, text string, after *record.Cursor) (HistoryPage, error) {
	const interaction = "history-instance"
	versions, err := g.records.History(ctx, typ, id)
	if outcome.Is(err, outcome.NotFound) {
		return HistoryPage{}, g.absent(ctx, p, policy.Read, interaction, typ, err)
	}
	if outcome.Is(err, outcome.Deleted) {
		return HistoryPage{}, g.erased(ctx, p, policy.Read, interaction, typ, id, err)
	}
	if err != nil {
		return HistoryPage{}, err
	}
	newest := versions[0]
	if newest.Deleted() && len(versions) > 1 { // a deletion says nothing of its labels
		newest = versions[1]
	}
	s, d, err := g.admit(ctx, p, policy.Read, interaction, newest)
	if err != nil {
		return HistoryPage{}, err
	}
	var open []*record.Sealed
	for i, v := range versions {
		judged := v
		if v.Deleted() && i+1 < len(versions) {
			judged = versions[i+1]
		}
		until := time.Time{}
		if i > 0 {
			until = versions[i-1].Stored()
		}
		switch {
		case after != nil && after.Passed(v):
		case v.Stored().Before(asked.since), !asked.to.IsZero() && !v.Stored().Before(asked.to), !asked.to.IsZero() && i > 0 && !until.After(asked.from):
		case !g.decide(s, policy.Read, s.resource(judged)).Allowed, !judged.Deleted() && !s.holds(scope.Read, judged):
		default:
			open = append(open, v)
		}
	}
	open, _ = g.sound(open, 0)
	out := HistoryPage{Total: len(open)}
	if after != nil {
		out.Total = -1 // the first page told it
	}
	count := asked.count
	if count < 0 || count > pageOfOne {
		count = pageOfOne
	}
	if count < len(open) {
		if open = open[:count]; count > 0 {
			if out.Next, err = g.records.HistoryCursor(ctx, p.cursorKey(), text, open[count-1]); err != nil {
				return HistoryPage{}, err
			}
		}
	}
	opened, err := g.disclose(ctx, s.event(interaction, "R"), permitted{s, d, open, policy.Read})
	if err != nil {
		return HistoryPage{}, err
	}
	out.Versions, out.Entry = versioned(open, opened.Docs), opened.Entry
	return out, nil
}

// admitFeed refuses a history across charts, as a search, to whom no relation opens any chart and what belongs to no patient is closed, too.
func (g *Gate) admitFeed(ctx context.Context, p Principal, nobody standing, typ, interaction, text string) error {
	r := nobody.typical(cmp.Or(typ, "Practitioner"))
	d := g.decide(nobody, policy.Search, r)
	if d.Allowed {
		return nil
	}
	v := g.look(ctx, p, policy.Search)
	if v.of(0) == nil {
		return v.err
	}
	if none, err := v.open.Empty(); err != nil || !none {
		return err
	}
	nobody.asked = typ + "/_history?" + text
	return g.refuse(ctx, nobody, policy.Search, interaction, r, d)
}

// historyOfMany walks through what was written in all charts that p may see.
func (g *Gate) historyOfMany(ctx context.Context, p Principal, typ string, asked span, text string, after *record.Cursor) (HistoryPage, error) {
	interaction := "history-system"
	if typ != "" {
		interaction = "history-type"
	}
	nobody, err := g.relate(ctx, p, chart{})
	if err != nil {
		return HistoryPage{}, err
	}
	if err := g.admitFeed(ctx, p, nobody, typ, interaction, text); err != nil {
		return HistoryPage{}, err
	}
	e := nobody.event(interaction, "E")
	e.Query = typ + "/_history?" + text
	if nobody.class() == "deliberate" {
		e.Class = "incidental"
	}
	standings := map[fhir.PatientID]standing{0: nobody}
	reasons := map[fhir.PatientID]policy.Decision{}
	var failed error
	request := record.FeedRequest{Type: typ, Since: asked.since, From: asked.from, To: asked.to, Count: asked.count, Text: text, Principal: p.cursorKey(), After: after,
		Permits: func(n fhir.PatientID) bool {
			if _, known := standings[n]; known || failed != nil {
				return failed == nil
			}
			c, err := g.chartNumber(ctx, n)
			if outcome.Is(err, outcome.NotFound) { // referred to, and not come yet
				return false
			}
			var s standing
			if err == nil {
				s, err = g.relate(ctx, p, c)
			}
			standings[n], failed = s, err
			return failed == nil
		},
		Allows: func(x *record.Sealed) bool {
			s := standings[x.Patient()]
			d := g.decide(s, policy.Search, s.resource(x))
			if !d.Allowed || x.Fault() == nil && !s.holds(scope.Search, x) || !g.alsoAllowed(ctx, s, policy.Search, x) {
				return false
			}
			if _, known := reasons[x.Patient()]; !known {
				reasons[x.Patient()] = d
			}
			return true
		}}
	found := &record.FeedPage{}
	if asked.count != 0 {
		if found, err = g.records.Feed(ctx, request); err == nil {
			err = failed
		}
		if err != nil {
			return HistoryPage{}, err
		}
	}
	versions, _ := g.sound(found.Versions, 0)
	out := HistoryPage{Total: -1, Next: found.Next}
	if after == nil && found.Next == "" && asked.count != 0 {
		out.Total = len(versions)
	}
	if len(versions) == 0 {
		e.PolicyHash = g.policy.Hash()
		logged, err := g.log.Query(ctx, e)
		out.Entry = logged.Entry()
		return out, err
	}
	var parts []permitted
	var order []*record.Sealed
	charts := inCharts(versions)
	for _, n := range slices.Sorted(maps.Keys(charts)) {
		parts = append(parts, permitted{standings[n], reasons[n], charts[n], policy.Search})
		order = append(order, charts[n]...)
	}
	opened, err := g.disclose(ctx, e, parts...)
	if err != nil {
		return HistoryPage{}, err
	}
	if len(opened.Docs) != len(order) {
		return HistoryPage{}, outcome.Wrap("access: history", outcome.Transient, "a record changed meanwhile, please try again", errors.New("fewer documents than versions"))
	}
	docs := make([]*document.Doc, len(versions))
	for i, v := range versions {
		docs[i] = opened.Docs[slices.Index(order, v)]
	}
	out.Versions, out.Entry = versioned(versions, docs), opened.Entry
	return out, nil
}

// inCharts sorts versions by the patient of their chart.
func inCharts(versions []*record.Sealed) map[fhir.PatientID][]*record.Sealed {
	out := map[fhir.PatientID][]*record.Sealed{}
	for _, v := range versions {
		out[v.Patient()] = append(out[v.Patient()], v)
	}
	return out
}

func versioned(versions []*record.Sealed, docs []*document.Doc) []Versioned {
	out := make([]Versioned, len(versions))
	for i, v := range versions {
		out[i] = Versioned{Type: v.Type(), ID: v.ID(), Doc: docs[i], Version: v.Version(), Updated: v.Updated(), Deleted: v.Deleted()}
	}
	return out
}
