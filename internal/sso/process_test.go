package sso_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server"
)

// People sign in through a published identity provider, in a process of its own, and nothing else of it opens anything.
func TestProvider(t *testing.T) {
	if testing.Short() {
		t.Skip("the published provider runs without -short")
	}
	h := open(t, nil)
	h.at("/test/groups", url.Values{"who": {"s-1"}, "group": {"nurses of 5 West"}})
	nurse, her := h.linked("Liv Sandberg", "s-1", "nurse")

	t.Run("two factors there are a sign-in here", func(t *testing.T) {
		b := h.browser()
		if p := b.signsIn("s-1", "two"); p.at.Path != "/day" || !b.in() {
			t.Fatalf("it leads to %s: %.2000s", p.at, p.body)
		}
		h.entry(t, "login: by provider link")
	})
	t.Run("one factor there asks for the own second one", func(t *testing.T) {
		b := h.browser()
		p := b.signsIn("s-1", "one")
		p.says(t, "One more step", "Liv Sandberg")
		if b.in() {
			t.Fatal("one factor opened a session")
		}
		half := b.half()
		wrong, _ := b.send("POST", h.URL+"/sign-in/provider/factor", url.Values{"totp": {"000000"}})
		wrong.says(t, "One more step")
		thief := h.browser()
		thief.Jar.SetCookies(half.at, half.cookies)
		if p, _ := thief.send("POST", h.URL+"/sign-in/provider/factor", url.Values{"totp": {h.code(nurse, 1)}}); p.status != http.StatusUnauthorized || thief.in() {
			t.Fatalf("what the provider said counts twice: %d", p.status)
		}
		if _, next := b.send("POST", h.URL+"/sign-in/provider/factor", url.Values{"totp": {h.code(nurse, 1)}}); !strings.HasSuffix(next, "/day") || !b.in() {
			t.Fatalf("the code leads to %s", next)
		}
	})
	t.Run("an account that nobody linked opens and makes nothing", func(t *testing.T) {
		before, err := h.Persons.People(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := h.browser()
		p := b.signsIn("liv.sandberg", "two")
		p.says(t, "not linked here", "Nothing was opened and nothing was made")
		if after, _ := h.Persons.People(t.Context()); len(after) != len(before) || b.in() {
			t.Fatal("somebody was made, or came in")
		}
		h.entry(t, "not linked to anybody here")
	})
	for name, change := range map[string]func(*url.URL){
		"another state":  on("/sign-in/provider/back", "state", func(s string) string { return s + "x" }),
		"another issuer": on("/sign-in/provider/back", "iss", func(string) string { return "https://elsewhere.example" }),
		"no issuer":      on("/sign-in/provider/back", "iss", func(string) string { return "" }),
		"another code":   on("/sign-in/provider/back", "code", func(s string) string { return s + "x" }),
		"another nonce":  on("/auth", "nonce", func(string) string { return "of-somebody-else" }),
		"another proof key": on("/auth", "code_challenge", func(s string) string {
			return map[bool]string{true: "a", false: "b"}[s[0] != 'a'] + s[1:]
		}),
	} {
		t.Run(name+" opens nothing", func(t *testing.T) {
			b := h.browser()
			p := b.goes(h.URL+"/sign-in/provider", account("s-1", "two"), change)
			if p.status != http.StatusUnauthorized || b.in() {
				t.Fatalf("it answers %d: %.2000s", p.status, p.body)
			}
			p.says(t, "Sign in")
			h.entry(t, "identity provider: ")
		})
	}
	t.Run("the way back is good once, and in one browser", func(t *testing.T) {
		b, back := h.browser(), ""
		b.goes(h.URL+"/sign-in/provider", account("s-1", "two"), func(u *url.URL) {
			if u.Path == "/sign-in/provider/back" {
				back = u.String()
			}
		})
		other := h.browser()
		if p, _ := other.send("GET", back, nil); p.status != http.StatusUnauthorized || other.in() {
			t.Fatalf("another browser: %d", p.status)
		}
		if p, _ := b.send("GET", back, nil); p.status != http.StatusUnauthorized {
			t.Fatalf("a second time: %d", p.status)
		}
		victim := h.browser() // is led to the end of an attacker's sign-in
		attacker := h.browser()
		attacker.goes(h.URL+"/sign-in/provider", account("s-1", "two"), func(u *url.URL) {
			if u.Path == "/sign-in/provider/back" {
				back = u.String()
				u.Path = "/healthz"
			}
		})
		if p, _ := victim.send("GET", back, nil); p.status != http.StatusUnauthorized || victim.in() {
			t.Fatalf("somebody else's sign-in: %d", p.status)
		}
	})
	t.Run("a step-up is asked anew and a stale one refused", func(t *testing.T) {
		stale := account("s-1", "two")
		stale.Set("ago", "3600")
		if p := her.goes(h.URL+"/step-up/provider?next=/activity", stale, nil); p.status != http.StatusUnauthorized {
			t.Fatalf("a proof of an hour ago answers %d at %s", p.status, p.at)
		} else {
			p.says(t, "did not ask you anew")
		}
		if p := her.goes(h.URL+"/step-up/provider?next=/activity", account("s-1", "one"), nil); p.status != http.StatusUnauthorized {
			t.Fatalf("one factor answers %d at %s", p.status, p.at)
		}
		if p := her.goes(h.URL+"/step-up/provider?next=/activity", account("s-1", "two"), nil); p.at.Path != "/activity" {
			t.Fatalf("it leads to %s: %.2000s", p.at, p.body)
		}
		h.entry(t, "step-up: by provider link")
		_, his := h.linked("Joel Sand", "s-2", "physician")
		his.forgets()
		if p := his.goes(h.URL+"/step-up/provider?next=/activity", account("s-1", "two"), nil); p.status != http.StatusUnauthorized {
			t.Fatalf("somebody else's account answers %d at %s", p.status, p.at)
		}
	})
	t.Run("a locked screen asks anew too", func(t *testing.T) {
		b := h.browser()
		b.signsIn("s-1", "two")
		b.send("POST", h.URL+"/lock", url.Values{})
		asked := 0
		p := b.goes(h.URL+"/sign-in/provider", account("s-1", "two"), func(u *url.URL) {
			if strings.HasPrefix(u.Path, "/sign-in/") && u.Host == strings.TrimPrefix(h.provider, "http://") {
				asked++
			}
		})
		if asked == 0 || !b.in() {
			t.Fatalf("asked %d times, and came to %s", asked, p.at)
		}
	})
	t.Run("a link is one person's", func(t *testing.T) {
		c, b := h.person("Ines Varga", "nurse"), h.browser()
		b.byPassword(c)
		page, _ := b.send("GET", h.URL+"/my-sign-in/link", nil)
		p := b.goes(strings.ReplaceAll(href.FindStringSubmatch(page.body)[1], "&amp;", "&"), account("s-1", "two"), nil)
		if p.status != http.StatusConflict {
			t.Fatalf("it answers %d at %s", p.status, p.at)
		}
		p.says(t, "linked to somebody already")
	})
	t.Run("keys of the provider change", func(t *testing.T) {
		h.at("/test/rotate", nil)
		b := h.browser()
		if p := b.signsIn("s-1", "two"); !b.in() {
			t.Fatalf("it leads to %s: %.2000s", p.at, p.body)
		}
	})
	t.Run("whoever signs out there is signed out here within a second", func(t *testing.T) {
		b, other := h.browser(), h.browser()
		b.signsIn("s-1", "two")
		other.signsIn("s-1", "two")
		form, _ := b.send("GET", h.provider+"/session/end?client_id=chartwarden", nil)
		xsrf := regexp.MustCompile(`name="xsrf" value="([^"]+)"`).FindStringSubmatch(form.body)
		if xsrf == nil {
			t.Fatalf("no form: %s", form.body)
		}
		begun := time.Now()
		b.send("POST", h.provider+"/session/end/confirm", url.Values{"xsrf": {xsrf[1]}, "logout": {"yes"}})
		for b.in() {
			if time.Since(begun) > 30*time.Second {
				t.Fatal("the session goes on")
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Logf("dead %v after the person confirmed there", time.Since(begun))
		if !other.in() {
			t.Error("another session of the person ended, too")
		}
		h.entry(t, "signed out at the identity provider")
	})
	t.Run("whoever signs out here is led to sign out there, and then has to prove herself again", func(t *testing.T) {
		b := h.browser()
		b.signsIn("s-1", "two")
		p, _ := b.send("POST", h.URL+"/sign-out", url.Values{})
		p.says(t, "You are signed out here")
		m := href.FindStringSubmatch(p.body)
		if m == nil || b.in() {
			t.Fatalf("there is no way on, or the session goes on: %.2000s", p.body)
		}
		there := strings.ReplaceAll(m[1], "&amp;", "&")
		if !strings.HasPrefix(there, h.provider+"/session/end?") || strings.Contains(there, "id_token") {
			t.Fatalf("it leads to %s", there)
		}
		form, _ := b.send("GET", there, nil)
		xsrf := regexp.MustCompile(`name="xsrf" value="([^"]+)"`).FindStringSubmatch(form.body)
		if xsrf == nil {
			t.Fatalf("no form: %s", form.body)
		}
		if _, next := b.send("POST", h.provider+"/session/end/confirm", url.Values{"xsrf": {xsrf[1]}, "logout": {"yes"}}); next != h.URL+"/sign-in" {
			t.Fatalf("it leads back to %s", next)
		}
		asked := 0
		b.goes(h.URL+"/sign-in/provider", account("s-1", "two"), func(u *url.URL) {
			if strings.HasPrefix(u.Path, "/sign-in/") && u.Host == strings.TrimPrefix(h.provider, "http://") {
				asked++
			}
		})
		if asked == 0 || !b.in() {
			t.Fatalf("her account is still open there: asked %d times", asked)
		}
		own := h.browser()
		own.byPassword(h.person("Mona Lind", "nurse"))
		if _, next := own.send("POST", h.URL+"/sign-out", url.Values{}); next != h.URL+"/sign-in" {
			t.Fatalf("a session of her own factors leads to %q", next)
		}
	})
	t.Run("a group gives a role by this house's mapping, and takes it", func(t *testing.T) {
		source := identity.ProviderSource + h.provider
		held := func() []string {
			p, err := h.Persons.Person(t.Context(), nurse.Person)
			if err != nil {
				t.Fatal(err)
			}
			return p.Roles
		}
		by := audit.Agent{Job: "test"}
		remap := func(role string, remove bool) {
			t.Helper()
			if _, err := h.Persons.MapProvider(t.Context(), by, source, "nurses of 5 West", role, remove); err != nil {
				t.Fatal(err)
			}
			if err := h.Staffing.BringUp(t.Context(), by, source); err != nil {
				t.Fatal(err)
			}
		}
		remap("billing", false)
		remap("nurse", false)
		h.browser().signsIn("s-1", "two")
		if got := held(); !slices.Contains(got, "billing") || !slices.Contains(got, "nurse") {
			t.Fatalf("she is %v", got)
		}
		remap("billing", true)
		remap("nurse", true)
		if got := held(); !slices.Equal(got, []string{"nurse"}) {
			t.Fatalf("after the mapping went she is %v: nurse she was before", got)
		}
		remap("billing", false)
		h.browser().signsIn("s-1", "two")
		if got := held(); !slices.Contains(got, "billing") {
			t.Fatalf("she is %v", got)
		}
		h.at("/test/groups", url.Values{"who": {"s-1"}})
		h.browser().signsIn("s-1", "two")
		if got := held(); slices.Contains(got, "billing") {
			t.Fatalf("out of the group she is %v", got)
		}
	})
	t.Run("a kill ends these sessions as all others", func(t *testing.T) {
		b := h.browser()
		b.signsIn("s-1", "two")
		if _, err := h.Persons.Kill(t.Context(), audit.Agent{Job: "test"}, nurse.Person, "test"); err != nil {
			t.Fatal(err)
		}
		if b.in() {
			t.Fatal("it goes on")
		}
	})
	t.Run("a leaver's account opens nothing", func(t *testing.T) {
		c, _ := h.linked("Lea Ver", "s-3", "nurse")
		if _, err := h.Persons.Terminate(t.Context(), audit.Agent{Job: "test"}, c.Person, "left"); err != nil {
			t.Fatal(err)
		}
		b := h.browser()
		if b.signsIn("s-3", "two"); b.in() {
			t.Fatal("it opens")
		}
	})
	if report, err := h.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Fatalf("the records are not as the log says: %v %v", err, report.Faults)
	}
}

// A site may want people known by the key that a directory or the HR file gave, and by nothing that passes from one to another.
func TestProviderKnowsByAKey(t *testing.T) {
	if testing.Short() {
		t.Skip("the published provider runs without -short")
	}
	h := open(t, func(c *server.Config) { c.OIDCLink = "staff_number=" + identity.HRSource })
	c := h.person("Liv Sandberg", "nurse")
	if err := h.Persons.TakeOn(t.Context(), audit.Agent{Job: "test"}, identity.Account{Source: identity.HRSource, Person: c.Person, Key: "number-s-7"}); err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	if p := b.signsIn("s-7", "two"); !b.in() {
		t.Fatalf("it leads to %s: %.2000s", p.at, p.body)
	}
	h.entry(t, "provider-link: ")
	if p := h.browser().signsIn("s-8", "two"); !strings.Contains(p.body, "not linked here") {
		t.Fatalf("nobody's number: %.2000s", p.body)
	}
}

// Where people take turns at a workstation, the provider's session of the one before is nobody's sign-in; elsewhere it saves one.
func TestProviderWherePeopleTakeTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("the published provider runs without -short")
	}
	for _, turns := range []bool{false, true} {
		h := open(t, func(c *server.Config) {
			if turns {
				c.Zones = "hospital=127.0.0.0/8+shared,hospital=::1/128+shared"
			}
		})
		_, b := h.linked("Liv Sandberg", "s-1", "nurse")
		here, err := url.Parse(h.URL)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Jar.Cookies(here) { // she leaves, and the next person comes
			b.Jar.SetCookies(here, []*http.Cookie{{Name: c.Name, Path: "/", MaxAge: -1}})
		}
		p := b.signsIn("s-2", "two")
		if came := b.in(); came == turns {
			t.Errorf("taking turns %v: signed in as the one before %v, at %s", turns, came, p.at)
		}
	}
}

// A provider that is away stops nothing but itself.
func TestProviderAway(t *testing.T) {
	h := open(t, func(c *server.Config) { c.OIDCIssuer = "http://localhost:1" })
	b := h.browser()
	p := b.goes(h.URL+"/sign-in/provider?next=/activity", nil, nil)
	p.says(t, "cannot be reached now", "sign in here with your passkey", `value="/activity"`)
	b.byPassword(h.person("Liv Sandberg", "nurse"))
	if !b.in() {
		t.Fatal("local sign-in does not work")
	}
}

// on changes one parameter of the addresses with a path.
func on(path, name string, change func(string) string) func(*url.URL) {
	return func(u *url.URL) {
		if q := u.Query(); u.Path == path {
			if v := change(q.Get(name)); v == "" {
				q.Del(name)
			} else {
				q.Set(name, v)
			}
			u.RawQuery = q.Encode()
		}
	}
}

// entry fails the test when no entry says so.
func (h *house) entry(t *testing.T, words string) {
	t.Helper()
	if all := h.texts(); !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, words) }) {
		t.Fatalf("no entry says %q:\n%s", words, strings.Join(all, "\n"))
	}
}
