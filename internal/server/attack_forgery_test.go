package server_test

import (
	"net/http"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/smart"
)

// crossSite are the headers by which a browser says that another site's page made it send a request: by a form, by a script, in a frame,
// from a sandboxed document, and from an old browser that knows only Origin.
var crossSite = map[string][]string{
	"form":          {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Origin", "https://evil.example", "Content-Type", "application/x-www-form-urlencoded"},
	"sibling":       {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate", "Origin", "https://evil.ehr.example", "Content-Type", "application/x-www-form-urlencoded"},
	"fetch":         {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Origin", "https://evil.example", "Content-Type", "text/plain"},
	"json as text":  {"Origin", "https://evil.example", "Content-Type", "text/plain;charset=UTF-8"},
	"old browser":   {"Origin", "https://evil.example", "Content-Type", "application/x-www-form-urlencoded"},
	"sandboxed":     {"Origin", "null", "Content-Type", "application/x-www-form-urlencoded"},
	"a wrong token": {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Authorization", "Bearer x", "Content-Type", "application/x-www-form-urlencoded"},
	"no token":      {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Authorization", "Basic", "Content-Type", "application/x-www-form-urlencoded"},
}

// at fills in a pattern with what the victim has.
func (b *besieged) at(pattern string) string {
	foreign := b.foreign()
	return wildcard.ReplaceAllStringFunc(pattern, func(x string) string {
		switch name := strings.Trim(x, "{}."); {
		case x == "{$}":
			return ""
		case name == "type":
			return "Condition"
		case len(foreign[x]) > 0:
			return foreign[x][0].there
		case len(foreign[name]) > 0:
			return foreign[name][0].there
		}
		return "x"
	})
}

// changes are the methods by which a route may change something.
func changes(route access.Route) []string {
	switch route.Method {
	case http.MethodGet:
		return nil
	case "":
		return []string{"POST", "PUT", "PATCH", "DELETE"}
	}
	return []string{route.Method}
}

// Each route that may change something, of the table of routes, refuses what another site's page makes the victim's browser send with the
// victim's cookie; and nothing of it happened.
func TestForgedRequestsToEveryRoute(t *testing.T) {
	if testing.Short() {
		t.Skip("walks every route: runs without -short")
	}
	b := besiege(t)
	for _, who := range []*servertest.Client{b.victim, b.attackers["administrator"], b.officer} {
		if who.Get(t, "/my-devices").Status != http.StatusOK {
			t.Fatal("a victim is not signed in")
		}
	}
	before, sent := b.state(t), 0
	for _, route := range b.Routes() {
		for _, method := range changes(route) {
			for name, headers := range crossSite {
				for _, who := range []*servertest.Client{b.victim, b.attackers["administrator"], b.officer} {
					got := who.Do(t, method, b.at(route.Pattern), anyForm("approve"), headers...)
					sent++
					token := strings.Contains(name, "token")
					switch {
					case smart.Programmatic(route.Pattern): // takes no cookie, so there is nothing to forge
						if got.Status < 400 && !strings.Contains(got.Body, `"active":false`) && route.Pattern != "/oauth/revoke" {
							t.Errorf("%s %s (%s): a cookie does something: %d %s", method, route.Pattern, name, got.Status, got.Body)
						}
					case token && route.Public: // the token is worth nothing, and the route asks for none: as anybody could send it
					case token && (got.Status == http.StatusUnauthorized || got.Status == http.StatusSeeOther && (got.Header.Get("Location") == "/sign-in" || got.Header.Get("Location") == "/locked")):
					case !token && got.Status == http.StatusForbidden && strings.Contains(got.Body, "another site"):
					default:
						t.Errorf("%s %s (%s): %d %.200s", method, route.Pattern, name, got.Status, got.Body)
					}
				}
			}
		}
	}
	if after := b.state(t); after != before {
		t.Errorf("something happened:\n%s\n---\n%s", differ(before, after), differ(after, before))
	}
	if t.Log(sent, "forged requests"); sent < 1000 {
		t.Error("that is too few")
	}
	// The same from this site's own page is no forgery.
	if got := b.victim.Do(t, "POST", "/my-sign-in/seen", "", "Sec-Fetch-Site", "same-origin", "Origin", b.URL, "Content-Type", "application/x-www-form-urlencoded"); got.Status != http.StatusSeeOther {
		t.Errorf("the own page: %d", got.Status)
	}
}

// No link does anything: whatever another site makes the victim open, by GET or HEAD, with the ways to call it something else, changes
// nothing; not even the authorization page, which asks.
func TestLinksDoNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("walks every route: runs without -short")
	}
	b := besiege(t)
	before := b.state(t)
	for _, route := range b.Routes() {
		if route.Pattern == "/events" || strings.HasPrefix(route.Pattern, "/enrol") { // the one does not end; nobody guesses the other
			continue
		}
		for _, who := range []*servertest.Client{b.victim, b.officer, b.attackers["administrator"]} {
			for _, method := range []string{"GET", "HEAD"} {
				path := b.at(route.Pattern)
				if !strings.Contains(path, "?") {
					path += "?" + anyForm("approve") + "&_method=DELETE"
				}
				got := who.Do(t, method, path, "", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", "text/html", "X-HTTP-Method-Override", "DELETE", "X-Method-Override", "POST")
				for _, c := range got.Header.Values("Set-Cookie") {
					if strings.HasPrefix(c, "chartwarden=") {
						t.Errorf("%s %s sets a session: %s", method, route.Pattern, c)
					}
				}
			}
		}
	}
	if after := b.state(t); after != before {
		t.Errorf("something happened:\n%s\n---\n%s", differ(before, after), differ(after, before))
	}
}
