package sso_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/sso"

	"github.com/go-jose/go-jose/v4"
)

// liar is a provider that signs whatever a test wants. A published one does not.
type liar struct {
	*httptest.Server
	key    *ecdsa.PrivateKey
	claims map[string]any
	signed func(claims []byte) string // nil: as it should be
	config map[string]any             // of the discovery document, over what it should be
}

func lying(t *testing.T) *liar {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		c := map[string]any{"issuer": l.URL, "authorization_endpoint": l.URL + "/auth", "token_endpoint": l.URL + "/token", "jwks_uri": l.URL + "/keys", "authorization_response_iss_parameter_supported": true,
			"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"}}
		for k, v := range l.config {
			c[k] = v
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c)
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": l.sign(t)})
	})
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	return l
}

func (l *liar) sign(t *testing.T) string {
	text, err := json.Marshal(l.claims)
	if err != nil {
		t.Error(err)
	}
	if l.signed != nil {
		return l.signed(text)
	}
	return compact(t, jose.ES256, l.key, text)
}

func compact(t *testing.T, alg jose.SignatureAlgorithm, key any, text []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	s, err := signer.Sign(text)
	if err != nil {
		t.Error(err)
		return ""
	}
	out, _ := s.CompactSerialize()
	return out
}

// Whatever does not hold in a token opens nothing, whoever signed it.
func TestForgedTokens(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	l := lying(t)
	p, err := sso.New(sso.Options{Issuer: l.URL, Client: "chartwarden", Redirect: "http://localhost/back", TwoFactors: []string{"two", "mfa"}, GroupClaim: "groups", LinkClaim: "number", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	good := func() map[string]any {
		return map[string]any{"iss": l.URL, "aud": "chartwarden", "sub": "s-1", "nonce": "n", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "auth_time": now.Add(-time.Minute).Unix(), "acr": "two",
			"sid": "here", "groups": []string{"a", "b"}, "number": "7", "name": "Liv"}
	}
	trip := sso.Trip{Nonce: "n", Verifier: "v", Began: now}
	answer := func(trip sso.Trip, change map[string]any, signed func([]byte) string) (sso.Answer, error) {
		l.claims, l.signed = good(), signed
		for k, v := range change {
			if v == nil {
				delete(l.claims, k)
				continue
			}
			l.claims[k] = v
		}
		return p.Return(t.Context(), trip, url.Values{"code": {"c"}, "iss": {l.URL}})
	}
	a, err := answer(trip, nil, nil)
	if err != nil || a.Level != 2 || a.Subject != "s-1" || a.Session != "here" || len(a.Groups) != 2 || a.Key != "7" || a.Name != "Liv" || !a.Proved.Equal(now.Add(-time.Minute)) {
		t.Fatalf("what holds comes out as %+v %v", a, err)
	}
	for name, change := range map[string]map[string]any{
		"another issuer": {"iss": "https://elsewhere.example"}, "another audience": {"aud": "other"}, "several audiences": {"aud": []string{"chartwarden", "other"}},
		"for another client": {"azp": "other"}, "expired": {"exp": now.Add(-time.Second).Unix()}, "another nonce": {"nonce": "m"}, "no nonce": {"nonce": nil}, "no subject": {"sub": nil},
		"a long subject": {"sub": strings.Repeat("s", 256)}, "no time of proof": {"auth_time": nil}, "an old proof": {"auth_time": now.Add(-time.Hour).Unix()}, "a proof of tomorrow": {"auth_time": now.Add(time.Hour).Unix()},
		"made tomorrow": {"iat": now.Add(time.Hour).Unix()}, "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
	} {
		if a, err := answer(trip, change, nil); !outcome.Is(err, outcome.Login) {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, signed := range map[string]func([]byte) string{
		"another key":     func(b []byte) string { return compact(t, jose.ES256, other, b) },
		"a shared secret": func(b []byte) string { return compact(t, jose.HS256, []byte("a-secret-of-32-characters-or-more"), b) },
		"no signature":    func(b []byte) string { return "eyJhbGciOiJub25lIn0." + url.PathEscape(string(b)) + "." },
		"nothing":         func([]byte) string { return "" },
	} {
		if a, err := answer(trip, nil, signed); !outcome.Is(err, outcome.Login) {
			t.Errorf("signed by %s: %+v %v", name, a, err)
		}
	}
	fresh := trip
	fresh.Fresh = true
	if _, err := answer(fresh, nil, nil); !outcome.Is(err, outcome.Login) {
		t.Errorf("a minute old where anew was asked: %v", err)
	}
	for _, weak := range []map[string]any{{"acr": "one"}, {"acr": nil}, {"acr": "TWO"}, {"acr": nil, "amr": []string{"pwd"}}, {"acr": nil, "amr": 7}} {
		if a, err := answer(trip, weak, nil); err != nil || a.Level != 1 {
			t.Errorf("%v counts as %d, %v", weak, a.Level, err)
		}
	}
	if a, err := answer(trip, map[string]any{"acr": nil, "amr": []string{"pwd", "mfa"}}, nil); err != nil || a.Level != 2 {
		t.Errorf("amr counts as %d, %v", a.Level, err)
	}
	for name, q := range map[string]url.Values{"no issuer": {"code": {"c"}}, "an error": {"error": {"access_denied"}, "iss": {l.URL}}, "nothing": {}} {
		if _, err := p.Return(t.Context(), trip, q); !outcome.Is(err, outcome.Login) {
			t.Errorf("%s: %v", name, err)
		}
	}
	logout := func(change map[string]any) (sso.Ended, error) {
		l.claims = map[string]any{"iss": l.URL, "aud": "chartwarden", "sub": "s-1", "sid": "here", "jti": "1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
		l.signed = nil
		for k, v := range change {
			if v == nil {
				delete(l.claims, k)
				continue
			}
			l.claims[k] = v
		}
		return p.Logout(t.Context(), l.sign(t))
	}
	if e, err := logout(nil); err != nil || e.Subject != "s-1" || e.Session != "here" || e.ID != "1" {
		t.Fatalf("a logout that holds: %+v %v", e, err)
	}
	for name, change := range map[string]map[string]any{"another audience": {"aud": "other"}, "an identity token": {"events": nil, "nonce": "n"}, "a nonce": {"nonce": "n"}, "no id": {"jti": nil},
		"nobody": {"sub": nil, "sid": nil}, "over": {"exp": now.Add(-time.Minute).Unix()}, "of long ago": {"iat": now.Add(-time.Hour).Unix()}, "another issuer": {"iss": "https://elsewhere.example"}} {
		if e, err := logout(change); !outcome.Is(err, outcome.Login) {
			t.Errorf("a logout, %s: %+v %v", name, e, err)
		}
	}
}

// What a provider says of itself leads to no other host, and a long answer ends.
func TestProviderLeadsNowhereElse(t *testing.T) {
	reached := 0
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached++ }))
	defer inside.Close()
	keep := func(sso.Trip) (string, error) { return "s", nil }
	for name, config := range map[string]map[string]any{
		"the sign-in":  {"authorization_endpoint": inside.URL + "/auth"},
		"the tokens":   {"token_endpoint": inside.URL + "/token"},
		"plain http":   {"token_endpoint": "http://login.hospital.example/token"},
		"a file":       {"authorization_endpoint": "file:///etc/passwd"},
		"a long word":  {"x": strings.Repeat("y", 2<<20)},
		"another name": {"issuer": "https://elsewhere.example"},
	} {
		l := lying(t)
		l.config = config
		p, err := sso.New(sso.Options{Issuer: l.URL, Client: "c"})
		if err != nil {
			t.Fatal(err)
		}
		if address, err := p.Leave(t.Context(), false, keep); err == nil {
			t.Errorf("%s: %s", name, address)
		}
	}
	for place, want := range map[string]bool{"": true, inside.URL + "/end": false, "http://login.hospital.example/end": false, "javascript:alert(1)": false} {
		l := lying(t)
		l.config = map[string]any{"end_session_endpoint": map[bool]string{true: l.URL + "/end", false: place}[want]}
		p, err := sso.New(sso.Options{Issuer: l.URL, Client: "c", SignedOut: "http://localhost/sign-in"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Leave(t.Context(), false, keep); err != nil {
			t.Errorf("signing out leads to %q, and signing in fails: %v", place, err)
		}
		address, err := p.SignOut(t.Context())
		if full := l.URL + "/end?client_id=c&post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fsign-in"; err != nil || want != (address == full) || !want && address != "" {
			t.Errorf("signing out leads to %q: %q %v", place, address, err)
		}
	}
	l := lying(t)
	l.config = map[string]any{"jwks_uri": inside.URL + "/keys"}
	p, err := sso.New(sso.Options{Issuer: l.URL, Client: "c"})
	if err != nil {
		t.Fatal(err)
	}
	l.claims = map[string]any{"iss": l.URL, "aud": "c", "sub": "s", "nonce": "n", "exp": time.Now().Add(time.Hour).Unix()}
	if _, err := p.Return(t.Context(), sso.Trip{Nonce: "n"}, url.Values{"code": {"c"}, "iss": {l.URL}}); err == nil {
		t.Error("keys from another host")
	}
	redirecting := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer redirecting.Close()
	if p, err = sso.New(sso.Options{Issuer: redirecting.URL, Client: "c"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Leave(t.Context(), false, keep); !outcome.Is(err, outcome.Transient) {
		t.Errorf("a redirect: %v", err)
	}
	if reached > 0 {
		t.Errorf("another host was asked %d times", reached)
	}
	for _, issuer := range []string{"http://login.hospital.example", "https://", "ftp://localhost", "https://u:p@host", "https://host/?q"} {
		if _, err := sso.New(sso.Options{Issuer: issuer, Client: "c"}); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	for _, claim := range []string{"email", "upn"} {
		if _, err := sso.New(sso.Options{Issuer: "https://host", Client: "c", LinkClaim: claim}); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("%s: %v", claim, err)
		}
	}
}

// What cannot be kept does not leave.
func TestLeaveKeepsFirst(t *testing.T) {
	l, full := lying(t), errors.New("full")
	p, err := sso.New(sso.Options{Issuer: l.URL, Client: "chartwarden", Redirect: "http://localhost/back", ACR: []string{"two"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Leave(t.Context(), true, func(sso.Trip) (string, error) { return "", full }); !errors.Is(err, full) {
		t.Fatal(err)
	}
	var kept sso.Trip
	address, err := p.Leave(t.Context(), true, func(t sso.Trip) (string, error) { kept = t; return "state", nil })
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("state") != "state" || q.Get("nonce") != kept.Nonce || q.Get("code_challenge_method") != "S256" || q.Get("max_age") != "0" || q.Get("prompt") != "login" || q.Get("acr_values") != "two" || strings.Contains(address, kept.Verifier) {
		t.Fatal(fmt.Sprint(address))
	}
}

func FuzzReturn(f *testing.F) {
	f.Add("code=c&iss=x")
	f.Add("error=access_denied&error_description=%00")
	p, err := sso.New(sso.Options{Issuer: "http://localhost:1", Client: "c"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if _, err := p.Return(t.Context(), sso.Trip{}, q); err == nil {
			t.Fatal("it is an answer")
		}
	})
}
