package fhirapi

import (
	"encoding/json"
	"net/http"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
)

type interaction struct {
	Code string `json:"code"`
}

type searchParam struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type restResource struct {
	Type          string        `json:"type"`
	Interaction   []interaction `json:"interaction"`
	Versioning    string        `json:"versioning"`
	ReadHistory   bool          `json:"readHistory"`
	UpdateCreate  bool          `json:"updateCreate"`
	SearchParam   []searchParam `json:"searchParam,omitempty"`
	Documentation string        `json:"documentation,omitempty"`
}

// metadata is the CapabilityStatement: what works, from the tables by which it works.
func (a *API) metadata(w http.ResponseWriter, r *http.Request) {
	var resources []restResource
	for _, t := range fhir.ResourceTypes() {
		one := restResource{Type: t, Versioning: "versioned-update", ReadHistory: true, UpdateCreate: true}
		for _, code := range []string{"read", "vread", "update", "delete", "history-instance", "create", "search-type"} {
			one.Interaction = append(one.Interaction, interaction{code})
		}
		for _, p := range search.Params(t) {
			if p.Type != "special" {
				one.SearchParam = append(one.SearchParam, searchParam{p.Name, string(p.Type)})
			}
		}
		if t != "Patient" && fhir.FieldGroup(t) != fhir.GroupDirectory {
			one.Documentation = "Searches name one patient: patient=<id>."
		}
		resources = append(resources, one)
	}
	type security struct {
		CORS        bool   `json:"cors"`
		Description string `json:"description"`
	}
	type rest struct {
		Mode        string         `json:"mode"`
		Security    security       `json:"security"`
		Resource    []restResource `json:"resource"`
		Interaction []interaction  `json:"interaction"`
	}
	statement := struct {
		ResourceType   string            `json:"resourceType"`
		Status         string            `json:"status"`
		Date           string            `json:"date"`
		Kind           string            `json:"kind"`
		FHIRVersion    string            `json:"fhirVersion"`
		Format         []string          `json:"format"`
		Software       map[string]string `json:"software"`
		Implementation map[string]string `json:"implementation"`
		Rest           []rest            `json:"rest"`
	}{"CapabilityStatement", "active", instant(a.Started), "instance", "4.0.1", []string{"application/fhir+json", "json"},
		map[string]string{"name": "Chartwarden", "version": a.Version}, map[string]string{"description": "Chartwarden", "url": a.Base},
		[]rest{{"server", security{false, "Session cookie. Every answer with patient data names its audit entry in X-Audit-Entry."}, resources,
			[]interaction{{"transaction"}, {"batch"}}}}}
	b, err := json.Marshal(statement)
	if err != nil {
		Fail(w, err)
		return
	}
	body(w, http.StatusOK, b)
}
