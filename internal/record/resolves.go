package record

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Resolves reports whether the text of a Reference.reference leads somewhere: to a resource that is stored here (a deleted one counts,
// its history is there), to a name from an earlier batch, into the same resource (#id), by a
// condition that is looked at when it is written, or outside this server, where it is not ours
// to judge. Errors: outcome.NoStore.
func (s *Store) Resolves(ctx context.Context, reference string) (bool, error) {
	if strings.HasPrefix(reference, "#") || reference == "" {
		return true, nil
	}
	if _, _, conditional := fhir.ConditionalReference(s.o.Base, reference); conditional {
		return true, nil // Prepare judges it
	}
	ref, local := fhir.LocalReference(s.o.Base, reference)
	if !local {
		if !strings.HasPrefix(reference, "urn:") {
			return strings.Contains(reference, "://"), nil
		}
		_, err := s.aliased(ctx, s.d.Reader(), s.aliasName(fhir.Unversioned(reference)))
		if outcome.Is(err, outcome.NotFound) {
			return false, nil
		}
		return err == nil, err
	}
	if _, ok := s.known(ref.ID); ok {
		return ref.Type == patientType, nil
	}
	rec, err := s.resolve(ctx, s.d.Reader(), ref.Type, ref.ID)
	if outcome.Is(err, outcome.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var patient, kind int64
	err = s.one(ctx, s.d.Reader(), patientOf, rec).Scan(&patient, &kind)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, unreadable(err)
	}
	return s.kinds.called(kind) == ref.Type, nil
}

// Named reports whether an earlier batch kept this name for a resource. Errors: outcome.NoStore.
func (s *Store) Named(ctx context.Context, alias string) (bool, error) {
	_, err := s.aliased(ctx, s.d.Reader(), s.aliasName(alias))
	if outcome.Is(err, outcome.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Waiting is how many resources keep a reference as it was sent; see [Store.Awaiting]. Errors: outcome.NoStore.
func (s *Store) Waiting(ctx context.Context) (n int, err error) {
	if err = s.d.Reader().QueryRowContext(ctx, `select count(distinct rec) from awaited`).Scan(&n); err != nil {
		return 0, unreadable(err)
	}
	return n, nil
}
