package smart

import (
	"net/http"
	"strings"

	"chartwarden/internal/identity"
)

// introspection is the answer of RFC 7662 with what SMART adds.
type introspection struct {
	Active  bool   `json:"active"`
	Scope   string `json:"scope,omitempty"`
	Client  string `json:"client_id,omitempty"`
	Expires int64  `json:"exp,omitempty"`
	Issued  int64  `json:"iat,omitempty"`
	Issuer  string `json:"iss,omitempty"`
	Subject string `json:"sub,omitempty"`
	FHIR    string `json:"fhirUser,omitempty"`
	Patient string `json:"patient,omitempty"`
	Act     *act   `json:"act,omitempty"`
	ACR     string `json:"acr,omitempty"`
	AuthAt  int64  `json:"auth_time,omitempty"`
}

// introspect tells a client about its own tokens, and this house's own servers about any. It is asked with an assertion, or with an
// access token of the same client. Source: https://www.rfc-editor.org/rfc/rfc7662.
func (a *Authority) introspect(w http.ResponseWriter, r *http.Request) {
	form, err := formOf(w, r)
	if err != nil {
		a.refuse(w, r, "", err)
		return
	}
	var asker identity.Client
	var named string
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		b, bad := a.o.Persons.Bearer(r.Context(), token, a.o.Arrival(r))
		if err = bad; bad == nil {
			asker, named = b.Client, b.Client.ID
			asker.FirstParty = false // a token at hand is no proof of the key
		} else {
			err = wrong(badClient, "the access token in the Authorization header is not valid")
		}
	} else if asker, named, err = a.client(r, form); err == nil && (asker.ID == "" || asker.Public()) {
		err = wrong(badClient, "prove yourself by private_key_jwt, or by an access token in the Authorization header")
	}
	if err != nil {
		a.refuse(w, r, named, err)
		return
	}
	b, err := a.o.Persons.Introspect(r.Context(), asker, form.Get("token"), a.o.Arrival(r))
	if err != nil {
		a.refuse(w, r, named, err)
		return
	}
	if b == nil {
		answer(w, http.StatusOK, introspection{})
		return
	}
	out := introspection{Active: true, Scope: b.Scope.String(), Client: b.Client.ID, Expires: b.Expires.Unix(), Issued: b.Issued.Unix(), Issuer: a.o.Base, Subject: b.Client.ID, Patient: b.Patient}
	if s := b.Session; s != nil {
		out.Subject, out.ACR = s.Person.ID, identity.ACR(s.AAL)
		if at := s.AuthTime(s.AAL); !at.IsZero() {
			out.AuthAt = at.Unix()
		}
		if s.Actor != nil {
			out.Act = &act{s.Actor.Person.ID}
		}
		own := s.Person.Practitioner
		if s.Capacity == identity.PatientCapacity {
			own = s.Person.Patient
		}
		if own != "" {
			out.FHIR = a.fhirBase() + "/" + own
		}
	}
	answer(w, http.StatusOK, out)
}

// revoke ends what a token is a handle to, at once. A token that is not there is revoked already.
// Source: https://www.rfc-editor.org/rfc/rfc7009.
func (a *Authority) revoke(w http.ResponseWriter, r *http.Request) {
	form, err := formOf(w, r)
	if err != nil {
		a.refuse(w, r, "", err)
		return
	}
	c, named, err := a.client(r, form)
	if err == nil && form.Get("token") == "" {
		err = wrong(badRequest, "token is missing")
	}
	if err == nil {
		err = a.o.Persons.RevokeToken(r.Context(), c.ID, form.Get("token"), a.o.Arrival(r))
	}
	if err != nil {
		a.refuse(w, r, named, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}
