package record

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Shred destroys the key of a chart: what lies under it opens nowhere any more, except with a copy of the keys until that expires, and
// lists leave it out. Versions stay where they are, and so does what lies under other patients' keys. Shredding twice is fine. The entry
// that says who wanted it comes first. Errors: as [seal.Box.Shred].
func (s *Store) Shred(ctx context.Context, patient fhir.PatientID) error {
	if patient == 0 {
		return outcome.New(outcome.Exception, "a chart is a patient's")
	}
	err := s.box.Shred(ctx, int64(patient), ChartKey)
	if err == nil || outcome.Is(err, outcome.Transient) {
		s.forget(patient)
	}
	return err
}

// Erased reports that the key of a chart was destroyed.
func (s *Store) Erased(patient fhir.PatientID) bool {
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	return s.dir.erased[patient]
}

// Whose is the compartment in which a resource lies, without opening it; 0 for staff and system data. Errors: outcome.NotFound;
// outcome.NoStore.
func (s *Store) Whose(ctx context.Context, typ, id string) (p fhir.PatientID, err error) {
	rec, err := s.resolve(ctx, s.d.Reader(), typ, id)
	if err != nil {
		return 0, err
	}
	var kind int64
	err = s.one(ctx, s.d.Reader(), patientOf, rec).Scan(&p, &kind)
	if errors.Is(err, sql.ErrNoRows) || err == nil && s.kinds.called(kind) != typ {
		return 0, notFound()
	}
	if err != nil {
		return 0, unreadable(err)
	}
	return p, nil
}

// forget drops what memory holds of an erased chart. It is no patient of any list from now on; the shelves go as a whole, for what lay
// under its key may stand on others' too.
func (s *Store) forget(patient fhir.PatientID) {
	s.dir.erase(patient)
	s.shelves.clear()
}

// erase gives a patient a place without terms. An id that a client chose is forgotten with the rest; the number's own id stands for it.
func (d *directory) erase(p fhir.PatientID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erased[p] = true
	delete(d.chosen, p)
	e := entry{id: p, version: math.MaxUint32, gone: true}
	if slot, known := d.slots[p]; known {
		d.people[slot] = e
		return
	}
	d.slots[p] = uint32(len(d.people))
	d.people = append(d.people, e)
}
