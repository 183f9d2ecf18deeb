package identity

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Arrival is where an attempt comes from, as the server established it: nothing of it is the person's own word.
type Arrival struct {
	Device  string     // id that the server gave the device (a secret cookie or a certificate); empty: unknown
	Browser string     // what the browser calls itself, in words; for the person's own list, no proof of anything
	Proof   string     // of the device's key, for [Store.DeviceNonce]; empty: none
	Trust   string     // what the server itself says of the device, where no key does: a demonstration alone; empty: unknown
	Zone    string     // hospital, vpn, internet, ...: see Options.Zones
	Address netip.Addr // for the throttle, and for the entry of a sign-in; not stored here
}

// Attempt is what somebody types to sign in, to unlock or to step up.
type Attempt struct {
	Person   string // id or sign-in name
	Password string
	Code     string   // of the authenticator app
	Passkey  []byte   // the browser's answer to a challenge, as JSON, in place of all of the above
	Vouched  *Vouched // what an identity provider said, in place of all of the above, or, where it showed one factor, beside a code or a passkey
	Capacity string   // staff or patient; empty: staff for who has both
	From     Arrival

	session *Session // of a step-up: whose challenge it has to be
	proven  *proof   // by an answer that was checked already, for a challenge is used up by it
	subject *row     // whom it proved
}

// Opened is a session just opened or reopened. Token goes into the cookie and nowhere else.
type Opened struct {
	Token   string
	Session *Session
	Page    string // where the person was; empty for a new session
}

var errCredentials = outcome.New(outcome.Login, "the person, the password or the code is wrong; a code works once, wait for the next")

// SignIn opens a session for a passkey, or for password and code. Wrong attempts are noted and slow down further ones.
//
// When the log has no store the session is opened all the same, with Degraded set, and its entry follows later: care goes on.
//
// Errors: outcome.Login (wrong, the same for every reason), outcome.Throttled (wrapping [Wait]), outcome.Forbidden (right, but not
// active, or not in that capacity), outcome.Timeout (too many at once).
func (s *Store) SignIn(ctx context.Context, a Attempt) (Opened, error) {
	r, p, err := s.prove(ctx, nil, a, bothFactors)
	if err != nil {
		return Opened{}, err
	}
	if r.State == Suspended {
		return Opened{}, errSuspended
	}
	if !r.Active {
		return Opened{}, outcome.New(outcome.Forbidden, "this account waits for a second person to activate it")
	}
	capacity, err := r.capacity(a.Capacity)
	if err != nil {
		return Opened{}, err
	}
	return s.open(ctx, r, opening{capacity: capacity, from: a.From, proof: p, text: p.by()})
}

// Enter opens a session without any factor, for the start page of a demonstration. Only a sandbox has it.
func (s *Store) Enter(ctx context.Context, person, capacity string, from Arrival) (Opened, error) {
	if !s.o.Sandbox {
		return Opened{}, outcome.New(outcome.NotSupported, "a session without factors exists in a sandbox only")
	}
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return Opened{}, err
	}
	if !r.Active {
		return Opened{}, outcome.New(outcome.Forbidden, "this person is not active")
	}
	if capacity, err = r.capacity(capacity); err != nil {
		return Opened{}, err
	}
	return s.open(ctx, r, opening{capacity: capacity, from: from, text: "sandbox, one touch"})
}

// proof is which factors an attempt showed; the step is yet to be used up.
type proof struct {
	password, code bool
	step           int64
	passkey        *shownKey
	vouched        *Vouched
}

// both reports whether it is two factors.
func (p proof) both() bool {
	return p.passkey != nil || p.password && p.code || p.vouched != nil && (p.vouched.Level > 1 || p.code)
}

// at is when the proof was given: now, or, where it is a provider's word alone, when the person stood before the provider.
func (p proof) at(now time.Time) time.Time {
	if p.vouched != nil && p.passkey == nil && !p.code && p.vouched.Proved.Before(now) {
		return p.vouched.Proved
	}
	return now
}

// by names the passkey or the provider in an entry; an entry without that was by password and code.
func (p proof) by() string {
	switch {
	case p.vouched != nil && p.passkey != nil:
		return "by provider link " + p.vouched.link.id + " and passkey " + p.passkey.id
	case p.vouched != nil && p.code:
		return "by provider link " + p.vouched.link.id + " and a code"
	case p.vouched != nil:
		return "by provider link " + p.vouched.link.id + ", level " + strconv.Itoa(p.vouched.Level)
	case p.passkey == nil:
		return ""
	}
	return "by passkey " + p.passkey.id
}

type factors int

const (
	anyFactor factors = iota
	bothFactors
)

// prove checks an attempt for subject, or, with nil, for whom it names. What is typed must be right, and it must be enough. It
// throttles, and notes a failure.
func (s *Store) prove(ctx context.Context, subject *row, a Attempt, need factors) (*row, proof, error) {
	if a.proven != nil {
		if need == bothFactors && !a.proven.both() { // enough to come back to one's own place, and not to begin another
			return nil, proof{}, errWeak
		}
		return a.subject, *a.proven, nil
	}
	if a.Vouched != nil {
		return s.vouched(ctx, subject, a, need)
	}
	if len(a.Passkey) > 0 {
		return s.answered(ctx, subject, a)
	}
	if subject == nil {
		r, err := s.locate(ctx, a.Person)
		if err != nil && !outcome.Is(err, outcome.NotFound) {
			return nil, proof{}, err
		}
		subject = r
	}
	now := s.now()
	admitted, err := s.admit(ctx, subject, a)
	if err != nil {
		return nil, proof{}, err
	}
	p, err := s.check(ctx, subject, a, need)
	if err != nil {
		admitted.cancel()
		return nil, proof{}, err
	}
	if p == (proof{}) {
		admitted.settle(false, now)
		by := audit.Agent{Job: "sign-in", Device: a.From.Device, Address: addressOf(a.From), Zone: a.From.Zone} // a name that nobody has
		if subject != nil {
			by = agentOf(subject.Person, "", a.From)
		}
		_, _ = s.note(ctx, s.event(by, didLogin, failed, "wrong password or code")) // refused either way
		return nil, proof{}, errCredentials
	}
	admitted.settle(true, now)
	return subject, p, nil
}

// admit asks the throttle.
func (s *Store) admit(ctx context.Context, r *row, a Attempt) (*admission, error) {
	net := network(a.From.Address)
	zone := s.o.Zones[a.From.Zone]
	if r == nil {
		typed := strings.ToLower(strings.TrimSpace(a.Person)) // as names are looked up, or how it is written would tell that nobody has it
		if len(typed) > 64 {
			typed = typed[:64]
		}
		return s.throttle.admit("?"+typed, net.String(), net, zone.Inside, timeOf(0), s.now())
	}
	known := zone.Inside
	place := net.String()
	for i, tag := range s.places(a.From) {
		var mac []byte
		err := s.db.Reader().QueryRowContext(ctx, `select mac from identity_place where person=? and place=?`, r.number, tag).Scan(&mac)
		seen := err == nil && s.genuine(s.tags.place, placeTable, r.number, mac, []any{r.number, tag}) == nil
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, outcome.Wrap("identity: sign in", outcome.NoStore, "the sign-ins cannot be read", err)
		}
		known = known || seen
		if seen && i == 1 {
			place = "device " + a.From.Device
		}
	}
	return s.throttle.admit(r.ID, place, net, known, r.relieved, s.now())
}

// places are the keyed names of where somebody is: the network, and the device if the server knows it.
func (s *Store) places(from Arrival) [][]byte {
	near := s.box.PRF("network", []byte(network(from.Address).String()))
	out := [][]byte{near[:]}
	if from.Device != "" {
		device := s.box.PRF("device", []byte(from.Device))
		out = append(out, device[:])
	}
	return out
}

// check compares the factors; the zero proof means wrong or not enough. A name without credentials takes as long as one with.
func (s *Store) check(ctx context.Context, r *row, a Attempt, need factors) (proof, error) {
	var c credentials
	if r != nil {
		var err error
		if c, err = s.credentialsOf(ctx, r); err != nil {
			return proof{}, err
		}
	}
	var p proof
	if a.Password != "" || need == bothFactors {
		var err error
		if p.password, err = s.hasher.verify(ctx, c.password, a.Password); err != nil {
			return proof{}, err
		}
	}
	if a.Code != "" && c.secret != nil {
		p.step, p.code = acceptCode(c.secret, a.Code, s.now(), c.last)
	}
	wrong := a.Password != "" && !p.password || a.Code != "" && !p.code
	if wrong || need == bothFactors && !(p.password && p.code) {
		return proof{}, nil
	}
	return p, nil
}

// credentials are what a person is checked against; all zero for who has none.
type credentials struct {
	password string // stored form
	secret   []byte
	last     int64 // newest step used
}

func (s *Store) credentialsOf(ctx context.Context, r *row) (c credentials, err error) {
	found, err := s.factors(ctx, s.db.Reader(), `c.person=?`, r.number)
	if err != nil {
		return c, err
	}
	for _, one := range found {
		plain, err := s.box.Open(nil, aad(one.kind, r.ID), one.sealed)
		if err != nil {
			return c, err
		}
		if one.kind == "password" {
			c.password = string(plain)
		} else {
			c.secret, c.last = plain, one.last
		}
	}
	return c, nil
}

// spend uses the step or counter of a proof up, in the transaction of what it opens.
func (s *Store) spend(tx *sql.Tx, number int64, p proof) error {
	if p.passkey != nil {
		return s.spendPasskey(tx, number, p.passkey)
	}
	if !p.code {
		return nil
	}
	found, err := s.factors(context.Background(), tx, `c.person=? and c.kind='totp' and c.last_step<?`, number, p.step)
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return errCredentials
	}
	c := found[0]
	c.last = p.step
	return oneOr(errCredentials)(tx.Exec(`update identity_credential set last_step=?, mac=? where person=? and kind=?`, c.last, s.tags.credential.Tag(c.tagged()...), c.person, c.kind))
}

// agentOf is a person as the audit sees one.
func agentOf(p Person, capacity string, from Arrival) audit.Agent {
	a := audit.Agent{Person: p.ID, Name: p.Name, Capacity: capacity, Practitioner: p.Practitioner, Device: from.Device, Address: addressOf(from), Zone: from.Zone}
	if capacity != "" {
		a.Role = mainRole(p.RolesIn(capacity))
	}
	return a
}

func addressOf(from Arrival) string {
	if !from.Address.IsValid() {
		return ""
	}
	return from.Address.String()
}

// mainRole is the one role that an entry names: the first as forms list them.
func mainRole(held []string) string {
	for _, r := range roles {
		if slices.Contains(held, r) {
			return r
		}
	}
	return ""
}
