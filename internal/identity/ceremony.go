package identity

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/outcome"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// A ceremony is one question to an authenticator and its answer. The question is kept here, sealed, and deleted with the first answer:
// a second one finds nothing. Source: https://www.w3.org/TR/webauthn-3/.

// challengeLasts is how long a browser has for its answer.
const challengeLasts = 5 * time.Minute

// What a challenge is for. One that was given for a purpose is good for no other.
const (
	toOpen   = "open"    // a sign-in or an unlock, by whoever answers
	toStepUp = "step-up" // of one session
	toAdd    = "add"     // a further passkey, in one session
	toEnrol  = "enrol"   // behind one enrolment link
)

// ceremony is a challenge as it is kept. Holder is the session or link that it was given to. Until, in microseconds of the store's clock, is
// sealed with it; the column of the row only says when to forget it.
type ceremony struct {
	For, Holder string
	Until       int64
	Data        webauthn.SessionData
}

var errChallenge = outcome.New(outcome.Login, "this request for a passkey is too old or was used before: try again").Because("passkey.challenge")

// errNoPasskeys says that nobody can have one here.
var errNoPasskeys = outcome.New(outcome.NotSupported, "passkeys need an address with a name, by https or on localhost: set --public-url to it")

// newParty makes what passkeys are bound to from the address that browsers see. nil: no passkey can be bound to that address.
func newParty(site, name string) *webauthn.WebAuthn {
	u, err := url.Parse(site)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil || u.Scheme != "https" && host != "localhost" {
		return nil // not a secure context, or not a domain: no browser would ask
	}
	party, err := webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: name, RPOrigins: []string{originOf(u)}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: new(true), UserVerification: protocol.VerificationRequired},
		Timeouts:               webauthn.TimeoutsConfig{Login: webauthn.TimeoutConfig{Timeout: challengeLasts}, Registration: webauthn.TimeoutConfig{Timeout: challengeLasts}}})
	if err != nil {
		return nil
	}
	return party
}

// originOf is an address as browsers name its origin: in small letters, without the port that its scheme has anyway.
func originOf(u *url.URL) string {
	return u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
}

// PasskeySite is the origin at which passkeys are made and used; empty where there are none.
func (s *Store) PasskeySite() string {
	if s.party == nil {
		return ""
	}
	return s.party.Config.RPOrigins[0]
}

// AskPasskey gives a browser the options of a sign-in or unlock by any passkey of this site, as JSON for
// PublicKeyCredential.parseRequestOptionsFromJSON. They are good for one answer within five minutes, as [Attempt].Passkey.
// Errors: outcome.NotSupported; outcome.Throttled for a flood from one network outside; outcome.NoStore.
func (s *Store) AskPasskey(ctx context.Context, from Arrival) ([]byte, error) {
	if s.party == nil {
		return nil, errNoPasskeys
	}
	if !s.o.Zones[from.Zone].Inside && !s.asking.admit(network(from.Address), s.now()) {
		return nil, outcome.New(outcome.Throttled, "too many requests for passkeys from this network: wait a minute")
	}
	options, data, err := s.party.BeginDiscoverableLogin()
	if err != nil {
		return nil, fault("ask for a passkey", err)
	}
	return s.ask(ctx, ceremony{For: toOpen, Data: *data}, options)
}

// AskStepUp is [Store.AskPasskey] for the person of a session and [Store.StepUp]. Errors: outcome.NotFound without any passkey.
func (s *Store) AskStepUp(ctx context.Context, ses *Session) ([]byte, error) {
	h, err := s.holderOf(ctx, ses.Person.ID)
	if err != nil {
		return nil, err
	}
	if len(h.keys) == 0 {
		return nil, outcome.New(outcome.NotFound, "you have no passkey here: use the code of your authenticator app")
	}
	options, data, err := s.party.BeginLogin(h)
	if err != nil {
		return nil, fault("ask for a passkey", err)
	}
	return s.ask(ctx, ceremony{For: toStepUp, Holder: ses.ID, Data: *data}, options)
}

// ask keeps a challenge and gives its options as JSON.
func (s *Store) ask(ctx context.Context, c ceremony, options any) ([]byte, error) {
	name := sha256.Sum256([]byte(c.Data.Challenge))
	c.Data.Expires = time.Time{} // Until says when, by the clock of this store
	c.Until = micros(s.now().Add(challengeLasts))
	sealed, err := sealJSON(s.box, s.challengeKey, aad("challenge", string(name[:])), c)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(options)
	if err != nil {
		return nil, fault("ask for a passkey", err)
	}
	return body, s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`insert into identity_challenge(challenge, expires_at, sealed) values(?,?,?)`, name[:], c.Until, sealed)
		return err
	})
}

// take uses a challenge up and gives what it was for. Errors: errChallenge.
func (s *Store) take(ctx context.Context, challenge, purpose, holder string) (webauthn.SessionData, error) {
	name := sha256.Sum256([]byte(challenge))
	var sealed []byte
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRow(`select sealed from identity_challenge where challenge=?`, name[:]).Scan(&sealed); err != nil {
			return err
		}
		return oneOr(errChallenge)(tx.Exec(`delete from identity_challenge where challenge=?`, name[:]))
	})
	var c ceremony
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c.Data, errChallenge
	case err != nil:
		return c.Data, err
	case openJSON(s.box, aad("challenge", string(name[:])), sealed, &c) != nil, c.Until <= micros(s.now()), c.For != purpose, c.Holder != holder:
		return webauthn.SessionData{}, errChallenge
	}
	return c.Data, nil
}

// holder is a person as the library asks about one. Its handle, which authenticators keep, is the opaque id.
type holder struct {
	*row
	keys []heldPasskey
}

func (h holder) WebAuthnID() []byte          { return []byte(h.ID) }
func (h holder) WebAuthnName() string        { return h.SignInName }
func (h holder) WebAuthnDisplayName() string { return h.Name }

func (h holder) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, len(h.keys))
	for i, k := range h.keys {
		out[i] = k.Credential
	}
	return out
}

// good is the holder without passkeys that are closed: their device may make a new one.
func (h holder) good() holder {
	return holder{h.row, slices.DeleteFunc(slices.Clone(h.keys), func(k heldPasskey) bool { return k.Suspect })}
}

// holderOf reads a person with all passkeys. Errors: outcome.NotSupported, outcome.NotFound.
func (s *Store) holderOf(ctx context.Context, person string) (holder, error) {
	if s.party == nil {
		return holder{}, errNoPasskeys
	}
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return holder{}, err
	}
	keys, err := s.passkeys(ctx, s.db.Reader(), `k.person=?`, r.number)
	return holder{r, keys}, err
}

// asked counts challenges that strangers asked for, by network and minute: each is a row, and a flood of rows would be in the way of charts.
// It counts requests, never failures, and inside the hospital nothing.
type asked struct {
	mu     sync.Mutex
	minute int64
	counts map[netip.Prefix]int
}

const askedMost = 600

func (a *asked) admit(from netip.Prefix, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := now.Unix() / 60; m != a.minute || a.counts == nil || len(a.counts) >= mostClocks {
		a.minute, a.counts = m, map[netip.Prefix]int{}
	}
	a.counts[from]++
	return a.counts[from] <= askedMost
}

func fault(what string, err error) error {
	return outcome.Wrap("identity: "+what, outcome.Exception, "the passkey could not be asked for", err)
}

// nameOf is the keyed name of a credential's id, by which its row is found.
func (s *Store) nameOf(credential []byte) []byte {
	name := s.box.PRF("passkey", []byte(base64.RawURLEncoding.EncodeToString(credential)))
	return name[:]
}
