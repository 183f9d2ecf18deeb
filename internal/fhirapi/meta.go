package fhirapi

import (
	"net/http"
	"strconv"

	"chartwarden/internal/outcome"
)

// metaDelete takes sensitivity labels off a resource: no update does, since labels are carried from version to version.
// Source: https://hl7.org/fhir/R4/resource-operation-meta-delete.html.
func (a *API) metaDelete(w http.ResponseWriter, r *http.Request) {
	doc, err := parse(w, r)
	if err == nil && doc.Type() != "Parameters" {
		err = outcome.New(outcome.Invalid, "send Parameters with one parameter: meta, as valueMeta").At("resourceType")
	}
	if err != nil {
		Fail(w, err)
		return
	}
	var labels []string
	for parameter := range doc.Root().Get("parameter").Items() {
		meta := parameter.Get("valueMeta")
		if parameter.Get("name").Text() != "meta" || !meta.Exists() || meta.Get("tag").Exists() || meta.Get("profile").Exists() {
			Fail(w, outcome.New(outcome.NotSupported, "$meta-delete takes security labels alone: one parameter named meta, with valueMeta.security").At("Parameters.parameter"))
			return
		}
		for coding := range meta.Get("security").Items() {
			labels = append(labels, coding.Get("code").Text())
		}
	}
	done, err := a.Gate.Lower(r.Context(), principal(r), r.PathValue("type"), r.PathValue("id"), labels)
	if err != nil {
		Fail(w, err)
		return
	}
	w.Header().Set("X-Audit-Entry", done.Entry)
	version := strconv.FormatInt(done.Version, 10)
	w.Header().Set("ETag", `W/"`+version+`"`)
	body(w, http.StatusOK, []byte(`{"resourceType":"Parameters","parameter":[{"name":"return","valueMeta":{"versionId":"`+version+`"}}]}`))
}
