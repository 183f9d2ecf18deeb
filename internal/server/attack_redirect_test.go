package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"chartwarden/internal/server/servertest"
)

// elsewhere are ways to write an address of another site so that a check for "begins with a slash" lets it pass.
var elsewhere = []string{"https://evil.example/", "//evil.example", "///evil.example", "////evil.example/..", `/\evil.example`, `\\evil.example`, `/\/evil.example`, "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example",
	"\t//evil.example", " //evil.example", "/%2f/evil.example", "/%5cevil.example", "/%09/evil.example", "//evil.example%2f..", "https:evil.example", "https:/evil.example", "javascript:alert(1)", "data:text/html,x",
	"/.//evil.example", "/..//evil.example", "/x/../..//evil.example", "//%65vil.example", "//evil。example", "／／evil.example", "/\u2028/evil.example", "/\x00/evil.example", "//localhost@evil.example", "http://localhost:80@evil.example/",
	"?next=//evil.example", ".evil.example", "@evil.example", "//[::ffff:7f00:1]", "/sign-in?next=//evil.example"}

// landsAt is the host that a browser goes to which is sent to an address: it takes tabs and line ends out, and a backslash for a slash.
// Source: https://url.spec.whatwg.org/#concept-basic-url-parser.
func landsAt(t *testing.T, base, location string) string {
	t.Helper()
	clean := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimFunc(location, func(r rune) bool { return r <= ' ' }))
	for strings.HasPrefix(clean, "///") { // a browser skips them
		clean = clean[1:]
	}
	from, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	to, err := from.Parse(clean)
	if err != nil {
		return "nowhere: " + err.Error()
	}
	if to.Scheme != from.Scheme {
		return to.Scheme + ":" + to.Opaque + to.Host
	}
	return to.Host
}

// Wherever the server takes a place to go on to, it goes nowhere but to itself.
func TestNothingLeadsElsewhere(t *testing.T) {
	s := servertest.Start(t)
	here := strings.TrimPrefix(s.URL, "http://")
	nobody := &servertest.Client{Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, Base: s.URL}
	leads := func(what, place string, got servertest.Answer) {
		t.Helper()
		if to := got.Header.Get("Location"); to != "" && landsAt(t, s.URL+"/sign-in", to) != here {
			t.Errorf("%s with %q leads to %q", what, place, to)
		}
		if got.Header.Get("Refresh") != "" || strings.Contains(got.Body, `http-equiv="refresh"`) {
			t.Errorf("%s with %q sends the browser on by itself", what, place)
		}
		for _, quote := range []string{`href="`, `action="`, `formaction="`} { // as what a page offers
			for _, rest := range strings.Split(got.Body, quote)[1:] {
				if to, _, _ := strings.Cut(rest, `"`); strings.Contains(to, "evil") && landsAt(t, s.URL+"/", to) != here {
					t.Errorf("%s with %q offers %q", what, place, to)
				}
			}
		}
	}
	c := s.Person(t, "Anna Lindqvist", "physician", "")
	for _, place := range elsewhere {
		leads("sign-in page", place, nobody.Get(t, "/sign-in?next="+url.QueryEscape(place)))
		leads("keys", place, c.Form(t, "/settings/keys", "back", place))
		leads("step-up", place, c.Form(t, "/step-up", "next", place))
		leads("lock", place, c.Get(t, "/locked?next="+url.QueryEscape(place)))
		asked := url.Values{"response_type": {"code"}, "client_id": {"growth"}, "redirect_uri": {place}, "scope": {"openid"}, "state": {"s"}, "aud": {s.URL + "/fhir"}}
		leads("authorize", place, nobody.Get(t, "/oauth/authorize?"+asked.Encode()))
		leads("authorize, signed in", place, c.Get(t, "/oauth/authorize?"+asked.Encode()))
		leads("post-logout", place, nobody.Do(t, "POST", "/sign-out", url.Values{"next": {place}, "post_logout_redirect_uri": {place}}.Encode(), "Content-Type", "application/x-www-form-urlencoded"))
		for _, path := range []string{place, "/x" + place, "/chart/" + place} { // the path itself
			r, err := http.NewRequest(http.MethodGet, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Opaque = "//" + here + (&url.URL{Path: "/" + strings.TrimPrefix(path, "/")}).EscapedPath()
			answer, err := nobody.Client.Do(r)
			if err != nil {
				continue // no request that could be sent
			}
			_ = answer.Body.Close()
			if to := answer.Header.Get("Location"); to != "" && landsAt(t, s.URL+"/", to) != here {
				t.Errorf("the path %q leads to %q", path, to)
			}
		}
	}
	for i, place := range elsewhere { // a sign-in that succeeds
		if testing.Short() && i%6 != 1 || strings.ContainsRune(place, 0) { // that is no text, and refused
			continue
		}
		leads("sign-in", place, signInWith(t, s, place))
	}
}
