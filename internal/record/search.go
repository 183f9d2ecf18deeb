package record

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// SearchRequest is a question and the eyes of who asks: what he may not see is not there, for hits, counts, order and pages alike.
type SearchRequest struct {
	Query *search.Query
	// Text is the query as asked, URL-encoded. It travels sealed inside Page.Next and comes back by [Store.OpenCursor].
	Text string
	// Patient is the compartment to search. 0: with the type Patient the directory, with types of staff and system data all of them;
	// for everything else outcome.TooCostly.
	Patient fhir.PatientID
	// Permits is asked for each patient before anything of him is opened, Allows for each candidate before it is matched. Mask gives the
	// elements that are hidden from the asker; it is applied before matching, so that a search on a hidden element finds nothing. Nil
	// permits, allows and hides nothing. They are called on the caller's goroutine.
	Permits func(fhir.PatientID) bool
	Allows  func(*Sealed) bool
	Mask    func(*Sealed) func(element string) bool
	// Principal is whom Page.Next is for.
	Principal string
	After     *Cursor // of OpenCursor; nil for the first page
}

// Page is one page of hits, masked as asked.
type Page struct {
	Hits  []*Sealed
	Total int    // all matches that the asker may see; -1 when not counted
	Next  string // for OpenCursor; empty on the last page
	// Faults are records that may or may not match, because their rows were altered: say so to whoever asked.
	Faults []*Sealed
}

const (
	newestTx  = `select coalesce(max(tx), 0) from tx`
	anyShared = `select exists(select 1 from also where patient=?)`
)

const (
	usualPage   = 50
	largestPage = 1000
	// budget bounds the records that one search opens, in about a second and a half.
	budget = 200_000
)

// Search finds what matches, a page at a time. Without _sort the newest main date comes first. Pages after the first see the data
// as they were at the first, and the rights as they are now. The total is given when it comes for free or with _total=accurate;
// with _count=0 or _summary=count it is all that is given.
//
// Errors: outcome.TooCostly, saying which parameter would help; outcome.Expired for an old cursor; as [Store.Read].
func (s *Store) Search(ctx context.Context, r SearchRequest) (*Page, error) {
	tx, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	q := r.Query
	f := &finder{s: s, ctx: ctx, tx: tx, r: r, want: q.Count}
	if f.want < 0 {
		f.want = usualPage
	}
	f.want = min(f.want, largestPage)
	counting := q.Count == 0 || q.Summary == "count"
	if counting {
		f.want = 0
	}
	if err := s.one(ctx, tx, newestTx).Scan(&f.newest); err != nil {
		return nil, unreadable(err)
	}
	f.moment = f.newest
	if r.After != nil {
		f.after = r.After.position()
		f.moment = f.after.Tx
		if f.after.Type != q.Type || f.after.Patient != r.Patient {
			return nil, noCursor()
		}
		if f.newest-f.moment > tooFar {
			return nil, stale()
		}
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
	tx             snapshot
	r              SearchRequest
	want           int
	moment, newest int64 // the transaction whose state is searched, and the newest
	after          *position
	early          bool // candidates come in the order of hits, so that one hit more than a page is enough
	opened         int
	hits           []hit
	faults         []*Sealed
	before         int // matches at or before the cursor
	cut            bool
}

type hit struct {
	sealed *Sealed
	key    []byte
}

var errEnough = errors.New("record: enough hits")

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
	if f.r.Patient != 0 {
		return f.inChart(kind)
	}
	if q.Type == patientType {
		return f.byDirectory()
	}
	if fhir.InPatientCompartment(q.Type) {
		return outcome.New(outcome.TooCostly, "this would look through every chart: name the patient, for example by patient=")
	}
	f.early = f.early && f.after == nil
	return f.s.eachRow(f.ctx, f.tx, f.consider, ofKind, 0, kind)
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
		rec, err := f.s.resolve(f.ctx, f.tx, f.r.Query.Type, id)
		if outcome.Is(err, outcome.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := f.s.eachRow(f.ctx, f.tx, f.consider, currents+`where rec=? and kind=?`, rec, f.s.kinds.of(f.r.Query.Type)); err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) inChart(kind int64) error {
	var shared bool
	if err := f.s.one(f.ctx, f.tx, anyShared, f.r.Patient).Scan(&shared); err != nil {
		return unreadable(err)
	}
	f.early = f.early && f.after == nil && !shared
	if err := f.s.eachRow(f.ctx, f.tx, f.consider, ofKind, f.r.Patient, kind); err != nil || !shared {
		return err
	}
	return f.s.eachRow(f.ctx, f.tx, func(r row) error {
		if r.kind != kind {
			return nil
		}
		return f.consider(r)
	}, alsoOf, f.r.Patient)
}

// byDirectory opens the Patients that the directory proposes. They have no main date, so their order is that of their numbers.
func (f *finder) byDirectory() error {
	people, _ := f.s.dir.candidates(f.r.Query)
	if f.moment < f.newest { // who was a candidate at the moment and is none now
		changed, err := f.changedSince()
		if err != nil {
			return err
		}
		people = append(people, changed...)
		slices.SortFunc(people, func(a, b fhir.PatientID) int { return cmp.Compare(b, a) })
		people = slices.Compact(people)
	}
	if f.r.Permits != nil {
		people = slices.DeleteFunc(people, func(p fhir.PatientID) bool { return !f.r.Permits(p) })
	}
	if !f.early && len(people) > budget {
		return tooMany()
	}
	one := f.s.statement(f.ctx, f.tx, currentOf)
	for _, p := range people {
		if f.early && f.after != nil && fhir.RecordID(p) >= f.after.Rec {
			f.before = -1 // not counted
			continue
		}
		var r row
		if err := r.scan(one.QueryRowContext(f.ctx, p)); errors.Is(err, sql.ErrNoRows) {
			continue // committed after this search began
		} else if err != nil {
			return unreadable(err)
		}
		if err := f.consider(r); err != nil {
			return err
		}
	}
	return nil
}

// changedSince are the records that transactions after the moment touched, as numbers of patients; most are none.
func (f *finder) changedSince() (out []fhir.PatientID, err error) {
	rows, err := f.tx.QueryContext(f.ctx, `select recs from tx where tx>?`, f.moment)
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

// consider decides one candidate, given as its current version.
func (f *finder) consider(r row) error {
	if r.tx > f.moment {
		var err error
		if r, err = f.then(r.rec); errors.Is(err, sql.ErrNoRows) {
			return nil // it came later
		} else if err != nil {
			return unreadable(err)
		}
	}
	if r.op == Delete || r.patient != 0 && f.r.Permits != nil && !f.r.Permits(r.patient) {
		return nil
	}
	if f.opened++; f.opened > budget {
		return tooMany()
	}
	found, err := f.s.openOrFault(r)
	if err != nil {
		return err
	}
	if f.r.Patient != 0 && !found.concerns(f.r.Patient) {
		return nil
	}
	if f.r.Permits != nil && !allOf(found.also, f.r.Permits) {
		return nil
	}
	x := newSealed(found)
	if found.fault != nil {
		f.faults = append(f.faults, x)
		return nil
	}
	if f.r.Allows != nil && !f.r.Allows(x) {
		return nil
	}
	if f.r.Mask != nil {
		if x, err = x.Masked(f.r.Mask(x)); err != nil {
			return err
		}
	}
	doc := x.found().doc
	if !search.Match(doc, f.r.Query) {
		return nil
	}
	f.hits = append(f.hits, hit{x, f.r.Query.SortKey(doc)})
	if f.early && len(f.hits) > f.want {
		f.cut = true
		return errEnough
	}
	return nil
}

// then is the version of a record that was current at the moment.
func (f *finder) then(rec fhir.RecordID) (r row, err error) {
	err = r.scan(f.tx.QueryRowContext(f.ctx, versions+`where rec=? and tx<=? and until>?`, rec, f.moment, f.moment))
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
	for _, h := range hits[:min(f.want, len(hits))] {
		p.Hits = append(p.Hits, h.sealed)
	}
	if !more {
		return p, nil
	}
	next := hits[f.want-1].position()
	next.Type, next.Text, next.Patient, next.Tx, next.Served = f.r.Query.Type, f.r.Text, f.r.Patient, f.moment, served+f.want
	var err error
	p.Next, err = f.s.sealCursor(f.ctx, f.r.Principal, next)
	return p, err
}

func (h hit) position() position {
	r := &h.sealed.found().row
	p := position{Key: h.key, Rec: r.rec, At: undated}
	if r.at.Valid {
		p.At = r.at.Int64
	}
	return p
}

// undated comes after every date when the newest comes first.
const undated = -1 << 63

func compareHits(a, b position) int {
	return cmp.Or(bytes.Compare(a.Key, b.Key), cmp.Compare(b.At, a.At), cmp.Compare(b.Rec, a.Rec))
}

func allOf(patients []fhir.PatientID, permits func(fhir.PatientID) bool) bool {
	return !slices.ContainsFunc(patients, func(p fhir.PatientID) bool { return !permits(p) })
}

func tooMany() error {
	return outcome.New(outcome.TooCostly, "too many records would have to be opened: add a name, a birth date, an identifier or another parameter that narrows the search")
}
