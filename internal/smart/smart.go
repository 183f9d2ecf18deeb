// Package smart is the OAuth 2.0 and SMART App Launch surface: how an app is let in by a person, and how a backend service proves itself.
//
//	authority := smart.New(smart.Options{Gate: gate, Persons: people, Base: "https://ehr.example", ...})
//	routes := authority.Routes()             // discovery, authorize, token, introspect, revoke, keys
//	handler = authority.Cross(handler)       // CORS for those, and for /fhir of registered browser apps
//
// It keeps nothing: clients, authorizations and tokens live in identity, and what a token may do is the door's to say. PKCE (S256) is
// asked of every app, redirect addresses match exactly, a key proves a confidential client and no secret is shared with anybody.
// Sources: https://hl7.org/fhir/smart-app-launch/STU2.2/, RFC 6749, 7009, 7523, 7636, 7662, 9207.
package smart

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
)

// Options are the parts an Authority stands on; all are required but Banners.
type Options struct {
	Gate    *access.Gate
	Persons *identity.Store
	Base    string // public URL of this server, without a slash at its end: the issuer
	Arrival func(*http.Request) identity.Arrival
	Now     func() time.Time
	Banners func() []look.Banner
	Mark    func(page []byte, s *identity.Session) []byte                  // says in the forms of a page whose it is
	Confirm func(w http.ResponseWriter, r *http.Request, next, why string) // draws the page that asks for a factor again and leads on to next
}

// Authority answers the OAuth endpoints. Safe for concurrent use.
type Authority struct {
	o      Options
	nobody limit // refusals of clients that nobody knows, so that strangers cannot fill the log
}

// New prepares the endpoints.
func New(o Options) *Authority {
	if o.Banners == nil {
		o.Banners = func() []look.Banner { return nil }
	}
	return &Authority{o: o}
}

// Paths of the endpoints below the public URL.
const (
	authorizePath  = "/oauth/authorize"
	consentPath    = "/oauth/consent"
	tokenPath      = "/oauth/token"
	introspectPath = "/oauth/introspect"
	revokePath     = "/oauth/revoke"
	keysPath       = "/oauth/jwks"
	configPath     = "/.well-known/smart-configuration"
	openIDPath     = "/.well-known/openid-configuration"
)

// Routes lists the endpoints. Those of programs are public: a program proves itself in the request.
func (a *Authority) Routes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: configPath, Public: true, Handler: a.configuration},
		{Method: "GET", Pattern: "/fhir" + configPath, Public: true, Handler: a.configuration},
		{Method: "GET", Pattern: openIDPath, Public: true, Handler: a.openID},
		{Method: "GET", Pattern: keysPath, Public: true, Handler: a.keys},
		{Method: "GET", Pattern: authorizePath, Public: true, Handler: a.authorize}, // sends whoever is not signed in to where one does
		{Method: "POST", Pattern: consentPath, Action: policy.Own, Handler: a.consent},
		{Method: "POST", Pattern: tokenPath, Public: true, Handler: a.token},
		{Method: "POST", Pattern: introspectPath, Public: true, Handler: a.introspect},
		{Method: "POST", Pattern: revokePath, Public: true, Handler: a.revoke},
	}
}

// Programmatic reports whether a path takes no cookie, so that a request from another site's page to it forges nothing.
func Programmatic(path string) bool {
	return path == tokenPath || path == introspectPath || path == revokePath
}

// fhirBase is the audience of every token.
func (a *Authority) fhirBase() string { return a.o.Base + "/fhir" }

// ours reports whether an address is that of a path here. On the machine itself one server has several names, and each means this one.
func (a *Authority) ours(address, path string) bool {
	if address == a.o.Base+path {
		return true
	}
	to, err := url.Parse(address)
	base, baseErr := url.Parse(a.o.Base)
	return err == nil && baseErr == nil && loopback(to) && loopback(base) && to.Port() == base.Port() && address == to.Scheme+"://"+to.Host+path && to.Scheme == base.Scheme
}

func loopback(u *url.URL) bool {
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the connection is the client's to lose
}

// host is where an address leads, in the words of a page.
func host(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	scheme, _, _ := strings.Cut(address, ":")
	return scheme
}
