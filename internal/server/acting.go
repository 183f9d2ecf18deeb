package server

import (
	"net/http"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// A request names by which agreed item its person acts as another: a browser in a cookie, a program in a header. Either only chooses among
// what she may: the item is looked up each time.

const (
	actingCookie = "__Host-chartwarden-acting"
	plainActing  = "chartwarden-acting"
	actingHeader = "X-Acting"
)

func (s *Server) actingName() string {
	if s.https() {
		return actingCookie
	}
	return plainActing
}

// SetActing lets the browser act by an item, or, with an empty one, no longer.
func (s *Server) SetActing(w http.ResponseWriter, item string, until time.Time) {
	lasts := -1
	if item != "" {
		lasts = max(1, int(until.Sub(s.options.Now())/time.Second))
	}
	http.SetCookie(w, &http.Cookie{Name: s.actingName(), Value: item, Path: "/", MaxAge: lasts, HttpOnly: true, Secure: s.https(), SameSite: http.SameSiteLaxMode})
}

// acting is the session as which a request comes: another's where it names an item that lets it. A program that names one that does not is
// told; a browser, whose hour may be over, goes on as the person herself, with her own name on the page.
func (s *Server) acting(r *http.Request, ses *identity.Session) (*identity.Session, error) {
	if item := r.Header.Get(actingHeader); item != "" {
		return s.Persons.As(r.Context(), ses, item)
	}
	if r.Header.Get("Authorization") != "" {
		return ses, nil
	}
	if c, err := r.Cookie(s.actingName()); err == nil && c.Value != "" {
		as, err := s.Persons.As(r.Context(), ses, c.Value)
		if err == nil {
			return as, nil
		}
		if !outcome.Is(err, outcome.Forbidden) {
			return nil, err
		}
	}
	return ses, nil
}

// herself are the routes that somebody who acts as another uses as herself.
var herself = map[string]bool{"POST /lock": true, "POST /alive": true, "POST /sign-out": true, "GET /events": true, "GET /acting": true, "POST /acting/{item}": true}

// asAnother are the routes that she uses as the other, beside those that read.
var asAnother = map[string]bool{"GET /{$}": true, "GET /day": true, "POST /find": true, "POST /fhir/{type}/_search": true, "POST /oauth/consent": true}

var errActing = outcome.New(outcome.Forbidden, "you act as somebody else, which only reads: end it first, on the page Acting as somebody").Because("acting.reads")

// whileActing is the request as the route takes it from somebody who acts as another. Errors: outcome.Forbidden where she may not use it.
func whileActing(route access.Route, r *http.Request) (*http.Request, error) {
	who := access.PrincipalFrom(r.Context())
	if who.Session == nil || who.Session.Actor == nil || route.Public {
		return r, nil
	}
	name := strings.TrimSpace(route.Method + " " + route.Pattern)
	reads := route.Method == http.MethodGet && (route.Action == policy.Read || route.Action == policy.Search || route.Action == policy.Find)
	switch {
	case herself[name]:
		who.Session = who.Session.Actor
		return r.WithContext(access.WithPrincipal(r.Context(), who)), nil
	case reads, asAnother[name]:
		return r, nil
	}
	return r, errActing
}
