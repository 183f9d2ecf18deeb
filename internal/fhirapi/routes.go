package fhirapi

import (
	"net/http"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// interaction is one way to ask. The same rows make the routes and the CapabilityStatement, so that the statement cannot promise what
// no route serves.
type interaction struct {
	code            string // FHIR's word for it; "" where the CapabilityStatement has none
	method, pattern string
	action          string // of the policy
	serve           http.HandlerFunc
}

// ofTypes reports whether an interaction is served for each resource type, rather than for the whole server.
func (i interaction) ofTypes() bool { return strings.Contains(i.pattern, "{type}") }

// interactions lists what this server does. Source: https://hl7.org/fhir/R4/http.html#summary.
func (a *API) interactions() []interaction {
	return []interaction{
		{"transaction", "POST", "/fhir/{$}", policy.Write, a.bundle},
		{"batch", "POST", "/fhir", policy.Write, a.bundle},
		{"search-type", "GET", "/fhir/{type}", policy.Search, a.search},
		{"search-type", "POST", "/fhir/{type}/_search", policy.Search, a.search},
		{"create", "POST", "/fhir/{type}", policy.Write, a.create},
		{"read", "GET", "/fhir/{type}/{id}", policy.Read, a.read},
		{"update", "PUT", "/fhir/{type}/{id}", policy.Write, a.update},
		{"update", "PUT", "/fhir/{type}", policy.Write, a.updateWhere},
		{"patch", "PATCH", "/fhir/{type}/{id}", policy.Write, a.patch},
		{"patch", "PATCH", "/fhir/{type}", policy.Write, a.patch},
		{"delete", "DELETE", "/fhir/{type}/{id}", policy.Write, a.delete},
		{"delete", "DELETE", "/fhir/{type}", policy.Write, a.deleteWhere},
		{"history-system", "GET", "/fhir/_history", policy.Search, a.history},
		{"history-type", "GET", "/fhir/{type}/_history", policy.Search, a.history},
		{"history-instance", "GET", "/fhir/{type}/{id}/_history", policy.Read, a.history},
		{"", "GET", "/fhir/Patient/{id}/$everything", policy.Search, a.everything},
		{"", "POST", "/fhir/{type}/{id}/$meta-delete", policy.Lower, a.metaDelete},
		{"vread", "GET", "/fhir/{type}/{id}/_history/{vid}", policy.Read, a.vread},
	}
}

// Routes lists the interactions and what is served beside them. Patterns are those of http.ServeMux.
func (a *API) Routes() []access.Route {
	routes := []access.Route{
		{Method: "GET", Pattern: "/fhir/metadata", Public: true, Handler: a.negotiated(a.metadata)},
		{Method: "GET", Pattern: "/audit/receipt/{entry...}", Action: policy.Own, Handler: a.receipt},
		{Method: "", Pattern: "/fhir/", Action: policy.Read, Handler: a.unknown},
	}
	for _, i := range a.interactions() {
		serve := i.serve
		if i.ofTypes() {
			serve = a.typed(serve)
		}
		routes = append(routes, access.Route{Method: i.method, Pattern: i.pattern, Action: i.action, Handler: a.negotiated(serve)})
	}
	return routes
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
