package fhirapi

import (
	"net/http"
	"strconv"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/patch"
	"chartwarden/internal/outcome"
)

// conditionalCreate says whether If-None-Exist is understood, and jsonPatchType what PATCH takes.
const (
	conditionalCreate = true
	jsonPatchType     = "application/json-patch+json"
)

// ofType reads the body as a resource of the type in the URL.
func ofType(w http.ResponseWriter, r *http.Request) (*document.Doc, error) {
	doc, err := parse(w, r)
	if err == nil && doc.Type() != r.PathValue("type") {
		err = outcome.New(outcome.Invalid, "the resource in the body is of another type than the URL says").At("resourceType")
	}
	return doc, err
}

func (a *API) create(w http.ResponseWriter, r *http.Request) {
	doc, err := ofType(w, r)
	if err != nil {
		Fail(w, err)
		return
	}
	var done access.Written
	if criteria := r.Header.Get("If-None-Exist"); criteria != "" {
		done, err = a.Gate.CreateUnless(r.Context(), principal(r), doc, criteria)
	} else {
		done, err = a.Gate.Create(r.Context(), principal(r), doc)
	}
	a.stored(w, r, done, err)
}

func (a *API) update(w http.ResponseWriter, r *http.Request) {
	doc, err := ofType(w, r)
	if err == nil && doc.ID() != r.PathValue("id") {
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
	var done access.Written
	switch r.Header.Get("If-None-Match") {
	case "":
		done, err = a.Gate.Update(r.Context(), principal(r), doc, match)
	case "*":
		done, err = a.Gate.CreateAs(r.Context(), principal(r), doc)
	default:
		err = outcome.New(outcome.NotSupported, "a write takes If-None-Match: * alone; name the version that you saw by If-Match").At("If-None-Match")
	}
	a.stored(w, r, done, err)
}

func (a *API) updateWhere(w http.ResponseWriter, r *http.Request) {
	doc, err := ofType(w, r)
	if err != nil {
		Fail(w, err)
		return
	}
	done, err := a.Gate.UpdateWhere(r.Context(), principal(r), doc, r.URL.RawQuery, r.Header.Get("If-Match"))
	a.stored(w, r, done, err)
}

// patch changes a resource, named by its id or found by criteria, as a JSON Patch says.
func (a *API) patch(w http.ResponseWriter, r *http.Request) {
	err := wantMedia(r, jsonPatchType)
	var text []byte
	if err == nil {
		text, err = whole(w, r)
	}
	var change *patch.Patch
	if err == nil {
		change, err = patch.Parse(text)
	}
	if err != nil {
		Fail(w, err)
		return
	}
	var done access.Written
	typ, match := r.PathValue("type"), r.Header.Get("If-Match")
	if id := r.PathValue("id"); id != "" {
		done, err = a.Gate.Patch(r.Context(), principal(r), typ, id, change, match)
	} else {
		done, err = a.Gate.PatchWhere(r.Context(), principal(r), typ, r.URL.RawQuery, change, match)
	}
	a.stored(w, r, done, err)
}

func (a *API) delete(w http.ResponseWriter, r *http.Request) {
	match, err := access.ParseETag(r.Header.Get("If-Match"))
	if err != nil {
		Fail(w, err)
		return
	}
	done, err := a.Gate.Delete(r.Context(), principal(r), r.PathValue("type"), r.PathValue("id"), match)
	gone(w, done, err)
}

func (a *API) deleteWhere(w http.ResponseWriter, r *http.Request) {
	done, err := a.Gate.DeleteWhere(r.Context(), principal(r), r.PathValue("type"), r.URL.RawQuery, r.Header.Get("If-Match"))
	gone(w, done, err)
}

func gone(w http.ResponseWriter, done access.Written, err error) {
	if err != nil {
		Fail(w, err)
		return
	}
	w.Header().Set("X-Audit-Entry", done.Entry)
	if done.Version > 0 {
		w.Header().Set("ETag", `W/"`+strconv.FormatInt(done.Version, 10)+`"`)
	}
	w.WriteHeader(http.StatusNoContent)
}
