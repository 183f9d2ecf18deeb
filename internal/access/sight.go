package access

import (
	"context"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// sight is what one principal may see while one search runs: every chart is judged by its own relation, once. It is given to the
// records before anything is matched, so that hits, counts, order, chains and inclusions all rest on what is in it.
type sight struct {
	g      *Gate
	ctx    context.Context
	p      Principal
	action string
	charts map[fhir.PatientID]*view
	open   *policy.RelationFilter // of the asker, for any chart
	all    *care.Relations        // once many charts were asked for
	grants map[fhir.PatientID]bool
	at     time.Time
	behind *shield // what hides names of staff from a patient
	err    error   // what kept a chart from being judged; the search is then void
}

// view is one chart as the principal may see it.
type view struct {
	standing
	filter  *policy.Filter
	own     *policy.Filter // of who acts as the asker; nil: nobody does
	maskers map[string]masker
	decided map[string]policy.Decision
	guests  []*record.Sealed // of a page: about this patient too, opened as part of another chart
}

// oneByOne is how many charts are related singly before all are at once.
const oneByOne = 4

func (g *Gate) look(ctx context.Context, p Principal, action string) *sight {
	v := &sight{g: g, ctx: ctx, p: p, action: action, charts: map[fhir.PatientID]*view{}, at: g.now()}
	v.behind, v.err = g.shield(ctx, p)
	return v
}

// know takes a standing that was found before.
func (v *sight) know(s standing) error {
	if v.open == nil {
		v.open = v.g.policy.FilterAll(s.who, v.action, s.context)
	}
	filter, err := v.open.For(s.relation)
	if err != nil {
		return err
	}
	one := &view{standing: s, filter: filter, maskers: map[string]masker{}, decided: map[string]policy.Decision{}}
	one.standing.view = one
	if s.actor != nil {
		if !readsOnly(v.action) {
			return errOnlyReads
		}
		if one.own, err = v.g.policy.FilterAll(s.actor.who, v.action, s.actor.context).For(s.actor.relation); err != nil {
			return err
		}
	}
	v.charts[s.chart.number] = one
	return nil
}

// of is the view of a chart, 0 for staff and system data; nil when it cannot be judged.
func (v *sight) of(n fhir.PatientID) *view {
	if one, ok := v.charts[n]; ok || v.err != nil {
		return one
	}
	c, err := v.g.chartNumber(v.ctx, n)
	if outcome.Is(err, outcome.NotFound) { // somebody was referred to who has not come yet
		v.charts[n] = nil
		return nil
	}
	var s standing
	if err == nil {
		s, err = v.stand(c)
	}
	if err == nil {
		err = v.know(s)
	}
	if err != nil {
		v.err = err
		return nil
	}
	return v.charts[n]
}

func (v *sight) stand(c chart) (standing, error) {
	if v.p.Session == nil || v.p.Session.Actor != nil || c.number == 0 || v.all == nil && len(v.charts) < oneByOne {
		return v.g.relate(v.ctx, v.p, c)
	}
	if err := v.relateAll(); err != nil {
		return standing{}, err
	}
	if v.grants[c.number] { // bounded by visits, which are only asked for one by one
		return v.g.relate(v.ctx, v.p, c)
	}
	s := v.g.alone(v.p)
	s.chart, s.at, s.context.Now = c, v.at, v.at
	s.meet(v.all.Of(c.number))
	if s.principal.Session.Capacity == identity.StaffCapacity {
		var err error
		if s.relation.Granted, err = v.g.approved(v.ctx, s.who.ID, c.number, v.at); err != nil {
			return s, err
		}
	}
	return s, v.g.heed(v.ctx, &s)
}

// relateAll asks once how the principal stands to everybody.
func (v *sight) relateAll() error {
	if v.all != nil {
		return nil
	}
	actor, err := v.g.actor(v.ctx, v.p.Session.Person)
	if err != nil {
		return err
	}
	if v.p.hasGlass() {
		if v.grants, err = v.g.granted(v.ctx, v.p.Session.Person, v.at); err != nil {
			return err
		}
	}
	v.all, err = v.g.care.RelateAll(v.ctx, actor, v.at)
	return err
}

// someCharts are the charts in which anything may be open to the principal; some is false when that may be any, as for the front desk.
func (v *sight) someCharts() (charts []fhir.PatientID, some bool, err error) {
	nobody := v.of(0)
	if nobody == nil {
		return nil, true, v.err
	}
	stranger, err := v.open.For(policy.Relation{})
	if err != nil || !stranger.Empty() {
		return nil, false, err
	}
	if v.p.Session == nil {
		return nil, true, nil
	}
	if err := v.relateAll(); err != nil {
		return nil, true, err
	}
	charts = v.all.Patients()
	approved, err := v.g.approvedFor(v.ctx, v.p.Session.Person.ID, v.at)
	if err != nil {
		return nil, true, err
	}
	charts = append(charts, approved...)
	for n := range v.grants {
		charts = append(charts, n)
	}
	return charts, true, nil
}

// permits reports whether anything of a chart may be open.
func (v *sight) permits(n fhir.PatientID) bool {
	one := v.of(n)
	return one != nil && !one.filter.Empty() && (one.own == nil || !one.own.Empty())
}

// allows judges one record, in each chart that it is in.
func (v *sight) allows(x *record.Sealed) bool {
	if !v.of(x.Patient()).allows(x) {
		return false
	}
	if !v.p.SignedIn() {
		return true
	}
	for _, n := range x.Also() {
		if !v.of(n).allows(x) {
			return false
		}
	}
	return true
}

func (one *view) allows(x *record.Sealed) bool {
	return one != nil && one.permits(one.resource(x)) && one.holds(interactionsOf(policy.Search), x)
}

// mask says which elements of a record are hidden; nil when none is.
func (v *sight) mask(x *record.Sealed) func(element string) bool {
	one := v.of(x.Patient())
	if one == nil {
		return func(string) bool { return true }
	}
	if v.behind.hides(x) {
		return func(element string) bool { return element != "active" }
	}
	return one.masker(x.Type()).drop(x.Type())
}

// permits is the filter of the asker, and of who acts as her.
func (one *view) permits(r policy.Resource) bool {
	return one.filter.Allows(r) && (one.own == nil || one.own.Allows(r))
}

func (one *view) masker(typ string) masker {
	m, ok := one.maskers[typ]
	if !ok {
		m = maskerOf(one.standing, typ, func(r []policy.Resource) (allowed []bool) {
			for i := range r {
				allowed = append(allowed, one.permits(r[i]))
			}
			return allowed
		})
		one.maskers[typ] = m
	}
	return m
}

// request is a search with these eyes.
func (v *sight) request(q question) record.SearchRequest {
	return record.SearchRequest{Query: q.q, Text: q.text, After: q.after, Principal: v.p.cursorKey(), Charts: v.someCharts, Permits: v.permits, Allows: v.allows, Mask: v.mask}
}

// search asks the records.
func (v *sight) search(q question, in fhir.PatientID) (*record.Page, error) {
	r := v.request(q)
	r.Patient = in
	found, err := v.g.records.Search(v.ctx, r)
	if v.err != nil {
		return nil, v.err
	}
	return found, err
}

// parts sorts records by the chart under whose key they lie, in the order in which the charts come, behind those parts that there are.
// What concerns further patients is named under them too.
func (v *sight) parts(records []*record.Sealed, parts ...permitted) []permitted {
	index := map[fhir.PatientID]int{}
	for i := range parts {
		index[parts[i].standing.chart.number] = i
	}
	part := func(n fhir.PatientID, x *record.Sealed) *permitted {
		i, ok := index[n]
		if !ok {
			i = len(parts)
			index[n] = i
			one := v.of(n)
			parts = append(parts, permitted{standing: one.standing, decision: one.decide(v.g, v.action, x), action: v.action})
		}
		return &parts[i]
	}
	for _, x := range records {
		home := part(x.Patient(), x)
		home.records = append(home.records, x)
		for _, n := range x.Also() {
			if guest := v.of(n); guest != nil {
				part(n, x)
				guest.guests = append(guest.guests, x)
			}
		}
	}
	return parts
}

// disclose opens records of many charts under one entry, and gives the documents in the order of the records. What was altered is
// left out.
func (v *sight) disclose(e audit.Event, records []*record.Sealed, first ...permitted) (Disclosure, error) {
	parts := v.parts(records, first...)
	opened, err := v.g.disclose(v.ctx, e, parts...)
	if err != nil || len(parts) < 2 {
		return opened, err
	}
	where := make(map[*record.Sealed]*document.Doc, len(records))
	next := 0
	for _, part := range parts {
		for _, x := range part.records {
			if x.Fault() == nil {
				where[x] = opened.Docs[next]
				next++
			}
		}
	}
	opened.Docs = opened.Docs[:0:0]
	for _, x := range records {
		if doc := where[x]; doc != nil {
			opened.Docs = append(opened.Docs, doc)
		}
	}
	return opened, nil
}

// decide is the decision whose reasons stand in the entry of a chart.
func (one *view) decide(g *Gate, action string, x *record.Sealed) policy.Decision {
	d, ok := one.decided[x.Type()]
	if !ok {
		d = g.decide(one.standing, action, one.resource(x))
		one.decided[x.Type()] = d
	}
	return d
}
