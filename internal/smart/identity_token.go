package smart

import (
	"context"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/scope"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// identityClaims are OpenID Connect's, with SMART's fhirUser.
type identityClaims struct {
	jwt.Claims
	ACR      string           `json:"acr,omitempty"`
	AuthTime *jwt.NumericDate `json:"auth_time,omitempty"`
	Nonce    string           `json:"nonce,omitempty"`
	FHIR     string           `json:"fhirUser,omitempty"`
	Act      *act             `json:"act,omitempty"`
}

// act names who acts as the subject. Source: https://www.rfc-editor.org/rfc/rfc8693#section-4.1.
type act struct {
	Subject string `json:"sub"`
}

// identityToken says to an app who let it in, signed. Source: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html.
func (a *Authority) identityToken(ctx context.Context, i identity.Issued) (string, error) {
	id, key, err := a.o.Persons.TokenSigner(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: id}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", outcome.Wrap("smart: identity token", outcome.Exception, "no identity token could be signed", err)
	}
	now := a.o.Now()
	claims := identityClaims{Nonce: i.Nonce, Claims: jwt.Claims{Issuer: a.o.Base, Subject: i.Signed.ID, Audience: jwt.Audience{i.Client},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute))}}
	claims.ACR = identity.ACR(i.AAL)
	if i.Actor != "" {
		claims.Act = &act{i.Actor}
	}
	if !i.AuthAt.IsZero() {
		claims.AuthTime = jwt.NewNumericDate(i.AuthAt)
	}
	if i.Granted.Has(scope.FHIRPerson) || i.Granted.Has(scope.Profile) {
		own := i.Signed.Practitioner
		if i.Capacity == identity.PatientCapacity {
			own = i.Signed.Patient
		}
		if own != "" {
			claims.FHIR = a.fhirBase() + "/" + own
		}
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", outcome.Wrap("smart: identity token", outcome.Exception, "no identity token could be signed", err)
	}
	return text, nil
}
