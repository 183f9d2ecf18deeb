package record

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// Identifiers are looked up by keyed names: an identifier may hold a record number. The table proposes, the matcher decides on the
// opened resource, so that a row which somebody planted leads nowhere.

const (
	identifiedAs = `select rec from identifier where name=? order by rec`
	// mostAlike bounds how many resources one identifier may propose.
	mostAlike = 1000
)

// identifierName is the keyed name of the value of an identifier, whatever its system.
func (s *Store) identifierName(typ, value string) []byte {
	n := s.box.PRF("identifier", []byte(typ), []byte(value))
	return n[:16]
}

// identifiable reports whether resources of a compartment are found by their identifiers: Patients, and what belongs to no patient.
// Rows of all others would cost more than they serve.
func identifiable(kind string, patient fhir.PatientID) bool {
	return patient == 0 || kind == patientType
}

// identifiers are the values of the identifiers of d.
func identifiers(d *document.Doc) iter.Seq[string] {
	return func(yield func(string) bool) {
		for one := range d.Root().Get("identifier").Items() {
			if value := one.Get("value").Text(); value != "" && !yield(value) {
				return
			}
		}
	}
}

// identify keeps the names by which the new version can be found.
func (s *Store) identify(tx *sql.Tx, it *item) error {
	if !identifiable(it.kind, it.after.patient) {
		return nil
	}
	if it.before != nil {
		if _, err := tx.Stmt(s.write.unidentify).Exec(it.after.rec); err != nil {
			return err
		}
	}
	if it.effect == Deleted {
		return nil
	}
	for value := range identifiers(it.doc) {
		if _, err := tx.Stmt(s.write.identify).Exec(s.identifierName(it.kind, value), it.after.rec); err != nil {
			return err
		}
	}
	return nil
}

// fillIdentifiers names what was stored before identifiers were kept, once.
func (s *Store) fillIdentifiers(ctx context.Context) error {
	var done bool
	if err := s.d.Reader().QueryRowContext(ctx, `select exists(select 1 from identified)`).Scan(&done); err != nil {
		return unreadable(err)
	}
	if done {
		return nil
	}
	names := map[fhir.RecordID][][]byte{}
	if err := s.eachRow(ctx, s.d.Reader(), func(r row) error {
		f, err := s.openOrFault(r)
		if outcome.Is(err, outcome.Deleted) || err == nil && f.doc == nil {
			return nil // shredded, deleted or altered
		}
		if err != nil {
			return err
		}
		for value := range identifiers(f.doc) {
			names[f.row.rec] = append(names[f.row.rec], s.identifierName(f.kind, value))
		}
		return nil
	}, currents+`where patient=0 or rec in (select patient from patient)`); err != nil {
		return err
	}
	if err := s.d.Write(ctx, func(tx *sql.Tx) error {
		for rec, of := range names {
			for _, name := range of {
				if _, err := tx.Stmt(s.write.identify).Exec(name, rec); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(`insert into identified(done) values(1)`)
		return err
	}); err != nil {
		return outcome.Wrap("record: identifiers", outcome.NoStore, "the records could not be brought up to date", err)
	}
	return nil
}

// namesOf are the names under which candidates of a query lie: those of the values that its identifier clause asks for. False when it
// asks for none.
func (s *Store) namesOf(q *search.Query) (names [][]byte, ok bool) {
	clauses := q.Clauses()
	for i := range clauses {
		c := &clauses[i]
		if c.Param.Name != "identifier" || c.Modifier != search.NoModifier {
			continue
		}
		for j := range c.Any {
			if c.Any[j].AnyCode {
				return nil, false
			}
			names = append(names, s.identifierName(q.Type, c.Any[j].Code))
		}
		return names, true
	}
	return nil, false
}

// matches are the stored resources that a query finds by an identifier or by _id, which are not deleted, without those in but.
func (s *Store) matches(ctx context.Context, q *search.Query, but map[fhir.RecordID]bool) (out []*found, err error) {
	var recs []fhir.RecordID
	if ids, ok := fixedIDs(q); ok {
		for _, id := range ids {
			rec, err := s.resolve(ctx, s.d.Reader(), q.Type, id)
			if outcome.Is(err, outcome.NotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			recs = append(recs, rec)
		}
	} else if names, ok := s.namesOf(q); ok {
		if recs, err = s.identified(ctx, names); err != nil {
			return nil, err
		}
	} else {
		return nil, outcome.New(outcome.NotSupported, "a conditional reference names its target by identifier=system|value")
	}
	slices.Sort(recs)
	for _, rec := range slices.Compact(recs) {
		if but[rec] {
			continue
		}
		f, err := s.currentVersion(ctx, s.d.Reader(), rec, q.Type, "")
		switch {
		case outcome.Is(err, outcome.NotFound), outcome.Is(err, outcome.Deleted), outcome.Is(err, outcome.Exception):
			continue // of another type, shredded, altered
		case err != nil:
			return nil, err
		}
		if f.doc != nil && search.Match(f.doc, q) {
			out = append(out, f)
		}
	}
	return out, nil
}

// identified are the records under any of the names.
func (s *Store) identified(ctx context.Context, names [][]byte) (out []fhir.RecordID, err error) {
	for _, name := range names {
		rows, err := s.prepared[identifiedAs].QueryContext(ctx, name)
		if err != nil {
			return nil, unreadable(err)
		}
		for rows.Next() && err == nil {
			var rec fhir.RecordID
			if err = rows.Scan(&rec); err == nil {
				out = append(out, rec)
			}
		}
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
			return nil, unreadable(err)
		}
		if len(out) > mostAlike {
			return nil, outcome.New(outcome.TooCostly, "too many resources have this identifier")
		}
	}
	return out, nil
}
