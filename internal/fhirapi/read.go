package fhirapi

import (
	"net/http"
	"strconv"

	"chartwarden/internal/outcome"
)

func (a *API) read(w http.ResponseWriter, r *http.Request) {
	found, err := a.Gate.Read(r.Context(), principal(r), r.PathValue("type"), r.PathValue("id"))
	if err != nil {
		Fail(w, err)
		return
	}
	doc := found.Docs[0]
	if match := r.Header.Get("If-None-Match"); match != "" && match == `W/"`+doc.VersionID()+`"` {
		w.Header().Set("X-Audit-Entry", found.Entry)
		w.Header().Set("ETag", match)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	resource(w, http.StatusOK, doc, found.Entry)
}

func (a *API) vread(w http.ResponseWriter, r *http.Request) {
	version, err := strconv.ParseInt(r.PathValue("vid"), 10, 64)
	if err != nil || version < 1 {
		Fail(w, outcome.New(outcome.NotFound, "there is no such version"))
		return
	}
	found, err := a.Gate.ReadVersion(r.Context(), principal(r), r.PathValue("type"), r.PathValue("id"), version)
	if err != nil {
		Fail(w, err)
		return
	}
	resource(w, http.StatusOK, found.Docs[0], found.Entry)
}
