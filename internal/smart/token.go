package smart

import (
	"mime"
	"net/http"
	"net/url"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/scope"
)

// formOf reads the fields of a program's request. A field that stands there twice is refused: two readers could read it in two ways.
func formOf(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return url.Values{}, wrong(badRequest, "send the fields as application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		return url.Values{}, wrong(badRequest, "the form did not arrive whole, or is larger than 64 KiB")
	}
	return once(r.PostForm)
}

func once(form url.Values) (url.Values, error) {
	for _, v := range form {
		if len(v) > 1 {
			return form, wrong(badRequest, "a field stands there more than once")
		}
	}
	return form, nil
}

// token is the token endpoint. Source: https://www.rfc-editor.org/rfc/rfc6749#section-3.2.
func (a *Authority) token(w http.ResponseWriter, r *http.Request) {
	form, err := formOf(w, r)
	if err != nil {
		a.refuse(w, r, "", err)
		return
	}
	c, named, err := a.client(r, form)
	if err != nil {
		a.refuse(w, r, named, err)
		return
	}
	var issued identity.Issued
	switch kind := form.Get("grant_type"); {
	case kind == "refresh_token":
		issued, err = a.refreshed(r, c, form)
	case c.ID == "":
		err = wrong(badClient, "say which client this is: client_id of a public app, or client_assertion")
	case kind == "authorization_code":
		issued, err = a.redeemed(r, c, form)
	case kind == "client_credentials":
		issued, err = a.forItself(r, c, form)
	default:
		err = wrong(badGrantTyp, "grant_type is authorization_code, refresh_token or client_credentials")
	}
	if err != nil {
		a.refuse(w, r, named, err)
		return
	}
	a.deliver(w, r, issued)
}

func (a *Authority) redeemed(r *http.Request, c identity.Client, form url.Values) (identity.Issued, error) {
	for _, field := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(field) == "" {
			return identity.Issued{}, wrong(badRequest, field+" is missing")
		}
	}
	return a.o.Persons.RedeemCode(r.Context(), c, form.Get("code"), form.Get("redirect_uri"), form.Get("code_verifier"), a.o.Arrival(r))
}

// refreshed needs no client_id of a public app: the token says whose it is.
func (a *Authority) refreshed(r *http.Request, c identity.Client, form url.Values) (identity.Issued, error) {
	if form.Get("refresh_token") == "" {
		return identity.Issued{}, wrong(badRequest, "refresh_token is missing")
	}
	asked, err := scope.ParseKnown(form.Get("scope"))
	if err != nil {
		return identity.Issued{}, wrong(badScope, "the scopes cannot be read")
	}
	return a.o.Persons.Refresh(r.Context(), c.ID, form.Get("refresh_token"), asked, a.o.Arrival(r))
}

func (a *Authority) forItself(r *http.Request, c identity.Client, form url.Values) (identity.Issued, error) {
	if c.Public() {
		return identity.Issued{}, wrong(notYours, "a client that acts for itself proves itself by a key")
	}
	asked, err := scope.ParseKnown(form.Get("scope"))
	if err != nil {
		return identity.Issued{}, wrong(badScope, "the scopes cannot be read")
	}
	granted := asked.Within(c.Scopes()).Only(scope.System).Without(scope.Names()...)
	if len(granted.Resources()) == 0 {
		return identity.Issued{}, wrong(badScope, "ask for system scopes that the client is registered for")
	}
	return a.o.Persons.AuthorizeClient(r.Context(), c, granted, a.o.Arrival(r))
}

// tokenAnswer is the success of RFC 6749 with what SMART adds.
type tokenAnswer struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
	Refresh string `json:"refresh_token,omitempty"`
	Signed  string `json:"id_token,omitempty"`
	Patient string `json:"patient,omitempty"`
	Banner  *bool  `json:"need_patient_banner,omitempty"`
}

func (a *Authority) deliver(w http.ResponseWriter, r *http.Request, i identity.Issued) {
	out := tokenAnswer{Access: i.Access, Type: "Bearer", Expires: int(i.Lasts / time.Second), Scope: i.Granted.String(), Refresh: i.Refresh, Patient: i.Patient}
	if i.Patient != "" {
		yes := true
		out.Banner = &yes
	}
	if i.Granted.Has(scope.OpenID) && i.Signed.ID != "" {
		signed, err := a.identityToken(r.Context(), i)
		if err != nil {
			f := faultOf(err)
			answer(w, f.status(), map[string]string{"error": f.word, "error_description": f.text})
			return
		}
		out.Signed = signed
	}
	answer(w, http.StatusOK, out)
}
