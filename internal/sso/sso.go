// Package sso asks a hospital's identity provider who is at the browser: OpenID Connect, code flow with PKCE, and its back-channel logout.
//
//	provider, err := sso.New(sso.Options{Issuer: "https://login.hospital.example", Client: "chartwarden", ...})
//	address, err := provider.Leave(ctx, false, keep)         // where the browser goes; keep stores the trip and names it
//	answer, err := provider.Return(ctx, trip, query)         // what the provider says, after all of it was verified
//	ended, err := provider.Logout(ctx, token)                // which of its sessions ended
//	address, err := provider.SignOut(ctx)                    // where the browser goes to end the one there
//
// Nothing is opened here: whose account it is, and what an answer opens, is for identity. Only hosts that the site named are asked, by https
// except on loopback, without redirects, in bounded size and time. Nothing is fetched before it is needed, and a provider that is down stops
// nothing but itself. Sources: https://openid.net/specs/openid-connect-core-1_0.html, https://openid.net/specs/openid-connect-backchannel-1_0.html,
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html,
// RFC 7636 (PKCE), RFC 9207 (issuer in the response).
package sso

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/outcome"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Options say which provider it is and what its words count as. Issuer, Client and Redirect are required.
type Options struct {
	Issuer     string
	Client     string // this server's name there
	Secret     string // shared with it; or
	Key        []byte // a private key, PEM (PKCS #8) or JWK, of which the provider has the public half; with neither this is a public client
	Redirect   string // address of this server that the browser comes back to
	SignedOut  string // address of this server that it comes back to after signing out there; empty: it stays there
	Hosts      []string
	Scopes     []string // beside openid
	ACR        []string // that are asked for, the best first
	TwoFactors []string // values of acr, or among amr, that count as two factors; every other counts as one
	GroupClaim string   // claim that lists groups; empty: none is read
	LinkClaim  string   // claim by which another source knows the person; empty: people link their accounts themselves
	MaxAge     time.Duration
	Now        func() time.Time
	Transport  http.RoundTripper // nil: as usual
}

const (
	longestFetch  = 10 * time.Second
	largestAnswer = 1 << 20
	believed      = time.Hour        // how long a discovery document is
	rests         = 15 * time.Second // a provider that did not answer is not asked again so long: whoever comes meanwhile is told at once
	// skew is how far the clocks of provider and server may be apart.
	skew = 10 * time.Second
)

// Provider is one identity provider. Safe for concurrent use.
type Provider struct {
	o      Options
	hosts  []string
	client *http.Client
	key    *signingKey

	mu     sync.Mutex
	found  *discovered
	asking chan struct{} // is closed when the answer that is under way has come; nil: none is
	failed error         // of the newest question, until
	until  time.Time
}

// discovered is what the provider says of itself.
type discovered struct {
	*oidc.Provider
	names bool   // it names itself in each response
	end   string // where people sign out there; empty: it says none, or one where nobody is sent
	at    time.Time
}

// New makes a provider of what a site set, without asking anybody. Errors: outcome.Invalid, with the setting.
func New(o Options) (*Provider, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxAge == 0 {
		o.MaxAge = 15 * time.Minute
	}
	bad := func(setting, mend string) (*Provider, error) {
		return nil, outcome.New(outcome.Invalid, mend).At(setting)
	}
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !speaks(u) {
		return bad("--oidc-issuer", "write --oidc-issuer as the https address that the provider calls itself")
	}
	if o.Client == "" {
		return bad("--oidc-client", "name this server as the provider does with --oidc-client")
	}
	if slices.Contains([]string{"email", "preferred_username", "upn", "unique_name", "name"}, o.LinkClaim) {
		return bad("--oidc-link", "a mail address or a name can pass to somebody else: link by a claim that never changes hands")
	}
	p := &Provider{o: o, hosts: append([]string{strings.ToLower(u.Host)}, o.Hosts...)}
	if len(o.Key) > 0 {
		if p.key, err = readKey(o.Key); err != nil {
			return bad("--oidc-key-file", "the key of --oidc-key-file is no private key for ES256, ES384 or RS256, as PEM (PKCS #8) or JWK")
		}
	}
	base := o.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	p.client = &http.Client{Transport: bounded{base, p.hosts}, Timeout: longestFetch, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p, nil
}

// Issuer is the provider's own name of itself.
func (p *Provider) Issuer() string { return p.o.Issuer }

// Host is the provider's name as people may know it.
func (p *Provider) Host() string {
	u, _ := url.Parse(p.o.Issuer) // New read it
	return u.Hostname()
}

var errAway = outcome.New(outcome.Transient, "the hospital sign-in cannot be reached now: sign in here with your passkey, or with your password and a code").Because("provider.away")

// away is errAway with its cause.
func away(err error) error {
	return outcome.Wrap("sso: reach", outcome.Transient, errAway.Public, err).Because(errAway.Reason)
}

// discover asks the provider for what it says of itself, once an hour; while it cannot be reached what it said last goes on. One asks at a
// time, and nobody waits behind another's waiting: those who come meanwhile have what it said last, or the same answer.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	now := p.o.Now()
	fresh := p.found != nil && now.Sub(p.found.at).Abs() < believed
	resting := p.failed != nil && now.Before(p.until) && p.until.Sub(now) <= rests
	switch {
	case fresh || p.found != nil && (resting || p.asking != nil):
		defer p.mu.Unlock()
		return p.found, nil
	case resting:
		defer p.mu.Unlock()
		return nil, p.failed
	}
	if p.asking == nil {
		p.asking = make(chan struct{})
		go p.ask(context.WithoutCancel(ctx), p.asking)
	}
	asking := p.asking
	p.mu.Unlock()
	select {
	case <-asking:
	case <-ctx.Done():
		return nil, away(ctx.Err())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	return nil, p.failed
}

// ask keeps what the provider says of itself now, or why it did not.
func (p *Provider) ask(ctx context.Context, done chan struct{}) {
	found, err := p.fetch(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed = err; err == nil {
		p.found = found
	} else if p.until = p.o.Now().Add(rests); !outcome.Is(err, outcome.Transient) {
		p.found = nil // it answered, and leads where nobody is sent
	}
	p.asking = nil
	close(done)
}

func (p *Provider) fetch(ctx context.Context) (*discovered, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.o.Issuer)
	if err != nil {
		return nil, away(err)
	}
	var said struct {
		Names bool   `json:"authorization_response_iss_parameter_supported"`
		End   string `json:"end_session_endpoint"`
	}
	if err := found.Claims(&said); err != nil {
		return nil, away(err)
	}
	for _, address := range []string{found.Endpoint().AuthURL, found.Endpoint().TokenURL} {
		if !p.named(address) {
			return nil, outcome.New(outcome.BusinessRule, "the hospital sign-in leads to a host that this site did not name: the administrator adds it with --oidc-hosts, or corrects the provider").Because("provider.host")
		}
	}
	if !p.named(said.End) { // signing in goes on without it
		said.End = ""
	}
	return &discovered{found, said.Names, said.End, p.o.Now()}, nil
}

// named reports whether an address that the provider gives is at a host to which people may be sent.
func (p *Provider) named(address string) bool {
	u, err := url.Parse(address)
	return err == nil && speaks(u) && slices.Contains(p.hosts, strings.ToLower(u.Host))
}

// exchange is the client of the provider's endpoints.
func (p *Provider) exchange(d *discovered) *oauth2.Config {
	e := d.Endpoint()
	e.AuthStyle = oauth2.AuthStyleInHeader
	if p.o.Secret == "" {
		e.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{ClientID: p.o.Client, ClientSecret: p.o.Secret, Endpoint: e, RedirectURL: p.o.Redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.o.Scopes...)}
}

// algorithms by which a provider may sign. None and those with a shared secret are not among them.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

func (p *Provider) verifier(d *discovered) *oidc.IDTokenVerifier {
	return d.Verifier(&oidc.Config{ClientID: p.o.Client, SupportedSigningAlgs: algorithms, Now: p.o.Now})
}
