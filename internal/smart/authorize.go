package smart

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/scope"
)

// request is what an app asks a person for, checked.
type request struct {
	client   identity.Client
	redirect string
	state    string
	maxAge   time.Duration // how old the sign-in may be; negative: as old as it is
	aal      int           // level that it has to have; 0: any
	form     url.Values    // as it came, for the page to carry on
	scopes   scope.Set     // asked for and registered
}

// carried are the fields of an authorization request that the consent page takes from step to step.
var carried = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "aud", "code_challenge", "code_challenge_method", "nonce"}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// understood checks an authorization request. An error in client or redirect address is nobody's to be sent to: redirect is empty then,
// and the browser stays here. Any other error goes back to the app.
// Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html.
func (a *Authority) understood(r *http.Request, form url.Values) (q request, err error) {
	if form, err = once(form); err != nil {
		return q, err
	}
	c, err := a.o.Persons.LiveClient(r.Context(), form.Get("client_id"))
	if outcome.Is(err, outcome.NotFound) {
		return q, wrong(badRequest, "the app that sent you here is not registered: tell whoever runs it")
	}
	if err != nil {
		return q, err
	}
	if !slices.Contains(c.Redirects, form.Get("redirect_uri")) {
		return q, wrong(badRequest, "the app that sent you here wants the answer at an address that it did not register: tell whoever runs it")
	}
	q = request{client: c, redirect: form.Get("redirect_uri"), state: form.Get("state"), form: form}
	asked, err := scope.ParseKnown(form.Get("scope"))
	if err != nil {
		return q, wrong(badScope, "the scopes cannot be read")
	}
	if q.maxAge, q.aal, err = proof(form); err != nil {
		return q, err
	}
	q.scopes = asked.Within(c.Scopes()).Only(scope.Patient, scope.Person)
	switch {
	case form.Get("response_type") != "code":
		return q, wrong("unsupported_response_type", "response_type is code")
	case !a.ours(strings.TrimSuffix(form.Get("aud"), "/"), "/fhir"):
		return q, wrong(badRequest, "aud is the FHIR base URL of this server, "+a.fhirBase())
	case form.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(form.Get("code_challenge")):
		return q, wrong(badRequest, "PKCE is asked of every app: code_challenge, and code_challenge_method=S256")
	case q.state == "" || len(q.state) > 2048 || len(form.Get("nonce")) > 512:
		return q, wrong(badRequest, "state is missing, or state or nonce is too long")
	case form.Has("launch"):
		return q, wrong(badRequest, "this server starts no launches of its own: leave launch out, and ask for launch/patient")
	case len(q.scopes.Resources()) == 0 && !q.scopes.Has(scope.OpenID):
		return q, wrong(badScope, "ask for patient or user scopes that the app is registered for")
	}
	return q, nil
}

// wantsPatient reports whether the request needs one patient to be about.
func (q request) wantsPatient() bool {
	return q.scopes.Has(scope.LaunchPatient) || q.scopes.In(scope.Patient)
}

// authorize is the authorization endpoint: it asks the signed-in person, and sends whoever is not signed in to the sign-in page.
func (a *Authority) authorize(w http.ResponseWriter, r *http.Request) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		a.stay(w, r, wrong(badRequest, "the address that the app sent you to is not well formed"))
		return
	}
	q, err := a.understood(r, values)
	if err != nil {
		a.back(w, r, q, err)
		return
	}
	who := access.PrincipalFrom(r.Context())
	if who.Session == nil || who.App != nil {
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	a.o.Persons.Touch(who.Session, "")
	if a.stale(who.Session, q) {
		a.o.Confirm(w, r, r.URL.RequestURI(), q.client.Name+" asks you to confirm that it is you.")
		return
	}
	a.ask(w, r, q, step{})
}

// back sends the browser to the app with an error; where there is no app to send it to, it stays. Either way it is an entry.
func (a *Authority) back(w http.ResponseWriter, r *http.Request, q request, err error) {
	if q.redirect == "" {
		a.stay(w, r, err)
		return
	}
	f := faultOf(err)
	if f.word != refused { // that one is the person's own entry
		if noted := a.o.Persons.NoteRefusal(r.Context(), q.client.ID, f.Error(), a.o.Arrival(r)); noted != nil {
			f = faultOf(noted)
		}
	}
	a.leave(w, r, q, url.Values{"error": {f.word}, "error_description": {f.text}})
}

// leave sends the browser on to the app. Source: https://www.rfc-editor.org/rfc/rfc9207 for iss.
func (a *Authority) leave(w http.ResponseWriter, r *http.Request, q request, with url.Values) {
	to, err := url.Parse(q.redirect)
	if err != nil {
		a.stay(w, r, err)
		return
	}
	values := to.Query()
	for k, v := range with {
		values[k] = v
	}
	if q.state != "" {
		values.Set("state", q.state)
	}
	values.Set("iss", a.o.Base)
	to.RawQuery = values.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}
