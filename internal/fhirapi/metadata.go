package fhirapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

type coded struct {
	Code string `json:"code"`
}

type searchParam struct {
	Name       string `json:"name"`
	Definition string `json:"definition,omitempty"`
	Type       string `json:"type"`
}

type restResource struct {
	Type              string        `json:"type"`
	Interaction       []coded       `json:"interaction"`
	Versioning        string        `json:"versioning"`
	ReadHistory       bool          `json:"readHistory"`
	UpdateCreate      bool          `json:"updateCreate"`
	ConditionalCreate bool          `json:"conditionalCreate"`
	ConditionalRead   string        `json:"conditionalRead"`
	ConditionalUpdate bool          `json:"conditionalUpdate"`
	ConditionalDelete string        `json:"conditionalDelete"`
	SearchInclude     []string      `json:"searchInclude,omitempty"`
	SearchRevInclude  []string      `json:"searchRevInclude,omitempty"`
	SearchParam       []searchParam `json:"searchParam,omitempty"`
	Operation         []operation   `json:"operation,omitempty"`
	Documentation     string        `json:"documentation,omitempty"`
}

type operation struct {
	Name       string `json:"name"`
	Definition string `json:"definition"`
}

type security struct {
	Extension   []extension `json:"extension"`
	CORS        bool        `json:"cors"`
	Service     []service   `json:"service"`
	Description string      `json:"description"`
}

type extension struct {
	URL       string      `json:"url"`
	ValueURI  string      `json:"valueUri,omitempty"`
	Extension []extension `json:"extension,omitempty"`
}

type service struct {
	Coding []serviceCoding `json:"coding"`
}

type serviceCoding struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

// security says where programs get tokens, as SMART apps that know no discovery document look for it.
func (a *API) security() security {
	oauth := strings.TrimSuffix(a.Base, "/fhir") + "/oauth/"
	where := extension{URL: "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"}
	for _, endpoint := range []string{"authorize", "token", "introspect", "revoke"} {
		where.Extension = append(where.Extension, extension{URL: endpoint, ValueURI: oauth + endpoint})
	}
	return security{[]extension{where}, true, []service{{[]serviceCoding{{"http://terminology.hl7.org/CodeSystem/restful-security-service", "SMART-on-FHIR"}}}},
		"A session cookie, or a token of a registered app. Every answer with patient data names its audit entry in X-Audit-Entry."}
}

type rest struct {
	Mode        string         `json:"mode"`
	Security    security       `json:"security"`
	Resource    []restResource `json:"resource"`
	Interaction []coded        `json:"interaction"`
}

type capabilityStatement struct {
	ResourceType   string            `json:"resourceType"`
	Status         string            `json:"status"`
	Date           string            `json:"date"`
	Kind           string            `json:"kind"`
	FHIRVersion    string            `json:"fhirVersion"`
	Format         []string          `json:"format"`
	PatchFormat    []string          `json:"patchFormat,omitempty"`
	Software       map[string]string `json:"software"`
	Implementation map[string]string `json:"implementation"`
	Rest           []rest            `json:"rest"`
}

// metadata is the CapabilityStatement: what works, from the tables by which it works.
func (a *API) metadata(w http.ResponseWriter, r *http.Request) {
	if mode := r.URL.Query().Get("mode"); mode != "" && mode != "full" {
		Fail(w, outcome.New(outcome.NotSupported, "only mode=full is served").At("mode"))
		return
	}
	b, err := a.statement()
	if err != nil {
		Fail(w, err)
		return
	}
	body(w, http.StatusOK, b)
}

// inclusions are what _include and _revinclude can name for a type.
func inclusions(typ string) (forward, backward []string) {
	for _, p := range search.Params(typ) {
		if p.Type == search.Reference {
			forward = append(forward, typ+":"+p.Name)
		}
	}
	for _, other := range fhir.ResourceTypes() {
		for _, p := range search.Params(other) {
			if p.Type == search.Reference && slices.Contains(p.Targets, typ) {
				backward = append(backward, other+":"+p.Name)
			}
		}
	}
	return forward, backward
}

// statement writes the CapabilityStatement, once: it does not change while the server runs.
func (a *API) statement() ([]byte, error) {
	a.stating.Do(func() {
		var ofTypes, ofSystem []coded
		for _, i := range a.interactions() {
			list := &ofSystem
			if i.ofTypes() {
				list = &ofTypes
			}
			if one := (coded{i.code}); i.code != "" && !slices.Contains(*list, one) {
				*list = append(*list, one)
			}
		}
		serves := func(method, pattern string) bool {
			return slices.ContainsFunc(a.interactions(), func(i interaction) bool { return i.method == method && i.pattern == pattern })
		}
		s := capabilityStatement{ResourceType: "CapabilityStatement", Status: "active", Date: instant(a.Started), Kind: "instance", FHIRVersion: "4.0.1",
			Format: []string{"application/fhir+json", "json"}, Software: map[string]string{"name": "Chartwarden", "version": a.Version},
			Implementation: map[string]string{"description": "Chartwarden", "url": a.Base}}
		if slices.Contains(ofTypes, coded{"patch"}) {
			s.PatchFormat = []string{jsonPatchType}
		}
		one := restResource{Interaction: ofTypes, Versioning: "versioned-update", ReadHistory: slices.Contains(ofTypes, coded{"vread"}), UpdateCreate: true,
			ConditionalRead: "full-support", ConditionalCreate: conditionalCreate, ConditionalUpdate: serves("PUT", "/fhir/{type}"), ConditionalDelete: "not-supported"}
		if serves("DELETE", "/fhir/{type}") {
			one.ConditionalDelete = "single"
		}
		var resources []restResource
		for _, t := range fhir.ResourceTypes() {
			one.Type, one.SearchParam, one.Documentation = t, nil, ""
			for _, p := range search.Params(t) {
				if p.Type != "special" {
					one.SearchParam = append(one.SearchParam, searchParam{p.Name, p.Definition, string(p.Type)})
				}
			}
			one.SearchInclude, one.SearchRevInclude = inclusions(t)
			if one.Operation = nil; serves("GET", "/fhir/"+t+"/{id}/$everything") {
				one.Operation = []operation{{"everything", "http://hl7.org/fhir/OperationDefinition/" + t + "-everything"}}
			}
			if t != "Patient" && fhir.InPatientCompartment(t) {
				one.Documentation = "A search that names no patient looks through the charts that are open to whoever asks."
			}
			resources = append(resources, one)
		}
		s.Rest = []rest{{"server", a.security(), resources, ofSystem}}
		a.stated, a.statedErr = json.Marshal(s)
	})
	return a.stated, a.statedErr
}
