package identity

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Link is a one-time enrolment link: the token that a page's address carries. It is shown once and cannot be read back.
type Link struct {
	Token   string
	Person  string // id
	Expires time.Time
}

// Enrolment is what the page behind a link shows.
type Enrolment struct {
	Person     string // id
	Name       string
	SignInName string
	Secret     string // base32, to type
	URI        string // otpauth://..., to draw as a QR code
	Expires    time.Time
}

const (
	firstLinkFor = 72 * time.Hour
	resetLinkFor = 24 * time.Hour
)

var errLink = outcome.New(outcome.NotFound, "this link is not valid: it was used, or it lapsed; ask for a new one")

// Invite makes an enrolment link for somebody without credentials, valid for 72 hours; an older link of the person dies. Who already
// has credentials gets a new link by [Store.AskReset] only. Errors: outcome.NotFound, outcome.Conflict.
func (s *Store) Invite(ctx context.Context, by audit.Agent, id string) (Link, error) {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return Link{}, err
	}
	if r.State == Ended {
		return Link{}, outcome.New(outcome.Conflict, "this person has left: a rehire is a new person")
	}
	if r.Enrolled {
		return Link{}, outcome.New(outcome.Conflict, "this person can sign in already: a lost phone or password is a reset, which takes two people")
	}
	n, err := s.note(ctx, s.event(by, didInvite, acted, "person "+r.ID))
	if err != nil {
		return Link{}, err
	}
	link, store, err := s.link(ctx, r, "first", firstLinkFor)
	if err != nil {
		return Link{}, err
	}
	return link, s.act(ctx, n, func(tx *sql.Tx) error {
		var enrolled bool
		if err := tx.QueryRow(`select `+hasFactor+` from identity_person p where p.number=?`, r.number).Scan(&enrolled); err != nil {
			return err
		}
		if enrolled {
			return outcome.New(outcome.Conflict, "this person enrolled meanwhile")
		}
		return store(tx)
	})
}

// link makes a token and what stores it.
func (s *Store) link(ctx context.Context, r *row, kind string, valid time.Duration) (Link, func(*sql.Tx) error, error) {
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return Link{}, nil, err
	}
	token, hash := newToken()
	now := s.now().UTC()
	link := Link{Token: token, Person: r.ID, Expires: now.Add(valid)}
	sealed, err := s.box.Seal(nil, k, aad("enrolment", string(hash[:])), newSecret())
	return link, func(tx *sql.Tx) error {
		if err := s.closeLinks(tx, r.number); err != nil {
			return err
		}
		c := enrolmentColumns{token: hash[:], person: r.number, kind: kind, created: micros(now), expires: micros(link.Expires), sealed: sealed}
		_, err := tx.Exec(`insert into identity_enrolment(token, person, kind, created_at, expires_at, used_at, sealed, mac) values(?,?,?,?,?,?,?,?)`,
			append(c.tagged(), s.tags.enrolment.Tag(c.tagged()...))...)
		return err
	}, err
}

// closeLinks deletes the links of a person that nobody used yet: whoever holds one could plant a factor.
func (s *Store) closeLinks(tx *sql.Tx, person int64) error {
	_, err := tx.Exec(`delete from identity_enrolment where person=? and used_at=0`, person)
	return err
}

// closeRecovery deletes those only that a recovery code gave.
func (s *Store) closeRecovery(tx *sql.Tx, person int64) error {
	_, err := tx.Exec(`delete from identity_enrolment where person=? and used_at=0 and kind=?`, person, recoveryLinkKind)
	return err
}

// Enrolment reads what the page of a link shows; reading changes nothing. Errors: outcome.NotFound, the same whether the link is
// wrong, used or lapsed.
func (s *Store) Enrolment(ctx context.Context, token string) (Enrolment, error) {
	e, _, _, err := s.enrolment(ctx, token)
	return e, err
}

func (s *Store) enrolment(ctx context.Context, token string) (Enrolment, *row, []byte, error) {
	hash, ok := parseToken(token)
	if !ok {
		return Enrolment{}, nil, nil, errLink
	}
	c, err := s.openLink(ctx, s.db.Reader(), hash)
	if err != nil {
		return Enrolment{}, nil, nil, err
	}
	r, err := s.scanPerson(s.db.Reader().QueryRowContext(ctx, selectPerson+` where p.number=?`, c.person))
	if err != nil {
		return Enrolment{}, nil, nil, err
	}
	if r.State == Ended || r.State == Suspended {
		return Enrolment{}, nil, nil, errLink
	}
	secret, err := s.box.Open(nil, aad("enrolment", string(hash[:])), c.sealed)
	if err != nil {
		return Enrolment{}, nil, nil, err
	}
	return Enrolment{Person: r.ID, Name: r.Name, SignInName: r.SignInName, Secret: secretText.EncodeToString(secret),
		URI: keyURI(s.o.Issuer, r.SignInName, secret), Expires: timeOf(c.expires)}, r, secret, nil
}

// openLink finds a link that may be used now: nobody who is suspended or has left uses one. Errors: errLink.
func (s *Store) openLink(ctx context.Context, q queryer, hash tokenHash) (c enrolmentColumns, err error) {
	err = q.QueryRowContext(ctx, `select `+enrolmentList+` from identity_enrolment e where e.token=? and e.used_at=0 and e.expires_at>?
		and exists (select 1 from identity_person p where p.number=e.person and p.state not in ('suspended', 'ended'))`, hash[:], micros(s.now())).Scan(c.into()...)
	if errors.Is(err, sql.ErrNoRows) {
		return c, errLink
	}
	if err != nil {
		return c, outcome.Wrap("identity: enrolment", outcome.NoStore, "the enrolment links cannot be read", err)
	}
	if s.genuine(s.tags.enrolment, enrolmentTable, c.person, c.mac, c.tagged()) != nil {
		return c, errLink
	}
	return c, nil
}

// Enrol sets password and authenticator of the person whose link it is, uses the link up, and signs the person in, for a code counts
// only once. Behind a link of [Store.Recover] the session's AuthTime(2) is zero: what asks for a fresh factor asks for the new one. Somebody
// who still waits for a second person is enrolled without a session: Opened is zero then.
//
// Errors: outcome.NotFound (the link), outcome.Value (the password or the code; the link stays good).
func (s *Store) Enrol(ctx context.Context, token, password, code string, from Arrival) (Opened, error) {
	_, r, secret, err := s.enrolment(ctx, token)
	if err != nil {
		return Opened{}, err
	}
	if err := checkPassword(password, r.Name, r.SignInName, r.ID); err != nil {
		return Opened{}, err
	}
	step, ok := acceptCode(secret, code, s.now(), 0)
	if !ok {
		return Opened{}, outcome.New(outcome.Value, "the code does not match: scan the picture with the authenticator app and type the six digits it shows now; check the phone's clock")
	}
	install, err := s.newCredentials(ctx, r, password, secret, step)
	if err != nil {
		return Opened{}, err
	}
	return s.enrolled(ctx, token, r, from, "person "+r.ID+" set password and authenticator", install)
}

// enrolled uses a link up for what install stores, says text in the entry, and signs the person in.
func (s *Store) enrolled(ctx context.Context, token string, r *row, from Arrival, text string, install func(*sql.Tx) error) (Opened, error) {
	hash, _ := parseToken(token)
	link, err := s.openLink(ctx, s.db.Reader(), hash)
	if err != nil {
		return Opened{}, err
	}
	n, err := s.note(ctx, s.event(agentOf(r.Person, "", from), didEnrol, acted, text))
	if err != nil {
		return Opened{}, err
	}
	use := func(tx *sql.Tx) error {
		link, err := s.openLink(context.Background(), tx, hash)
		if err != nil {
			return err
		}
		link.used = micros(s.now())
		if err := oneOr(errLink)(tx.Exec(`update identity_enrolment set used_at=?, mac=? where token=?`, link.used, s.tags.enrolment.Tag(link.tagged()...), link.token)); err != nil {
			return err
		}
		if err := install(tx); err != nil || link.kind != recoveryLinkKind {
			return err
		}
		return s.tell(tx, r.number, didEnrol)
	}
	if !r.Active {
		return Opened{}, s.act(ctx, n, use)
	}
	capacity, err := r.capacity("")
	if err != nil {
		return Opened{}, err
	}
	opened, err := s.open(ctx, r, opening{capacity: capacity, from: from, also: use, text: "at enrolment", unproven: link.kind == recoveryLinkKind})
	if err != nil {
		s.undo(ctx, n)
	}
	return opened, err
}

// newCredentials hashes and seals what a person will sign in with and gives what stores it. Its step is used up.
func (s *Store) newCredentials(ctx context.Context, r *row, password string, secret []byte, step int64) (func(*sql.Tx) error, error) {
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return nil, err
	}
	hashed, err := s.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	sealed := map[string][]byte{"password": []byte(hashed), "totp": secret}
	for kind, plain := range sealed {
		if sealed[kind], err = s.box.Seal(nil, k, aad(kind, r.ID), plain); err != nil {
			return nil, err
		}
	}
	return func(tx *sql.Tx) error {
		for kind, bytes := range sealed {
			c := credentialColumns{person: r.number, kind: kind, enrolled: micros(s.now()), last: step, sealed: bytes}
			if _, err := tx.Exec(`insert into identity_credential(person, kind, enrolled_at, last_step, sealed, mac) values(?,?,?,?,?,?)
				on conflict (person, kind) do update set enrolled_at=excluded.enrolled_at, last_step=excluded.last_step, sealed=excluded.sealed, mac=excluded.mac`,
				append(c.tagged(), s.tags.credential.Tag(c.tagged()...))...); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// reset removes the old factors, ends the sessions and makes a new link; also runs in the same transaction.
func (s *Store) reset(ctx context.Context, by audit.Agent, r *row, how string, also func(*sql.Tx) error) (*Link, error) {
	link, store, err := s.link(ctx, r, "reset", resetLinkFor)
	if err != nil {
		return nil, err
	}
	n, err := s.note(ctx, s.event(by, didReset, acted, how+"remove password and authenticator of person "+r.ID+", new link"))
	if err != nil {
		return nil, err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if _, err := s.dropFactors(tx, r.number); err != nil {
			return err
		}
		if _, err := s.cut(tx, r, "credentials were reset"); err != nil {
			return err
		}
		if err := store(tx); err != nil {
			return err
		}
		return also(tx)
	})
	s.refresh(r.number)
	if err != nil {
		return nil, err
	}
	return &link, nil
}

// Credentials are what a test signs in with, in the shape of the command line contract.
type Credentials struct {
	Person   string   `json:"person"`
	Name     string   `json:"name"`
	Roles    []string `json:"roles"`
	Password string   `json:"password"`
	Secret   string   `json:"totp_secret"` // base32; SHA-1, 6 digits, 30 s
}

// CreateForTest is [Store.Create] and enrolment in one, with made-up credentials. Only a sandbox has it: elsewhere it is
// outcome.NotSupported.
func (s *Store) CreateForTest(ctx context.Context, by audit.Agent, n NewPerson) (Credentials, error) {
	if !s.o.Sandbox {
		return Credentials{}, outcome.New(outcome.NotSupported, "test credentials exist in a sandbox only: make one with init --sandbox")
	}
	r, err := s.draft(ctx, by, n)
	if err != nil {
		return Credentials{}, err
	}
	password, secret := rand.Text(), newSecret()
	install, err := s.newCredentials(ctx, r, password, secret, 0)
	if err != nil {
		return Credentials{}, err
	}
	noted, err := s.note(ctx, s.event(by, didCreate, acted, "person "+r.ID+" with test credentials; "+r.profile().difference(profile{Name: r.Name})))
	if err != nil {
		return Credentials{}, err
	}
	if err := s.insert(ctx, noted, r, n.SignInName == "", nil, install); err != nil {
		return Credentials{}, err
	}
	return Credentials{Person: r.ID, Name: r.Name, Roles: append([]string{}, r.Roles...), Password: password, Secret: secretText.EncodeToString(secret)}, nil
}
