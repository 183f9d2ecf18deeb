package identity

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// A link says whose an account of an identity provider is. The account is issuer and subject, which never change hands; a mail address or
// a name is nothing to know somebody by.

// ProviderLink is how a person signs in through an identity provider.
type ProviderLink struct {
	ID     string
	Issuer string
	Name   string // of the account, as the provider wrote it when it was linked; only to be shown
	Made   time.Time
	Used   time.Time // last sign-in; Made when never
}

// linkColumns is a link as it lies in its row.
type linkColumns struct {
	id         string
	person     int64
	subject    []byte
	made, used int64
	sealed     []byte
	mac        []byte
}

const linkList = `l.id, l.person, l.subject, l.made_at, l.used_at, l.sealed, l.mac`

func (c *linkColumns) into() []any {
	return []any{&c.id, &c.person, &c.subject, &c.made, &c.used, &c.sealed, &c.mac}
}

func (c *linkColumns) tagged() []any {
	return []any{c.id, c.person, c.subject, c.made, c.used, c.sealed}
}

// heldLink is a row with its sealed part.
type heldLink struct {
	linkColumns           `json:"-"`
	Issuer, Subject, Name string
}

var (
	errUnlinked   = outcome.New(outcome.Login, "this hospital account is not linked to anybody here, so nothing was opened and nothing was made").Because("provider.unlinked")
	errLinked     = outcome.New(outcome.Duplicate, "this hospital account is linked to somebody already").Because("provider.linked")
	errHasLink    = outcome.New(outcome.Duplicate, "a hospital account is linked to you already: remove that link first").Because("provider.has-link")
	errLinkOther  = outcome.New(outcome.Login, "this hospital account belongs to somebody else here").Because("provider.other")
	errNoLink     = outcome.New(outcome.NotFound, "no hospital account is linked to you")
	errWeak       = outcome.New(outcome.Login, "your hospital account showed one factor: confirm with your passkey or a code of your authenticator app, too").Because("provider.weak")
	errWeakStepUp = outcome.New(outcome.Login, "the hospital account showed one factor only, which confirms nothing here: use your passkey or a code").Because("provider.weak")
)

// subjectOf is the keyed name of an account, by which its link is found.
func (s *Store) subjectOf(issuer, subject string) []byte {
	name := s.box.PRF("provider-subject", []byte(issuer), []byte(subject))
	return name[:]
}

// links gives those that a condition finds, those only that this program wrote.
func (s *Store) links(ctx context.Context, q queryer, where string, args ...any) (out []heldLink, err error) {
	rows, err := q.QueryContext(ctx, `select `+linkList+` from identity_link l where `+where, args...)
	if err != nil {
		return nil, unreadableCredentials(err)
	}
	defer rows.Close()
	for rows.Next() {
		var l heldLink
		if err := rows.Scan(l.into()...); err != nil {
			return nil, unreadableCredentials(err)
		}
		if s.genuine(s.tags.link, linkTable, l.person, l.mac, l.tagged()) != nil {
			continue
		}
		if err := openJSON(s.box, aad("link", l.id), l.sealed, &l); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableCredentials(err)
	}
	return out, nil
}

// linked finds whose an account is. Errors: errUnlinked.
func (s *Store) linked(ctx context.Context, q queryer, v Vouched) (*row, *heldLink, error) {
	found, err := s.links(ctx, q, `l.subject=?`, s.subjectOf(v.Issuer, v.Subject))
	if err != nil {
		return nil, nil, err
	}
	if len(found) != 1 {
		return nil, nil, errUnlinked
	}
	r, err := s.scanPerson(q.QueryRowContext(ctx, selectPerson+` where p.number=?`, found[0].person))
	return r, &found[0], err
}

// LinkedTo is the person to whom an account of an identity provider is linked. Errors: outcome.Login: nobody.
func (s *Store) LinkedTo(ctx context.Context, v Vouched) (Person, error) {
	r, _, err := s.linked(ctx, s.db.Reader(), v)
	if err != nil {
		return Person{}, err
	}
	return r.Person, nil
}

// LinkOf is the link of a person; the zero ProviderLink is none. Errors: outcome.NotFound (nobody), outcome.NoStore.
func (s *Store) LinkOf(ctx context.Context, person string) (ProviderLink, error) {
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return ProviderLink{}, err
	}
	found, err := s.links(ctx, s.db.Reader(), `l.person=?`, r.number)
	if err != nil || len(found) == 0 {
		return ProviderLink{}, err
	}
	l := found[0]
	return ProviderLink{ID: l.id, Issuer: l.Issuer, Name: l.Name, Made: timeOf(l.made), Used: timeOf(l.used)}, nil
}

// LinkProvider links the account that a provider vouched for to the person of a session, who is told. It asks for a fresh second factor.
// Errors: [ErrStale]; outcome.Duplicate (it is linked to somebody, or she has one); outcome.NoStore.
func (s *Store) LinkProvider(ctx context.Context, ses *Session, v Vouched, name string) error {
	if err := s.fresh(ses); err != nil {
		return err
	}
	err := s.makeLink(ctx, ses.Agent(), ses.person, ses.Person.ID, v, name, func(tx *sql.Tx) error {
		if err := s.still(tx, ses); err != nil {
			return err
		}
		_, err := tx.Exec(`delete from identity_unlinked where person=?`, ses.person)
		return err
	})
	s.refresh(ses.person)
	return err
}

// LinkKnown links an account to whoever another source knows by a key that the provider says too: a directory by externalId, or the HR
// file. The site has to want that; the person is told. A link that was removed, by her or with the rest of how she signed in, is not made again so:
// she links the account herself. Errors: outcome.Login: nobody, or nobody who may come in.
func (s *Store) LinkKnown(ctx context.Context, v Vouched, source, key, name string) error {
	if key == "" {
		return errUnlinked
	}
	a, err := s.AccountByKey(ctx, source, key)
	if outcome.Is(err, outcome.NotFound) || err == nil && a.Key != key {
		return errUnlinked
	}
	if err != nil {
		return err
	}
	r, err := s.find(ctx, s.db.Reader(), a.Person)
	if err != nil {
		return err
	}
	if !r.Active {
		return errUnlinked
	}
	if err := s.neverUnlinked(ctx, s.db.Reader(), r.number); err != nil { // before an entry says that it was linked
		return err
	}
	err = s.makeLink(ctx, audit.Agent{Job: providerJob}, r.number, r.ID, v, name, func(tx *sql.Tx) error { return s.neverUnlinked(ctx, tx, r.number) })
	s.refresh(r.number)
	if errors.Is(err, errHasLink) {
		return errUnlinked // she has another account already; which of the two is hers nobody knows here
	}
	return err
}

// keepUnlinked remembers, in the transaction that removes it, that somebody's link was removed.
func (s *Store) keepUnlinked(tx *sql.Tx, person int64) error {
	_, err := tx.Exec(`insert into identity_unlinked(person, at) select person, ? from identity_link where person=? on conflict do nothing`, micros(s.now()), person)
	return err
}

// neverUnlinked refuses somebody whose link was removed and not made again by herself.
func (s *Store) neverUnlinked(ctx context.Context, q queryer, person int64) error {
	var n int
	if err := q.QueryRowContext(context.WithoutCancel(ctx), `select count(*) from identity_unlinked where person=?`, person).Scan(&n); err != nil {
		return unreadableCredentials(err)
	}
	if n > 0 {
		return errUnlinked
	}
	return nil
}

func (s *Store) makeLink(ctx context.Context, by audit.Agent, number int64, person string, v Vouched, name string, may func(*sql.Tx) error) error {
	k, err := s.personKey(ctx, number)
	if err != nil {
		return err
	}
	now := micros(s.now())
	l := heldLink{linkColumns{id: newID(), person: number, subject: s.subjectOf(v.Issuer, v.Subject), made: now, used: now}, v.Issuer, v.Subject, name}
	if l.sealed, err = sealJSON(s.box, k, aad("link", l.id), l); err != nil {
		return err
	}
	free := func(q queryer) error {
		found, err := s.links(context.WithoutCancel(ctx), q, `l.person=? or l.subject=?`, number, l.subject)
		switch {
		case err != nil || len(found) == 0:
			return err
		case found[0].person == number:
			return errHasLink
		}
		return errLinked
	}
	if err := free(s.db.Reader()); err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didLink, acted, "provider link "+l.id+" of person "+person+": an account of "+v.Issuer))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		if err := may(tx); err != nil {
			return err
		}
		if err := free(tx); err != nil {
			return err
		}
		if _, err := tx.Exec(`insert into identity_link(id, person, subject, made_at, used_at, sealed, mac) values(?,?,?,?,?,?,?)`, append(l.tagged(), s.tags.link.Tag(l.tagged()...))...); err != nil {
			return err
		}
		return s.tell(tx, number, didLink)
	})
}

// Unlink removes the link of the session's person, and with it her other sessions. It asks for a fresh second factor, leaves the last way
// in, and tells the person. Errors: [ErrStale]; outcome.Conflict (it is the last); outcome.NotFound (there is none).
func (s *Store) Unlink(ctx context.Context, ses *Session) error {
	found, err := s.links(ctx, s.db.Reader(), `l.person=?`, ses.person)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errNoLink
	}
	return s.removeFactor(ctx, ses, didUnlink, "provider link "+found[0].id+" of person "+ses.Person.ID, func(tx *sql.Tx, left factorsLeft) error {
		if !left.password && len(left.passkeys) == 0 {
			return errLastFactor
		}
		if err := s.keepUnlinked(tx, ses.person); err != nil {
			return err
		}
		return oneOr(errNoLink)(tx.Exec(`delete from identity_link where id=? and person=?`, found[0].id, ses.person))
	})
}

// useLink keeps when a link was used, in the transaction of what it opens.
func (s *Store) useLink(tx *sql.Tx, l *heldLink) error {
	found, err := s.links(context.Background(), tx, `l.id=?`, l.id)
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return errUnlinked // it was removed meanwhile
	}
	c := found[0].linkColumns
	c.used = micros(s.now())
	return oneOr(errUnlinked)(tx.Exec(`update identity_link set used_at=?, mac=? where id=?`, c.used, s.tags.link.Tag(c.tagged()...), c.id))
}
