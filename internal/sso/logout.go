package sso

import (
	"context"
	"errors"
	"net/url"
	"time"

	"chartwarden/internal/outcome"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Ended is what a logout token says: which session of the provider ended, or, without Session, all of a subject.
type Ended struct {
	Subject, Session string
	ID               string    // counts once, until
	Until            time.Time // is over
}

// lateLogout is how old a logout token may be that says no end itself.
const lateLogout = 10 * time.Minute

var errLogout = outcome.New(outcome.Login, "this logout token does not hold").Because("provider.logout")

// Logout verifies a back-channel logout token. That it counts once is for the caller. Errors: outcome.Login; outcome.Transient.
func (p *Provider) Logout(ctx context.Context, token string) (Ended, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return Ended{}, err
	}
	t, err := p.verifier(d).VerifyLogout(context.WithoutCancel(oidc.ClientContext(ctx, p.client)), token)
	if err != nil {
		return Ended{}, because(errLogout, errors.New("it does not verify: wrong signature, issuer, audience, events or time"))
	}
	now := p.o.Now()
	if t.TokenID == "" || t.IssuedAt.IsZero() || t.IssuedAt.After(now.Add(time.Minute)) || t.IssuedAt.Before(now.Add(-lateLogout)) {
		return Ended{}, because(errLogout, errors.New("it has no id, or is not of this moment"))
	}
	return Ended{t.Subject, t.SessionID, t.TokenID, t.IssuedAt.Add(lateLogout + time.Minute)}, nil
}

// SignOut gives the address at which whoever is at the browser ends her session at the provider, or none where the provider has no such
// place. No identity token goes along: it would be kept here, and stand in addresses, to save one question there. Errors: outcome.Transient:
// the provider cannot be reached, so that session may go on. Source: https://openid.net/specs/openid-connect-rpinitiated-1_0.html section 2.
func (p *Provider) SignOut(ctx context.Context) (string, error) {
	d, err := p.discover(ctx)
	if err != nil || d.end == "" {
		return "", err
	}
	u, err := url.Parse(d.end)
	if err != nil {
		return "", away(err)
	}
	q := u.Query()
	q.Set("client_id", p.o.Client)
	if p.o.SignedOut != "" {
		q.Set("post_logout_redirect_uri", p.o.SignedOut)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
