package sso

import (
	"context"
	"errors"
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
