package server_test

import (
	"net/http"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"

	"github.com/pquerna/otp/totp"
)

// B8. A hundred guesses within a minute: all but the first few wait unread, so few passwords are hashed; and the owner, at the browser where she
// was before, signs in all the while.
func TestAHundredTriesAMinute(t *testing.T) {
	s := servertest.Start(t)
	s.Stop()
	clock := servertest.ClockAt(s.Now())
	s = servertest.OpenOn(t, s.Dir, clock)
	made, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Anna Lindqvist", Roles: []string{identity.Nurse}})
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(c *servertest.Client) servertest.Answer {
		t.Helper()
		clock.Add(31 * time.Second) // each code counts once
		code, err := totp.GenerateCode(made.Secret, clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c.Form(t, "/sign-in", "person", made.Person, "password", made.Password, "totp", code)
	}
	own, stranger := browser(t, s), browser(t, s)
	own.Get(t, "/sign-in")
	if a := signIn(own); a.Status != http.StatusSeeOther {
		t.Fatal(a.Status, a.Body)
	}
	own.Form(t, "/sign-out")
	stranger.Get(t, "/sign-in")
	answers := map[int]int{}
	for range 100 {
		clock.Add(600 * time.Millisecond)
		answers[stranger.Form(t, "/sign-in", "person", made.Person, "password", "wrong wrong wrong", "totp", "000000").Status]++
	}
	t.Log("answers by status:", answers)
	if judged := 100 - answers[http.StatusTooManyRequests]; judged < 3 || judged > 12 {
		t.Errorf("%d of 100 guesses were looked at, want a few", judged)
	}
	if a := signIn(own); a.Status != http.StatusSeeOther {
		t.Errorf("the owner is kept out by another's guesses: %d %s", a.Status, a.Body)
	}
}
