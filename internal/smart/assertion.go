package smart

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// An assertion is over at most five minutes from now; clocks may differ by a little.
const (
	assertionLasts = 5 * time.Minute
	skew           = 15 * time.Second
)

// client finds who sends a form: by an assertion for those who have a key, by client_id alone for public apps. named is what the
// request calls itself, for the record, also when it is refused. A request that names nobody gives the zero Client.
func (a *Authority) client(r *http.Request, form url.Values) (c identity.Client, named string, err error) {
	named = form.Get("client_id")
	if assertion := form.Get("client_assertion"); assertion != "" || form.Has("client_assertion_type") {
		if form.Get("client_assertion_type") != assertionType {
			return c, named, wrong(badClient, "client_assertion_type is "+assertionType)
		}
		c, named, err = a.proven(r.Context(), assertion, named)
		return c, named, err
	}
	if r.Header.Get("Authorization") != "" || form.Has("client_secret") {
		return c, named, wrong(badClient, "no client has a secret here: prove yourself by private_key_jwt, or be a public app")
	}
	if named == "" {
		return c, "", nil
	}
	c, err = a.o.Persons.LiveClient(r.Context(), named)
	if outcome.Is(err, outcome.NotFound) || err == nil && !c.Public() {
		return identity.Client{}, named, wrong(badClient, "the client is not known, or it has a key and did not prove itself by it (private_key_jwt)")
	}
	return c, named, err
}

// proven checks an assertion: key and algorithm (the keys are those of the registration, whatever jku says), then whom it is for, then its time, and only then that its number is new, so that
// nobody uses up the numbers of another by assertions that do not hold.
// Source: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html.
func (a *Authority) proven(ctx context.Context, assertion, named string) (identity.Client, string, error) {
	bad := func(text string) (identity.Client, string, error) {
		return identity.Client{}, named, wrong(badClient, text)
	}
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS384, jose.ES384})
	if err != nil || len(token.Headers) != 1 {
		return bad("the assertion is no JWT signed with RS384 or ES384")
	}
	header := token.Headers[0]
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return bad("the claims of the assertion cannot be read")
	}
	if claims.Issuer == "" || claims.Issuer != claims.Subject || named != "" && named != claims.Issuer {
		return bad("iss and sub of the assertion are both the client's id")
	}
	named = claims.Issuer
	c, err := a.o.Persons.LiveClient(ctx, named)
	if outcome.Is(err, outcome.NotFound) || err == nil && c.Public() {
		return bad("the client is not known, or registered no key")
	}
	if err != nil {
		return c, named, err
	}
	key, ok := keyOf(c, header.KeyID, header.Algorithm)
	if !ok {
		return bad("the client registered no key with that kid for that algorithm")
	}
	if err := token.Claims(key, &claims); err != nil {
		return bad("the signature of the assertion does not hold")
	}
	now := a.o.Now()
	switch {
	case len(claims.Audience) != 1 || !a.ours(claims.Audience[0], tokenPath):
		return bad("aud of the assertion is the token endpoint, " + a.o.Base + tokenPath)
	case claims.Expiry == nil || !now.Before(claims.Expiry.Time()):
		return bad("the assertion is over: sign a new one for each request")
	case claims.Expiry.Time().After(now.Add(assertionLasts + skew)):
		return bad("exp of the assertion is at most five minutes ahead")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(skew)), claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(skew)):
		return bad("the assertion is from the future: check the clock")
	case claims.ID == "" || len(claims.ID) > 256:
		return bad("the assertion needs a jti of its own, of at most 256 characters")
	}
	return c, named, a.o.Persons.SpendAssertion(ctx, c.ID, claims.ID, claims.Expiry.Time())
}

// keyOf is the key that a client registered under a kid, if it is one for the algorithm.
func keyOf(c identity.Client, kid, algorithm string) (jose.JSONWebKey, bool) {
	var set jose.JSONWebKeySet
	if json.Unmarshal(c.Keys, &set) != nil {
		return jose.JSONWebKey{}, false
	}
	for _, k := range set.Keys {
		if (k.KeyID == kid || kid == "" && len(set.Keys) == 1) && string(identity.AssertionAlgorithm(k)) == algorithm {
			return k, true
		}
	}
	return jose.JSONWebKey{}, false
}
