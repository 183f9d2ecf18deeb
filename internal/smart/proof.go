package smart

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// An app that was refused for want of a fresh or stronger sign-in asks for one here, with what the refusal named.
// Sources: https://www.rfc-editor.org/rfc/rfc9470#section-4 and https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest.

// justNow is how old a sign-in may be that was asked for at this very moment: it happened on the way back to this page.
const justNow = 30 * time.Second

// proof reads what sign-in an authorization request asks for. A level that this server does not know binds nobody, as the standard has it; the
// tokens say which one it was.
func proof(form url.Values) (maxAge time.Duration, aal int, err error) {
	maxAge = -1
	if text := form.Get("max_age"); form.Has("max_age") {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 || seconds > 365*24*3600 {
			return 0, 0, wrong(badRequest, "max_age is a number of seconds")
		}
		maxAge = time.Duration(seconds) * time.Second
	}
	prompts := strings.Fields(form.Get("prompt"))
	switch {
	case slices.Contains(prompts, "none"):
		return 0, 0, wrong("interaction_required", "this server asks the person each time: leave prompt=none out")
	case slices.Contains(prompts, "login"):
		maxAge = 0
	}
	if slices.Contains(strings.Fields(form.Get("acr_values")), identity.ACR(2)) {
		aal = 2
	}
	return maxAge, aal, nil
}

// confirm asks for a factor where only that is missing for the patient's chart, and leads back to the app's request; false: something else is wrong.
func (a *Authority) confirm(w http.ResponseWriter, r *http.Request, q request, err error) bool {
	var o *outcome.Error
	if !errors.As(err, &o) || o.Way != outcome.StepUp {
		return false
	}
	again := url.Values{}
	for _, name := range carried {
		if q.form.Has(name) {
			again[name] = q.form[name]
		}
	}
	a.o.Confirm(w, r, authorizePath+"?"+again.Encode(), o.Public)
	return true
}

// stale reports whether a session's sign-in is not what the request asks for.
func (a *Authority) stale(s *identity.Session, q request) bool {
	if s.AAL < q.aal {
		return true
	}
	return q.maxAge >= 0 && a.o.Now().Sub(s.AuthTime(max(q.aal, s.AAL))) > max(q.maxAge, justNow)
}
