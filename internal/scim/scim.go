// Package scim lets a hospital's directory keep people and groups here by SCIM 2.0 (RFC 7643, 7644): who comes is made a person, who leaves
// is shut out within a second, and groups become roles only as this house has mapped them.
//
//	api := &scim.API{Gate: gate, Persons: people, Desk: desk, Base: "https://ehr.example"}
//	routes := api.Routes()          // /scim/v2/...; each asks the door for policy.Provision and is an entry of the log
//
// A directory is a program with the scope scim and a token; it reads no record and sees only people whom it brought. Its key of a person is
// externalId. Somebody who is here already is never adopted: the same sign-in name or mail is 409. active=false suspends, DELETE
// terminates; both shut everything at once. The dialects of Entra and Okta are understood. All methods are safe for concurrent use.
package scim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/staffing"
)

// API answers /scim/v2.
type API struct {
	Gate    *access.Gate
	Persons *identity.Store
	Desk    *staffing.Desk
	Base    string // as directories see this server, without a slash at the end
}

// Root is where all routes begin.
const Root = "/scim/v2"

// largestBody bounds a request: a group with all its members fits.
const largestBody = 4 << 20

// request is one request of a directory, let in and written down.
type request struct {
	*http.Request
	client identity.Client
	by     audit.Agent
	body   map[string]any
}

// answer is what goes back; a nil body is none.
type answer struct {
	status   int
	body     any
	location string
}

// Routes are those of the directory, and one for whatever else is asked below them.
func (a *API) Routes() []access.Route {
	route := func(method, pattern string, handle func(request) (answer, error)) access.Route {
		return access.Route{Method: method, Pattern: Root + pattern, Action: policy.Provision, Handler: a.handler(handle)}
	}
	return []access.Route{
		route("GET", "/ServiceProviderConfig", a.serviceProviderConfig),
		route("GET", "/ResourceTypes", a.resourceTypes),
		route("GET", "/ResourceTypes/{id}", a.resourceTypes),
		route("GET", "/Schemas", a.schemas),
		route("GET", "/Schemas/{id}", a.schemas),
		route("GET", "/Users", a.listAccounts),
		route("POST", "/Users", a.createAccount),
		route("GET", "/Users/{id}", a.readAccount),
		route("PUT", "/Users/{id}", a.replaceAccount),
		route("PATCH", "/Users/{id}", a.patchAccount),
		route("DELETE", "/Users/{id}", a.deleteAccount),
		route("GET", "/Groups", a.listGroups),
		route("POST", "/Groups", a.createGroup),
		route("GET", "/Groups/{id}", a.readGroup),
		route("PUT", "/Groups/{id}", a.replaceGroup),
		route("PATCH", "/Groups/{id}", a.patchGroup),
		route("DELETE", "/Groups/{id}", a.deleteGroup),
		route("", "/", func(r request) (answer, error) {
			return answer{}, refuse(404, "", "there is no such endpoint, or not with this method")
		}),
	}
}

// handler lets a directory in, writes its request down, reads it and answers.
func (a *API) handler(handle func(request) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, err := a.admit(r)
		if err != nil {
			Fail(w, err)
			return
		}
		what := "scim " + r.Method + " " + strings.TrimPrefix(r.URL.Path, Root+"/")
		if len(what) > 200 {
			what = what[:200]
		}
		if err := a.Persons.NoteProvisioning(r.Context(), in.by, what, r.URL.RawQuery, false); err != nil {
			Fail(w, err)
			return
		}
		var out answer
		if in.body, err = body(w, r); err == nil {
			out, err = handle(in)
		}
		if err != nil {
			_ = a.Persons.NoteProvisioning(r.Context(), in.by, what+": refused", "", true) // it is refused either way
			Fail(w, err)
			return
		}
		if out.location != "" {
			w.Header().Set("Location", out.location)
		}
		write(w, out.status, out.body)
	}
}

func (a *API) admit(r *http.Request) (request, error) {
	who := access.PrincipalFrom(r.Context())
	if who.App == nil || who.Session != nil {
		return request{}, refuse(401, "", "send the token of a program that was registered with the scope scim, as Authorization: Bearer")
	}
	if err := a.Gate.Permit(r.Context(), who, policy.Provision); err != nil {
		return request{}, err
	}
	return request{Request: r, client: who.App.Client, by: who.App.Agent()}, nil
}

// body reads what a request that has one says.
func body(w http.ResponseWriter, r *http.Request) (out map[string]any, err error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch {
		return nil, nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		return nil, refuse(413, "", "a request has at most 4 MiB")
	}
	if json.Unmarshal(text, &out) != nil || out == nil {
		return nil, refuse(400, "invalidSyntax", "the body is no JSON object")
	}
	return out, nil
}

// fault is a refusal in the form of SCIM. Source: https://www.rfc-editor.org/rfc/rfc7644#section-3.12.
type fault struct {
	status   int
	scimType string
	detail   string
}

func (f *fault) Error() string { return f.detail }

func refuse(status int, scimType, detail string) error { return &fault{status, scimType, detail} }

// Fail answers with an error in the form of SCIM.
func Fail(w http.ResponseWriter, err error) {
	var f *fault
	if !errors.As(err, &f) {
		f = &fault{status: outcome.Status(err), detail: "the request cannot be carried out"}
		var said *outcome.Error
		if errors.As(err, &said) {
			f.detail = said.Public
		}
		switch outcome.CodeOf(err) {
		case outcome.Duplicate:
			f.status, f.scimType = 409, "uniqueness"
		case outcome.Conflict:
			f.status = 409
		case outcome.Required, outcome.Value, outcome.CodeInvalid, outcome.Invalid:
			f.status, f.scimType = 400, "invalidValue"
		}
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
	}
	body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": status(f.status), "detail": f.detail}
	if f.scimType != "" {
		body["scimType"] = f.scimType
	}
	write(w, f.status, body)
}

func status(n int) string {
	return string([]byte{'0' + byte(n/100), '0' + byte(n/10%10), '0' + byte(n%10)})
}

func write(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the other side may be gone
}
