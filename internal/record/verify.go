package record

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"iter"

	"chartwarden/internal/fhir"
)

// Has reports whether a version with exactly this ciphertext is stored: what became of an intent without a conclusion.
func (s *Store) Has(ctx context.Context, rec fhir.RecordID, version int64, hash [32]byte) (bool, error) {
	var body []byte
	err := s.d.Reader().QueryRowContext(ctx, `select body from resource where rec=?1 and vid=?2
		union all select body from version where rec=?1 and vid=?2`, rec, version).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, unreadable(err)
	}
	return sha256.Sum256(body) == hash, nil
}

// Stored is one version as it lies on the disk.
type Stored struct {
	Record  fhir.RecordID
	Version int64
	Patient fhir.PatientID
	Ref     string // Type/id; the type alone when the row does not open
	Hash    [32]byte
	Entry   string // the audit entries that the commit named, as audit.Logged.Entry
	Fault   error  // why the row does not open: altered (outcome.Exception), or erased with its key (outcome.Deleted)
}

// Stored gives every version, superseded ones too, in no particular order, for comparison with the hashes in the intents: together
// with "every intent that was concluded is stored" this names rows that were changed, swapped, rolled back, added or taken away.
// It reads in short steps, so versions that are written meanwhile may or may not come.
func (s *Store) Stored(ctx context.Context) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for _, table := range []string{"version", "resource"} { // in this order an update meanwhile shows twice rather than never
			var last [2]int64 // record, version
			for more := true; more; {
				page, err := s.page(ctx, table, &last)
				if err != nil {
					yield(Stored{}, err)
					return
				}
				more = len(page) > 0
				for _, v := range page {
					if !yield(v, nil) {
						return
					}
				}
			}
		}
	}
}

// page reads some versions of a table behind the version last, and moves last on.
func (s *Store) page(ctx context.Context, table string, last *[2]int64) (out []Stored, err error) {
	until := map[string]string{"resource": "0", "version": "until"}[table]
	rows, err := s.d.Reader().QueryContext(ctx, `select (select entry from tx where tx.tx=t.tx), rec, patient, kind, vid, tx, `+until+`, at, updated, op, shared, further, mac, body
		from `+table+` t where (rec, vid)>(?,?) order by rec, vid limit 500`, last[0], last[1])
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		var body sql.RawBytes
		var entry sql.NullString
		if err := rows.Scan(&entry, &r.rec, &r.patient, &r.kind, &r.vid, &r.tx, &r.until, &r.at, &r.updated, &r.op, &r.shared, &r.further, &r.mac, &body); err != nil {
			return nil, unreadable(err)
		}
		r.body, *last = body, [2]int64{int64(r.rec), r.vid}
		v := Stored{Record: r.rec, Version: r.vid, Patient: r.patient, Ref: s.kinds.called(r.kind), Hash: r.hash(), Entry: entry.String}
		if f, err := s.open(r); err != nil {
			v.Fault = err
		} else {
			v.Ref += "/" + f.id
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return out, nil
}
