package server

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/sso"
)

// provider is the identity provider of the configuration; nil: there is none. Errors name the setting.
func (c Config) provider(now func() time.Time) (*sso.Provider, error) {
	if c.OIDCIssuer == "" {
		return nil, nil
	}
	read := func(flag, name string) ([]byte, error) {
		if name == "" {
			return nil, nil
		}
		text, err := os.ReadFile(name)
		if err != nil || len(bytes.TrimSpace(text)) == 0 {
			return nil, outcome.Wrap("server: identity provider", outcome.NotFound, "the file of "+flag+" cannot be read, or is empty: check its path and permissions", errors.New("unreadable")).At(flag)
		}
		return bytes.TrimSpace(text), nil
	}
	secret, err := read("--oidc-secret-file", c.OIDCSecretFile)
	if err != nil {
		return nil, err
	}
	key, err := read("--oidc-key-file", c.OIDCKeyFile)
	if err != nil {
		return nil, err
	}
	if len(secret) > 0 && len(key) > 0 {
		return nil, outcome.New(outcome.Invalid, "give --oidc-secret-file or --oidc-key-file, not both").At("--oidc-key-file")
	}
	claim, source := c.link()
	if c.OIDCLink != "" && (claim == "" || source == "") {
		return nil, outcome.New(outcome.Invalid, "write --oidc-link as CLAIM=SOURCE, for example employee_id=hr:").At("--oidc-link")
	}
	var old time.Duration
	if c.OIDCMaxAge != "" {
		if old, err = time.ParseDuration(c.OIDCMaxAge); err != nil || old < time.Second || old > 12*time.Hour {
			return nil, outcome.New(outcome.Invalid, "write --oidc-max-age as a duration of at most 12h, for example 15m").At("--oidc-max-age")
		}
	}
	scopes := listed(c.OIDCScopes)
	if c.OIDCScopes == "" {
		scopes = []string{"profile"}
	}
	return sso.New(sso.Options{Issuer: c.OIDCIssuer, Client: c.OIDCClient, Secret: string(secret), Key: key, Redirect: c.withDefaults().PublicURL + "/sign-in/provider/back", SignedOut: c.withDefaults().PublicURL + "/sign-in", Hosts: listed(strings.ToLower(c.OIDCHosts)),
		Scopes: scopes, ACR: listed(c.OIDCACR), TwoFactors: listed(c.OIDCTwoFactors), GroupClaim: c.OIDCGroups, LinkClaim: claim, MaxAge: old, Now: now})
}

// link is by which claim, and as whose key, people are known who did not link their accounts themselves.
func (c Config) link() (claim, source string) {
	claim, source, _ = strings.Cut(c.OIDCLink, "=")
	return claim, source
}

func listed(values string) []string {
	return strings.FieldsFunc(values, func(r rune) bool { return r == ',' || r == ' ' })
}
