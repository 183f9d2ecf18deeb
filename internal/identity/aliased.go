package identity

import (
	"context"
	"encoding/base32"
	"sync"

	"chartwarden/internal/outcome"
)

// aliased remembers who stands under an alias, for as long as no row of a person changed: every change of one raises its revision.
type aliased struct {
	mu               sync.Mutex
	people, revision int64
	known            []Person
}

// Aliased lists the people whose names patients do not read, those who left included. It asks for a sum over the rows each time, and opens them
// only when that changed; the answer is not to be changed. Errors: outcome.NoStore.
func (s *Store) Aliased(ctx context.Context) ([]Person, error) {
	var people, revision int64
	if err := s.db.Reader().QueryRowContext(ctx, `select count(*), cast(coalesce(sum(revision),0) as bigint) from identity_person`).Scan(&people, &revision); err != nil {
		return nil, outcome.Wrap("identity: aliased", outcome.NoStore, "the people cannot be read", err)
	}
	s.aliased.mu.Lock()
	defer s.aliased.mu.Unlock()
	if people > 0 && s.aliased.people == people && s.aliased.revision == revision {
		return s.aliased.known, nil
	}
	everybody, err := s.all(ctx, s.db.Reader(), "")
	if err != nil {
		return nil, err
	}
	var known []Person
	for _, r := range everybody {
		if r.Aliased {
			known = append(known, r.Person)
		}
	}
	s.aliased.people, s.aliased.revision, s.aliased.known = people, revision, known
	return known, nil
}

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Alias is what stands for a person before patients: the same each time, and without the keys of this house nobody finds her by it.
func (s *Store) Alias(id string) string {
	sum := s.box.PRF("staff alias", []byte(id))
	return "Staff member " + crockford.EncodeToString(sum[:3])[:4]
}
