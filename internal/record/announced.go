package record

import (
	"context"
	"database/sql"
	"errors"
)

// Announced names the audit entry that announced a version before it was stored, `origin/number`: who wrote it stands there. Empty when
// the row that says so was altered. Errors: outcome.NoStore.
func (s *Store) Announced(ctx context.Context, x *Sealed) (string, error) {
	f := feed{tx: x.found().row.tx}
	var mac []byte
	err := s.d.Reader().QueryRowContext(ctx, `select time, recs, entry, mac from tx where tx=?`, f.tx).Scan(&f.time, &f.recs, &f.entry, &mac)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", unreadable(err)
	}
	if !s.tags.tx.Holds(mac, f.tagged()...) && !(s.o.Untagged && len(mac) == 0) {
		s.o.Altered("tx", f.tx)
		return "", nil
	}
	return f.entry, nil
}

// Signed reports a note that its author signed: its text is never changed or taken away, only marked or amended.
func (s *Sealed) Signed() bool {
	f := s.found()
	if f.doc == nil {
		return false
	}
	status := ""
	switch f.kind {
	case "DocumentReference":
		status = f.doc.Root().Get("docStatus").Text()
	case "Composition":
		status = f.doc.Root().Get("status").Text()
	}
	return status == "final" || status == "amended"
}

// Retracted reports a note that is marked as entered in error.
func (s *Sealed) Retracted() bool {
	f := s.found()
	return f.doc != nil && (f.kind == "DocumentReference" || f.kind == "Composition") && f.doc.Root().Get("status").Text() == enteredInError
}

const enteredInError = "entered-in-error"
