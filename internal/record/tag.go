package record

import (
	"context"
	"database/sql"
	"encoding/binary"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// tags are those of the rows of this package, by table. A version that is superseded moves from one table to the other, so both share
// theirs.
type tags struct{ version, alias, tx *seal.Rows }

func newTags(b *seal.Box) tags { return tags{b.Rows("version"), b.Rows("alias"), b.Rows("tx")} }

// table is what alarms and verifications call the row that r lies in.
func (r *row) table() string {
	if r.until == 0 {
		return "resource"
	}
	return "version"
}

// tagged are the columns that the tag of r is over: all but its body, whose envelope binds it to patient, record, version, operation
// and type.
func (r *row) tagged() []any {
	return []any{int64(r.rec), int64(r.patient), r.kind, r.vid, r.tx, r.until, r.at, r.updated, int64(r.op), r.shared, r.further}
}

// tag gives r its tag.
func (s *Store) tag(r *row) { r.mac = s.tags.version.Tag(r.tagged()...) }

// genuine refuses a row that this program did not write.
func (s *Store) genuine(r *row) error {
	if s.tags.version.Holds(r.mac, r.tagged()...) || s.o.Untagged && len(r.mac) == 0 {
		return nil
	}
	return outcome.New(outcome.Exception, "the row of a stored record was altered")
}

// furtherOf packs further patients for a row, ascending, and patientsIn unpacks them.
func furtherOf(patients []fhir.PatientID) []byte {
	out := []byte{}
	for _, p := range slices.Sorted(slices.Values(patients)) {
		out = binary.AppendUvarint(out, uint64(p))
	}
	return out
}

func patientsIn(further []byte) (out []fhir.PatientID) {
	for p := range varints(further) {
		out = append(out, fhir.PatientID(p))
	}
	return out
}

// TagRows gives their tags to rows that have none, as a version before left them, and counts them. It is called once in the life of an
// installation, before anything else uses s: to tag is to believe. Errors: outcome.NoStore.
func (s *Store) TagRows(ctx context.Context) (n int64, err error) {
	for _, step := range []func(context.Context, *sql.Tx) (int64, error){
		func(ctx context.Context, tx *sql.Tx) (int64, error) { return s.tagVersions(ctx, tx, "resource", "0") },
		func(ctx context.Context, tx *sql.Tx) (int64, error) {
			return s.tagVersions(ctx, tx, "version", "until")
		},
		s.tagTx, s.tagAliases,
	} {
		for more := true; more; {
			var some int64
			err := s.d.Write(ctx, func(tx *sql.Tx) (err error) {
				some, err = step(context.WithoutCancel(ctx), tx)
				return err
			})
			if err != nil {
				return n, outcome.Wrap("record: tag", outcome.NoStore, "the rows of records could not be tagged", err)
			}
			n, more = n+some, some == tagBatch
		}
	}
	s.o.Untagged = false
	return n, nil
}

const tagBatch = 20_000

// tagVersions tags some rows of a table.
func (s *Store) tagVersions(ctx context.Context, tx *sql.Tx, table, until string) (int64, error) {
	rows, err := tx.QueryContext(ctx, `select rec, patient, kind, vid, tx, `+until+`, at, updated, op, shared from `+table+` where length(mac)=0 limit ?`, tagBatch)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var bare []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.rec, &r.patient, &r.kind, &r.vid, &r.tx, &r.until, &r.at, &r.updated, &r.op, &r.shared); err != nil {
			return 0, err
		}
		bare = append(bare, r)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for i := range bare {
		r := &bare[i]
		r.further = []byte{}
		if r.shared { // of a superseded version nobody wrote down which: it keeps those of the current one
			patients, err := s.alsoNow(ctx, tx, r.rec)
			if err != nil {
				return 0, err
			}
			r.further = furtherOf(patients)
		}
		s.tag(r)
		if _, err := tx.ExecContext(ctx, `update `+table+` set further=?, mac=? where rec=? and vid=?`, r.further, r.mac, r.rec, r.vid); err != nil {
			return 0, err
		}
	}
	return int64(len(bare)), nil
}

func (s *Store) alsoNow(ctx context.Context, q querier, rec fhir.RecordID) (out []fhir.PatientID, err error) {
	rows, err := q.QueryContext(ctx, `select patient from also where rec=? order by patient`, rec)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p fhir.PatientID
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// feed is one entry of the change feed.
type feed struct {
	tx, time int64
	recs     []byte
	entry    string
}

func (f *feed) tagged() []any { return []any{f.tx, f.time, f.recs, f.entry} }

func (s *Store) tagTx(ctx context.Context, tx *sql.Tx) (int64, error) {
	rows, err := tx.QueryContext(ctx, `select tx, time, recs, entry from tx where length(mac)=0 limit ?`, tagBatch)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var bare []feed
	for rows.Next() {
		var f feed
		if err := rows.Scan(&f.tx, &f.time, &f.recs, &f.entry); err != nil {
			return 0, err
		}
		bare = append(bare, f)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for _, f := range bare {
		if _, err := tx.ExecContext(ctx, `update tx set mac=? where tx=?`, s.tags.tx.Tag(f.tagged()...), f.tx); err != nil {
			return 0, err
		}
	}
	return int64(len(bare)), nil
}

func (s *Store) tagAliases(ctx context.Context, tx *sql.Tx) (int64, error) {
	rows, err := tx.QueryContext(ctx, `select name, rec from alias where length(mac)=0 limit ?`, tagBatch)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	type bareAlias struct {
		name []byte
		rec  int64
	}
	var bare []bareAlias
	for rows.Next() {
		var a bareAlias
		if err := rows.Scan(&a.name, &a.rec); err != nil {
			return 0, err
		}
		bare = append(bare, a)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for _, a := range bare {
		if _, err := tx.ExecContext(ctx, `update alias set mac=? where name=?`, s.tags.alias.Tag(a.name, a.rec), a.name); err != nil {
			return 0, err
		}
	}
	return int64(len(bare)), nil
}
