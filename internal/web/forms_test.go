package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/server/servertest"

	"github.com/pquerna/otp/totp"
)

// A form that fails answers with an address that says nothing; the page there shows why, with what was typed, and a browser that is
// closed in between loses nothing of it.
func TestWhatWasTypedSurvivesAFailedForm(t *testing.T) {
	w := newWard(t)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	signed := w.physician.Form(t, w.chart("notes"), "act", "sign", "kind", "11506-3", "title", "day 2", "text", "Crackles.", "draft", "new")
	note := signed.Header.Get("Location")
	for name, c := range map[string]struct {
		who    *servertest.Client
		path   string
		fields []string
		status int
		place  string
		says   string
		typed  string
	}{
		"the glass, without a reason":   {sam, "/glass", []string{"patient", w.maren, "text", "Lee called from the ward"}, 400, w.chart(), "Choose one of the reasons", "Lee called from the ward"},
		"the glass, with a wrong code":  {sam, "/glass", []string{"patient", w.maren, "code", "consulted", "text", "Lee asked", "totp", "000000"}, 0, w.chart(), "", "Lee asked"},
		"an amendment, by a wrong code": {w.physician, note + "/amend", []string{"text", "The left base, not the right", "totp", "000000"}, 0, note, "", "The left base, not the right"},
	} {
		got := c.who.Form(t, c.path, c.fields...)
		if got.Status != http.StatusSeeOther || got.Header.Get("Location") != c.place || strings.Contains(got.Body, c.typed) {
			t.Errorf("%s: %d to %s", name, got.Status, got.Header.Get("Location"))
			continue
		}
		shown := c.who.Get(t, c.place)
		if c.status != 0 && shown.Status != c.status || shown.Status < 400 || !strings.Contains(shown.Body, c.typed) || !strings.Contains(shown.Body, c.says) {
			t.Errorf("%s: %d without what was typed: %s", name, shown.Status, bare(shown.Body))
		}
		if again := c.who.Get(t, c.place); !strings.Contains(again.Body, c.typed) {
			t.Errorf("%s: a second look has lost it", name)
		}
		other := w.Person(t, "Ida Berg", "physician", w.anna)
		if stranger := other.Get(t, c.place); strings.Contains(stranger.Body, c.typed) {
			t.Errorf("%s: somebody else reads it", name)
		}
	}
	if got := w.physician.Form(t, note+"/amend", "text", "The left base"); got.Status != http.StatusSeeOther {
		t.Fatal(got.Status)
	}
	if got := w.physician.Get(t, note); got.Status != 200 || strings.Contains(got.Body, "not the right") {
		t.Error("what was sent is still waiting:", got.Status)
	}
}

// The fourth closed chart within an hour asks for a fresh factor, and so does each one after it; what was typed is kept meanwhile.
func TestTheFourthGlassInAnHourAsksForAFactorEach(t *testing.T) {
	w := newWard(t)
	w.Stop()
	clock := servertest.ClockAt(w.Now())
	s := servertest.OpenOn(t, w.Dir, clock)
	w.Server = s
	sam := s.Person(t, "Sam Rivera", "physician", "")
	chart := func() string {
		return strings.TrimPrefix(w.put(t, `{"resourceType":"Patient","name":[{"family":"Brandt"}]}`), "Patient/")
	}
	for range 3 {
		clock.Add(3 * time.Minute)
		if got := sam.Form(t, "/glass", "patient", chart(), "code", "emergency"); got.Status != http.StatusSeeOther || got.Header.Get("X-Audit-Entry") == "" {
			t.Fatal("one of three:", got.Status)
		}
	}
	for range 2 {
		clock.Add(3 * time.Minute)
		id := chart()
		holds(t, "no factor", answered(t, sam, "/glass", "patient", id, "code", "other", "text", "Fell in the hall"), 401, "fourth closed chart within an hour", "Fell in the hall", "authenticator")
		code, err := totp.GenerateCode(sam.Person.Secret, clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		got := sam.Form(t, "/glass", "patient", id, "code", "other", "text", "Fell in the hall", "totp", code)
		if got.Status != http.StatusSeeOther || got.Header.Get("X-Audit-Entry") == "" || sam.Get(t, "/chart/"+id).Status != http.StatusOK {
			t.Fatal("with a fresh factor:", got.Status, bare(got.Body))
		}
	}
}

// The step-up page takes a factor and leads back to where it was asked for, never elsewhere.
func TestStepUp(t *testing.T) {
	w := newWard(t)
	w.Stop()
	clock := servertest.ClockAt(w.Now())
	w.Server = servertest.OpenOn(t, w.Dir, clock)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	holds(t, "nothing", sam.Form(t, "/step-up", "next", "/day"), 400, "se your passkey or enter a code")
	wrong := sam.Form(t, "/step-up", "next", "/day", "confirm-code", "000000")
	if wrong.Status < 400 || wrong.Status >= 500 || strings.Contains(wrong.Body, "000000") || !strings.Contains(wrong.Body, `value="/day"`) {
		t.Errorf("a wrong code: %d", wrong.Status)
	}
	holds(t, "a password alone", sam.Form(t, "/step-up", "next", "/day", "confirm-password", sam.Person.Password), 400, "a password alone confirms nothing")
	for next, to := range map[string]string{"/day": "/day", w.chart(): w.chart(), "https://elsewhere.example/": "/day", "//elsewhere.example": "/day", "/step-up": "/day", "": "/day", `/\elsewhere.example`: "/day"} {
		clock.Add(30 * time.Second) // each code counts once
		code, err := totp.GenerateCode(sam.Person.Secret, clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		got := sam.Form(t, "/step-up", "next", next, "confirm-code", code)
		if got.Status != http.StatusSeeOther || got.Header.Get("Location") != to {
			t.Errorf("next %q: %d to %q, want %q", next, got.Status, got.Header.Get("Location"), to)
		}
	}
}
