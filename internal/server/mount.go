package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/db"
	"chartwarden/internal/fhirapi"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/scim"
	"chartwarden/internal/smart"
	"chartwarden/internal/web"
)

// ownSession is the action of routes by which a person handles the own session and nothing else.
const ownSession = "session"

// mount collects the routes of every surface and refuses one that names no action: a way in that nobody decided about.
func (s *Server) mount() error {
	api := &fhirapi.API{Gate: s.Gate, Base: s.Config.PublicURL + "/fhir", Zone: s.zone, Version: Version, Started: s.started}
	provider, err := s.Config.provider(s.options.Now)
	if err != nil {
		return err
	}
	_, linkSource := s.Config.link()
	pages := web.New(web.Options{Gate: s.Gate, Persons: s.Persons, Office: s.Office, Staffing: s.Staffing, Rules: s.Rules, Deciding: s.Deciding, School: s.School, State: s.Log.State, Browser: s, Head: func() ([]byte, string) { return s.Log.Head(), s.Log.Verifier() }, Zone: s.zone, Now: s.options.Now,
		Sandbox: s.Sandbox(), Demo: s.options.Demo, Base: s.Config.PublicURL, Hospital: s.options.Hospital, DemoList: s.options.DemoList, DemoSeat: s.options.DemoSeat, Drill: s.drill, InWords: smart.InWords, Trouble: s.trouble, Standing: func() string { return s.Watch.State().Standing }, Watches: s.watches, Feed: s.feedOf, Settings: s.settings(), Version: Version, Provider: provider, Account: cmp.Or(s.Config.OIDCName, "hospital account"), LinkSource: linkSource, Logger: s.options.Logger})
	s.shutdown = append(s.shutdown, pages.Close)
	authority := smart.New(smart.Options{Gate: s.Gate, Persons: s.Persons, Base: s.Config.PublicURL, Arrival: s.Arrival, Now: s.options.Now, Banners: pages.Banners, Mark: web.MarkWhose, Confirm: pages.Confirm})
	directories := &scim.API{Gate: s.Gate, Persons: s.Persons, Desk: s.Staffing, Base: s.Config.PublicURL}
	s.routes = slices.Concat(s.own(), api.Routes(), authority.Routes(), directories.Routes(), pages.Routes())
	if s.watches {
		s.routes = withoutCharts(s.routes, pages)
	}
	if err := nameActions(s.routes); err != nil {
		return err
	}
	mux := http.NewServeMux()
	s.metrics = newMetrics(s)
	for _, route := range s.routes {
		mux.Handle(strings.TrimSpace(route.Method+" "+route.Pattern), s.metrics.measured(route, s.guard(route, pages)))
	}
	s.handler = withHeaders(s.https(), authority.Cross(protected(legible(s.identified(noPage(mux, pages))))))
	return nil
}

// nameActions refuses a route that is neither public nor names an action: every server is mounted through it, so none starts with a bare route.
func nameActions(routes []access.Route) error {
	actions := append(policy.Default().Actions(), ownSession)
	for _, route := range routes {
		if !route.Public && !slices.Contains(actions, route.Action) {
			return outcome.New(outcome.Exception, "route "+strings.TrimSpace(route.Method+" "+route.Pattern)+" names no policy action")
		}
	}
	return nil
}

// protected refuses what another site's page makes a browser send along with our cookie. A request that names its token itself, and
// the endpoints that take no cookie, cannot be forged so: a browser app of another origin may call them.
func protected(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const mend = "this request came along from another site's page: a program sends a token as Authorization, and no Origin"
		if inFHIR(r) {
			fhirapi.Fail(w, outcome.New(outcome.Forbidden, mend).At("Origin"))
			return
		}
		http.Error(w, mend, http.StatusForbidden)
	}))
	protection := guard.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || smart.Programmatic(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		protection.ServeHTTP(w, r)
	})
}

// guard lets only signed-in principals reach a route that is not public.
func (s *Server) guard(route access.Route, pages *web.Pages) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if route.Public || access.PrincipalFrom(r.Context()).SignedIn() {
			err := fromOwnPage(r)
			if err == nil {
				r, err = whileActing(route, r)
			}
			switch {
			case err == nil:
				route.Handler(w, r)
			case inFHIR(r):
				fhirapi.Fail(w, err)
			default:
				pages.Fail(w, r, err)
			}
			return
		}
		err, _ := r.Context().Value(whyOut{}).(error)
		if err == nil {
			err = identity.ErrSignedOut
		}
		switch {
		case inFHIR(r):
			fhirapi.Fail(w, err)
			return
		case inSCIM(r):
			scim.Fail(w, err)
			return
		}
		pages.SignedOut(w, r, err)
	})
}

// inFHIR reports whether whoever asks is a program that reads an OperationOutcome.
func inFHIR(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/fhir") || strings.HasPrefix(r.URL.Path, "/audit/receipt")
}

// inSCIM reports whether whoever asks is a directory.
func inSCIM(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, scim.Root+"/") }

// Routes lists every route of the server, for `chartwarden routes`.
func (s *Server) Routes() []access.Route { return slices.Clone(s.routes) }

// own are the routes of the server itself.
func (s *Server) own() []access.Route {
	routes := []access.Route{
		{Method: "GET", Pattern: "/healthz", Public: true, Handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }},
		{Method: "GET", Pattern: "/readyz", Public: true, Handler: s.readyz},
		{Method: "GET", Pattern: "/metrics", Public: true, Handler: s.serveMetrics},
	}
	if s.Sandbox() {
		routes = append(routes, access.Route{Method: "POST", Pattern: "/session/test", Public: true, Handler: s.testSession})
	}
	return routes
}

// readyz answers whether charts can be served: the log takes entries, and the records are there.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if err := s.ready(r.Context()); err != nil {
		http.Error(w, "charts open by the emergency path only", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) ready(context.Context) error {
	for _, d := range []*db.DB{s.records, s.trail, s.keys} {
		if d == nil || d.Broken() != nil {
			return outcome.New(outcome.NoStore, "a database cannot be written")
		}
	}
	if s.Log.State().Journaling {
		return outcome.New(outcome.NoStore, "the log cannot be written")
	}
	return nil
}

// testSession signs in without a browser; the route exists in a sandbox only.
func (s *Server) testSession(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if err := r.ParseForm(); err != nil {
		fhirapi.Fail(w, outcome.New(outcome.Invalid, "send person, password and totp as form fields"))
		return
	}
	opened, err := s.Persons.SignIn(r.Context(), identity.Attempt{Person: r.PostForm.Get("person"), Password: r.PostForm.Get("password"),
		Code: r.PostForm.Get("totp"), Capacity: r.PostForm.Get("capacity"), From: s.Arrival(r)})
	if err != nil {
		fhirapi.Fail(w, err)
		return
	}
	s.SetSession(w, opened.Token, opened.Session.Ends)
	w.WriteHeader(http.StatusNoContent)
}
