package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

// Cookie names. The __Host- prefix makes a browser keep the cookie to this host over https; plain http on loopback has no Secure
// cookies in every browser, so there it goes by its bare name.
const (
	sessionCookie = "__Host-chartwarden"
	plainCookie   = "chartwarden"
)

func (s *Server) https() bool { return strings.HasPrefix(s.Config.PublicURL, "https://") }

func (s *Server) cookieName() string {
	if s.https() {
		return sessionCookie
	}
	return plainCookie
}

// SetSession hands the session to the browser: HttpOnly, SameSite=Lax, for the session's life. The life is told as a length, since the
// clock of a workstation on a ward may be hours off.
func (s *Server) SetSession(w http.ResponseWriter, token string, ends time.Time) {
	lasts := max(1, int(ends.Sub(s.options.Now())/time.Second))
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: token, Path: "/", MaxAge: lasts, HttpOnly: true, Secure: s.https(), SameSite: http.SameSiteLaxMode})
}

// ClearSession takes the session from the browser, and what it kept of pages. Not its cookies and not its store: the device stays who it is, and
// its key lies there. Pages keep nothing else in it.
func (s *Server) ClearSession(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.https(), SameSite: http.SameSiteLaxMode})
	w.Header().Set("Clear-Site-Data", `"cache"`)
}

// Token is the session token of a request: the bearer's when there is an Authorization header, else the cookie's.
func (s *Server) Token(r *http.Request) string {
	if h := r.Header.Get("Authorization"); h != "" {
		token, _ := strings.CutPrefix(h, "Bearer ")
		return token
	}
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// Arrival is where a request comes from, as far as this server can establish it: the place by its networks (see zones.go). That a cookie names
// a device proves nothing: a device is known by its key.
func (s *Server) Arrival(r *http.Request) identity.Arrival {
	a := identity.Arrival{Device: s.device(r), Browser: browserWords(r.UserAgent()), Trust: "unknown"}
	var byProxy bool
	a.Address, byProxy = s.peer(r)
	a.Zone = s.zoneOf(r, a.Address, byProxy)
	if c, err := r.Cookie(seatCookie); err == nil && s.pretends() {
		return s.options.DemoFrom(c.Value, a)
	}
	return a
}

// identified finds the session of a request and hands it on in the context. Nobody signed in is no error here: a route that is not
// public refuses.
func (s *Server) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.meet(w, r)
		if token := s.Token(r); token != "" {
			who, err := s.principal(r, token)
			ctx := r.Context()
			if err == nil {
				ctx = access.WithPrincipal(ctx, who)
			} else {
				ctx = context.WithValue(ctx, whyOut{}, err)
			}
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// principal finds who asks by a session's token or an app's. An app's is good for the FHIR API and nothing else.
func (s *Server) principal(r *http.Request, token string) (access.Principal, error) {
	if !identity.IsAccessToken(token) {
		session, err := s.Persons.Authenticate(r.Context(), token)
		if err != nil {
			return access.Principal{}, err
		}
		session, err = s.acting(r, session.At(s.Arrival(r)))
		return access.Person(session), err
	}
	provisions := inSCIM(r)
	if r.URL.Path != "/fhir" && !strings.HasPrefix(r.URL.Path, "/fhir/") && !provisions {
		return access.Principal{}, identity.ErrNoToken
	}
	bearer, err := s.Persons.Bearer(r.Context(), token, s.Arrival(r))
	if err == nil && bearer.Client.Provisions() != provisions { // a directory never reads a record, and nobody else keeps people
		err = identity.ErrNoToken
	}
	if err != nil {
		return access.Principal{}, err
	}
	who := access.App(bearer)
	if provisions {
		return who, nil
	}
	return who, s.Gate.CountRequest(r.Context(), who)
}

// whyOut carries why a token was not good: signed out, or locked.
type whyOut struct{}
