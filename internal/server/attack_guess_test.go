package server_test

import (
	"net/http"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// Whoever guesses at names learns from no way in whether there is such a person, or how she stands: the answers are the same, word for
// word, and slow down alike, however the name is written. (That the same work is done for all is TestUnknownNamesCostTheSame of identity.)
func TestNobodyLearnsWhoIsHere(t *testing.T) {
	s := servertest.Start(t)
	job := audit.Agent{Job: "test"}
	here := map[string]identity.Credentials{}
	for _, name := range []string{"wrong password", "wrong code", "by the other factor alone", "suspended", "left", "patient", "slowed"} {
		role := identity.Nurse
		if name == "patient" {
			role = identity.Patient
		}
		n := identity.NewPerson{Name: strings.ToUpper(name[:1]) + name[1:], Roles: []string{role}}
		if role == identity.Patient {
			n.Patient = stored(t, s.Gate, `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`)
		}
		made, err := s.Persons.CreateForTest(t.Context(), job, n)
		if err != nil {
			t.Fatal(err)
		}
		here[name] = made
	}
	if err := s.Persons.Suspend(t.Context(), job, here["suspended"].Person, "on leave"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Persons.Terminate(t.Context(), job, here["left"].Person, "left"); err != nil {
		t.Fatal(err)
	}
	pending, _, err := s.Persons.Create(t.Context(), job, identity.NewPerson{Name: "Not Enrolled", Roles: []string{identity.Nurse}})
	if err != nil {
		t.Fatal(err)
	}
	here["never enrolled"] = identity.Credentials{Person: pending.ID, Password: "correct horse battery"}
	nobody := identity.Credentials{Person: like(pending.ID)}
	tries := func(name string, who identity.Credentials) map[string]servertest.Answer {
		password, code := "wrong wrong wrong", "000000"
		switch name {
		case "wrong code":
			password = who.Password
		case "by the other factor alone":
			password, code = "", codeOf(t, who, s.Now())
		}
		locked := s.Person(t, "Some Body", "nurse", "")
		locked.Form(t, "/lock")
		return map[string]servertest.Answer{
			"sign-in":  browser(t, s).Form(t, "/sign-in", "person", who.Person, "password", password, "totp", code),
			"recover":  browser(t, s).Form(t, "/recover", "person", who.Person, "code", "aaaa-aaaa-aaaa-aaaa"),
			"unlock":   locked.Form(t, "/unlock", "person", who.Person, "password", password, "totp", code),
			"sandbox":  browser(t, s).Form(t, "/session/test", "person", who.Person, "password", password, "totp", code),
			"no code":  browser(t, s).Form(t, "/session/test", "person", who.Person, "password", "wrong wrong wrong"),
			"password": browser(t, s).Form(t, "/session/test", "person", who.Person, "password", "", "totp", ""),
		}
	}
	clear := func() { // so that a slowed guess is not what differs
		for _, who := range here {
			_ = s.Persons.LiftThrottle(t.Context(), job, who.Person)
		}
	}
	// A name that nobody has cannot be relieved, so each of its ways in is asked under another one.
	names := 0
	unknown := func() identity.Credentials {
		names++
		id := []byte(nobody.Person)
		id[0], id[1] = 'a'+byte(names%26), 'a'+byte(names/26)
		return identity.Credentials{Person: string(id)}
	}
	usual := map[string]string{}
	stranger := unknown()
	for way, got := range tries("", stranger) {
		usual[way] = blind(got, stranger.Person)
	}
	for name, who := range here {
		for way, got := range tries(name, who) {
			if told := blind(got, who.Person); got.Status != http.StatusTooManyRequests && told != usual[way] {
				t.Errorf("%s, %s: %d\n%s\n---\n%s", name, way, got.Status, differ(told, usual[way]), differ(usual[way], told))
			}
			if got.Status < 400 {
				t.Errorf("%s, %s: %d", name, way, got.Status)
			}
		}
		clear()
	}
	statuses := func(person string) (out []int) { // the same name in many hands
		for i := range 8 {
			typed := []string{person, strings.ToUpper(person), " " + person, person + "  ", strings.ToUpper(person[:3]) + person[3:]}[i%5]
			out = append(out, browser(t, s).Form(t, "/session/test", "person", typed, "password", "wrong wrong wrong", "totp", "000000").Status)
		}
		return out
	}
	known, none := statuses(here["slowed"].Person), statuses(unknown().Person)
	for i := range known {
		if known[i] != none[i] {
			t.Fatalf("guesses at somebody give %v, at nobody %v", known, none)
		}
	}
	if known[7] != http.StatusTooManyRequests {
		t.Errorf("guesses are not slowed: %v", known)
	}
}
