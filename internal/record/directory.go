package record

import (
	"bytes"
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
)

// directory finds patients by their demographics. It lies in memory only, about 250 bytes a patient, because any index on the disk
// would tell who the patients are. It proposes candidates; the matcher decides on the opened Patient.
type directory struct {
	mu     sync.RWMutex
	slots  map[fhir.PatientID]uint32
	people []entry
	chosen map[fhir.PatientID]string // ids that clients chose; the others are computed
	terms  []term                    // sorted
	fresh  []term                    // not sorted yet
	erased map[fhir.PatientID]bool   // whose key was destroyed
}

// entry is one Patient: the version that its terms are of, and what is compared rather than looked up.
type entry struct {
	id      fhir.PatientID
	version uint32
	born    [2]int32 // days since 1970, from and to; both 0 when unknown
	sex     byte     // first letter of gender, 0 when unknown
	gone    bool
}

// term says that a Patient has a value whose key this is. It counts only for the version that it was made of, so that an update
// need not look for old ones.
type term struct {
	key     uint64
	slot    uint32
	version uint32
}

func compareTerms(a, b term) int {
	return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.slot, b.slot), cmp.Compare(a.version, b.version))
}

// fillDirectory opens every Patient once, on all processors. One whose row was altered has a place and no terms, so that the rest of
// the chart can be read; one who was shredded has a place that says so.
func (s *Store) fillDirectory(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue := make(chan row, 256)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for r := range queue {
				f, err := s.openOrFault(r)
				switch {
				case err == nil:
					s.dir.follow(s, f)
				case lost(err):
					s.dir.erase(r.patient)
				default:
					stop(err)
				}
			}
		})
	}
	err := s.eachRow(ctx, s.d.Reader(), func(r row) error {
		r.body = bytes.Clone(r.body)
		queue <- r
		return nil
	}, currents+`where rec in (select patient from patient)`)
	close(queue)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// PatientRef gives the logical id of the Patient of a compartment, also of a deleted one. It asks nothing of the disk, unless another
// node may have just written the Patient. Errors: outcome.NotFound, also for a patient who was referred to and has not come yet.
func (s *Store) PatientRef(ctx context.Context, p fhir.PatientID) (id string, err error) {
	if id, err = s.patientRef(p); err != nil && s.d.Shared() {
		if followed := s.followNodes(ctx); followed != nil {
			return "", followed
		}
		return s.patientRef(p)
	}
	return id, err
}

func (s *Store) patientRef(p fhir.PatientID) (id string, err error) {
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	if _, ok := s.dir.slots[p]; !ok {
		return "", notFound()
	}
	if id, ok := s.dir.chosen[p]; ok {
		return id, nil
	}
	return s.ids.make(p, fhir.RecordID(p)), nil
}

// known gives the compartment of a Patient whose id was made here, without asking the disk; false says nothing.
func (s *Store) known(id string) (fhir.PatientID, bool) {
	p, rec, ours := s.ids.read(id)
	if !ours || fhir.RecordID(p) != rec {
		return 0, false
	}
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	_, ok := s.dir.slots[p]
	return p, ok
}

// Patients is the number of patients who are not deleted.
func (s *Store) Patients() int {
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	n := 0
	for i := range s.dir.people {
		if !s.dir.people[i].gone {
			n++
		}
	}
	return n
}

// follow takes in the newest version of a Patient; an older one, and every other type, it passes over.
func (d *directory) follow(s *Store, f *found) {
	if f.kind != patientType {
		return
	}
	e := entry{id: f.row.patient, version: uint32(f.row.vid), gone: f.row.op == Delete}
	var keys []uint64
	if f.doc != nil {
		keys = e.describe(search.Values(f.doc, s.searching()))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	slot, known := d.slots[e.id]
	if !known {
		slot = uint32(len(d.people))
		d.slots[e.id] = slot
		d.people = append(d.people, e)
		if own := s.ids.make(e.id, f.row.rec); own != f.id && f.fault == nil {
			d.chosen[e.id] = f.id
		}
	} else if d.people[slot].version >= e.version {
		return
	}
	d.people[slot] = e
	for _, k := range keys {
		d.fresh = append(d.fresh, term{k, slot, e.version})
	}
	if len(d.fresh) > max(4096, len(d.terms)/16) {
		d.merge()
	}
}

// merge sorts fresh terms in and drops those of versions that are past.
func (d *directory) merge() {
	all := make([]term, 0, len(d.terms)+len(d.fresh))
	slices.SortFunc(d.fresh, compareTerms)
	for a, b := d.terms, d.fresh; len(a) > 0 || len(b) > 0; {
		var t term
		if len(b) == 0 || len(a) > 0 && compareTerms(a[0], b[0]) <= 0 {
			t, a = a[0], a[1:]
		} else {
			t, b = b[0], b[1:]
		}
		if d.people[t.slot].version == t.version {
			all = append(all, t)
		}
	}
	d.terms, d.fresh = all, nil
}

// between gives the patients with a term whose key is in [low, high].
func (d *directory) between(low, high uint64) (out []uint32) {
	at, _ := slices.BinarySearchFunc(d.terms, low, func(t term, k uint64) int { return cmp.Compare(t.key, k) })
	take := func(t term) {
		if low <= t.key && t.key <= high && d.people[t.slot].version == t.version {
			out = append(out, t.slot)
		}
	}
	for ; at < len(d.terms) && d.terms[at].key <= high; at++ {
		take(d.terms[at])
	}
	for _, t := range d.fresh {
		take(t)
	}
	return out
}

// candidates gives a superset of the patients that q finds, newest first, and whether any clause narrowed it.
func (d *directory) candidates(q *search.Query) (out []fhir.PatientID, narrowed bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var set map[uint32]bool // nil: everybody
	clauses := q.Clauses()
	for i := range clauses {
		ranges, ok := rangesOf(&clauses[i])
		if !ok {
			continue
		}
		next := map[uint32]bool{}
		for _, r := range ranges {
			for _, slot := range d.between(r[0], r[1]) {
				if set == nil || set[slot] {
					next[slot] = true
				}
			}
		}
		set = next
	}
	keep := func(slot uint32) {
		e := &d.people[slot]
		if !e.gone && e.admits(clauses) {
			out = append(out, e.id)
		}
	}
	if set == nil {
		out = make([]fhir.PatientID, 0, len(d.people))
		for slot := range d.people {
			keep(uint32(slot))
		}
		narrowed = len(out) < len(d.people)/10
	} else {
		narrowed = true
		for slot := range set {
			keep(slot)
		}
	}
	slices.SortFunc(out, func(a, b fhir.PatientID) int { return cmp.Compare(b, a) })
	return out, narrowed
}
