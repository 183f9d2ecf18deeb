package smart_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/pquerna/otp/totp"
)

// B3, S:stepup. From home, what a sign-in opens it opens for a quarter of an hour: at 899 seconds the app reads, at 901 it is told what to ask
// its person for, in the words of RFC 9470, and with that it goes on. On a page the same clock asks for a factor and goes on by it.
func TestStepUpWearsOffOverHTTP(t *testing.T) {
	w := open(t)
	w.Stop()
	clock := servertest.ClockAt(w.Now().Add(time.Minute)) // each code counts once
	w.Server = servertest.OpenZoned(t, w.Dir, "hospital=10.0.0.0/8", clock)
	w.app("round", "openid user/Observation.rs offline_access")
	w.app("bedside", "launch/patient patient/Observation.rs")
	anna := w.SignIn(t, w.physician.Person, identity.StaffCapacity)
	asked := w.asking("round", "openid user/Observation.rs offline_access")
	asked.Set("aud", "http://localhost/fhir")
	launch := func() tokens {
		t.Helper()
		return w.tokens(w.redeem("round", w.consents(anna, asked, "").Get("code")))
	}
	lab := func(token string) servertest.Answer { return w.bearer(token).get("/fhir/Observation/" + w.lab) }
	first := launch()
	for range 29 {
		clock.Add(31 * time.Second)
		anna.Get(t, "/day") // she works on, so her screen does not lock
	}
	w.wants("at 899 s", lab(first.Access), http.StatusOK)
	clock.Add(2 * time.Second)
	later := w.tokens(w.form("/oauth/token", "grant_type", "refresh_token", "client_id", "round", "refresh_token", first.Refresh))
	a := lab(later.Access)
	w.wants("at 901 s", a, http.StatusUnauthorized)
	const says = `Bearer realm="chartwarden", error="insufficient_user_authentication", error_description="The person has to sign in again", ` +
		`acr_values="http://idmanagement.gov/ns/assurance/aal/2", max_age="900"`
	if got := a.Header.Get("WWW-Authenticate"); got != says {
		t.Errorf("%s\nwant %s", got, says)
	}
	if stale := launch(); lab(stale.Access).Status != http.StatusUnauthorized {
		t.Error("letting the app in again is no fresh sign-in")
	}
	about := w.asking("bedside", "launch/patient patient/Observation.rs")
	about.Set("aud", "http://localhost/fhir")
	if body := w.wants("a chart for an app", w.step(anna, about, "decision", "choose", "patient", w.patient), http.StatusForbidden); !strings.Contains(body, "Confirm that it is you") || !strings.Contains(body, "/oauth/authorize?") {
		t.Error(body)
	}

	// With what the answer named the person is asked, and the app goes on.
	asked.Set("acr_values", identity.ACR(2))
	asked.Set("max_age", "900")
	to := "/oauth/authorize?" + asked.Encode()
	page := anna.Get(t, to)
	if body := w.wants("authorize", page, http.StatusForbidden); !strings.Contains(body, "Confirm that it is you") || !strings.Contains(html.UnescapeString(body), `name="next" value="`+to+`"`) {
		t.Fatal(body)
	}
	code, err := totp.GenerateCode(w.physician.Person.Secret, clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if a := anna.Form(t, "/step-up", "next", to, "confirm-code", code); a.Status != http.StatusSeeOther || a.Header.Get("Location") != to {
		t.Fatal(a.Status, a.Header.Get("Location"))
	}
	fresh := launch()
	w.wants("after the factor", lab(fresh.Access), http.StatusOK)
	var claims struct {
		ACR      string `json:"acr"`
		AuthTime int64  `json:"auth_time"`
	}
	signed, err := jwt.ParseSigned(fresh.Signed, []jose.SignatureAlgorithm{jose.RS256})
	if err == nil {
		err = signed.UnsafeClaimsWithoutVerification(&claims) // that it verifies is another test's
	}
	if err != nil || claims.ACR != identity.ACR(2) || claims.AuthTime != clock.Now().Unix() {
		t.Errorf("the identity token says %+v (%v), want a sign-in of now", claims, err)
	}
	asked.Del("max_age")
	asked.Set("prompt", "login") // it happened a moment ago, on the way here
	w.wants("just asked", anna.Get(t, "/oauth/authorize?"+asked.Encode()), http.StatusOK)
	clock.Add(time.Minute)
	w.wants("asked anew", anna.Get(t, "/oauth/authorize?"+asked.Encode()), http.StatusForbidden)
	for field, want := range map[[2]string]string{{"prompt", "none"}: "interaction_required", {"max_age", "soon"}: "invalid_request", {"max_age", "-1"}: "invalid_request"} {
		bad := url.Values{}
		for k, v := range asked {
			bad[k] = v
		}
		bad.Set(field[0], field[1])
		if got := w.landed(anna.Get(t, "/oauth/authorize?"+bad.Encode())).Get("error"); got != want {
			t.Errorf("%s=%s: %q, want %q", field[0], field[1], got, want)
		}
	}

	// A page: the same clock, and the form goes on by the factor.
	clock.Add(time.Minute)
	admin := w.SignIn(t, w.admin.Person, identity.StaffCapacity)
	for range 29 {
		clock.Add(31 * time.Second)
		admin.Get(t, "/admin/people")
	}
	w.wants("a page at 899 s", admin.Get(t, "/admin/people/new"), http.StatusOK)
	clock.Add(2 * time.Second)
	if body := w.wants("a page at 901 s", admin.Get(t, "/admin/people/new"), http.StatusForbidden); !strings.Contains(body, "Confirm that it is you") {
		t.Error(body)
	}
}
