package server_test

import (
	"net/http"
	"strings"
	"testing"

	"chartwarden/internal/server/servertest"
)

// Where nothing is a browser reads a page that leads on, and a program one line; another method is still another method.
func TestWhereNothingIs(t *testing.T) {
	s := servertest.Start(t)
	nobody := &servertest.Client{Client: &http.Client{}, Base: s.URL}
	for _, c := range []struct {
		method, path, accept string
		status               int
		says                 string
	}{
		{"GET", "/overview", "text/html", http.StatusNotFound, "There is nothing here"},
		{"GET", "/chart/x/y/z/%3Cscript%3E", "text/html,*/*", http.StatusNotFound, "no page has this address"},
		{"GET", "/overview", "application/json", http.StatusNotFound, "404 page not found"},
		{"POST", "/overview", "text/html", http.StatusNotFound, "404 page not found"},
		{"GET", "/sign-out", "text/html", http.StatusMethodNotAllowed, ""},
	} {
		a := nobody.Do(t, c.method, c.path, "", "Accept", c.accept)
		if a.Status != c.status || !strings.Contains(strings.ToLower(a.Body), strings.ToLower(c.says)) || strings.Contains(a.Body, "<script>") {
			t.Errorf("%s %s for %s: %d %s", c.method, c.path, c.accept, a.Status, a.Body)
		}
	}
}
