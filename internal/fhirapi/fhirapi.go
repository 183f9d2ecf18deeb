// Package fhirapi is the FHIR R4 REST surface: one file for each interaction, all of them through the door.
//
// [Routes] gives the server what to mount. Each handler reads the request, calls one method of the [access.Gate] and writes the
// answer: it decides nothing itself and holds no patient data but what the Gate has opened. Whatever goes wrong is an
// OperationOutcome. An answer with patient data carries X-Audit-Entry, the entry that was durable before the answer was made.
// Source: https://hl7.org/fhir/R4/http.html.
package fhirapi

import (
	"net/http"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// API answers FHIR requests by a Gate.
type API struct {
	Gate    *access.Gate
	Base    string // absolute base URL, such as https://host/fhir
	Zone    *time.Location
	Version string // of the software, for the CapabilityStatement
	Started time.Time
}

// MaxBody is the largest body that is read: a transaction of a year's chart fits, a bomb does not.
const MaxBody = 64 << 20

// Routes lists the interactions. Patterns are those of http.ServeMux.
func (a *API) Routes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/fhir/metadata", Public: true, Handler: a.metadata},
		{Method: "POST", Pattern: "/fhir/{$}", Action: policy.Write, Handler: a.bundle},
		{Method: "POST", Pattern: "/fhir", Action: policy.Write, Handler: a.bundle},
		{Method: "GET", Pattern: "/fhir/{type}", Action: policy.Search, Handler: a.typed(a.search)},
		{Method: "POST", Pattern: "/fhir/{type}/_search", Action: policy.Search, Handler: a.typed(a.search)},
		{Method: "POST", Pattern: "/fhir/{type}", Action: policy.Write, Handler: a.typed(a.create)},
		{Method: "GET", Pattern: "/fhir/{type}/{id}", Action: policy.Read, Handler: a.typed(a.read)},
		{Method: "PUT", Pattern: "/fhir/{type}/{id}", Action: policy.Write, Handler: a.typed(a.update)},
		{Method: "DELETE", Pattern: "/fhir/{type}/{id}", Action: policy.Write, Handler: a.typed(a.delete)},
		{Method: "GET", Pattern: "/fhir/{type}/{id}/_history", Action: policy.Read, Handler: a.typed(a.history)},
		{Method: "GET", Pattern: "/fhir/{type}/{id}/_history/{vid}", Action: policy.Read, Handler: a.typed(a.vread)},
		{Method: "GET", Pattern: "/audit/receipt/{entry...}", Action: policy.Own, Handler: a.receipt},
		{Method: "", Pattern: "/fhir/", Action: policy.Read, Handler: a.unknown},
	}
}

// typed refuses a path whose type FHIR does not define before anything else looks at it.
func (a *API) typed(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !fhir.IsResourceType(r.PathValue("type")) {
			Fail(w, outcome.New(outcome.NotFound, "FHIR R4 defines no resource type of that name").At("url"))
			return
		}
		h(w, r)
	}
}

// unknown answers what no other route matches.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	Fail(w, outcome.New(outcome.NotSupported, "this server does not know that interaction; /fhir/metadata lists what it does").At("url"))
}

// principal is who asks, with the reason code of X-Break-Glass where the request brings one.
func principal(r *http.Request) access.Principal {
	p := access.PrincipalFrom(r.Context())
	p.Glass = r.Header.Get("X-Break-Glass")
	return p
}
