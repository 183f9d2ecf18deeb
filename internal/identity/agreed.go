package identity

import (
	"context"
	"time"

	"chartwarden/internal/outcome"
)

// Agreed is that one person agreed to what another asked for.
type Agreed struct{ Asker, Second string } // ids

// Agreements lists what two people agreed to since a moment: changes of people and programs and acts alike, one each. What the command line
// asked or decided is left out, since nobody stands behind it by name. Errors: outcome.NoStore.
func (s *Store) Agreements(ctx context.Context, since time.Time) ([]Agreed, error) {
	unread := func(err error) error {
		return outcome.Wrap("identity: agreements", outcome.NoStore, "what was agreed to cannot be read", err)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `select `+pendingList+` from identity_pending q where q.state in ('approved','done') and q.decided_at>=? and q.asked_by<>'' and q.decided_by<>''
		and q.asked_by<>q.decided_by`, micros(since))
	if err != nil {
		return nil, unread(err)
	}
	defer func() { _ = rows.Close() }()
	var out []Agreed
	for rows.Next() {
		var c pendingColumns
		if err := rows.Scan(c.into()...); err != nil {
			return nil, unread(err)
		}
		if s.genuine(s.tags.pending, pendingTable, c.person, c.mac, c.tagged()) == nil { // one that was altered is told of where it is met
			out = append(out, Agreed{c.askedBy, c.decidedBy})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unread(err)
	}
	return out, nil
}
