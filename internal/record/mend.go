package record

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
)

// A shelf that a commit touched is mended: the records that changed are read again, the rest is taken over (docs/adr/0072). Which ones
// changed is noted on the shelf together with the transaction, so a shelf that was touched without such a note is filled anew.

// changing is a record that a transaction touches.
type changing struct {
	rec fhir.RecordID
	tx  int64
}

// allKinds is the type of a shelf that holds nothing but the list of the types that there are in a chart.
const allKinds = 0

// mostChanges bounds what is mended one by one.
const mostChanges = 16

// touch notes that a transaction, not yet committed, changes a record on a shelf.
func (s *shelves) touch(patient fhir.PatientID, kind, tx int64, rec fhir.RecordID) {
	k, all := shelfKey{patient, kind}, shelfKey{patient, allKinds}
	raise(k.note(s), tx)
	raise(all.note(s), tx)
	raise(shelfKey{anyChart, kind}.note(s), tx)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch x := s.byKey[k]; {
	case x == nil:
	case len(x.changes) == mostChanges:
		s.drop(x)
	default:
		x.changes = append(x.changes, changing{rec, tx})
		x.noted = max(x.noted, tx)
	}
	if x := s.byKey[all]; x != nil {
		x.noted = max(x.noted, tx)
		if !slices.Contains(x.kinds, kind) {
			x.kinds = append(x.kinds, kind)
		}
	}
}

// holds gives the types of which a chart holds, or held, something, where memory knows that.
func (s *shelves) holds(patient fhir.PatientID) (kinds []int64, known bool) {
	x, _ := s.get(shelfKey{patient, allKinds})
	if x == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(x.kinds), true
}

// mend gives x as it is in a snapshot whose newest transaction is given, and keeps that instead.
func (s *Store) mend(ctx context.Context, reading snapshot, newest int64, x *shelf) (*shelf, error) {
	known := newest // up to which transaction everything that touched x is noted on it
	if s.d.Shared() {
		known = max(x.moment, min(newest, s.foreign.upTo()))
	}
	s.shelves.mu.Lock()
	var due []fhir.RecordID
	for _, c := range x.changes {
		if c.tx <= newest && !slices.Contains(due, c.rec) {
			due = append(due, c.rec)
		}
	}
	s.shelves.mu.Unlock()
	if len(due) == 0 { // the transaction is not committed yet
		return x, nil
	}
	out := x.without(s, due, known)
	for _, rec := range due {
		var r row
		err := r.scan(s.one(ctx, reading, currentOf, rec))
		if errors.Is(err, sql.ErrNoRows) { // it was undone
			continue
		}
		if err != nil {
			return nil, unreadable(err)
		}
		if s.belongs(&r, x.key) {
			if err := s.lay(out, r); err != nil {
				return nil, err
			}
		}
	}
	out.close()
	s.shelves.replace(x, out)
	return out, nil
}

// belongs reports whether a row lies on a shelf: the patient's own, and as guests those that concern the patient too.
func (s *Store) belongs(r *row, k shelfKey) bool {
	if r.kind != k.kind {
		return false
	}
	return r.patient == k.patient || k.patient != 0 && k.kind != s.kinds.of(patientType) && slices.Contains(patientsIn(r.further), k.patient)
}

// without is a new shelf with all that lies on x but some records.
func (x *shelf) without(s *Store, due []fhir.RecordID, moment int64) *shelf {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := s.newShelf(x.key, moment)
	s.shelves.mu.Lock()
	out.size = x.size
	s.shelves.mu.Unlock()
	out.spots = make([]*spot, 0, len(x.spots)+len(due))
	var left []int
	for i, at := range x.spots {
		if slices.Contains(due, at.row.rec) {
			left = append(left, i)
			out.size -= len(at.row.body) + 400
			continue
		}
		out.spots = append(out.spots, at)
	}
	for p, column := range x.columns {
		kept := make([][]search.Value, 0, len(x.spots)+len(due))
		from := 0
		for _, i := range left {
			kept = append(kept, column[from:i]...)
			out.size -= sizeOf(column[i])
			from = i + 1
		}
		out.columns[p] = append(kept, column[from:]...)
	}
	return out
}

// replace keeps new instead of old, with what was noted since; not if old is not kept any more.
func (s *shelves) replace(old, new *shelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey[old.key] != old {
		return
	}
	new.noted = old.noted
	for _, c := range old.changes {
		if c.tx > new.moment {
			new.changes = append(new.changes, c)
		}
	}
	s.drop(old)
	s.keep(new)
}
