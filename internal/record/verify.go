package record

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"hash/maphash"
	"iter"

	"chartwarden/internal/care"
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
	Fault   error // why the row does not open: altered (outcome.Exception), or erased with its key (outcome.Deleted)
}

// Beside is what a verification compares besides the versions themselves.
type Beside struct {
	Fault func(table string, row int64, what string) // told of each row that is not as it was written; rows are named by number
	Care  *care.Check                                // compares the relationships with the records that tell them; may be nil
}

// Stored gives every version, superseded ones too, in no particular order, for comparison with the hashes in the intents: together
// with "every intent that was concluded is stored" this names rows that were changed, swapped, rolled back, added or taken away. With
// beside it also checks what a body does not bind: tags, the change feed, names, further patients, the directory, relationships.
//
// It reads in short steps and gives each version that was there when it began exactly once; one that is written meanwhile may come.
func (s *Store) Stored(ctx context.Context, beside *Beside) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		w := &walk{s: s, ctx: ctx, beside: beside, yield: yield, touched: map[int64]uint64{}, seed: maphash.MakeSeed(), known: map[string]fhir.PatientID{}}
		if beside == nil {
			w.beside = &Beside{Fault: func(string, int64, string) {}}
		}
		if err := w.run(); err != nil && !errors.Is(err, errStopped) {
			yield(Stored{}, err)
		}
	}
}

// errStopped is the end of a walk whose caller has seen enough.
var errStopped = errors.New("record: the walk was stopped")
