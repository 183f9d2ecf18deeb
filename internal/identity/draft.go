package identity

import (
	"context"
	"database/sql"
	"errors"

	"chartwarden/internal/outcome"
)

// longestDraft bounds one page's unsent input, in bytes.
const longestDraft = 1 << 20

// SaveDraft keeps what somebody has typed on a page, so that no lock, switch or power cut loses it. It is sealed under the person's key
// and belongs to person, capacity and page: nobody else can load it. A newer draft replaces it; after 7 days it is forgotten.
// Errors: outcome.TooLong beyond 1 MiB.
func (s *Store) SaveDraft(ctx context.Context, ses *Session, page string, text []byte) error {
	if ses.Actor != nil {
		return errNoDraft
	}
	if len(text) > longestDraft {
		return outcome.New(outcome.TooLong, "the draft is larger than 1 MiB")
	}
	k, err := s.personKey(ctx, ses.person)
	if err != nil {
		return err
	}
	s.writes(ses)
	name := s.draftName(ses, page)
	sealed, err := s.box.Seal(nil, k, aad("draft", string(name)), text)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`insert into identity_draft(person, page, saved_at, sealed) values(?,?,?,?)
			on conflict (person, page) do update set saved_at=excluded.saved_at, sealed=excluded.sealed`, ses.person, name, micros(s.now()), sealed)
		return err
	})
}

// LoadDraft gives back the draft of a page; nil when there is none.
func (s *Store) LoadDraft(ctx context.Context, ses *Session, page string) ([]byte, error) {
	if ses.Actor != nil { // what a person writes is hers alone
		return nil, nil
	}
	name := s.draftName(ses, page)
	var sealed []byte
	err := s.db.Reader().QueryRowContext(ctx, `select sealed from identity_draft where person=? and page=?`, ses.person, name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, outcome.Wrap("identity: draft", outcome.NoStore, "the draft cannot be read", err)
	}
	return s.box.Open(nil, aad("draft", string(name)), sealed)
}

// DropDraft forgets the draft of a page: it was sent, or given up.
func (s *Store) DropDraft(ctx context.Context, ses *Session, page string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`delete from identity_draft where person=? and page=?`, ses.person, s.draftName(ses, page))
		return err
	})
}

// draftName hides the page, whose address names a chart.
func (s *Store) draftName(ses *Session, page string) []byte {
	name := s.box.PRF("draft", []byte(ses.Person.ID), []byte(ses.Capacity), []byte(page))
	return name[:]
}
