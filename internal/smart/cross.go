package smart

import (
	"net/http"
	"net/url"
	"strings"
)

// What a page of another origin may send and see. X-Audit-Entry is not in it: whoever sits in a browser is no witness of the log.
const (
	crossMethods = "GET, POST, PUT, PATCH, DELETE"
	crossHeaders = "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist"
	crossExposed = "ETag, Location, Last-Modified, WWW-Authenticate"
)

// openToAll are the paths that any page may call: they take no cookie, and what they tell is public or proven in the request.
func openToAll(path string) bool {
	switch path {
	case configPath, "/fhir" + configPath, openIDPath, keysPath, tokenPath, revokePath, "/fhir/metadata":
		return true
	}
	return false
}

// Cross answers browsers that ask on behalf of another origin's page: for discovery and tokens to anybody, for /fhir to the origins of
// registered public apps, with a token only. No answer ever allows cookies. Source: https://fetch.spec.whatwg.org/#http-cors-protocol.
func (a *Authority) Cross(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		asks := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		h := w.Header()
		switch {
		case origin == "":
		case openToAll(r.URL.Path):
			h.Set("Access-Control-Allow-Origin", "*")
		case strings.HasPrefix(r.URL.Path, "/fhir"):
			h.Add("Vary", "Origin")
			if (asks || r.Header.Get("Authorization") != "") && a.registered(r, origin) {
				h.Set("Access-Control-Allow-Origin", origin)
			}
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			h.Set("Access-Control-Expose-Headers", crossExposed)
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
			if asks {
				h.Set("Access-Control-Allow-Methods", crossMethods)
				h.Set("Access-Control-Allow-Headers", crossHeaders)
				h.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// registered reports whether pages of an origin are where a live public app has its redirect address.
func (a *Authority) registered(r *http.Request, origin string) bool {
	clients, err := a.o.Persons.Clients(r.Context())
	if err != nil {
		return false
	}
	for _, c := range clients {
		if !c.Public() || !a.o.Persons.Live(c) {
			continue
		}
		for _, to := range c.Redirects {
			if originOf(to) == origin {
				return true
			}
		}
	}
	return false
}

// originOf is the origin of a web address; empty for a scheme of an app's own.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
