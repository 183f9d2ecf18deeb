package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

var (
	codeShown  = regexp.MustCompile(`<code class="secret">([0-9a-z-]{19})</code>`)
	enrolAgain = regexp.MustCompile(`^/enrol/[A-Za-z0-9_-]{43}$`)
)

// A person sees how she signs in and changes it with a fresh factor; recovery codes are shown once and lead to a new factor only.
func TestMySignIn(t *testing.T) {
	o := newOffice(t)
	anna, sam := o.staff("Anna Berg", identity.Nurse), o.staff("Sam Rivera", identity.Physician)
	anna.page("/my-sign-in", "My sign-in", "No passkey yet", "Passkeys need an address with a name", "Make ten recovery codes")
	if a := anna.post("/my-sign-in/recovery"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.text())
	}
	a := anna.page("/my-sign-in", "Shown only now", "10 codes left", "Your sign-in changed.", "New recovery codes were made")
	var codes []string
	for _, m := range codeShown.FindAllStringSubmatch(a.body, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		t.Fatalf("%d codes", len(codes))
	}
	o.hides(anna.page("/my-sign-in"), codes...)
	o.hides(sam.page("/my-sign-in"), append(codes, "Your sign-in changed.")...)
	anna.page("/activity", "Your sign-in changed.")
	if a := anna.post("/my-sign-in/seen"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	// The session that did it does not put it aside; a later one does, and it stays listed.
	o.hides(anna.page("/my-sign-in", "Your sign-in changed.", "until you sign in the next time"), "This was all me")
	o.clock.pass(30 * time.Second)
	anna.signIn()
	anna.page("/my-sign-in", "This was all me")
	if a := anna.post("/my-sign-in/seen"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	o.hides(anna.page("/my-sign-in", "New recovery codes were made"), "Your sign-in changed.", "This was all me")

	o.shows(anna.post("/my-sign-in/password"), http.StatusConflict, "the last way in which you can sign in")
	o.shows(anna.post("/my-sign-in/passkeys/aaaaaaaaaaaaaaaa", "act", "rename", "name", "Mine"), http.StatusNotFound, "no such passkey")
	o.shows(anna.post("/my-sign-in/passkeys/aaaaaaaaaaaaaaaa", "act", "steal"), http.StatusBadRequest, "Choose whether to rename or to remove")
	o.clock.pass(2*time.Minute + time.Second) // no longer fresh
	for _, path := range []string{"/my-sign-in/recovery", "/my-sign-in/password"} {
		o.shows(anna.post(path), http.StatusForbidden, "Confirm that it is you", "This changes how you sign in", `action="`+path+`"`)
	}
	o.shows(anna.post("/my-sign-in/recovery", "confirm-code", "000000"), http.StatusUnauthorized, "Confirm that it is you")
	o.shows(anna.post("/my-sign-in/recovery", "confirm-password", anna.made.Password), http.StatusBadRequest, "Confirm that it is you", "a password alone confirms nothing")
	if a := anna.post("/my-sign-in/recovery", "confirm-code", anna.code(), "confirm-password", anna.made.Password); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.text())
	}
	a = anna.get("/my-sign-in")
	fresh := codeShown.FindStringSubmatch(a.body)[1]

	stranger := &person{o: o, browser: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	stranger.page("/recover", "Use a recovery code")
	o.shows(stranger.post("/recover", "person", anna.made.Person, "code", codes[0]), http.StatusUnauthorized, "The person or the recovery code is wrong")
	a = stranger.post("/recover", "person", anna.made.Person, "code", strings.ToUpper(fresh))
	to := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !enrolAgain.MatchString(to) || a.header.Get("Set-Cookie") != "" && strings.Contains(a.header.Get("Set-Cookie"), "chartwarden=") {
		t.Fatalf("a recovery code answers %d to %s with %s", a.status, to, a.header.Get("Set-Cookie"))
	}
	stranger.page(to, "Welcome, Anna Berg")
	o.shows(stranger.post("/recover", "person", anna.made.Person, "code", fresh), http.StatusUnauthorized)
	anna.page("/activity", "Your sign-in changed.")
	anna.page("/my-sign-in", "A recovery code was used", "9 codes left")
}

// Where no passkey can be, and for what is no answer of an authenticator, there is a sentence and never a fault.
func TestPasskeyFormsTakeAnything(t *testing.T) {
	o := newOffice(t)
	anna := o.staff("Anna Berg", identity.Nurse)
	stranger := &person{o: o, browser: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, answer := range []string{"{}", "null", "not json", `{"id":"","rawId":"","type":"public-key","response":{}}`, strings.Repeat("[", 9000)} {
		for path, who := range map[string]*person{"/sign-in": stranger, "/unlock": anna, "/enrol/" + strings.Repeat("A", 43): stranger, "/my-sign-in/passkey": anna} {
			if a := who.post(path, "passkey", answer); a.status >= 500 && a.status != http.StatusNotImplemented {
				t.Errorf("%s answers %d to %.20s: %s", path, a.status, answer, a.text())
			}
		}
	}
	anna = o.staff("Anna Berg", identity.Nurse)
	for path, who := range map[string]*person{"/sign-in/passkey": stranger, "/step-up/passkey": anna, "/my-sign-in/passkey/ask": anna} {
		if a := who.post(path); a.status < 400 || !strings.Contains(a.body, "assword") && !strings.Contains(a.body, "asskeys need an address") {
			t.Errorf("%s answers %d: %s", path, a.status, a.body)
		}
	}
}
