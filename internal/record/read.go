package record

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Read finds the current version of a resource, which may be a deletion ([Sealed.Deleted]).
// Errors: outcome.NotFound; outcome.Exception when the row was altered; outcome.Deleted when the chart was erased for good;
// outcome.Timeout, outcome.NoStore.
func (s *Store) Read(ctx context.Context, typ, id string) (*Sealed, error) {
	f, err := s.current(ctx, s.d.Reader(), typ, id)
	if err != nil {
		return nil, err
	}
	return newSealed(f), nil
}

// ReadVersion finds one version, current or superseded. Errors: as [Store.Read].
func (s *Store) ReadVersion(ctx context.Context, typ, id string, version int64) (*Sealed, error) {
	rec, err := s.resolve(ctx, s.d.Reader(), typ, id)
	if err != nil {
		return nil, err
	}
	var r row
	err = r.scan(s.d.Reader().QueryRowContext(ctx, currents+`where rec=?1 and vid=?2
		union all `+versions+`where rec=?1 and vid=?2 limit 1`, rec, version))
	f, err := s.checked(r, err, typ, id)
	if err != nil {
		return nil, err
	}
	return newSealed(f), nil
}

// History gives all versions, newest first, altered ones with their [Sealed.Fault]. Errors: as [Store.Read].
func (s *Store) History(ctx context.Context, typ, id string) ([]*Sealed, error) {
	rec, err := s.resolve(ctx, s.d.Reader(), typ, id)
	if err != nil {
		return nil, err
	}
	var out []*Sealed
	err = s.each(ctx, s.d.Reader(), func(f *found) error {
		if f.kind != typ || f.id != id && f.fault == nil {
			return notFound()
		}
		out = append(out, newSealed(f))
		return nil
	}, currents+`where rec=?1 union all `+versions+`where rec=?1 order by vid desc`, rec)
	if err == nil && out == nil {
		err = notFound()
	}
	return out, err
}

// Chart gives the current resources of a compartment, of some types or (with none named) of all, the Patient included and deletions
// left out, altered ones with their [Sealed.Fault]. Within a type the newest main date comes first. A chart of 300 resources takes
// about 3 ms. Errors: as [Store.Read].
func (s *Store) Chart(ctx context.Context, patient fhir.PatientID, types ...string) ([]*Sealed, error) {
	if patient == 0 {
		return nil, outcome.New(outcome.Exception, "a chart is a patient's")
	}
	moment, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer moment.end()
	var out []*Sealed
	keep := func(f *found) error {
		if f.row.op != Delete && (len(types) == 0 || slices.Contains(types, f.kind)) {
			out = append(out, newSealed(f))
		}
		return nil
	}
	if len(types) == 0 {
		err = s.each(ctx, moment, keep, ofPatient, patient)
	}
	for _, t := range types {
		if kind := s.kinds.of(t); kind != 0 && err == nil {
			err = s.each(ctx, moment, keep, ofKind, patient, kind)
		}
	}
	if err == nil {
		err = s.eachRow(ctx, moment, func(r row) error {
			f, err := s.openOrFault(r)
			if lost(err) || err == nil && f.fault == nil && !f.concerns(patient) { // the table also is believed only where the record agrees
				return nil
			}
			if err != nil {
				return err
			}
			return keep(f)
		}, alsoOf, patient)
	}
	return out, err
}

const (
	currentOf = currents + `where rec=?`
	aliasOf   = `select rec, mac from alias where name=?`
	patientOf = `select patient, kind from resource where rec=?`
	// patientUnder is patientOf for a name.
	patientUnder = `select a.rec, a.mac, r.patient, r.kind from alias a join resource r on r.rec=a.rec where a.name=?`

	ofPatient = currents + `where patient=? order by kind desc, at desc nulls last, rec desc`

	ofKind = currents + `where patient=? and kind=? order by at desc nulls last, rec desc`
	alsoOf = currents + `where rec in (select rec from also where patient=?) order by rec desc`
)

// Patient gives the compartment of a Patient by its logical id, also of a deleted one. Errors: outcome.NotFound; as [Store.Read].
func (s *Store) Patient(ctx context.Context, id string) (fhir.PatientID, error) {
	return s.patient(ctx, s.d.Reader(), id)
}

func (s *Store) patient(ctx context.Context, q querier, id string) (fhir.PatientID, error) {
	if p, ok := s.known(id); ok {
		return p, nil
	}
	var p fhir.PatientID
	var kind int64
	var err error
	if _, rec, ours := s.ids.read(id); ours {
		err = s.one(ctx, q, patientOf, rec).Scan(&p, &kind)
	} else if name, ok := s.chosen(patientType, id); ok {
		var rec fhir.RecordID
		var mac []byte
		err = s.one(ctx, q, patientUnder, name).Scan(&rec, &mac, &p, &kind)
		if err == nil && !s.aliasHolds(name, rec, mac) {
			return 0, notFound()
		}
	} else {
		return 0, notFound()
	}
	if errors.Is(err, sql.ErrNoRows) || err == nil && kind != s.kinds.of(patientType) {
		return 0, notFound()
	}
	if err != nil {
		return 0, unreadable(err)
	}
	return p, nil
}

const patientType = "Patient"

// resolve gives the number behind an id, without saying that anything is stored under it.
func (s *Store) resolve(ctx context.Context, q querier, typ, id string) (fhir.RecordID, error) {
	if _, rec, ok := s.ids.read(id); ok {
		return rec, nil
	}
	name, ok := s.chosen(typ, id)
	if !ok {
		return 0, notFound()
	}
	return s.aliased(ctx, q, name)
}

// chosen is the name under which an id that a client may have chosen stands in the table of aliases; false where it can be none.
func (s *Store) chosen(typ, id string) ([]byte, bool) {
	if !fhir.IsID(id) {
		return nil, false
	}
	return s.idName(typ, id), true
}

func (s *Store) aliased(ctx context.Context, q querier, name []byte) (rec fhir.RecordID, err error) {
	var mac []byte
	err = s.one(ctx, q, aliasOf, name).Scan(&rec, &mac)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, notFound()
	}
	if err != nil {
		return 0, unreadable(err)
	}
	if !s.aliasHolds(name, rec, mac) {
		return 0, notFound()
	}
	return rec, nil
}

// aliasHolds reports whether this server wrote that a name is a record's; where not, it tells of the row.
func (s *Store) aliasHolds(name []byte, rec fhir.RecordID, mac []byte) bool {
	if s.tags.alias.Holds(mac, name, int64(rec)) || s.o.Untagged && len(mac) == 0 {
		return true
	}
	s.o.Altered("alias", int64(rec))
	return false
}

// idName is the keyed name of an id that a client chose, aliasName that of a name from elsewhere, such as a urn:uuid.
func (s *Store) idName(typ, id string) []byte {
	n := s.box.PRF("id", []byte(typ), []byte(id))
	return n[:16]
}

func (s *Store) aliasName(alias string) []byte {
	n := s.box.PRF("alias", []byte(alias))
	return n[:16]
}

// current is the current version of Type/id.
func (s *Store) current(ctx context.Context, q querier, typ, id string) (*found, error) {
	rec, err := s.resolve(ctx, q, typ, id)
	if err != nil {
		return nil, err
	}
	return s.currentVersion(ctx, q, rec, typ, id)
}

func (s *Store) currentVersion(ctx context.Context, q querier, rec fhir.RecordID, typ, id string) (*found, error) {
	var r row
	err := r.scan(s.one(ctx, q, currentOf, rec))
	return s.checked(r, err, typ, id)
}

// checked opens a row that was looked up by Type/id. What lies there under another name is not there: an id of one type does not
// find another type, and a resource whose id a client chose has no second one.
func (s *Store) checked(r row, err error, typ, id string) (*found, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound()
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if s.kinds.called(r.kind) != typ {
		return nil, notFound()
	}
	f, err := s.open(r)
	if err != nil {
		return nil, err
	}
	if id != "" && f.id != id {
		return nil, notFound()
	}
	return f, nil
}

// each opens every row of a query in its order, altered ones as faults. The query selects columns.
func (s *Store) each(ctx context.Context, q querier, use func(*found) error, query string, args ...any) error {
	return s.eachRow(ctx, q, func(r row) error {
		f, err := s.openOrFault(r)
		if err != nil {
			return err
		}
		return use(f)
	}, query, args...)
}

// eachRow gives every row of a query in its order; its body only until use returns. An error of use ends it and is returned.
func (s *Store) eachRow(ctx context.Context, q querier, use func(row) error, query string, args ...any) error {
	var rows *sql.Rows
	var err error
	if stmt := s.statement(ctx, q, query); stmt != nil {
		rows, err = stmt.QueryContext(ctx, args...)
	} else {
		rows, err = q.QueryContext(ctx, query, args...)
	}
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := r.scanRaw(rows); err != nil {
			return unreadable(err)
		}
		if err := use(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return unreadable(err)
	}
	return nil
}

// one asks for one row.
func (s *Store) one(ctx context.Context, q querier, query string, args ...any) *sql.Row {
	if stmt := s.statement(ctx, q, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return q.QueryRowContext(ctx, query, args...)
}

// statement gives the compiled form of a hot query for the readers; nil for every other, and for a writer.
func (s *Store) statement(ctx context.Context, q querier, query string) *sql.Stmt {
	stmt := s.prepared[query]
	switch q := q.(type) {
	case *sql.DB:
		return stmt
	case snapshot:
		if stmt != nil {
			return q.StmtContext(ctx, stmt)
		}
	}
	return nil
}

// snapshot is the state of the records at one moment, for several queries.
type snapshot struct{ *sql.Tx }

func (s *Store) snapshot(ctx context.Context) (snapshot, error) {
	tx, err := s.d.Reader().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return snapshot{}, unreadable(err)
	}
	return snapshot{tx}, nil
}

func (m snapshot) end() { _ = m.Rollback() } // nothing to undo: a read

func notFound() error { return outcome.New(outcome.NotFound, "there is no such resource") }
