package identity

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// providerJob is who acts when an identity provider says so and no person stands there.
const providerJob = "identity-provider"

// Vouched is what an identity provider said of whoever is at the browser, in an [Attempt]. Whoever makes one has verified all of it:
// signature, audience, nonce, times.
type Vouched struct {
	Issuer, Subject string
	Session         string    // the provider's own name of its session, for its logout; may be empty
	Level           int       // what this house lets its acr and amr count as: 1 or 2
	Proved          time.Time // when the person proved herself to the provider
	link            *heldLink
}

// vouched checks an attempt by an identity provider for subject, or, with nil, for whom the account is linked to. At level 1 the own
// second factor has to come with it where both are needed. Errors: errUnlinked, errLinkOther, errWeak; as prove.
func (s *Store) vouched(ctx context.Context, subject *row, a Attempt, need factors) (*row, proof, error) {
	v := *a.Vouched
	by, d := audit.Agent{Job: "sign-in", Device: a.From.Device, Address: addressOf(a.From), Zone: a.From.Zone}, didLogin
	if a.session != nil {
		by, d = a.session.Agent(), didStepUp
	}
	refuse := func(why error) (*row, proof, error) {
		_, _ = s.note(ctx, s.event(by, d, failed, "identity provider "+v.Issuer+": "+why.Error())) // refused either way
		return nil, proof{}, why
	}
	r, l, err := s.linked(ctx, s.db.Reader(), v)
	if err == errUnlinked {
		return refuse(errUnlinked)
	}
	if err != nil {
		return nil, proof{}, err
	}
	if a.session == nil {
		by = agentOf(r.Person, "", a.From)
	}
	if subject != nil && subject.number != r.number {
		return refuse(errLinkOther)
	}
	v.link = l
	own := a
	own.Vouched = nil
	var p proof
	switch {
	case len(a.Passkey) > 0:
		if _, p, err = s.answered(ctx, r, own); err != nil {
			return nil, proof{}, err
		}
	case a.Code != "":
		own.Password = ""
		if _, p, err = s.prove(ctx, r, own, anyFactor); err != nil {
			return nil, proof{}, err
		}
	case v.Level < 2 && need == bothFactors:
		return nil, proof{}, errWeak // no attempt that failed: it is asked for the rest
	}
	p.vouched = &v
	return r, p, nil
}

// RefuseVouched writes down that something which came in the name of an identity provider was not taken, and why. What a stranger can
// send at will is counted by network. Errors: outcome.Throttled; outcome.NoStore.
func (s *Store) RefuseVouched(ctx context.Context, from Arrival, why string) error {
	if !s.o.Zones[from.Zone].Inside && !s.asking.admit(network(from.Address), s.now()) {
		return outcome.New(outcome.Throttled, "too many tries from this network: wait a minute")
	}
	_, err := s.note(ctx, s.event(audit.Agent{Job: "sign-in", Device: from.Device, Address: addressOf(from), Zone: from.Zone}, didLogin, failed, "identity provider: "+why))
	return err
}

// vouchedColumns is which account a session began by, as it lies in its row.
type vouchedColumns struct {
	session      string
	person       int64
	subject, sid []byte
	made         int64
	mac          []byte
}

const vouchedList = `v.session, v.person, v.subject, v.sid, v.made_at, v.mac`

func (c *vouchedColumns) into() []any {
	return []any{&c.session, &c.person, &c.subject, &c.sid, &c.made, &c.mac}
}

func (c *vouchedColumns) tagged() []any { return []any{c.session, c.person, c.subject, c.sid, c.made} }

func (s *Store) sidOf(issuer, sid string) []byte {
	if sid == "" {
		return []byte{}
	}
	name := s.box.PRF("provider-session", []byte(issuer), []byte(sid))
	return name[:]
}

// keepVouched remembers, in the transaction that opens a session, whose word opened it, so that the provider can end it. The word
// that confirms or unlocks it later comes beside that: the end of either session there ends this one.
func (s *Store) keepVouched(tx *sql.Tx, session string, person int64, v *Vouched) error {
	if v == nil {
		return nil
	}
	if err := s.useLink(tx, v.link); err != nil {
		return err
	}
	c := vouchedColumns{session: session, person: person, subject: s.subjectOf(v.Issuer, v.Subject), sid: s.sidOf(v.Issuer, v.Session), made: micros(s.now())}
	_, err := tx.Exec(`insert into identity_vouched(session, person, subject, sid, made_at, mac) values(?,?,?,?,?,?)
		on conflict (session, subject, sid) do update set person=excluded.person, made_at=excluded.made_at, mac=excluded.mac`,
		append(c.tagged(), s.tags.vouched.Tag(c.tagged()...))...)
	return err
}

// VouchedBy reports whether the word of an identity provider opened, unlocked or confirmed a session, so that there may be one there, too.
// A row without this server's tag says nothing. Errors: outcome.NoStore.
func (s *Store) VouchedBy(ctx context.Context, ses *Session) (bool, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select `+vouchedList+` from identity_vouched v where v.session=?`, ses.ID)
	if err != nil {
		return false, unreadableVouched(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c vouchedColumns
		if err := rows.Scan(c.into()...); err != nil {
			return false, unreadableVouched(err)
		}
		if s.genuine(s.tags.vouched, vouchedTable, c.person, c.mac, c.tagged()) == nil {
			return true, nil
		}
	}
	if err := rows.Err(); err != nil {
		return false, unreadableVouched(err)
	}
	return false, nil
}

// EndVouched ends the sessions that an account of a provider opened: those of one session there, or, with an empty sid, all of them. Without
// a subject the sid alone counts. It gives how many ended. Errors: outcome.NoStore.
func (s *Store) EndVouched(ctx context.Context, issuer, subject, sid string) (int, error) {
	where, args := `v.subject=?`, []any{s.subjectOf(issuer, subject)}
	switch {
	case subject == "":
		where, args = `v.sid=?`, []any{s.sidOf(issuer, sid)}
	case sid != "": // a session that began without the provider saying which of its own it was may be this one
		where, args = where+` and (v.sid=? or length(v.sid)=0)`, append(args, s.sidOf(issuer, sid))
	}
	rows, err := s.db.Reader().QueryContext(ctx, `select `+vouchedList+`, p.id from identity_vouched v join identity_person p on p.number=v.person where `+where, args...)
	if err != nil {
		return 0, unreadableVouched(err)
	}
	defer rows.Close()
	holders := map[string]map[string]bool{}
	for rows.Next() {
		var c vouchedColumns
		var person string
		if err := rows.Scan(append(c.into(), &person)...); err != nil {
			return 0, unreadableVouched(err)
		}
		if s.genuine(s.tags.vouched, vouchedTable, c.person, c.mac, c.tagged()) != nil {
			continue
		}
		if holders[person] == nil {
			holders[person] = map[string]bool{}
		}
		holders[person][c.session] = true
	}
	if err := rows.Err(); err != nil {
		return 0, unreadableVouched(err)
	}
	n := 0
	for person, ids := range holders {
		live, err := s.sessionsOf(ctx, s.db.Reader(), person)
		if err != nil {
			return n, err
		}
		for _, st := range live {
			if !ids[st.session.ID] {
				continue
			}
			if err := s.end(ctx, st.session, audit.Agent{Job: providerJob}, didKill, "session "+st.session.ID+" of person "+person+": signed out at the identity provider"); err != nil {
				return n, err
			}
			n++
		}
	}
	if n == 0 {
		_, err := s.note(ctx, s.event(audit.Agent{Job: providerJob}, didLogout, acted, "signed out at the identity provider "+issuer+", and had no session here"))
		return 0, err
	}
	return n, nil
}

func unreadableVouched(err error) error {
	return outcome.Wrap("identity: sessions of a provider", outcome.NoStore, "the sessions of a provider cannot be read", err)
}
