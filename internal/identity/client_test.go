package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/scope"

	"github.com/go-jose/go-jose/v4"
)

func keySet(t testing.TB, keys ...any) json.RawMessage {
	t.Helper()
	var set jose.JSONWebKeySet
	for i, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k, KeyID: string(rune('a' + i))})
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ecKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const verifier = "a-verifier-of-at-least-forty-three-characters"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestRegistrationsFitTogether(t *testing.T) {
	s := newSite(t, true)
	owner := s.hire("Ruth Adeyemi", Administrator)
	p384 := ecKey(t, elliptic.P384())
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	s.must(err)
	backend := NewClient{ID: "lab-feed", Name: "Lab feed", Owner: owner.Person, Scope: "system/Observation.cruds", Keys: keySet(t, p384.Public())}
	app := NewClient{ID: "growth", Name: "Growth chart", Owner: owner.Person, Scope: "launch/patient patient/Observation.rs openid fhirUser offline_access", Redirects: []string{"https://growth.example/cb"}}
	for name, c := range map[string]struct {
		change func(*NewClient)
		of     NewClient
		at     string
	}{
		"id with a space":        {func(n *NewClient) { n.ID = "lab feed" }, backend, "id"},
		"no name":                {func(n *NewClient) { n.Name = " " }, backend, "name"},
		"unknown owner":          {func(n *NewClient) { n.Owner = "nobody" }, backend, "owner"},
		"bad scope":              {func(n *NewClient) { n.Scope = "system/Observation.sr" }, backend, "scope 1"},
		"no resource":            {func(n *NewClient) { n.Scope = "launch/patient" }, app, "scope"},
		"backend for people":     {func(n *NewClient) { n.Scope = "patient/Patient.r" }, backend, "scope"},
		"system without a key":   {func(n *NewClient) { n.Scope = "system/Patient.r" }, app, "scope"},
		"neither key nor place":  {func(n *NewClient) { n.Keys = nil }, backend, "jwks"},
		"private key":            {func(n *NewClient) { n.Keys = keySet(t, p384) }, backend, "jwks"},
		"shared key":             {func(n *NewClient) { n.Keys = keySet(t, []byte("0123456789abcdef0123456789abcdef")) }, backend, "jwks"},
		"P-256":                  {func(n *NewClient) { n.Keys = keySet(t, ecKey(t, elliptic.P256()).Public()) }, backend, "jwks"},
		"short RSA":              {func(n *NewClient) { n.Keys = keySet(t, small.Public()) }, backend, "jwks"},
		"no keys in it":          {func(n *NewClient) { n.Keys = json.RawMessage(`{"keys":[]}`) }, backend, "jwks"},
		"http elsewhere":         {func(n *NewClient) { n.Redirects = []string{"http://growth.example/cb"} }, app, "redirect"},
		"wildcard":               {func(n *NewClient) { n.Redirects = []string{"https://*.example/cb"} }, app, "redirect"},
		"fragment":               {func(n *NewClient) { n.Redirects = []string{"https://growth.example/#cb"} }, app, "redirect"},
		"javascript":             {func(n *NewClient) { n.Redirects = []string{"javascript:alert(1)"} }, app, "redirect"},
		"relative":               {func(n *NewClient) { n.Redirects = []string{"/cb"} }, app, "redirect"},
		"two years":              {func(n *NewClient) { n.Ends = s.now().AddDate(2, 0, 0) }, backend, "ends"},
		"backend of first party": {func(n *NewClient) { n.FirstParty = true }, backend, "first-party"},
	} {
		n := c.of
		c.change(&n)
		_, _, err := s.RegisterClient(t.Context(), shell, n)
		var o *outcome.Error
		if !errors.As(err, &o) || o.Expression != c.at {
			t.Errorf("%s: %v, want an error at %s", name, err, c.at)
		}
	}
	for _, to := range []string{"http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]/cb", "com.example.growth:/cb"} {
		if mend := redirectFault(to); mend != "" {
			t.Errorf("%s: %s", to, mend)
		}
	}
	for _, n := range []NewClient{backend, app} {
		if c, item, err := s.RegisterClient(t.Context(), shell, n); err != nil || item != nil || c.State != Active {
			t.Errorf("%s: %v, item %v, state %s", n.ID, err, item, c.State)
		}
	}
	_, _, err = s.RegisterClient(t.Context(), shell, app)
	s.refused(err, outcome.Duplicate, "the same id again")
	_, err = s.RevokeClient(t.Context(), shell, "growth", "no longer used")
	s.must(err)
	_, _, err = s.RegisterClient(t.Context(), shell, app)
	s.refused(err, outcome.Duplicate, "an id that somebody had")
}

func TestARegistrationWaitsForASecondPerson(t *testing.T) {
	s := newSite(t, false)
	owner, other := s.hire("Ruth Adeyemi", Administrator), s.hire("Ben Carter", Administrator)
	s.clock.pass(48 * time.Hour)
	n := NewClient{ID: "growth", Name: "Growth chart", Owner: owner.Person, Scope: "patient/Observation.rs", Redirects: []string{"https://growth.example/cb"}}
	c, item, err := s.RegisterClient(t.Context(), shell, n)
	s.must(err)
	if c.State != Waiting || item == nil || item.Client != "growth" {
		t.Fatalf("state %s, item %+v", c.State, item)
	}
	_, err = s.LiveClient(t.Context(), "growth")
	s.refused(err, outcome.NotFound, "a client that waits")
	for _, by := range []string{"the command line", "the owner"} {
		agent := shell
		if by == "the owner" {
			agent = owner.agent()
		}
		_, err = s.Approve(t.Context(), agent, item.ID)
		s.refused(err, outcome.Forbidden, "approved by "+by)
	}
	_, _, err = s.RegisterClient(t.Context(), shell, n)
	s.refused(err, outcome.Duplicate, "asked twice")
	s.clock.pass(2 * time.Hour)
	_, err = s.Approve(t.Context(), other.agent(), item.ID)
	s.refused(err, outcome.NotFound, "approved after an hour")
	_, item, err = s.RegisterClient(t.Context(), shell, n)
	s.must(err)
	s.trail.said()
	_, err = s.Approve(t.Context(), other.agent(), item.ID)
	s.must(err)
	s.wantSaid("approval-give")
	if c, err := s.LiveClient(t.Context(), "growth"); err != nil || c.State != Active || c.FirstParty {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := s.Authorize(t.Context(), owner.signIn().Session, Consent{Client: c}); err != nil {
		t.Fatal(err)
	}
}

// launched is an app with tokens that a person gave it.
func launched(s *site, p someone, scopes string) (Client, Issued) {
	s.t.Helper()
	c, err := s.Client(s.t.Context(), "growth")
	if err != nil {
		c, _, err = s.RegisterClient(s.t.Context(), shell, NewClient{ID: "growth", Name: "Growth chart", Owner: p.Person, Scope: "patient/Observation.rs user/Patient.rs offline_access online_access", Redirects: []string{"https://growth.example/cb"}})
		s.must(err)
	}
	set, err := scope.Parse(scopes)
	s.must(err)
	code, err := s.Authorize(s.t.Context(), p.signIn().Session, Consent{Client: c, Redirect: c.Redirects[0], Challenge: challenge(), Scope: set, Patient: "p1"})
	s.must(err)
	got, err := s.RedeemCode(s.t.Context(), c, code, c.Redirects[0], verifier, atStation)
	s.must(err)
	return c, got
}

func (s *site) bears(token string) bool {
	s.t.Helper()
	_, err := s.Bearer(s.t.Context(), token, atStation)
	if err != nil && !errors.Is(err, ErrNoToken) {
		s.t.Fatal(err)
	}
	return err == nil
}

func TestWhatKillsATokenKillsItAtOnce(t *testing.T) {
	s := newSite(t, true)
	boss := s.hire("Ruth Adeyemi", Administrator)
	for name, kill := range map[string]func(p someone, c Client, i Issued) error{
		"the person's sessions are killed": func(p someone, _ Client, _ Issued) error {
			_, err := s.Kill(t.Context(), boss.agent(), p.Person, "lost laptop")
			return err
		},
		"the person is terminated": func(p someone, _ Client, _ Issued) error {
			cert, err := s.Terminate(t.Context(), boss.agent(), p.Person, "left")
			if err == nil && cert.AuthorizationsCut != 1 {
				return errors.New("the certificate does not count what apps could do")
			}
			return err
		},
		"the access token is revoked": func(_ someone, c Client, i Issued) error {
			return s.RevokeToken(t.Context(), c.ID, i.Access, atStation)
		},
		"the refresh token is revoked": func(_ someone, _ Client, i Issued) error { return s.RevokeToken(t.Context(), "", i.Refresh, atStation) },
		"by another process": func(p someone, _ Client, _ Issued) error {
			_, err := s.process().Kill(t.Context(), boss.agent(), p.Person, "lost laptop")
			return err
		},
		"time": func(someone, Client, Issued) error { s.clock.pass(accessLasts); return nil },
	} {
		p := s.hire("Anna Lindqvist", Physician)
		c, got := launched(s, p, "user/Patient.rs offline_access")
		if !s.bears(got.Access) {
			t.Fatalf("%s: dead before", name)
		}
		s.must(kill(p, c, got))
		if s.bears(got.Access) {
			t.Errorf("%s: the token lives", name)
		}
		if _, err := s.Refresh(t.Context(), "", got.Refresh, scope.Set{}, atStation); (err == nil) != (name == "time") {
			t.Errorf("%s: refresh: %v", name, err)
		}
	}
	p := s.hire("Anna Lindqvist", Physician)
	c, got := launched(s, p, "user/Patient.rs offline_access")
	cut, err := s.RevokeClient(t.Context(), boss.agent(), c.ID, "sold")
	if err != nil || cut < 1 || s.bears(got.Access) {
		t.Errorf("after the revocation of its client: %v, %d cut, alive %t", err, cut, s.bears(got.Access))
	}
}

func TestARefreshTokenTurns(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Anna Lindqvist", Physician)
	c, first := launched(s, p, "user/Patient.rs offline_access")
	narrow, err := scope.Parse("user/Patient.r")
	s.must(err)
	second, err := s.Refresh(t.Context(), "", first.Refresh, narrow, atStation) // a public app need not say who it is
	s.must(err)
	if second.Granted.String() != "user/Patient.r" || second.Refresh == first.Refresh {
		t.Fatalf("granted %s", second.Granted)
	}
	third, err := s.Refresh(t.Context(), c.ID, second.Refresh, scope.Set{}, atStation)
	s.must(err)
	if third.Granted.String() != "offline_access user/Patient.rs" {
		t.Fatalf("what was narrowed once stays narrow: %s", third.Granted)
	}
	_, err = s.Refresh(t.Context(), "another", third.Refresh, scope.Set{}, atStation)
	s.refused(err, outcome.Login, "another client's refresh token")
	s.trail.said()
	_, err = s.Refresh(t.Context(), c.ID, first.Refresh, scope.Set{}, atStation)
	s.refused(err, outcome.Login, "a used refresh token")
	s.wantSaid("token-reuse failed")
	for i, token := range []string{first.Access, second.Access, third.Access} {
		if s.bears(token) {
			t.Errorf("access token %d outlives the theft", i+1)
		}
	}
	_, err = s.Refresh(t.Context(), c.ID, third.Refresh, scope.Set{}, atStation)
	s.refused(err, outcome.Login, "the newest refresh token of a family with a thief")

	_, once := launched(s, p, "user/Patient.rs")
	if once.Refresh != "" {
		t.Error("a refresh token that nobody asked for")
	}
	_, online := launched(s, p, "user/Patient.rs online_access")
	sessions, err := s.Sessions(t.Context(), p.Person)
	s.must(err)
	for _, ses := range sessions {
		s.must(s.SignOut(t.Context(), ses))
	}
	_, err = s.Refresh(t.Context(), c.ID, online.Refresh, scope.Set{}, atStation)
	s.refused(err, outcome.Login, "online access of somebody who signed out")
}

func TestAnAuthorizationCodeCountsOnce(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Anna Lindqvist", Physician)
	c, _ := launched(s, p, "user/Patient.rs")
	set := c.Scopes()
	fresh := func() string {
		code, err := s.Authorize(t.Context(), p.signIn().Session, Consent{Client: c, Redirect: c.Redirects[0], Challenge: challenge(), Scope: set})
		s.must(err)
		return code
	}
	other, _, err := s.RegisterClient(t.Context(), shell, NewClient{ID: "other", Name: "Other", Owner: p.Person, Scope: "user/Patient.rs", Redirects: c.Redirects})
	s.must(err)
	for name, try := range map[string]func(string) error{
		"another client": func(code string) error {
			_, err := s.RedeemCode(t.Context(), other, code, c.Redirects[0], verifier, atStation)
			return err
		},
		"another address": func(code string) error {
			_, err := s.RedeemCode(t.Context(), c, code, "https://evil.example/cb", verifier, atStation)
			return err
		},
		"another verifier": func(code string) error {
			_, err := s.RedeemCode(t.Context(), c, code, c.Redirects[0], verifier+"x", atStation)
			return err
		},
		"no verifier": func(code string) error {
			_, err := s.RedeemCode(t.Context(), c, code, c.Redirects[0], "", atStation)
			return err
		},
		"too late": func(code string) error {
			s.clock.pass(codeLasts)
			_, err := s.RedeemCode(t.Context(), c, code, c.Redirects[0], verifier, atStation)
			return err
		},
	} {
		s.refused(try(fresh()), outcome.Login, name)
	}
	code := fresh()
	got, err := s.RedeemCode(t.Context(), c, code, c.Redirects[0], verifier, atStation)
	s.must(err)
	s.trail.said()
	_, err = s.RedeemCode(t.Context(), c, code, c.Redirects[0], verifier, atStation)
	s.refused(err, outcome.Login, "the code again")
	s.wantSaid("token-reuse failed")
	if s.bears(got.Access) {
		t.Error("the token of a code that came twice lives")
	}
}

func TestAnAssertionCountsOnce(t *testing.T) {
	s := newSite(t, true)
	until := s.now().Add(5 * time.Minute)
	s.must(s.SpendAssertion(t.Context(), "a", "1", until))
	s.must(s.SpendAssertion(t.Context(), "b", "1", until))
	if err := s.process().SpendAssertion(t.Context(), "a", "1", until); !errors.Is(err, ErrReplayed) {
		t.Fatalf("again: %v", err)
	}
}

// What SQL can write is not enough to make a client, an authorization or a token, or to widen one.
func TestRowsDoNotMakeRights(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Anna Lindqvist", Physician)
	_, got := launched(s, p, "user/Patient.rs offline_access")
	_, mine := launched(s, p, "patient/Observation.rs offline_access")
	text, hash := newToken()
	for name, statement := range map[string]string{
		"a token of one's own":       `insert into identity_token(token, "authorization", kind, expires_at, sealed) select ?1, "authorization", kind, expires_at, sealed from identity_token where kind='access' limit 1`,
		"a longer life":              `update identity_token set expires_at=expires_at+1000000`,
		"a longer authorization":     `update identity_authorization set ends_at=ends_at+1000000`,
		"another's terms":            `update identity_authorization set sealed=(select sealed from identity_authorization order by number limit 1)`,
		"the program of a new epoch": `update identity_authorization set turn=turn+1`,
	} {
		before := s.bears(got.Access) && s.bears(mine.Access)
		if !before {
			t.Fatalf("%s: dead before", name)
		}
		undo := errors.New("undo")
		err := s.db.Write(t.Context(), func(tx *sql.Tx) error {
			args := []any{}
			if name == "a token of one's own" {
				args = append(args, hash[:])
			}
			if _, err := tx.Exec(statement, args...); err != nil {
				return err
			}
			for token, own := range map[string]string{got.Access: got.Granted.String(), mine.Access: mine.Granted.String(), tokenWords[accessKind] + text: ""} {
				h, err := s.hold(t.Context(), tx, token, accessKind)
				as := err == nil && h.terms.Scope == own && h.scopes == own && (name == "another's terms" || name == "a token of one's own")
				if err == nil && s.usable(h) && !as {
					t.Errorf("%s: a token of %s is good", name, h.scopes)
				}
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
	}
	if !slices.ContainsFunc([]string{got.Access}, s.bears) {
		t.Error("dead after")
	}
}

func TestAnOwnerLeaves(t *testing.T) {
	s := newSite(t, true)
	boss, owner := s.hire("Ruth Adeyemi", Administrator), s.hire("Ben Carter", Administrator)
	_, _, err := s.RegisterClient(t.Context(), shell, NewClient{ID: "lab-feed", Name: "Lab feed", Owner: owner.Person, Scope: "system/Observation.rs", Keys: keySet(t, ecKey(t, elliptic.P384()).Public())})
	s.must(err)
	cert, err := s.Terminate(t.Context(), boss.agent(), owner.Person, "left")
	s.must(err)
	if cert.ClientsEnding != 1 {
		t.Errorf("%d clients in the certificate", cert.ClientsEnding)
	}
	s.clock.pass(6 * 24 * time.Hour)
	if _, err := s.LiveClient(t.Context(), "lab-feed"); err != nil {
		t.Errorf("after 6 days: %v", err)
	}
	s.clock.pass(25 * time.Hour)
	_, err = s.LiveClient(t.Context(), "lab-feed")
	s.refused(err, outcome.NotFound, "after a week")
}

// A service account ends with its registration: its key gets nothing any more, and the token it has is dead.
func TestAServiceAccountExpires(t *testing.T) {
	s := newSite(t, true)
	owner := s.hire("Ruth Adeyemi", Administrator)
	c, _, err := s.RegisterClient(t.Context(), shell, NewClient{ID: "lab-feed", Name: "Lab feed", Owner: owner.Person, Scope: "system/Observation.rs", Keys: keySet(t, ecKey(t, elliptic.P384()).Public()), Ends: s.now().Add(time.Minute)})
	s.must(err)
	if used, err := s.ClientsUsed(t.Context()); err != nil || !used["lab-feed"].IsZero() {
		t.Errorf("before its first token it was used at %v, %v", used["lab-feed"], err)
	}
	got, err := s.AuthorizeClient(t.Context(), c, c.Scopes(), Arrival{})
	s.must(err)
	if used, err := s.ClientsUsed(t.Context()); err != nil || !used["lab-feed"].Equal(s.now().Truncate(time.Microsecond)) {
		t.Errorf("used at %v, %v", used["lab-feed"], err)
	}
	if !s.bears(got.Access) {
		t.Fatal("its token is no good")
	}
	s.clock.pass(time.Minute)
	if s.bears(got.Access) {
		t.Error("its token outlives it")
	}
	_, err = s.LiveClient(t.Context(), "lab-feed")
	s.refused(err, outcome.NotFound, "expired")
}

// What ended stays ended, whatever SQL writes: the end stands in the sealed part, too. A person ends only what is hers.
func TestAnAuthorizationThatEndedStaysEnded(t *testing.T) {
	s := newSite(t, true)
	owner := s.hire("Ruth Adeyemi", Administrator)
	p, other := s.hire("Anna Lindqvist", Physician), s.hire("Ben Carter", Physician)
	_, _, err := s.RegisterClient(t.Context(), shell, NewClient{ID: "growth", Name: "Growth chart", Owner: owner.Person, Scope: "user/Patient.rs offline_access", Redirects: []string{"https://growth.example/cb"}})
	s.must(err)
	_, one := launched(s, p, "user/Patient.rs offline_access")
	_, two := launched(s, p, "user/Patient.rs offline_access")
	ses := p.signIn().Session
	if list, err := s.Authorizations(t.Context(), p.Person); err != nil || len(list) != 2 || list[0].Client != "growth" {
		t.Fatal(list, err)
	}
	stranger := other.signIn().Session
	s.refused(s.EndAuthorization(t.Context(), stranger, two.ID), outcome.NotFound, "somebody else's")
	s.must(s.EndAuthorization(t.Context(), ses, two.ID))
	s.refused(s.EndAuthorization(t.Context(), ses, two.ID), outcome.NotFound, "a second time")
	s.must(s.RevokeToken(t.Context(), "", one.Refresh, Arrival{}))
	s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_authorization set ended_at=0, ended_why=''`)
		return err
	}))
	for _, issued := range []Issued{one, two} {
		if s.bears(issued.Access) {
			t.Error("an authorization was brought back by SQL")
		}
		_, err := s.Refresh(t.Context(), "", issued.Refresh, scope.Set{}, Arrival{})
		s.refused(err, outcome.Login, "its refresh token")
	}
	if list, err := s.Authorizations(t.Context(), p.Person); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
}

// Somebody else may answer for a program whose owner left: two people decide, and it goes on.
func TestAProgramIsTakenOver(t *testing.T) {
	s := newSite(t, false)
	boss, owner, next := s.hire("Ruth Adeyemi", Administrator), s.hire("Ben Carter", Administrator), s.hire("Priya Nair", Administrator)
	s.clock.pass(25 * time.Hour) // their factors count
	_, item, err := s.RegisterClient(t.Context(), shell, NewClient{ID: "lab-feed", Name: "Lab feed", Owner: owner.Person, Scope: "system/Observation.rs", Keys: keySet(t, ecKey(t, elliptic.P384()).Public())})
	s.must(err)
	_, err = s.TakeOver(t.Context(), shell, "lab-feed", next.Person)
	s.refused(err, outcome.Duplicate, "while it waits")
	_, err = s.Approve(t.Context(), boss.agent(), item.ID)
	s.must(err)
	_, err = s.Terminate(t.Context(), boss.agent(), owner.Person, "left")
	s.must(err)
	for name, c := range map[string]struct {
		client, owner string
		want          outcome.Code
	}{"no such client": {"nothing", next.Person, outcome.NotFound}, "no such person": {"lab-feed", "nobody", outcome.NotFound}, "who left": {"lab-feed", owner.Person, outcome.NotFound}} {
		_, err := s.TakeOver(t.Context(), shell, c.client, c.owner)
		s.refused(err, c.want, name)
	}
	item, err = s.TakeOver(t.Context(), shell, "lab-feed", next.Person)
	s.must(err)
	_, err = s.Approve(t.Context(), next.agent(), item.ID)
	s.refused(err, outcome.Forbidden, "the new owner alone")
	_, err = s.Approve(t.Context(), boss.agent(), item.ID)
	s.must(err)
	s.clock.pass(30 * 24 * time.Hour)
	if c, err := s.LiveClient(t.Context(), "lab-feed"); err != nil || c.Owner != next.Person {
		t.Fatal(c, err)
	}
	_, err = s.RevokeClient(t.Context(), shell, "lab-feed", "sold")
	s.must(err)
	_, err = s.TakeOver(t.Context(), shell, "lab-feed", boss.Person)
	s.refused(err, outcome.Conflict, "what was revoked")
}
