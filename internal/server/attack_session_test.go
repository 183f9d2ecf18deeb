package server_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"

	"github.com/pquerna/otp/totp"
)

// hired is somebody with a password and an authenticator who has not signed in.
func hiredHere(t *testing.T, s *servertest.Server, name, role string) identity.Credentials {
	t.Helper()
	made, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: name, Roles: []string{role}, TrainingDue: s.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func codeOf(t *testing.T, made identity.Credentials, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(made.Secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// browser is one without a session, or with planted cookies.
func browser(t *testing.T, s *servertest.Server, planted ...*http.Cookie) *servertest.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(at, planted)
	return &servertest.Client{Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, Base: s.URL}
}

// signInWith signs somebody new in by the page, with a place to go on to.
func signInWith(t *testing.T, s *servertest.Server, next string) servertest.Answer {
	t.Helper()
	made := hiredHere(t, s, "New Person", identity.Nurse)
	got := browser(t, s).Form(t, "/sign-in", "person", made.Person, "password", made.Password, "totp", codeOf(t, made, s.Now()), "next", next)
	if got.Status != http.StatusSeeOther {
		t.Fatalf("no sign-in: %d %s", got.Status, got.Body)
	}
	return got
}

// A session that somebody plants in a browser is not the one that its person gets, and what was planted never becomes hers.
func TestSessionFixation(t *testing.T) {
	s := servertest.Start(t)
	mallory := tokenOf(t, s.Person(t, "Mallory", "nurse", ""))
	for what, planted := range map[string]string{"an invented token": strings.Repeat("A", 43), "the attacker's own session": mallory.token} {
		anna := hiredHere(t, s, "Anna Lindqvist", identity.Nurse)
		victim := browser(t, s, &http.Cookie{Name: "chartwarden", Value: planted, Path: "/"})
		victim.Get(t, "/sign-in")
		if got := victim.Form(t, "/sign-in", "person", anna.Person, "password", anna.Password, "totp", codeOf(t, anna, s.Now())); got.Status != http.StatusSeeOther {
			t.Fatalf("%s: no sign-in: %d", what, got.Status)
		}
		own := tokenOf(t, victim)
		if own.token == planted {
			t.Errorf("%s: the session kept the token that was planted", what)
		}
		if page := victim.Get(t, "/my-sign-in"); page.Status != http.StatusOK || !strings.Contains(page.Body, "Anna Lindqvist") {
			t.Errorf("%s: the victim is not herself: %d", what, page.Status)
		}
		answer, err := (caller{token: planted}).at(s.URL).do("GET", "/my-sign-in", "")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(answer.Body, "Anna Lindqvist") {
			t.Errorf("%s: it became the victim's session", what)
		}
	}
	// A token counts nowhere but in the cookie and as Authorization.
	for _, path := range []string{"/my-sign-in?chartwarden=" + mallory.token, "/my-sign-in?token=" + mallory.token, "/my-sign-in?access_token=" + mallory.token, "/my-sign-in;chartwarden=" + mallory.token} {
		if got := browser(t, s).Get(t, path, "X-Session", mallory.token, "X-Auth-Token", mallory.token); got.Status == http.StatusOK {
			t.Errorf("a token in the address opens %.20s", path)
		}
	}
	if got := browser(t, s).Do(t, "POST", "/my-sign-in/seen", "chartwarden="+mallory.token+"&access_token="+mallory.token, "Content-Type", "application/x-www-form-urlencoded"); got.Header.Get("Location") != "/sign-in" {
		t.Errorf("a token in a form counts: %d %s", got.Status, got.Header.Get("Location"))
	}
}

// What a browser keeps of a session no script reads, no other site sends along with a form, and no other host sets.
func TestTheSessionCookieIsKeptClose(t *testing.T) {
	s := servertest.Start(t)
	got := signInWith(t, s, "")
	var cookie string
	for _, c := range got.Header.Values("Set-Cookie") {
		if strings.HasPrefix(c, "chartwarden=") {
			cookie = c
		}
	}
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("%s is missing of %.20s", want, cookie)
		}
	}
	if strings.Contains(cookie, "Domain=") {
		t.Errorf("hosts beside this one get it")
	}
}

// A code that was used is used up for everything: signing in, stepping up and unlocking; of many at once one counts, and none of the step
// before it after it.
func TestCodesAreUsedUpEverywhere(t *testing.T) {
	s := servertest.Start(t)
	made := hiredHere(t, s, "Anna Lindqvist", identity.Administrator)
	now := s.Now()
	code, old := codeOf(t, made, now), codeOf(t, made, now.Add(-30*time.Second))
	var won sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		c := browser(t, s)
		all.Go(func() {
			if got := c.Form(t, "/sign-in", "person", made.Person, "password", made.Password, "totp", code); got.Status == http.StatusSeeOther {
				won.Store(i, c)
			}
		})
	}
	all.Wait()
	var c *servertest.Client
	n := 0
	won.Range(func(_, v any) bool { n++; c = v.(*servertest.Client); return true })
	if n != 1 {
		t.Fatalf("%d of eight at once signed in with one code", n)
	}
	refused := func(what string, got servertest.Answer) {
		t.Helper()
		if got.Status < 400 {
			t.Errorf("%s: %d %s", what, got.Status, got.Header.Get("Location"))
		}
	}
	refused("step up by the code of the sign-in", c.Form(t, "/step-up", "next", "/", "confirm-code", code))
	refused("an act by the code of the sign-in", c.Form(t, "/admin/people", "name", "Some Body", "role", "nurse", "confirm-code", code))
	refused("step up by the code before", c.Form(t, "/step-up", "next", "/", "confirm-code", old))
	if got := c.Form(t, "/lock"); got.Status != http.StatusSeeOther {
		t.Fatal(got.Status)
	}
	refused("unlock by the code of the sign-in", c.Form(t, "/unlock", "totp", code))
	refused("sign in again", browser(t, s).Form(t, "/sign-in", "person", made.Person, "password", made.Password, "totp", code))
	refused("sign in by the code before", browser(t, s).Form(t, "/sign-in", "person", made.Person, "password", made.Password, "totp", old))
}

// Of eight who bring the same recovery code at once one gets on, and after that nobody.
func TestARecoveryCodeAtOnce(t *testing.T) {
	s := servertest.Start(t)
	c := s.Person(t, "Anna Lindqvist", "nurse", "")
	page := c.Form(t, "/my-sign-in/recovery")
	if page.Status == http.StatusSeeOther {
		page = c.Get(t, page.Header.Get("Location"))
	}
	found := recoveryCode.FindAllStringSubmatch(page.Body, -1)
	if len(found) != 10 {
		t.Fatalf("%d codes: %d %s", len(found), page.Status, page.Body)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	opened := 0
	for range 8 {
		b := browser(t, s)
		all.Go(func() {
			if got := b.Form(t, "/recover", "person", c.Person.Person, "code", found[0][1]); got.Status == http.StatusSeeOther || strings.Contains(got.Body, "/enrol/") {
				mu.Lock()
				opened++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if opened != 1 {
		t.Errorf("%d of eight got on by one code", opened)
	}
	if got := browser(t, s).Form(t, "/recover", "person", c.Person.Person, "code", found[0][1]); got.Status < 400 {
		t.Errorf("a used code: %d", got.Status)
	}
}
