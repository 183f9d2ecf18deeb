package record

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
)

// shelf is all current resources of one type in one chart, as a search needs them: the rows with their sealed bodies, what policy may
// know of each, and the values of those parameters that somebody asked about. It lies in memory only. Documents are not kept: what
// leaves a shelf is unsealed anew, against a receipt.
//
// A shelf is immutable but for its columns and indexes. Deleted resources lie on it too, for those who search an earlier moment.
type shelf struct {
	key    shelfKey
	moment int64   // the newest transaction when it was filled
	spots  []*spot // newest main date first
	place  map[fhir.RecordID]int
	latest int64   // the newest transaction that wrote one of them
	faults []int   // those that do not open
	kinds  []int64 // of the shelf allKinds; under shelves.mu

	mu      sync.Mutex
	columns map[*search.Param][][]search.Value
	refers  map[*search.Param]map[string][]int // spots by the id that a value refers to

	// Of the shelves that keep it.
	size       int // bytes, about
	generation int64
	element    *list.Element
	changes    []changing
	noted      int64 // the newest transaction among what was noted
}

type shelfKey struct {
	patient fhir.PatientID
	kind    int64
}

// spot is one resource on a shelf.
type spot struct {
	row    row
	sealed *Sealed
}

// told is what of a closed document is known without opening it.
type told struct {
	labels   []string
	released bool
	updated  time.Time
}

// shelves keeps the shelves that were asked for last, up to a number of bytes. That a shelf is up to date is known by the number of
// the transaction that last touched it: a commit notes it before anybody can see what it wrote. Several shelves share a note; one
// too many is filled anew, never one too few. What other nodes write is noted
// when it is followed.
type shelves struct {
	touched    [1 << 16]atomic.Int64
	generation atomic.Int64 // how often everything was dropped: what was opened before lies on no shelf after

	mu    sync.Mutex
	most  int // bytes
	size  int
	byKey map[shelfKey]*shelf
	used  list.List // front: last asked for
}

// defaultShelves is what the shelves may take, unless the options say otherwise.
const defaultShelves = 64 << 20

func (k shelfKey) note(s *shelves) *atomic.Int64 {
	h := uint64(k.patient)*0x9e3779b97f4a7c15 ^ uint64(k.kind)*0xc2b2ae3d27d4eb4f
	return &s.touched[(h^h>>32)>>8&(1<<16-1)]
}

// raise makes a number at least n.
func raise(number *atomic.Int64, n int64) {
	for old := number.Load(); old < n && !number.CompareAndSwap(old, n); old = number.Load() {
	}
}

// get gives a shelf that is up to date, or that can be mended; nil if there is none.
func (s *shelves) get(k shelfKey) (x *shelf, current bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byKey[k]
	if found == nil {
		return nil, false
	}
	touched := k.note(s).Load()
	if found.moment < touched && found.noted < touched { // by something that is not noted on it
		s.drop(found)
		return nil, false
	}
	s.used.MoveToFront(found.element)
	return found, found.moment >= touched
}

func (s *shelves) put(new *shelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.byKey[new.key]; old != nil {
		s.drop(old)
	}
	if new.moment < new.key.note(s).Load() || new.generation != s.generation.Load() { // touched meanwhile, and nothing of it noted
		return
	}
	s.keep(new)
}

func (s *shelves) keep(new *shelf) {
	if new.size > s.most/4 {
		return
	}
	new.element = s.used.PushFront(new)
	s.byKey[new.key] = new
	s.grow(new.size)
}

// grown counts what a shelf that may be kept took on.
func (s *shelves) grown(x *shelf, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.size += by
	if x.element != nil && s.byKey[x.key] == x {
		s.grow(by)
	}
}

func (s *shelves) grow(by int) {
	for s.size += by; s.size > s.most && s.used.Len() > 0; {
		s.drop(s.used.Back().Value.(*shelf))
	}
}

func (s *shelves) drop(x *shelf) {
	s.used.Remove(x.element)
	delete(s.byKey, x.key)
	s.size -= x.size
	x.element = nil
}

// clear drops all shelves.
func (s *shelves) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation.Add(1)
	for _, x := range s.byKey {
		s.drop(x)
	}
}

// fill makes a shelf from the rows as they are in a snapshot whose newest transaction is given. The columns of want come along.
func (s *Store) fill(ctx context.Context, reading snapshot, newest int64, k shelfKey, want []*search.Param) (*shelf, error) {
	x := s.newShelf(k, newest)
	for _, p := range want {
		x.columns[p] = nil
	}
	if err := s.eachRow(ctx, reading, func(r row) error { return s.lay(x, r) }, ofKind, k.patient, k.kind); err != nil {
		return nil, err
	}
	if k.patient != 0 && k.kind != s.kinds.of(patientType) {
		if err := s.guests(ctx, reading, k.patient, func(r row) *shelf {
			if r.kind == k.kind {
				return x
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	x.close()
	s.shelves.put(x)
	return x, nil
}

// stock fills every shelf of a chart with one reading, for those who want all of it.
func (s *Store) stock(ctx context.Context, patient fhir.PatientID) ([]*shelf, error) {
	moment, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer moment.end()
	var newest int64
	if err := s.one(ctx, moment, newestTx).Scan(&newest); err != nil {
		return nil, unreadable(err)
	}
	byKind := map[int64]*shelf{}
	for _, kind := range s.kinds.all() {
		byKind[kind] = s.newShelf(shelfKey{patient, kind}, newest)
	}
	if err := s.eachRow(ctx, moment, func(r row) error { return s.lay(byKind[r.kind], r) }, ofPatient, patient); err != nil {
		return nil, err
	}
	if err := s.guests(ctx, moment, patient, func(r row) *shelf { return byKind[r.kind] }); err != nil {
		return nil, err
	}
	var out []*shelf
	list := s.newShelf(shelfKey{patient, allKinds}, newest)
	for _, x := range byKind {
		x.close()
		if len(x.spots) > 0 {
			s.shelves.put(x)
			list.kinds = append(list.kinds, x.key.kind)
		}
		out = append(out, x)
	}
	s.shelves.put(list)
	return out, nil
}

// guests lays out what lies under other patients' keys and concerns this one too.
func (s *Store) guests(ctx context.Context, moment snapshot, patient fhir.PatientID, on func(row) *shelf) error {
	var shared bool
	if err := s.one(ctx, moment, anyShared, patient).Scan(&shared); err != nil {
		return unreadable(err)
	}
	if !shared {
		return nil
	}
	return s.eachRow(ctx, moment, func(r row) error {
		if x := on(r); x != nil {
			return s.lay(x, r)
		}
		return nil
	}, alsoOf, patient)
}

// newShelf is an empty shelf, before anything for it is opened.
func (s *Store) newShelf(k shelfKey, newest int64) *shelf {
	return &shelf{key: k, moment: newest, place: map[fhir.RecordID]int{}, columns: map[*search.Param][][]search.Value{}, size: 400, generation: s.shelves.generation.Load()}
}

// lay puts a row on a shelf that is being filled.
func (s *Store) lay(x *shelf, r row) error {
	f, err := s.openOrFault(r)
	if lost(err) {
		return nil
	}
	if err != nil {
		return err
	}
	r.body = bytes.Clone(r.body)
	for p, column := range x.columns {
		var values []search.Value
		if f.doc != nil {
			values = p.Values(f.doc, s.searching())
		}
		x.columns[p] = append(column, values)
		x.size += sizeOf(values)
	}
	f.row, f.store = r, s
	if f.doc != nil {
		f.told = &told{labels: fhir.Labels(f.doc), released: fhir.Released(f.doc), updated: newSealed(f).Updated()}
	}
	f.id, f.doc = string([]byte(f.id)), nil
	x.spots = append(x.spots, &spot{r, newSealed(f)})
	x.size += len(r.body) + 400
	return nil
}

// close orders what was laid out.
func (x *shelf) close() {
	order := make([]int, len(x.spots))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareHits(x.spots[a].row.position(nil), x.spots[b].row.position(nil)) })
	x.spots = arrange(x.spots, order)
	for p, column := range x.columns {
		x.columns[p] = arrange(column, order)
	}
	for i, at := range x.spots {
		x.place[at.row.rec] = i
		x.latest = max(x.latest, at.row.tx)
		if at.sealed.Fault() != nil {
			x.faults = append(x.faults, i)
		}
	}
}

func arrange[T any](in []T, order []int) []T {
	out := make([]T, len(in))
	for i, at := range order {
		out[i] = in[at]
	}
	return out
}

// column gives the values of a parameter, one list for each spot. The first who asks has every document opened for it.
func (s *Store) column(x *shelf, p *search.Param) ([][]search.Value, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return s.columnOf(x, p)
}

func (s *Store) columnOf(x *shelf, p *search.Param) ([][]search.Value, error) {
	if c, ok := x.columns[p]; ok {
		return c, nil
	}
	c := make([][]search.Value, len(x.spots))
	size := 64
	for i, at := range x.spots {
		f := at.sealed.found()
		if f.told == nil { // deleted, or a fault
			continue
		}
		doc, err := f.content()
		if err != nil {
			return nil, err
		}
		c[i] = p.Values(doc, s.searching())
		size += sizeOf(c[i])
	}
	x.columns[p] = c
	s.shelves.grown(x, size)
	return c, nil
}

// referring gives the spots that refer to a resource of some id by a parameter.
func (s *Store) referring(x *shelf, p *search.Param, id string) ([]int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	index, ok := x.refers[p]
	if !ok {
		column, err := s.columnOf(x, p)
		if err != nil {
			return nil, err
		}
		index = map[string][]int{}
		for i, values := range column {
			for j := range values {
				id := values[j].ID
				if at := index[id]; id != "" && (len(at) == 0 || at[len(at)-1] != i) {
					index[id] = append(at, i)
				}
			}
		}
		if x.refers == nil {
			x.refers = map[*search.Param]map[string][]int{}
		}
		x.refers[p] = index
		s.shelves.grown(x, 100+60*len(index)+8*len(column))
	}
	return index[id], nil
}

// sizeOf is about what values take.
func sizeOf(values []search.Value) int {
	n := 24
	for i := range values {
		n += 280
		for _, part := range values[i].Parts {
			n += sizeOf(part)
		}
	}
	return n
}

// content is the document, unsealed where it lies closed on a shelf; nil for a deletion. What it gives to anybody but a search goes
// through [Sealed.Open].
func (f *found) content() (*document.Doc, error) {
	if f.doc != nil || f.told == nil {
		return f.doc, f.fault
	}
	opened, err := f.store.open(f.row)
	if err != nil {
		return nil, err
	}
	return opened.doc, nil
}

func (r *row) position(key []byte) position {
	p := position{Key: key, Rec: r.rec, At: undated}
	if r.at.Valid {
		p.At = r.at.Int64
	}
	return p
}

func compareHits(a, b position) int {
	return cmp.Or(bytes.Compare(a.Key, b.Key), cmp.Compare(b.At, a.At), cmp.Compare(b.Rec, a.Rec))
}

// chartsWith are the charts that hold, or held, something of a type.
func (s *Store) chartsWith(ctx context.Context, kind int64) (out []fhir.PatientID, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, chartsOf, kind)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var p fhir.PatientID
		if err := rows.Scan(&p); err != nil {
			return nil, unreadable(err)
		}
		if p != 0 {
			out = append(out, p)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return out, nil
}
