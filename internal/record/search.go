package record

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// SearchRequest is a question and the eyes of who asks: what he may not see is not there, for hits, counts, order and pages alike,
// and for chains, _has and inclusions as well.
type SearchRequest struct {
	Query *search.Query
	// Text is the query as asked, URL-encoded. It travels sealed inside Page.Next and comes back by [Store.OpenCursor].
	Text string
	// Patient is the compartment to search. 0: the directory for the type Patient, else every chart and staff and system data.
	Patient fhir.PatientID
	// Charts gives the charts in which anything may be open to who asks, for a search that names no patient; some is false, and the
	// list empty, when that may be any. Nil: any.
	Charts func() (charts []fhir.PatientID, some bool, err error)
	// Permits is asked for each patient before anything of him is looked at, Allows for each candidate before it is matched. Mask gives
	// the elements that are hidden from the asker; they are hidden from matching too, so that a search on a hidden element finds
	// nothing. Nil permits, allows and hides nothing. They are called on the caller's goroutine.
	Permits func(fhir.PatientID) bool
	Allows  func(*Sealed) bool
	Mask    func(*Sealed) func(element string) bool
	// Principal is whom Page.Next is for.
	Principal string
	After     *Cursor // of OpenCursor; nil for the first page
}

// Page is one page of hits, masked as asked.
type Page struct {
	Hits     []*Sealed
	Included []*Sealed // what _include and _revinclude add to these hits, none of them a hit of this page
	Total    int       // all matches that the asker may see; -1 when not counted
	Next     string    // for OpenCursor; empty on the last page
	// Faults are records that may or may not match, because their rows were altered: say so to whoever asked.
	Faults []*Sealed
}

const (
	newestTx  = `select coalesce(max(tx), 0) from tx`
	anyShared = `select exists(select 1 from also where patient=?)`
	chartsOf  = `select distinct patient from resource where kind=?`
)

const (
	usualPage   = 50
	largestPage = 1000
	// budget bounds the records that one search looks at, in about a second and a half; mostCharts the charts.
	budget     = 200_000
	mostCharts = 20_000
	fewPeople  = 8 // are judged one by one
)

// Search finds what matches, a page at a time. Without _sort the newest main date comes first. Pages after the first see the data
// as they were at the first, and the rights as they are now. The total is given when it comes for free or with _total=accurate;
// with _count=0 or _summary=count it is all that is given.
//
// Errors: outcome.TooCostly, saying which parameter would help; outcome.Expired for an old cursor; as [Store.Read]. Whether a search
// is too costly depends only on what the asker may see.
func (s *Store) Search(ctx context.Context, r SearchRequest) (*Page, error) {
	f, err := s.finder(ctx, r)
	if err != nil {
		return nil, err
	}
	defer f.end()
	q := r.Query
	counting := q.Count == 0 || q.Summary == "count"
	if counting {
		f.want = 0
	}
	f.early = len(q.Sort) == 0 && q.Total != "accurate" && !counting
	if err := f.collect(); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return f.page(counting)
}

// finder is the state of one search.
type finder struct {
	s              *Store
	ctx            context.Context
	r              SearchRequest
	want           int
	moment, newest int64 // the transaction whose state is searched, and the newest
	after          *position
	early          bool // candidates come in the order of hits, so that one hit more than a page is enough
	looked         int  // at records that the asker may see
	hits           []hit
	faults         []*Sealed
	before         int // matches at or before the cursor
	cut            bool

	reading  *snapshot // of the rows, begun when a shelf has to be filled
	filled   int64     // the newest transaction of that
	guests   map[fhir.RecordID]bool
	known    map[fhir.Ref]*candidate
	answered map[answer]bool
	refers   map[referring]map[fhir.Ref][]candidate
}

type hit struct {
	candidate
	key []byte
}

var errEnough = errors.New("record: enough hits")

func (s *Store) finder(ctx context.Context, r SearchRequest) (*finder, error) {
	f := &finder{s: s, ctx: ctx, r: r, want: r.Query.Count, newest: s.newest.Load()}
	if f.want < 0 {
		f.want = usualPage
	}
	f.want = min(f.want, largestPage)
	f.moment = f.newest
	if r.After != nil {
		f.after = r.After.position()
		f.moment = f.after.Tx
		if f.after.Type != r.Query.Type || f.after.Patient != r.Patient {
			return nil, noCursor()
		}
		if f.newest-f.moment > tooFar {
			return nil, stale()
		}
	}
	return f, nil
}

func (f *finder) end() {
	if f.reading != nil {
		f.reading.end()
		<-f.s.filling
	}
}

// collect runs over the candidates by the cheapest way.
func (f *finder) collect() error {
	q := f.r.Query
	if ids, ok := fixedIDs(q); ok {
		f.early = false
		return f.byID(ids)
	}
	kind := f.s.kinds.of(q.Type)
	if kind == 0 {
		return nil
	}
	switch {
	case f.r.Patient != 0:
		f.early = f.early && f.after == nil
		return f.onShelf(f.r.Patient, kind)
	case q.Type == patientType:
		return f.byDirectory(kind)
	case !fhir.InPatientCompartment(q.Type):
		f.early = f.early && f.after == nil
		return f.onShelf(0, kind)
	}
	f.early = false
	return f.acrossCharts(kind)
}

// fixedIDs are the ids that _id asks for.
func fixedIDs(q *search.Query) (ids []string, ok bool) {
	for _, c := range q.Clauses() {
		if c.Param.Name == "_id" && c.Modifier == search.NoModifier {
			for i := range c.Any {
				ids = append(ids, c.Any[i].Code)
			}
			return ids, true
		}
	}
	return nil, false
}

func (f *finder) byID(ids []string) error {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		c, err := f.named(fhir.Ref{Type: f.r.Query.Type, ID: id}, true)
		if err != nil {
			return err
		}
		if c == nil || f.r.Patient != 0 && !c.sealed.found().concerns(f.r.Patient) {
			continue
		}
		if err := f.consider(*c); err != nil {
			return err
		}
	}
	return nil
}

// onShelf considers everything on one shelf.
func (f *finder) onShelf(patient fhir.PatientID, kind int64) error {
	x, err := f.shelf(patient, kind, f.r.Query)
	if err != nil {
		return err
	}
	spots, few, err := f.pointed(x)
	if err != nil {
		return err
	}
	if !few {
		spots = upTo(len(x.spots))
	}
	for i := range spots {
		c, ok, err := f.see(x, i)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if patient == 0 || f.r.Patient != 0 || f.first(c) {
			if err := f.consider(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// first reports whether a record is met for the first time: one of several patients lies on the shelf of each.
func (f *finder) first(c candidate) bool {
	if len(c.sealed.found().also) == 0 {
		return true
	}
	rec := c.sealed.Record()
	if f.guests[rec] {
		return false
	}
	if f.guests == nil {
		f.guests = map[fhir.RecordID]bool{}
	}
	f.guests[rec] = true
	return true
}

// byDirectory looks at the Patients that the directory proposes. They have no main date, so their order is that of their numbers.
func (f *finder) byDirectory(kind int64) error {
	people, _, err := f.proposed(f.r.Query)
	if err != nil {
		return err
	}
	if f.r.Charts != nil && len(people) > fewPeople {
		mine, some, err := f.r.Charts()
		if err != nil {
			return err
		}
		open := make(map[fhir.PatientID]bool, len(mine))
		for _, p := range mine {
			open[p] = true
		}
		people = slices.DeleteFunc(people, func(p fhir.PatientID) bool { return some && !open[p] })
	}
	if f.r.Permits != nil {
		people = slices.DeleteFunc(people, func(p fhir.PatientID) bool { return !f.r.Permits(p) })
	}
	if !f.early && len(people) > budget {
		return tooMany()
	}
	for _, p := range people {
		if f.early && f.after != nil && fhir.RecordID(p) >= f.after.Rec {
			f.before = -1 // not counted
			continue
		}
		if err := f.onShelf(p, kind); err != nil {
			return err
		}
	}
	return nil
}

// proposed are the patients whom the directory takes for possible, newest first, those included who were so at the moment searched.
func (f *finder) proposed(q *search.Query) (people []fhir.PatientID, narrowed bool, err error) {
	people, narrowed = f.s.dir.candidates(q)
	if f.moment == f.newest {
		return people, narrowed, nil
	}
	changed, err := f.changedSince()
	if err != nil {
		return nil, false, err
	}
	people = append(people, changed...)
	slices.SortFunc(people, func(a, b fhir.PatientID) int { return cmp.Compare(b, a) })
	return slices.Compact(people), narrowed, nil
}

// changedSince are the records that transactions after the moment touched, as numbers of patients; most are none.
func (f *finder) changedSince() (out []fhir.PatientID, err error) {
	rows, err := f.s.d.Reader().QueryContext(f.ctx, `select recs from tx where tx>?`, f.moment)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	f.s.dir.mu.RLock()
	defer f.s.dir.mu.RUnlock()
	for rows.Next() {
		var recs []byte
		if err := rows.Scan(&recs); err != nil {
			return nil, unreadable(err)
		}
		for rec := range varints(recs) {
			if _, ok := f.s.dir.slots[fhir.PatientID(rec)]; ok {
				out = append(out, fhir.PatientID(rec))
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return out, nil
}

// consider decides one candidate that the asker may see.
func (f *finder) consider(c candidate) error {
	if f.r.Patient != 0 && !c.sealed.found().concerns(f.r.Patient) {
		return nil
	}
	ok, err := f.satisfies(&c, f.r.Query)
	if err != nil || !ok {
		return err
	}
	var key []byte
	for _, s := range f.r.Query.Sort {
		values, err := f.values(&c, s.Param)
		if err != nil {
			return err
		}
		key = s.AppendKey(key, values)
	}
	f.hits = append(f.hits, hit{c, key})
	if f.early && len(f.hits) > f.want {
		f.cut = true
		return errEnough
	}
	return nil
}

// then is the version of a record that was current at the moment.
func (f *finder) then(rec fhir.RecordID) (r row, err error) {
	err = r.scan(f.s.d.Reader().QueryRowContext(f.ctx, versions+`where rec=? and tx<=? and until>?`, rec, f.moment, f.moment))
	return r, err
}

// page orders the hits and cuts the page out.
func (f *finder) page(counting bool) (*Page, error) {
	slices.SortFunc(f.hits, func(a, b hit) int { return compareHits(a.position(), b.position()) })
	p := &Page{Total: len(f.hits), Faults: f.faults}
	if f.cut || f.before < 0 || f.r.Query.Total == "none" && !counting {
		p.Total = -1
	}
	if counting {
		return p, nil
	}
	hits := f.hits
	served := 0
	if f.after != nil {
		served = f.after.Served
		at, found := slices.BinarySearchFunc(hits, *f.after, func(h hit, after position) int { return compareHits(h.position(), after) })
		if found {
			at++
		}
		hits = hits[at:]
	}
	more := len(hits) > f.want
	hits = hits[:min(f.want, len(hits))]
	included, err := f.include(hits)
	if err != nil {
		return nil, err
	}
	if p.Hits, err = masked(hits, func(h *hit) *candidate { return &h.candidate }); err != nil {
		return nil, err
	}
	if p.Included, err = masked(included, func(c *candidate) *candidate { return c }); err != nil {
		return nil, err
	}
	if !more {
		return p, nil
	}
	next := hits[f.want-1].position()
	next.Type, next.Text, next.Patient, next.Tx, next.Served = f.r.Query.Type, f.r.Text, f.r.Patient, f.moment, served+f.want
	p.Next, err = f.s.sealCursor(f.ctx, f.r.Principal, next)
	return p, err
}

func masked[T any](in []T, of func(*T) *candidate) (out []*Sealed, err error) {
	for i := range in {
		c := of(&in[i])
		x := c.sealed
		if c.hidden != nil {
			if x, err = x.Masked(c.hidden); err != nil {
				return nil, err
			}
		}
		out = append(out, x)
	}
	return out, nil
}

func (h hit) position() position { return h.sealed.found().row.position(h.key) }

// undated comes after every date when the newest comes first.
const undated = -1 << 63

func tooMany() error {
	return outcome.New(outcome.TooCostly, "too many records would have to be opened: name the patient, or add a parameter that narrows the search (for patients a name, a birth date, an identifier)")
}
