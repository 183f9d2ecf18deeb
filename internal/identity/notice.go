package identity

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/outcome"
)

// Notice tells a person what was done to the own sign-in: whoever did it was signed in as her.
type Notice struct {
	Kind string // the act, as entries name it: passkey-add, passkey-remove, recovery-use, ...
	At   time.Time
	Seen time.Time // when a later session said so; zero: not yet
	Own  bool      // it was made during the session that asks, which cannot put it aside
}

// tell keeps a notice, in the transaction of what it tells.
func (s *Store) tell(tx *sql.Tx, person int64, d did) error {
	_, err := tx.Exec(`insert into identity_notice(id, person, kind, at) values(?,?,?,?)`, newID(), person, d.interaction, micros(s.now()))
	return err
}

// Notices lists what a person has not seen yet, and for 30 days what she has, oldest first. Errors: outcome.NoStore.
func (s *Store) Notices(ctx context.Context, ses *Session) (out []Notice, err error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select kind, at, seen_at from identity_notice where person=? order by at, id`, ses.person)
	if err != nil {
		return nil, unreadableNotices(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n Notice
		var at, seen int64
		if err := rows.Scan(&n.Kind, &at, &seen); err != nil {
			return nil, unreadableNotices(err)
		}
		n.At, n.Seen, n.Own = timeOf(at), timeOf(seen), at >= micros(ses.Created)
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

// SeeNotices says that the person of a session has read them. What was done during that very session stays unseen until a later one:
// whoever did it would say so for her.
func (s *Store) SeeNotices(ctx context.Context, ses *Session) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_notice set seen_at=? where person=? and seen_at=0 and at<?`, micros(s.now()), ses.person, micros(ses.Created))
		return err
	})
	s.refresh(ses.person)
	return err
}

// planted are the people for whom a factor was made, or a recovery code used, after a moment: whether that factor still stands or not.
func (s *Store) planted(ctx context.Context, after int64) (map[int64]bool, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select distinct person from identity_notice where at>? and kind in (?,?,?,?)`, after,
		didAddPasskey.interaction, didRecover.interaction, didEnrol.interaction, didLink.interaction)
	if err != nil {
		return nil, unreadableNotices(err)
	}
	defer rows.Close()
	out := map[int64]bool{}
	for rows.Next() {
		var person int64
		if err := rows.Scan(&person); err != nil {
			return nil, unreadableNotices(err)
		}
		out[person] = true
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableNotices(err)
	}
	return out, nil
}
