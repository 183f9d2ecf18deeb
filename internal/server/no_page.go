package server

import (
	"net/http"
	"strings"

	"chartwarden/internal/outcome"
	"chartwarden/internal/web"
)

var errNoPage = outcome.New(outcome.NotFound, "no page has this address: look whether it was typed as it was given")

// noPage answers a browser that asks for an address where nothing is with a page that leads on. Programs get the plain answer.
func noPage(mux *http.ServeMux, pages *web.Pages) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
			if answer, pattern := mux.Handler(r); pattern == "" {
				var would status
				if answer.ServeHTTP(&would, r); would == http.StatusNotFound { // else it is of another method, or one slash off
					pages.Fail(w, r, errNoPage)
					return
				}
			}
		}
		mux.ServeHTTP(w, r)
	})
}

// status is an answer of which only the status is kept.
type status int

func (s *status) Header() http.Header { return http.Header{} }
func (s *status) WriteHeader(code int) {
	if *s == 0 {
		*s = status(code)
	}
}
func (s *status) Write(b []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return len(b), nil
}
