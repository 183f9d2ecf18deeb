package smart_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"chartwarden/internal/server/servertest"
)

// What a person sees before an app is let in.

func (w *ward) step(person *servertest.Client, asked url.Values, more ...string) servertest.Answer {
	w.t.Helper()
	for k, v := range asked {
		more = append(more, k, v[0])
	}
	return person.Form(w.t, "/oauth/consent", more...)
}

func TestConsentSaysWhoWhatAndHowLong(t *testing.T) {
	w := open(t)
	w.app("growth", "user/Observation.rs user/Condition.cu openid offline_access")
	a := w.physician.Get(t, "/oauth/authorize?"+w.asking("growth", "user/"+labOnly+" user/Condition.cu openid offline_access").Encode())
	for _, want := range []string{"Test growth", "Hollis Brackett", "localhost:9", "See results and vital signs", "laboratory", "Add and change diagnoses", "12 hours", "not an app of this hospital", "Anna Lindqvist"} {
		if !strings.Contains(a.Body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://localhost:9;") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("a browser would stop the way back to the app: %s", csp)
	}
	if got := w.landed(w.step(w.physician, w.asking("growth", "user/Observation.rs"), "decision", "deny")); got.Get("error") != "access_denied" || got.Get("state") != "s-1" || got.Get("code") != "" {
		t.Errorf("denied: %v", got)
	}
	if got := w.consents(w.physician, w.asking("growth", "user/Observation.rs"), ""); got.Get("iss") != w.URL || got.Get("state") != "s-1" || got.Get("code") == "" {
		t.Errorf("approved: %v", got)
	}
}

func TestAPatientIsChosenThroughTheDoor(t *testing.T) {
	w := open(t)
	w.app("growth", "launch/patient patient/*.rs")
	asked := w.asking("growth", "launch/patient patient/*.rs")
	if a := w.physician.Get(t, "/oauth/authorize?"+asked.Encode()); !strings.Contains(a.Body, "Which patient") || strings.Contains(a.Body, `value="approve"`) {
		t.Error("no patient is asked for")
	}
	a := w.step(w.physician, asked, "decision", "find", "find_name", "Okafor")
	if w.wants("find", a, http.StatusOK); !strings.Contains(a.Body, "Okafor, Maren") {
		t.Error("her own patient is not found")
	}
	a = w.step(w.physician, asked, "decision", "find", "find_name", "Brandt", "find_birth", "1974-07-02")
	if !strings.Contains(a.Body, "Brandt, Ida") || !strings.Contains(a.Body, "Closed to you") || !strings.Contains(a.Body, "disabled") {
		t.Error("a closed chart is not shown as closed")
	}
	a = w.step(w.physician, asked, "decision", "choose", "patient", w.patient)
	if !strings.Contains(a.Body, "Okafor, Maren, born 1961-03-14") || !strings.Contains(a.Body, `value="approve"`) {
		t.Error("who was chosen does not stand on the page")
	}
	for what, patient := range map[string]string{"a stranger": w.stranger, "nobody": "", "no such patient": "nothing"} {
		a := w.step(w.physician, asked, "decision", "approve", "patient", patient)
		if a.Header.Get("Location") != "" || strings.Contains(a.Body, "Brandt") {
			t.Errorf("approved for %s: %d %s", what, a.Status, a.Body)
		}
	}
}

func TestAPatientsAppIsAboutThePatient(t *testing.T) {
	w := open(t)
	w.app("mine", "launch/patient patient/*.rs openid fhirUser offline_access")
	maren := w.Patient(t, "Maren Okafor", w.patient)
	got := w.launch(maren, "mine", "launch/patient patient/*.rs openid fhirUser offline_access", w.stranger) // what the form says does not count
	if got.Patient != w.patient {
		t.Fatalf("about %s", got.Patient)
	}
	b := w.bearer(got.Access)
	w.wants("the own record", b.get("/fhir/Observation/"+w.lab), http.StatusOK)
	w.wants("another's", b.get("/fhir/Observation/"+w.strangersLab), http.StatusForbidden)
	w.wants("writing", b.do("POST", "/fhir/Observation", observation(w.patient, "laboratory", "1-1")), http.StatusForbidden)
	if a := maren.Get(t, "/oauth/authorize?"+w.asking("mine", "patient/*.rs offline_access").Encode()); !strings.Contains(a.Body, "90 days") {
		t.Error("how long is not said")
	}
}

func TestWhoIsNotSignedInSignsInFirst(t *testing.T) {
	w := open(t)
	w.app("growth", "user/*.rs")
	nobody := &servertest.Client{Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, Base: w.URL}
	path := "/oauth/authorize?" + w.asking("growth", "user/*.rs").Encode()
	a := nobody.Get(t, path)
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || to.Path != "/sign-in" || to.Query().Get("next") != path {
		t.Fatalf("%d to %s", a.Status, to)
	}
	if page := nobody.Get(t, a.Header.Get("Location")); !strings.Contains(page.Body, "code_challenge=") {
		t.Error("the way back is lost on the sign-in page")
	}
}

func TestRequestsThatDoNotFit(t *testing.T) {
	w := open(t)
	w.app("growth", "user/*.rs")
	for want, change := range map[string]func(url.Values){
		"unsupported_response_type": func(v url.Values) { v.Set("response_type", "token") },
		"invalid_scope":             func(v url.Values) { v.Set("scope", "patient/*.rs system/*.rs") },
		"invalid_request":           func(v url.Values) { v.Set("aud", "https://elsewhere.example/fhir") },
		"invalid_request ":          func(v url.Values) { v.Del("state") },
		"invalid_request  ":         func(v url.Values) { v.Set("launch", "xyz") },
	} {
		asked := w.asking("growth", "user/*.rs")
		change(asked)
		if got := w.landed(w.physician.Get(t, "/oauth/authorize?"+asked.Encode())); got.Get("error") != strings.TrimSpace(want) || got.Get("code") != "" {
			t.Errorf("want %s: %v", want, got)
		}
	}
	asked := w.asking("growth", "user/*.rs").Encode()
	w.wants("a field twice", w.physician.Get(t, "/oauth/authorize?"+asked+"&state=x"), http.StatusBadRequest)
	w.wants("not well formed", w.physician.Get(t, "/oauth/authorize?%zz"), http.StatusBadRequest)
	for _, body := range []string{"", "grant_type=password", "grant_type=authorization_code", "grant_type=authorization_code&client_id=growth", "grant_type=refresh_token", "grant_type=refresh_token&refresh_token=x",
		"client_id=growth&client_secret=x&grant_type=authorization_code", "grant_type=client_credentials&client_id=growth&scope=system/*.rs", "grant_type=a&grant_type=b", "%zz"} {
		for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect"} {
			a := w.bearer("").c.Do(t, "POST", path, body+" ", "Content-Type", "application/x-www-form-urlencoded")
			if a.Status != http.StatusBadRequest && a.Status != http.StatusUnauthorized || !strings.Contains(a.Body, `"error":`) || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %q: %d %s", path, body, a.Status, a.Body)
			}
		}
	}
	w.wants("JSON", w.bearer("").c.Do(t, "POST", "/oauth/token", `{}`, "Content-Type", "application/json"), http.StatusBadRequest)
}
