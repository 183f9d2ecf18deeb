package identity

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Recovery codes are for the day on which the phone is lost: ten at a time, 80 bits each, one use each, kept as a keyed hash. A code is
// one factor, so it gives an enrolment link that lasts for this sitting. The session behind that link is for care: it counts as one
// without any fresh proof, so changes of factors, export and administration wait for a step-up by the new factor.
const (
	recoveryCodes    = 10
	recoveryBytes    = 10 // of chance in a code
	recoveryLinkFor  = 15 * time.Minute
	recoveryLinkKind = "recovery"
)

// recoveryColumns is a code as it lies in its row.
type recoveryColumns struct {
	id         string
	person     int64
	code       []byte
	made, used int64
	mac        []byte
}

const recoveryList = `y.id, y.person, y.code, y.made_at, y.used_at, y.mac`

func (c *recoveryColumns) into() []any {
	return []any{&c.id, &c.person, &c.code, &c.made, &c.used, &c.mac}
}

func (c *recoveryColumns) tagged() []any { return []any{c.id, c.person, c.code, c.made, c.used} }

// Recovery is how the recovery codes of a person stand.
type Recovery struct {
	Made time.Time // zero: there are none
	Left int
}

// Recovery tells how many codes are left. Errors: outcome.NoStore.
func (s *Store) Recovery(ctx context.Context, ses *Session) (Recovery, error) {
	found, err := s.recoveries(ctx, s.db.Reader(), `y.person=?`, ses.person)
	var out Recovery
	for _, c := range found {
		out.Made = timeOf(c.made)
		if c.used == 0 {
			out.Left++
		}
	}
	return out, err
}

// recoveries gives the codes that a condition finds, those only that this program wrote.
func (s *Store) recoveries(ctx context.Context, q queryer, where string, args ...any) (out []recoveryColumns, err error) {
	rows, err := q.QueryContext(ctx, `select `+recoveryList+` from identity_recovery y where `+where, args...)
	if err != nil {
		return nil, unreadableCredentials(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c recoveryColumns
		if err := rows.Scan(c.into()...); err != nil {
			return nil, unreadableCredentials(err)
		}
		if s.genuine(s.tags.recovery, recoveryTable, c.person, c.mac, c.tagged()) == nil {
			out = append(out, c)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableCredentials(err)
	}
	return out, nil
}

// NewRecoveryCodes replaces the codes of the session's person by ten new ones, which are given here once and cannot be read back, closes
// what an old one opened and nobody used yet, and tells the person. Errors: [ErrStale]; outcome.NoStore.
func (s *Store) NewRecoveryCodes(ctx context.Context, ses *Session) ([]string, error) {
	if err := s.fresh(ses); err != nil {
		return nil, err
	}
	n, err := s.note(ctx, s.event(ses.Agent(), didMakeCodes, acted, "ten recovery codes of person "+ses.Person.ID))
	if err != nil {
		return nil, err
	}
	var codes []string
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		codes = nil
		if err := s.still(tx, ses); err != nil {
			return err
		}
		if _, err := tx.Exec(`delete from identity_recovery where person=?`, ses.person); err != nil {
			return err
		}
		if err := s.closeRecovery(tx, ses.person); err != nil {
			return err
		}
		for range recoveryCodes {
			code := newRecoveryCode()
			c := recoveryColumns{id: newID(), person: ses.person, code: s.recoveryName(ses.Person.ID, code), made: micros(s.now())}
			if _, err := tx.Exec(`insert into identity_recovery(id, person, code, made_at, used_at, mac) values(?,?,?,?,?,?)`,
				append(c.tagged(), s.tags.recovery.Tag(c.tagged()...))...); err != nil {
				return err
			}
			codes = append(codes, code)
		}
		return s.tell(tx, ses.person, didMakeCodes)
	})
	s.refresh(ses.person)
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// recoveryText has no letters that read like figures: base 32 by Crockford, without padding.
var recoveryText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func newRecoveryCode() string {
	var raw [recoveryBytes]byte
	_, _ = rand.Read(raw[:])
	t := recoveryText.EncodeToString(raw[:])
	return t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:]
}

// recoveryName is the keyed name of a code, as it was typed: dashes, spaces and capitals do not matter, and o, i, l are read as figures.
func (s *Store) recoveryName(person, typed string) []byte {
	plain := strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(strings.TrimSpace(typed)))
	name := s.box.PRF("recovery code", []byte(person), []byte(plain))
	return name[:]
}

// Recover takes a recovery code in place of everything else, once, and gives a link of fifteen minutes behind which its person makes a new
// factor; see [Store.Enrol] for the session that follows. The person is told. Wrong codes slow further ones as [Store.SignIn] does.
//
// Errors: outcome.Login (wrong, used, or nobody); outcome.Throttled; outcome.Forbidden (not active); outcome.NoStore.
func (s *Store) Recover(ctx context.Context, person, code string, from Arrival) (Link, error) {
	r, err := s.locate(ctx, person)
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return Link{}, err
	}
	now := s.now()
	admitted, err := s.admit(ctx, r, Attempt{Person: person, From: from})
	if err != nil {
		return Link{}, err
	}
	wrong := func() error {
		admitted.settle(false, now)
		by := audit.Agent{Job: "sign-in", Device: from.Device, Address: addressOf(from), Zone: from.Zone}
		if r != nil {
			by = agentOf(r.Person, "", from)
		}
		_, _ = s.note(ctx, s.event(by, didRecover, failed, "wrong recovery code")) // refused either way
		return errRecovery
	}
	id := "nobody"
	if r != nil {
		id = r.ID
	}
	found, err := s.recoveries(ctx, s.db.Reader(), `y.code=? and y.used_at=0`, s.recoveryName(id, code))
	switch {
	case err != nil:
		admitted.cancel()
		return Link{}, err
	case r == nil || len(found) != 1 || found[0].person != r.number:
		return Link{}, wrong()
	}
	admitted.settle(true, now)
	if r.State == Suspended {
		return Link{}, errSuspended
	}
	if !r.Active {
		return Link{}, outcome.New(outcome.Forbidden, "this account waits for a second person to activate it")
	}
	link, store, err := s.link(ctx, r, recoveryLinkKind, recoveryLinkFor)
	if err != nil {
		return Link{}, err
	}
	by := agentOf(r.Person, "", from)
	by.AAL = 1
	c := found[0]
	n, err := s.note(ctx, s.event(by, didRecover, acted, "recovery code "+c.id+" of person "+r.ID))
	if err != nil {
		return Link{}, err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		again, err := s.recoveries(context.Background(), tx, `y.id=? and y.used_at=0`, c.id)
		if err != nil || len(again) != 1 {
			if err == nil {
				err = errRecovery
			}
			return err
		}
		c.used = micros(now)
		if err := oneOr(errRecovery)(tx.Exec(`update identity_recovery set used_at=?, mac=? where id=? and used_at=0`, c.used, s.tags.recovery.Tag(c.tagged()...), c.id)); err != nil {
			return err
		}
		// Whoever suspends or kills meanwhile closes links that are there; this one is not yet.
		if err := s.alterPerson(tx, r.number, func(p *personColumns) bool { return p.state == string(Active) && p.epoch == r.Epoch }, func(*personColumns) {}); err != nil {
			return err
		}
		if err := store(tx); err != nil {
			return err
		}
		return s.tell(tx, r.number, didRecover)
	})
	s.refresh(r.number)
	return link, err
}

var errRecovery = outcome.New(outcome.Login, "the person or the recovery code is wrong; a code works once")
