package fhirapi

import (
	"net/http"
	"net/url"

	"chartwarden/internal/outcome"
)

// everything answers with a page of one patient's chart. Source: https://hl7.org/fhir/R4/patient-operation-everything.html.
func (a *API) everything(w http.ResponseWriter, r *http.Request) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		Fail(w, outcome.New(outcome.Invalid, "the query is not well formed: encode spaces, % and & in values").At("url"))
		return
	}
	page, err := a.Gate.Everything(r.Context(), principal(r), r.PathValue("id"), values)
	if err != nil {
		Fail(w, err)
		return
	}
	w.Header().Set("X-Audit-Entry", page.Entry)
	body(w, http.StatusOK, a.searchset(a.Base+"/Patient/"+url.PathEscape(r.PathValue("id"))+"/$everything", values.Get(cursorParam), page))
}
