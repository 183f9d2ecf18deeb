package sso

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Trip is what has to be remembered of somebody who was sent to the provider, where nobody else reads it, and used once.
type Trip struct {
	Nonce, Verifier string
	Fresh           bool // the person has to prove herself anew
	Began           time.Time
}

// Answer is what the provider says of somebody who came back.
type Answer struct {
	identity.Vouched
	Name   string   // of the account, only to be shown
	Key    string   // of the link claim; empty: there is none
	Groups []string // of the group claim
}

// Leave gives the address to which the browser goes. fresh has the person prove herself anew there, whatever session she has. keep stores the
// trip and gives the name under which it is found again: the state. Errors: outcome.Transient: the provider cannot be reached; what keep says.
func (p *Provider) Leave(ctx context.Context, fresh bool, keep func(Trip) (state string, err error)) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	t := Trip{rand.Text(), oauth2.GenerateVerifier(), fresh, p.o.Now().UTC()}
	state, err := keep(t)
	if err != nil {
		return "", err
	}
	more := []oauth2.AuthCodeOption{oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)}
	if fresh {
		more = append(more, oauth2.SetAuthURLParam("max_age", "0"), oauth2.SetAuthURLParam("prompt", "login"))
	} else {
		more = append(more, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(p.o.MaxAge/time.Second))))
	}
	if len(p.o.ACR) > 0 {
		more = append(more, oauth2.SetAuthURLParam("acr_values", strings.Join(p.o.ACR, " ")))
	}
	return p.exchange(d).AuthCodeURL(state, more...), nil
}

// Refusals. They say nothing of what stood in a token.
var (
	errDeclined = outcome.New(outcome.Login, "the hospital sign-in was cancelled or refused there: try again, or sign in here").Because("provider.declined")
	errIssuer   = outcome.New(outcome.Login, "this answer is not from the hospital's sign-in: start again").Because("provider.issuer")
	errToken    = outcome.New(outcome.Login, "what the hospital sign-in answered does not hold, so nothing was opened: start again").Because("provider.token")
	errStale    = outcome.New(outcome.Login, "the hospital sign-in did not ask you anew, so this confirms nothing: try again, or use your passkey or a code").Because("provider.stale")
)

// Return verifies what the browser came back with. t is the trip that its state named, used up by now. The cause of a refusal, for the entry,
// is what errors.Unwrap gives. Errors: outcome.Login: it does not hold; outcome.Transient: the provider cannot be reached.
func (p *Provider) Return(ctx context.Context, t Trip, q url.Values) (Answer, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return Answer{}, err
	}
	if iss := q.Get("iss"); iss != p.o.Issuer && (iss != "" || d.names) {
		return Answer{}, because(errIssuer, errors.New("another issuer answered"))
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		return Answer{}, because(errDeclined, errors.New("the provider answered with an error"))
	}
	ctx = context.WithoutCancel(oidc.ClientContext(ctx, p.client))
	config := p.exchange(d)
	more := []oauth2.AuthCodeOption{oauth2.VerifierOption(t.Verifier)}
	if p.key != nil {
		proof, err := p.key.assertion(p.o.Client, config.Endpoint.TokenURL, p.o.Now())
		if err != nil {
			return Answer{}, outcome.Wrap("sso: sign", outcome.Exception, "the request to the hospital sign-in could not be signed", err)
		}
		more = append(more, proof...)
	}
	token, err := config.Exchange(ctx, q.Get("code"), more...)
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < 500 {
		return Answer{}, because(errToken, errors.New("the provider does not redeem the code"))
	}
	if err != nil {
		return Answer{}, away(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.verifier(d).Verify(ctx, raw)
	if err != nil {
		return Answer{}, because(errToken, errors.New("the identity token does not verify: wrong signature, issuer, audience or time"))
	}
	return p.read(t, id, token.AccessToken)
}

// claims are what is read of an identity token beside what the library verifies.
type claims struct {
	Authorized string          `json:"azp"`
	AuthTime   int64           `json:"auth_time"`
	Class      string          `json:"acr"`
	Methods    json.RawMessage `json:"amr"`
	Session    string          `json:"sid"`
	Preferred  string          `json:"preferred_username"`
	Name       string          `json:"name"`
	Email      string          `json:"email"`
}

func (p *Provider) read(t Trip, id *oidc.IDToken, access string) (Answer, error) {
	var c claims
	all := map[string]json.RawMessage{}
	if err := errors.Join(id.Claims(&c), id.Claims(&all)); err != nil {
		return Answer{}, because(errToken, errors.New("the claims cannot be read"))
	}
	now := p.o.Now()
	proved := time.Unix(c.AuthTime, 0).UTC()
	oldest := now.Add(-p.o.MaxAge)
	if t.Fresh {
		oldest = t.Began.Truncate(time.Second)
	}
	switch {
	case t.Nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.Nonce)) != 1:
		return Answer{}, because(errToken, errors.New("the nonce is another one"))
	case c.Authorized != "" && c.Authorized != p.o.Client, c.Authorized == "" && len(id.Audience) > 1:
		return Answer{}, because(errToken, errors.New("the token is for another client, too"))
	case id.AccessTokenHash != "" && id.VerifyAccessToken(access) != nil:
		return Answer{}, because(errToken, errors.New("the access token is not the one that was vouched for"))
	case id.Subject == "" || len(id.Subject) > 255:
		return Answer{}, because(errToken, errors.New("there is no subject of at most 255 bytes"))
	case id.IssuedAt.After(now.Add(time.Minute)), proved.After(now.Add(time.Minute)):
		return Answer{}, because(errToken, errors.New("it is from the future: compare the clocks"))
	case c.AuthTime == 0:
		return Answer{}, because(errStale, errors.New("the provider does not say when the person proved herself (auth_time)"))
	case proved.Before(oldest.Add(-skew)):
		return Answer{}, because(errStale, errors.New("the proof is older than was asked for"))
	}
	a := Answer{Vouched: identity.Vouched{Issuer: p.o.Issuer, Subject: id.Subject, Session: c.Session, Level: 1, Proved: proved}, Name: firstOf(c.Preferred, c.Name, c.Email)}
	for _, said := range append(texts(c.Methods), c.Class) {
		if said != "" && slices.Contains(p.o.TwoFactors, said) {
			a.Level = 2
		}
	}
	if p.o.GroupClaim != "" {
		a.Groups = texts(all[p.o.GroupClaim])
	}
	if keys := texts(all[p.o.LinkClaim]); p.o.LinkClaim != "" && len(keys) == 1 {
		a.Key = keys[0]
	}
	return a, nil
}

// longestName bounds what is shown of an account.
const longestName = 120

func firstOf(names ...string) string {
	for _, n := range names {
		if n = strings.Join(strings.Fields(strings.ToValidUTF8(n, "")), " "); n != "" {
			return string([]rune(n)[:min(len([]rune(n)), longestName)])
		}
	}
	return ""
}

// texts reads a claim that is a text or a list of texts; anything else is none.
func texts(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	return nil
}

func because(e *outcome.Error, why error) error {
	return outcome.Wrap("sso: return", e.Code, e.Public, why).Because(e.Reason)
}
