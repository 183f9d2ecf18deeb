package sso_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/sso/ssotest"

	"github.com/pquerna/otp/totp"
)

// house is a served sandbox and, in a process of its own, the identity provider by which its people sign in.
type house struct {
	*servertest.Server
	t        *testing.T
	provider string
}

// open starts both. set changes the configuration before the server opens.
func open(t *testing.T, set func(*server.Config)) *house {
	t.Helper()
	h := &house{t: t, provider: ssotest.Free(t)}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(ssotest.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.Server = servertest.ReachableAs(t, func(c *server.Config) {
		c.OIDCIssuer, c.OIDCClient, c.OIDCSecretFile, c.OIDCTwoFactors, c.OIDCACR, c.OIDCGroups = h.provider, "chartwarden", secret, "two", "two,one", "groups"
		if set != nil {
			set(c)
		}
	})
	ssotest.Run(t, h.provider, h.URL+"/sign-in/provider/back", h.URL+"/sign-in/provider/logout")
	return h
}

// person makes somebody with a password and an authenticator.
func (h *house) person(name string, roles ...string) identity.Credentials {
	h.t.Helper()
	made, err := h.Persons.CreateForTest(h.t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: name, Roles: roles, TrainingDue: h.Now().AddDate(1, 0, 0)})
	if err != nil {
		h.t.Fatal(err)
	}
	return made
}

// browser is a browser without a screen that follows links between the two.
type browser struct {
	*http.Client
	h *house
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, h}
}

// page is where a browser came to.
type page struct {
	at     *url.URL
	status int
	body   string
}

func (p page) says(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(p.body, w) {
			t.Fatalf("%s (%d) does not say %q:\n%.3000s", p.at, p.status, w, p.body)
		}
	}
}

func (b *browser) send(method, address string, form url.Values) (page, string) {
	b.h.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.h.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.Do(r)
	if err != nil {
		b.h.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	next := ""
	if to, err := answer.Location(); err == nil {
		next = to.String()
	}
	return page{r.URL, answer.StatusCode, string(body)}, next
}

// goes follows an address until a page comes; login is what is typed at the provider's sign-in. change sees, and may alter, each address.
func (b *browser) goes(address string, login url.Values, change func(*url.URL)) page {
	b.h.t.Helper()
	method, form := "GET", url.Values(nil)
	for range 20 {
		u, err := url.Parse(address)
		if err != nil {
			b.h.t.Fatal(err)
		}
		if change != nil {
			change(u)
		}
		p, next := b.send(method, u.String(), form)
		switch {
		case next != "":
			method, form, address = "GET", nil, next
		case strings.HasPrefix(p.at.Path, "/sign-in/") && p.at.Host == strings.TrimPrefix(b.h.provider, "http://") && method == "GET":
			method, form, address = "POST", login, p.at.String()
		default:
			return p
		}
	}
	b.h.t.Fatal("it goes round and round")
	return page{}
}

// forgets drops the cookies of the provider, and keeps those of this server.
func (b *browser) forgets() {
	b.h.t.Helper()
	here, err := url.Parse(b.h.URL)
	if err != nil {
		b.h.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.h.t.Fatal(err)
	}
	jar.SetCookies(here, b.Jar.Cookies(here))
	b.Jar = jar
}

// jar is what a browser keeps of this server at a moment.
type jar struct {
	at      *url.URL
	cookies []*http.Cookie
}

func (b *browser) half() jar {
	b.h.t.Helper()
	here, err := url.Parse(b.h.URL)
	if err != nil {
		b.h.t.Fatal(err)
	}
	return jar{here, b.Jar.Cookies(here)}
}

func account(who, level string) url.Values { return url.Values{"who": {who}, "level": {level}} }

// signsIn goes to the provider and comes back.
func (b *browser) signsIn(who, level string) page {
	b.h.t.Helper()
	return b.goes(b.h.URL+"/sign-in/provider", account(who, level), nil)
}

// in reports whether the browser has a session.
func (b *browser) in() bool {
	b.h.t.Helper()
	p, _ := b.send("GET", b.h.URL+"/my-sign-in", nil)
	return p.status == http.StatusOK
}

// byPassword signs in with the own factors.
func (b *browser) byPassword(c identity.Credentials) {
	b.h.t.Helper()
	p, _ := b.send("POST", b.h.URL+"/session/test", url.Values{"person": {c.Person}, "password": {c.Password}, "totp": {b.h.code(c, 0)}})
	if p.status != http.StatusNoContent {
		b.h.t.Fatalf("signing in answers %d: %s", p.status, p.body)
	}
}

// code is that of the authenticator, some steps ahead.
func (h *house) code(c identity.Credentials, ahead int) string {
	h.t.Helper()
	code, err := totp.GenerateCode(c.Secret, h.Now().Add(time.Duration(ahead)*30*time.Second))
	if err != nil {
		h.t.Fatal(err)
	}
	return code
}

var href = regexp.MustCompile(`href="(http://localhost[^"]+)"`)

// linked is a person whose account at the provider is who.
func (h *house) linked(name, who string, roles ...string) (identity.Credentials, *browser) {
	h.t.Helper()
	c, b := h.person(name, roles...), h.browser()
	b.byPassword(c)
	p, _ := b.send("GET", h.URL+"/my-sign-in/link", nil)
	m := href.FindStringSubmatch(p.body)
	if m == nil {
		h.t.Fatalf("the page has no way to the provider:\n%s", p.body)
	}
	back := b.goes(strings.ReplaceAll(m[1], "&amp;", "&"), account(who, "two"), nil)
	if back.at.Path != "/my-sign-in" {
		h.t.Fatalf("linking leads to %s: %s", back.at, back.body)
	}
	back.says(h.t, "Account of "+who)
	return c, b
}

// at posts to the provider's own side doors.
func (h *house) at(path string, form url.Values) {
	h.t.Helper()
	answer, err := http.PostForm(h.provider+path, form)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = answer.Body.Close()
}

// texts are what the entries of the log say, newest last.
func (h *house) texts() (out []string) {
	h.t.Helper()
	n := h.Log.State().Size
	for i := range n {
		r, err := h.Log.Entry(h.t.Context(), audit.Index(i))
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, r.Event.Interaction+": "+r.Event.Text)
	}
	return out
}
