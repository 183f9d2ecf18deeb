package identity

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/outcome"
)

// Notice tells a person what was done to the own sign-in, until she has seen it: whoever did it was signed in as her.
type Notice struct {
	Kind string // the act, as entries name it: passkey-add, passkey-remove, recovery-use, ...
	At   time.Time
}

// tell keeps a notice, in the transaction of what it tells.
func (s *Store) tell(tx *sql.Tx, person int64, d did) error {
	_, err := tx.Exec(`insert into identity_notice(id, person, kind, at) values(?,?,?,?)`, newID(), person, d.interaction, micros(s.now()))
	return err
}

// Notices lists what a person has not seen yet, oldest first. Errors: outcome.NoStore.
func (s *Store) Notices(ctx context.Context, ses *Session) (out []Notice, err error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select kind, at from identity_notice where person=? and seen_at=0 order by at, id`, ses.person)
	if err != nil {
		return nil, unreadableNotices(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n Notice
		var at int64
		if err := rows.Scan(&n.Kind, &at); err != nil {
			return nil, unreadableNotices(err)
		}
		n.At = timeOf(at)
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableNotices(err)
	}
	return out, nil
}

func unreadableNotices(err error) error {
	return outcome.Wrap("identity: notices", outcome.NoStore, "the notices cannot be read", err)
}

// SeeNotices says that the person of a session has read them.
func (s *Store) SeeNotices(ctx context.Context, ses *Session) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_notice set seen_at=? where person=? and seen_at=0`, micros(s.now()), ses.person)
		return err
	})
	s.refresh(ses.person)
	return err
}
