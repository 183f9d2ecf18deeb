package identity

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"

	"github.com/go-webauthn/webauthn/webauthn"
	"golang.org/x/text/unicode/norm"
)

// Passkey is one key pair of a person; the private half is with her authenticator. With user verification, which is always required, it
// is two factors at once.
type Passkey struct {
	ID    string // public
	Name  string // as the person calls it
	Made  time.Time
	Used  time.Time // last time; Made when never
	Bound bool      // to one device: it cannot be copied to another, as the authenticator says. Else it is synced by whoever made the device
	// Suspect says that its counter went back, as that of a copy does. It opens nothing any more.
	Suspect bool
}

// passkeyColumns is a passkey as it lies in its row.
type passkeyColumns struct {
	id         string
	person     int64
	credential []byte
	made, used int64
	sealed     []byte
	mac        []byte
}

const passkeyList = `k.id, k.person, k.credential, k.made_at, k.used_at, k.sealed, k.mac`

func (c *passkeyColumns) into() []any {
	return []any{&c.id, &c.person, &c.credential, &c.made, &c.used, &c.sealed, &c.mac}
}

func (c *passkeyColumns) tagged() []any {
	return []any{c.id, c.person, c.credential, c.made, c.used, c.sealed}
}

// heldPasskey is a row with its sealed part: the whole credential record, as the library wants it kept.
type heldPasskey struct {
	passkeyColumns `json:"-"`
	Name           string
	Suspect        bool `json:",omitempty"`
	Credential     webauthn.Credential
}

func (k *heldPasskey) shown() Passkey {
	return Passkey{ID: k.id, Name: k.Name, Made: timeOf(k.made), Used: timeOf(k.used), Bound: !k.Credential.Flags.BackupEligible, Suspect: k.Suspect}
}

// Passkeys lists those of a person, oldest first. Errors: outcome.NotFound, outcome.NoStore.
func (s *Store) Passkeys(ctx context.Context, person string) ([]Passkey, error) {
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return nil, err
	}
	found, err := s.passkeys(ctx, s.db.Reader(), `k.person=?`, r.number)
	out := make([]Passkey, len(found))
	for i := range found {
		out[i] = found[i].shown()
	}
	slices.SortFunc(out, func(a, b Passkey) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return out, err
}

// passkeys gives those that a condition finds, those only that this program wrote.
func (s *Store) passkeys(ctx context.Context, q queryer, where string, args ...any) (out []heldPasskey, err error) {
	rows, err := q.QueryContext(ctx, `select `+passkeyList+` from identity_passkey k where `+where, args...)
	if err != nil {
		return nil, unreadableCredentials(err)
	}
	defer rows.Close()
	for rows.Next() {
		var k heldPasskey
		if err := rows.Scan(k.into()...); err != nil {
			return nil, unreadableCredentials(err)
		}
		if s.genuine(s.tags.passkey, passkeyTable, k.person, k.mac, k.tagged()) != nil {
			continue
		}
		if err := openJSON(s.box, aad("passkey", k.id), k.sealed, &k); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableCredentials(err)
	}
	return out, nil
}

// insertPasskey stores a new one.
func (s *Store) insertPasskey(tx *sql.Tx, k heldPasskey) error {
	if err := s.sealPasskey(&k); err != nil {
		return err
	}
	_, err := tx.Exec(`insert into identity_passkey(id, person, credential, made_at, used_at, sealed, mac) values(?,?,?,?,?,?,?)`,
		append(k.tagged(), s.tags.passkey.Tag(k.tagged()...))...)
	return err
}

// alterPasskey changes the one with an id that this program wrote. Errors: outcome.NotFound; what change says.
func (s *Store) alterPasskey(tx *sql.Tx, person int64, id string, change func(*heldPasskey) error) error {
	found, err := s.passkeys(context.Background(), tx, `k.id=? and k.person=?`, id, person)
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return errNoPasskey
	}
	k := &found[0]
	if err := change(k); err != nil {
		return err
	}
	if err := s.sealPasskey(k); err != nil {
		return err
	}
	return oneOr(errNoPasskey)(tx.Exec(`update identity_passkey set used_at=?, sealed=?, mac=? where id=?`, k.used, k.sealed, s.tags.passkey.Tag(k.tagged()...), k.id))
}

func (s *Store) sealPasskey(k *heldPasskey) error {
	key, err := s.personKey(context.Background(), k.person)
	if err != nil {
		return err
	}
	k.sealed, err = sealJSON(s.box, key, aad("passkey", k.id), k)
	return err
}

var errNoPasskey = outcome.New(outcome.NotFound, "you have no such passkey: it was removed")

// longestPasskeyName is in characters, as forms count them.
const longestPasskeyName = 60

// RenamePasskey sets the name by which the person of a session knows a passkey. Errors: outcome.NotFound, outcome.Value.
func (s *Store) RenamePasskey(ctx context.Context, ses *Session, id, name string) error {
	if name = passkeyName(name); name == "" || utf8.RuneCountInString(name) > longestPasskeyName {
		return outcome.New(outcome.Value, "a passkey needs a name of at most 60 characters: the device that it is on, for example").At("name")
	}
	if err := s.owns(ctx, ses, id); err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(ses.Agent(), didRenamePasskey, acted, "passkey "+id+" of person "+ses.Person.ID))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		return s.alterPasskey(tx, ses.person, id, func(k *heldPasskey) error { k.Name = name; return nil })
	})
}

// owns looks for a passkey among those of the session's person before an entry names it: what is no passkey may be any text.
// Errors: outcome.NotFound, outcome.NoStore.
func (s *Store) owns(ctx context.Context, ses *Session, id string) error {
	held, err := s.passkeys(ctx, s.db.Reader(), `k.person=?`, ses.person)
	if err == nil && !slices.ContainsFunc(held, func(k heldPasskey) bool { return k.id == id }) {
		err = errNoPasskey
	}
	return err
}

func passkeyName(typed string) string {
	return strings.Join(strings.Fields(norm.NFC.String(strings.ToValidUTF8(typed, ""))), " ")
}

// RemovePasskey removes one of the session's person for good, and what may rest on it: her other sessions and open links. It asks for a
// fresh second factor, leaves the last factor, and tells the person. Errors: [ErrStale]; outcome.Conflict (it is the last factor); outcome.NotFound.
func (s *Store) RemovePasskey(ctx context.Context, ses *Session, id string) error {
	if err := s.owns(ctx, ses, id); err != nil {
		return err
	}
	return s.removeFactor(ctx, ses, didRemovePasskey, "passkey "+id+" of person "+ses.Person.ID, func(tx *sql.Tx, left factorsLeft) error {
		if !left.password && !slices.ContainsFunc(left.passkeys, func(k heldPasskey) bool { return k.id != id }) {
			return errLastFactor
		}
		return oneOr(errNoPasskey)(tx.Exec(`delete from identity_passkey where id=? and person=?`, id, ses.person))
	})
}

// RemovePassword removes password and authenticator app of the session's person, who has a passkey. Errors: as [Store.RemovePasskey].
func (s *Store) RemovePassword(ctx context.Context, ses *Session) error {
	return s.removeFactor(ctx, ses, didRemovePassword, "password and authenticator of person "+ses.Person.ID, func(tx *sql.Tx, left factorsLeft) error {
		if len(left.passkeys) == 0 {
			return errLastFactor
		}
		_, err := tx.Exec(`delete from identity_credential where person=?`, ses.person)
		return err
	})
}

var errLastFactor = outcome.New(outcome.Conflict, "this is the last way in which you can sign in: make a passkey first, then remove this one").Because("last-factor")

// factorsLeft is what a person can sign in with.
type factorsLeft struct {
	passkeys []heldPasskey // without those that are suspect
	password bool          // with its authenticator
}

func (s *Store) removeFactor(ctx context.Context, ses *Session, d did, text string, remove func(*sql.Tx, factorsLeft) error) error {
	if err := s.fresh(ses); err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(ses.Agent(), d, acted, text))
	if err != nil {
		return err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.still(tx, ses); err != nil {
			return err
		}
		// The person's row is the lock: of two who remove a factor each at the same moment, the second sees one less.
		if err := s.alterPerson(tx, ses.person, nil, func(*personColumns) {}); err != nil {
			return err
		}
		keys, err := s.passkeys(context.Background(), tx, `k.person=?`, ses.person)
		if err != nil {
			return err
		}
		pair, err := s.factors(context.Background(), tx, `c.person=?`, ses.person)
		if err != nil {
			return err
		}
		good := slices.DeleteFunc(keys, func(k heldPasskey) bool { return k.Suspect })
		if err := remove(tx, factorsLeft{good, len(pair) == 2}); err != nil {
			return err
		}
		// A factor is removed because it was lost: what it opened goes with it.
		if _, err := s.alterSessions(tx, `s.person=? and s.id<>? and s.ended_at=0`, []any{ses.person, ses.ID}, func(c *sessionColumns) { c.ended, c.endedWhy = micros(s.now()), d.interaction }); err != nil {
			return err
		}
		if err := s.closeLinks(tx, ses.person); err != nil {
			return err
		}
		return s.tell(tx, ses.person, d)
	})
	s.refresh(ses.person)
	return err
}

// freshFor is how long a proof of both factors lets somebody change how she signs in: for the act that it was asked for, not for whoever
// comes to the screen next.
const freshFor = 2 * time.Minute

// ErrStale asks for a fresh factor, by [Store.StepUp], before the same again.
var ErrStale error = outcome.New(outcome.Login, "this changes how you sign in: confirm that it is you").Because("stepup.factors").Offering(outcome.StepUp)

// still asks within a change of factors whether its session lives and is open: memory believes a session for a moment, and whoever was just
// shut out must not leave himself a way back.
func (s *Store) still(tx *sql.Tx, ses *Session) error {
	return s.alterSession(tx, openSession+` and s.locked_at=0 and s.epoch=(select epoch from identity_person where number=?)`, []any{ses.ID, ses.person}, func(*sessionColumns) {})
}

func (s *Store) fresh(ses *Session) error {
	if s.now().Sub(ses.AuthTime(2)) > freshFor {
		return ErrStale
	}
	return nil
}

// Fresh reports whether the session proved both factors so lately that the person may change how she signs in; else [ErrStale].
func (s *Store) Fresh(ses *Session) error { return s.fresh(ses) }

// dropFactors deletes all that a person can sign in with, and counts factors.
func (s *Store) dropFactors(tx *sql.Tx, person int64) (n int, err error) {
	if err := s.keepUnlinked(tx, person); err != nil {
		return 0, err
	}
	for _, statement := range []string{`delete from identity_credential where person=?`, `delete from identity_passkey where person=?`, `delete from identity_link where person=?`} {
		res, err := tx.Exec(statement, person)
		if err != nil {
			return 0, err
		}
		gone, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		n += int(gone)
	}
	_, err = tx.Exec(`delete from identity_recovery where person=?`, person)
	return n, err
}

// refusePasskey notes why a passkey was not taken, and says it.
func (s *Store) refusePasskey(ctx context.Context, by audit.Agent, d did, id string, err error) error {
	_, _ = s.note(ctx, s.event(by, d, failed, "passkey "+id+": "+err.Error())) // refused either way
	return err
}

// HasPassword reports whether the session's person has a password with its authenticator. Errors: outcome.NoStore.
func (s *Store) HasPassword(ctx context.Context, ses *Session) (bool, error) {
	pair, err := s.factors(ctx, s.db.Reader(), `c.person=?`, ses.person)
	return len(pair) == 2, err
}
