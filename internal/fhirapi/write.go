package fhirapi

import (
	"net/http"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
)

// conditionalCreate says whether If-None-Exist is understood, and jsonPatchType what PATCH takes.
const (
	conditionalCreate = false
	jsonPatchType     = "application/json-patch+json"
)

func (a *API) create(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("If-None-Exist") != "" {
		Fail(w, outcome.New(outcome.NotSupported, "conditional create is not supported yet").At("If-None-Exist"))
		return
	}
	doc, err := parse(w, r)
	if err == nil && doc.Type() != r.PathValue("type") {
		err = outcome.New(outcome.Invalid, "the resource in the body is of another type than the URL says").At("resourceType")
	}
	if err != nil {
		Fail(w, err)
		return
	}
	done, err := a.Gate.Create(r.Context(), principal(r), doc)
	if err != nil {
		Fail(w, err)
		return
	}
	a.stored(w, r, done)
}

func (a *API) update(w http.ResponseWriter, r *http.Request) {
	doc, err := parse(w, r)
	switch {
	case err != nil:
	case doc.Type() != r.PathValue("type"):
		err = outcome.New(outcome.Invalid, "the resource in the body is of another type than the URL says").At("resourceType")
	case doc.ID() != r.PathValue("id"):
		err = outcome.New(outcome.Invalid, "the id in the body is not that of the URL").At(doc.Type() + ".id")
	}
	var match int64
	if err == nil {
		match, err = access.ParseETag(r.Header.Get("If-Match"))
	}
	if err != nil {
		Fail(w, err)
		return
	}
	done, err := a.Gate.Update(r.Context(), principal(r), doc, match)
	if err != nil {
		Fail(w, err)
		return
	}
	a.stored(w, r, done)
}

func (a *API) delete(w http.ResponseWriter, r *http.Request) {
	match, err := access.ParseETag(r.Header.Get("If-Match"))
	if err != nil {
		Fail(w, err)
		return
	}
	done, err := a.Gate.Delete(r.Context(), principal(r), r.PathValue("type"), r.PathValue("id"), match)
	if err != nil {
		Fail(w, err)
		return
	}
	w.Header().Set("X-Audit-Entry", done.Entry)
	w.WriteHeader(http.StatusNoContent)
}
