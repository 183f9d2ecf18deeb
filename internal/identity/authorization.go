package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/scope"
	"chartwarden/internal/seal"
)

// Authorization is what a person lets an app do for her, or what a backend service asked for itself. Tokens are handles to it.
type Authorization struct {
	ID       string
	Client   string
	Person   string // empty: the client acts for itself
	Capacity string
	Scope    scope.Set
	Patient  string // logical id of the patient of the launch; empty: none
	Nonce    string // for the identity token
	Actor    string // id of who let it in acting as Person; empty: Person did
	Created  time.Time
	Ends     time.Time
}

// Consent is what a person approved on the page, for an authorization code.
type Consent struct {
	Client    Client
	Redirect  string // one of the client's, exactly
	Challenge string // PKCE, S256
	Nonce     string
	Scope     scope.Set // within what the client is registered for
	Patient   string
}

// How long things last. A code and a backend's token are as short as the standards ask. What staff allow ends with their day's work, as
// every session does.
const (
	codeLasts    = time.Minute
	accessLasts  = 15 * time.Minute
	backendLasts = 5 * time.Minute
	staffLasts   = hardEnd
	patientLasts = 90 * 24 * time.Hour
)

// AuthorizationLasts is how long what a session approves can go on with a refresh token; without one it ends after [AccessLasts].
func AuthorizationLasts(ses *Session) time.Duration {
	if ses.Capacity == PatientCapacity {
		return patientLasts
	}
	return staffLasts
}

// AccessLasts is how long an access token of a person's app is good.
const AccessLasts = accessLasts

// Token kinds begin with a word of their own, so that one that leaked is recognised wherever it turns up.
const (
	codeKind    = "code"
	accessKind  = "access"
	refreshKind = "refresh"
)

var tokenWords = map[string]string{codeKind: "cwc_", accessKind: "cwa_", refreshKind: "cwr_"}

// IsAccessToken reports whether a bearer token is one of an app rather than of a session.
func IsAccessToken(token string) bool { return strings.HasPrefix(token, tokenWords[accessKind]) }

// What the endpoints refuse with. All are outcome.Login.
var (
	ErrNoGrant error = outcome.New(outcome.Login, "the code or token is not valid, expired, used before, or of another client").Because("token.invalid")
	ErrNoToken error = outcome.New(outcome.Login, "this access token is not valid, or no longer: get a new one").Because("token.invalid")
)

// terms is the sealed part of an authorization.
type terms struct {
	Scope, Patient, Capacity, Redirect, Challenge, Nonce, Session string
	AAL                                                           int
	Auth                                                          [3]int64
	Actor, Acting                                                 string `json:",omitempty"` // who acted as the person, and the item that let her
	Ended                                                         bool   `json:",omitempty"` // sealed, so that no SQL takes it back
}

// granted is a stored authorization.
type granted struct {
	Authorization
	number, person, epoch, turn int64
	ended                       bool
	terms                       terms
}

func authorizationAAD(id, client string, turn, person, epoch, ends int64) []byte {
	return aad("authorization", fmt.Sprintf("%s/%s/%d/%d/%d/%d", id, client, turn, person, epoch, ends))
}

func tokenAAD(hash tokenHash, kind string, authorization, expires int64) []byte {
	return aad("token", fmt.Sprintf("%s/%s/%d/%d", hex.EncodeToString(hash[:]), kind, authorization, expires))
}

// Authorize stores what a person approved and gives the code for it, which is good for a minute and once. The entry comes first.
// Errors: [ErrSignedOut] when the session ended meanwhile; outcome.NoStore.
func (s *Store) Authorize(ctx context.Context, ses *Session, c Consent) (code string, err error) {
	now := s.now().UTC().Truncate(time.Microsecond)
	lasts := AuthorizationLasts(ses)
	if ses.Actor != nil || !c.Scope.Has(scope.Offline) && !c.Scope.Has(scope.Online) {
		lasts = codeLasts + accessLasts
	}
	g := &granted{Authorization: Authorization{ID: newID(), Client: c.Client.ID, Person: ses.Person.ID, Capacity: ses.Capacity, Created: now, Ends: now.Add(lasts)},
		number: newNumber(), person: ses.person, epoch: ses.Person.Epoch, turn: c.Client.epoch}
	g.terms = terms{Scope: c.Scope.String(), Patient: c.Patient, Capacity: ses.Capacity, Redirect: c.Redirect, Challenge: c.Challenge, Nonce: c.Nonce, Session: ses.ID,
		AAL: ses.AAL, Auth: [3]int64{1: micros(ses.auth[1]), 2: micros(ses.auth[2])}}
	if ses.Actor != nil {
		g.terms.Actor, g.terms.Acting = ses.Actor.Person.ID, ses.Acting.ID
	}
	by := ses.Agent()
	by.Client = c.Client.ID
	e := s.event(by, didAuthorize, acted, "authorization "+g.ID+": "+g.terms.Scope)
	n, err := s.note(ctx, e)
	if err != nil {
		return "", err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		var alive bool
		if err := tx.QueryRow(`select exists(select 1 from identity_session s join identity_person p on p.number=s.person
			where s.id=? and s.ended_at=0 and s.epoch=p.epoch and p.state='active')`, ses.ID).Scan(&alive); err != nil || !alive {
			return errors.Join(err, ErrSignedOut)
		}
		if ses.Actor != nil {
			if _, _, err := s.acting(ctx, tx, g.terms.Actor, g.terms.Acting); err != nil {
				return err
			}
		}
		if err := s.insertAuthorization(tx, g); err != nil {
			return err
		}
		code, err = s.issue(tx, g, codeKind, g.terms.Scope, now.Add(codeLasts))
		return err
	})
	return code, err
}

// DeclineClient notes that a person let an app not in.
func (s *Store) DeclineClient(ctx context.Context, ses *Session, client string) error {
	by := ses.Agent()
	by.Client = client
	_, err := s.note(ctx, s.event(by, didAuthorize, failed, "declined"))
	return err
}

func (s *Store) authorizationKey(person int64) (seal.KeyID, error) {
	if person == 0 {
		return s.clientKey, nil
	}
	return s.personKey(context.Background(), person)
}

func (s *Store) insertAuthorization(tx *sql.Tx, g *granted) error {
	k, err := s.authorizationKey(g.person)
	if err != nil {
		return err
	}
	sealed, err := sealJSON(s.box, k, authorizationAAD(g.ID, g.Client, g.turn, g.person, g.epoch, micros(g.Ends)), g.terms)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`insert into identity_authorization(number, id, client, turn, person, epoch, created_at, ends_at, sealed) values(?,?,?,?,nullif(cast(? as bigint),0),?,?,?,?)`,
		g.number, g.ID, g.Client, g.turn, g.person, g.epoch, micros(g.Created), micros(g.Ends), sealed)
	return err
}

// issue stores a new token and gives its text, which is nowhere else.
func (s *Store) issue(tx *sql.Tx, g *granted, kind, scopes string, expires time.Time) (string, error) {
	if expires.After(g.Ends) {
		expires = g.Ends
	}
	text, hash := newToken()
	k, err := s.authorizationKey(g.person)
	if err != nil {
		return "", err
	}
	sealed, err := s.box.Seal(nil, k, tokenAAD(hash, kind, g.number, micros(expires)), []byte(scopes))
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(`insert into identity_token(token, "authorization", kind, expires_at, sealed) values(?,?,?,?,?)`, hash[:], g.number, kind, micros(expires), sealed)
	return tokenWords[kind] + text, err
}

// held is a token as stored, with what it is a handle to. Nothing of it says yet that it may be used.
type held struct {
	granted
	hash    tokenHash
	kind    string
	scopes  string
	expires time.Time
	used    bool
	client  Client
	who     *row // nil: the client for itself
	actor   *row // who acts as who, while she may; nil: nobody, or no longer
	acting  Acting
}

// hold finds a token of a kind, or of any with "". Errors: [ErrNoGrant] when there is none.
func (s *Store) hold(ctx context.Context, q queryer, token string, kinds ...string) (*held, error) {
	h := &held{}
	at := slices.IndexFunc(kinds, func(kind string) bool { return strings.HasPrefix(token, tokenWords[kind]) })
	if at < 0 {
		return nil, ErrNoGrant
	}
	var ok bool
	if h.hash, ok = parseToken(strings.TrimPrefix(token, tokenWords[kinds[at]])); !ok {
		return nil, ErrNoGrant
	}
	var person sql.NullInt64
	var created, ends, endedAt, expires, used int64
	var sealed, sealedScopes []byte
	err := q.QueryRowContext(ctx, `select t.kind, t.expires_at, t.used_at, t.sealed, a.number, a.id, a.client, a.turn, a.person, a.epoch, a.created_at, a.ends_at, a.ended_at, a.sealed
		from identity_token t join identity_authorization a on a.number=t.authorization where t.token=? and t.kind=?`, h.hash[:], kinds[at]).
		Scan(&h.kind, &expires, &used, &sealedScopes, &h.number, &h.ID, &h.Client, &h.turn, &person, &h.epoch, &created, &ends, &endedAt, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoGrant
	}
	if err != nil {
		return nil, outcome.Wrap("identity: token", outcome.NoStore, "the tokens cannot be read", err)
	}
	h.person = person.Int64
	h.Created, h.Ends, h.expires, h.used = timeOf(created), timeOf(ends), timeOf(expires), used != 0
	if err := openJSON(s.box, authorizationAAD(h.ID, h.Client, h.turn, h.person, h.epoch, ends), sealed, &h.terms); err != nil {
		return nil, err
	}
	h.ended = endedAt != 0 || h.terms.Ended
	plain, err := s.box.Open(nil, tokenAAD(h.hash, h.kind, h.number, expires), sealedScopes)
	if err != nil {
		return nil, err
	}
	h.scopes, h.Patient, h.Nonce, h.Capacity, h.Actor = string(plain), h.terms.Patient, h.terms.Nonce, h.terms.Capacity, h.terms.Actor
	if h.Scope, err = scope.Parse(h.terms.Scope); err != nil {
		return nil, err
	}
	if h.client, err = s.client(ctx, q, h.Client); err != nil {
		return nil, err
	}
	if h.person != 0 {
		if h.who, err = s.scanPerson(q.QueryRowContext(ctx, selectPerson+` where p.number=?`, h.person)); err != nil {
			return nil, err
		}
		h.Person = h.who.ID
	}
	if h.Actor != "" {
		return h, s.holdActor(ctx, q, h)
	}
	return h, nil
}

// stands reports whether the authorization behind a token stands: neither ended nor over, of a client and a person of the same epoch who
// are still let in, in a capacity that the person still has.
func (s *Store) stands(h *held) bool {
	now := s.now()
	if h.Actor != "" && h.actor == nil {
		return false
	}
	if h.ended || !now.Before(h.Ends) || !s.Live(h.client) || h.client.epoch != h.turn {
		return false
	}
	return h.who == nil || h.who.Active && h.who.Epoch == h.epoch && slices.Contains(h.who.Capacities(), h.Capacity)
}

func (s *Store) usable(h *held) bool { return !h.used && s.now().Before(h.expires) && s.stands(h) }

// agent is who acts by the token, as entries name it.
func (h *held) agent(from Arrival) audit.Agent {
	a := audit.Agent{Client: h.Client, Device: from.Device, Address: addressOf(from), Zone: from.Zone, Session: h.ID}
	if h.who != nil {
		a = agentOf(h.who.Person, h.Capacity, from)
		if h.actor != nil {
			a = agentOf(h.actor.Person, h.Capacity, from)
			a.As, a.AsName = h.who.ID, h.who.Name
		}
		a.Client, a.Session = h.Client, h.ID
	}
	return a
}

// Issued is what the token endpoint answers with.
type Issued struct {
	Authorization
	Access  string
	Refresh string // empty: none
	Lasts   time.Duration
	Granted scope.Set // of this access token; at most those of the authorization
	Signed  Person    // whom the identity token is about; zero for a backend
	AAL     int
	AuthAt  time.Time // at that level
}

// RedeemCode gives tokens for an authorization code: once, to its client, with the redirect address and the verifier that belong to it.
// A code that comes a second time ends everything that came of it, for one of the two who had it is a thief.
// Errors: [ErrNoGrant]; outcome.NoStore.
func (s *Store) RedeemCode(ctx context.Context, client Client, code, redirect, verifier string, from Arrival) (Issued, error) {
	h, err := s.hold(ctx, s.db.Reader(), code, codeKind)
	if err != nil {
		return Issued{}, err
	}
	if h.Client != client.ID {
		return Issued{}, ErrNoGrant
	}
	if h.used {
		return Issued{}, errors.Join(ErrNoGrant, s.endFamily(ctx, h, from, didReuse, "an authorization code was used again"))
	}
	sum := sha256.Sum256([]byte(verifier))
	right := subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(h.terms.Challenge)) == 1
	if !right || redirect != h.terms.Redirect || !s.usable(h) {
		return Issued{}, ErrNoGrant
	}
	return s.deliver(ctx, h, h.Scope, from, didToken)
}

// Refresh gives new tokens for a refresh token and makes it invalid. client is empty for a public app that does not say who it is: then
// the token does. One that comes a second time ends the whole authorization. asked narrows what the access token can do; the zero Set
// keeps it. Errors: [ErrNoGrant]; outcome.NoStore.
func (s *Store) Refresh(ctx context.Context, client, token string, asked scope.Set, from Arrival) (Issued, error) {
	h, err := s.hold(ctx, s.db.Reader(), token, refreshKind)
	if err != nil {
		return Issued{}, err
	}
	if client == "" && !h.client.Public() || client != "" && h.Client != client {
		return Issued{}, ErrNoGrant
	}
	if h.used {
		return Issued{}, errors.Join(ErrNoGrant, s.endFamily(ctx, h, from, didReuse, "a refresh token was used again"))
	}
	if !s.usable(h) {
		return Issued{}, ErrNoGrant
	}
	if h.Scope.Has(scope.Online) && !h.Scope.Has(scope.Offline) {
		var online bool
		err := s.db.Reader().QueryRowContext(ctx, `select exists(select 1 from identity_session where id=? and ended_at=0 and ends_at>?)`, h.terms.Session, micros(s.now())).Scan(&online)
		if err != nil {
			return Issued{}, outcome.Wrap("identity: refresh", outcome.NoStore, "the sessions cannot be read", err)
		}
		if !online {
			return Issued{}, ErrNoGrant
		}
	}
	scopes := h.Scope
	if asked.String() != "" {
		scopes = asked.Within(h.Scope)
	}
	return s.deliver(ctx, h, scopes, from, didRefresh)
}

// deliver uses a code or refresh token up and issues what comes after it.
func (s *Store) deliver(ctx context.Context, h *held, scopes scope.Set, from Arrival, d did) (Issued, error) {
	n, err := s.note(ctx, s.event(h.agent(from), d, acted, "authorization "+h.ID+": "+scopes.String()))
	if err != nil {
		return Issued{}, err
	}
	now := s.now().UTC()
	out := Issued{Authorization: h.Authorization, Granted: scopes, Signed: h.who.Person, AAL: h.terms.AAL, AuthAt: timeOf(h.terms.Auth[min(max(h.terms.AAL, 1), 2)])}
	reused := false
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		err := oneOr(ErrNoGrant)(tx.Exec(`update identity_token set used_at=? where token=? and used_at=0`, micros(now), h.hash[:]))
		if reused = errors.Is(err, ErrNoGrant); err != nil {
			return err
		}
		if out.Access, err = s.issue(tx, &h.granted, accessKind, scopes.String(), now.Add(accessLasts)); err != nil {
			return err
		}
		if h.Actor == "" && (h.Scope.Has(scope.Offline) || h.Scope.Has(scope.Online)) {
			out.Refresh, err = s.issue(tx, &h.granted, refreshKind, h.terms.Scope, h.Ends)
		}
		return err
	})
	if reused { // two at the same moment: one of them is a thief
		return Issued{}, errors.Join(ErrNoGrant, s.endFamily(ctx, h, from, didReuse, "a "+h.kind+" token was used twice at once"))
	}
	out.Lasts = min(accessLasts, h.Ends.Sub(now))
	return out, err
}

// AuthorizeClient gives a backend service a token for itself, for scopes within what it is registered for. The caller checked its
// assertion. Errors: outcome.NoStore.
func (s *Store) AuthorizeClient(ctx context.Context, c Client, scopes scope.Set, from Arrival) (Issued, error) {
	now := s.now().UTC().Truncate(time.Microsecond)
	g := &granted{Authorization: Authorization{ID: newID(), Client: c.ID, Scope: scopes, Created: now, Ends: now.Add(backendLasts)}, number: newNumber(), turn: c.epoch,
		terms: terms{Scope: scopes.String()}}
	h := held{granted: *g}
	n, err := s.note(ctx, s.event(h.agent(from), didToken, acted, "authorization "+g.ID+": "+g.terms.Scope))
	if err != nil {
		return Issued{}, err
	}
	out := Issued{Authorization: g.Authorization, Granted: scopes, Lasts: backendLasts}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.insertAuthorization(tx, g); err != nil {
			return err
		}
		out.Access, err = s.issue(tx, g, accessKind, g.terms.Scope, g.Ends)
		return err
	})
	return out, err
}

// ProvisioningToken gives a program that keeps people and groups its token, good as long as its registration; one before is dead then. It
// stands nowhere else: who loses it asks for another. The entry comes first.
// Errors: outcome.NotFound (no such program, or not active now); outcome.Conflict (it is of another kind).
func (s *Store) ProvisioningToken(ctx context.Context, by audit.Agent, id string) (token string, until time.Time, err error) {
	c, err := s.LiveClient(ctx, id)
	if err != nil {
		return "", time.Time{}, err
	}
	if !c.Provisions() {
		return "", time.Time{}, outcome.New(outcome.Conflict, "only a program with the scope scim has a lasting token; others ask /oauth/token")
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	g := &granted{Authorization: Authorization{ID: newID(), Client: c.ID, Created: now, Ends: c.Ends}, number: newNumber(), turn: c.epoch}
	n, err := s.note(ctx, s.event(by, didToken, acted, "authorization "+g.ID+": client "+c.ID+", scim, until "+c.Ends.Format(time.DateOnly)))
	if err != nil {
		return "", time.Time{}, err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		rows, err := tx.Query(selectAuthorization+` where a.client=? and a.ended_at=0`, c.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		var before []*granted
		for rows.Next() {
			g, err := s.scanAuthorization(rows)
			if err != nil {
				return err
			}
			before = append(before, g)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, old := range before {
			if err := s.endAuthorization(tx, old, didToken.interaction); err != nil {
				return err
			}
		}
		if err := s.insertAuthorization(tx, g); err != nil {
			return err
		}
		token, err = s.issue(tx, g, accessKind, "", g.Ends)
		return err
	})
	return token, c.Ends, err
}

// endFamily ends an authorization and with it all its tokens.
func (s *Store) endFamily(ctx context.Context, h *held, from Arrival, d did, why string) error {
	result := acted
	if d == didReuse {
		result = failed
	}
	n, err := s.noteOrOwe(ctx, s.event(h.agent(from), d, result, "authorization "+h.ID+" ended: "+why))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error { return s.endAuthorization(tx, &h.granted, d.interaction) })
}

// endAuthorization writes that an authorization ended, into its sealed part too.
func (s *Store) endAuthorization(tx *sql.Tx, g *granted, why string) error {
	k, err := s.authorizationKey(g.person)
	if err != nil {
		return err
	}
	over := g.terms
	over.Ended = true
	sealed, err := sealJSON(s.box, k, authorizationAAD(g.ID, g.Client, g.turn, g.person, g.epoch, micros(g.Ends)), over)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`update identity_authorization set ended_at=?, ended_why=?, sealed=? where number=? and ended_at=0`, micros(s.now()), why, sealed, g.number)
	return err
}

// RevokeToken ends the authorization behind an access or refresh token of a client, at once. A token that is not there, or is another
// client's, is no error: there is nothing of this client's to revoke. client is empty for a public app that does not say who it is.
func (s *Store) RevokeToken(ctx context.Context, client, token string, from Arrival) error {
	h, err := s.hold(ctx, s.db.Reader(), token, accessKind, refreshKind)
	if errors.Is(err, ErrNoGrant) {
		return nil
	}
	if err != nil {
		return err
	}
	if h.ended || client == "" && !h.client.Public() || client != "" && h.Client != client {
		return nil
	}
	return s.endFamily(ctx, h, from, didRevokeToken, "its token was revoked")
}

// Bearer is an access token at work: the client, the person it acts for, and how far it may go at most.
type Bearer struct {
	Client        Client
	Session       *Session // the person, as the authorization found her; nil: the client acts for itself
	Scope         scope.Set
	Patient       string // logical id of the patient of the launch; empty: none
	Authorization string
	Issued        time.Time
	Expires       time.Time
	From          Arrival // of the request that it came with
}

// Agent is the client where it acts for itself, as entries name it.
func (b *Bearer) Agent() audit.Agent {
	return audit.Agent{Client: b.Client.ID, Session: b.Authorization, Device: b.From.Device, Address: addressOf(b.From)}
}

// Bearer finds what an access token stands for, now: the database is asked each time, so that whatever ended is dead at once in every
// process. Errors: [ErrNoToken]; outcome.NoStore.
func (s *Store) Bearer(ctx context.Context, token string, from Arrival) (*Bearer, error) {
	h, err := s.hold(ctx, s.db.Reader(), token, accessKind)
	if errors.Is(err, ErrNoGrant) || err == nil && !s.usable(h) {
		return nil, ErrNoToken
	}
	if err != nil {
		return nil, err
	}
	return s.bearer(h, from)
}

func (s *Store) bearer(h *held, from Arrival) (*Bearer, error) {
	set, err := scope.Parse(h.scopes)
	if err != nil {
		return nil, err
	}
	b := &Bearer{From: from, Client: h.client, Scope: set, Patient: h.Patient, Authorization: h.ID, Issued: h.Created, Expires: h.expires}
	if h.who == nil {
		return b, nil
	}
	if from.Trust == "" {
		from.Trust = "unknown"
	}
	if from.Zone == "" {
		from.Zone = "internet"
	}
	b.Session = &Session{ID: h.ID, Person: h.who.Person, Capacity: h.Capacity, Device: from.Device, Address: addressOf(from), Trust: from.Trust, Zone: from.Zone, AAL: h.terms.AAL, Created: h.Created,
		Seen: s.now().UTC(), Ends: h.expires, Idle: hardEnd, auth: [3]time.Time{1: timeOf(h.terms.Auth[1]), 2: timeOf(h.terms.Auth[2])}, person: h.person}
	if h.actor != nil {
		own := *b.Session
		own.Person, own.person = h.actor.Person, h.actor.number
		b.Session.Actor, b.Session.Acting = &own, h.acting
	}
	return b, nil
}

// Introspect is Bearer for a client that asks about a token, also a refresh token; nil for one that is not good, or not for asker to
// know about: its own, or, for a first-party client with a key, anybody's. Errors: outcome.NoStore.
func (s *Store) Introspect(ctx context.Context, asker Client, token string, from Arrival) (*Bearer, error) {
	h, err := s.hold(ctx, s.db.Reader(), token, accessKind, refreshKind)
	if errors.Is(err, ErrNoGrant) || err == nil && (!s.usable(h) || h.Client != asker.ID && !(asker.FirstParty && !asker.Public())) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.bearer(h, from)
}

// NoteRefusal writes down that the token endpoint refused a client, which may be nobody known. Errors: outcome.NoStore.
func (s *Store) NoteRefusal(ctx context.Context, client, why string, from Arrival) error {
	by := audit.Agent{Client: client, Device: from.Device, Address: addressOf(from), Zone: from.Zone}
	if client == "" {
		by.Job = "token"
	}
	_, err := s.note(ctx, s.event(by, didToken, failed, why))
	return err
}

const selectAuthorization = `select a.number, a.id, a.client, a.turn, coalesce(a.person, 0), a.epoch, a.created_at, a.ends_at, a.ended_at, a.sealed from identity_authorization a`

func (s *Store) scanAuthorization(from scanner) (*granted, error) {
	var g granted
	var created, ends, endedAt int64
	var sealed []byte
	if err := from.Scan(&g.number, &g.ID, &g.Client, &g.turn, &g.person, &g.epoch, &created, &ends, &endedAt, &sealed); err != nil {
		return nil, err
	}
	g.Created, g.Ends = timeOf(created), timeOf(ends)
	if err := openJSON(s.box, authorizationAAD(g.ID, g.Client, g.turn, g.person, g.epoch, ends), sealed, &g.terms); err != nil {
		return &g, err
	}
	g.Patient, g.Capacity, g.Nonce, g.ended = g.terms.Patient, g.terms.Capacity, g.terms.Nonce, endedAt != 0 || g.terms.Ended
	var err error
	g.Scope, err = scope.Parse(g.terms.Scope)
	return &g, err
}

func unreadableAuthorizations(err error) error {
	return outcome.Wrap("identity: authorizations", outcome.NoStore, "the authorizations cannot be read", err)
}

// Authorizations lists what a person lets apps do, newest first: those that stand.
func (s *Store) Authorizations(ctx context.Context, person string) ([]Authorization, error) {
	rows, err := s.db.Reader().QueryContext(ctx, selectAuthorization+` join identity_person p on p.number=a.person
		where p.id=? and a.ended_at=0 and a.ends_at>? and a.epoch=p.epoch and p.state='active' order by a.created_at desc, a.id`, person, micros(s.now()))
	if err != nil {
		return nil, unreadableAuthorizations(err)
	}
	defer func() { _ = rows.Close() }()
	var all []*granted
	for rows.Next() {
		g, err := s.scanAuthorization(rows)
		if err != nil {
			return nil, unreadableAuthorizations(err)
		}
		all = append(all, g)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableAuthorizations(err)
	}
	var out []Authorization
	for _, g := range all {
		c, err := s.Client(ctx, g.Client)
		if err != nil {
			return nil, err
		}
		if g.Person = person; !g.ended && s.Live(c) && c.epoch == g.turn {
			out = append(out, g.Authorization)
		}
	}
	return out, nil
}

// EndAuthorization ends what a person lets an app do, with all its tokens, at once. The entry comes first, and is owed where the log takes
// none. Errors: outcome.NotFound, the same for one that ended and for somebody else's.
func (s *Store) EndAuthorization(ctx context.Context, ses *Session, id string) error {
	g, err := s.scanAuthorization(s.db.Reader().QueryRowContext(ctx, selectAuthorization+` where a.id=?`, id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (g.person != ses.person || g.ended) {
		return outcome.New(outcome.NotFound, "this app has no access of yours any more")
	}
	if err != nil {
		return unreadableAuthorizations(err)
	}
	by := ses.Agent()
	by.Client = g.Client
	n, err := s.noteOrOwe(ctx, s.event(by, didRevokeToken, acted, "authorization "+g.ID+" ended: by the person who gave it"))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error { return s.endAuthorization(tx, g, didRevokeToken.interaction) })
}
