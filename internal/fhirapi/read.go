package fhirapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

func (a *API) read(w http.ResponseWriter, r *http.Request) {
	shape, err := shapeOf(r)
	if err != nil {
		Fail(w, err)
		return
	}
	found, err := a.Gate.Read(r.Context(), principal(r), r.PathValue("type"), r.PathValue("id"))
	a.show(w, r, shape, found, err)
}

func (a *API) vread(w http.ResponseWriter, r *http.Request) {
	shape, err := shapeOf(r)
	if err != nil {
		Fail(w, err)
		return
	}
	version, err := strconv.ParseInt(r.PathValue("vid"), 10, 64)
	if err != nil || version < 1 {
		Fail(w, outcome.New(outcome.NotFound, "there is no such version"))
		return
	}
	found, err := a.Gate.ReadVersion(r.Context(), principal(r), r.PathValue("type"), r.PathValue("id"), version)
	a.show(w, r, shape, found, err)
}

// show answers with the one document of a read, shortened as asked, or with 304 where the client has it already.
func (a *API) show(w http.ResponseWriter, r *http.Request, shape *search.Query, found access.Disclosure, err error) {
	var doc *document.Doc
	if err == nil {
		doc = found.Docs[0]
		if unchanged(doc, r.Header.Get("If-None-Match"), r.Header.Get("If-Modified-Since")) {
			w.Header().Set("X-Audit-Entry", found.Entry)
			w.Header().Set("ETag", `W/"`+doc.VersionID()+`"`)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if shape != nil {
			doc, err = shape.Shorten(doc)
		}
	}
	if err != nil {
		Fail(w, err)
		return
	}
	resource(w, http.StatusOK, doc, found.Entry)
}

// shapeOf reads what a read may ask about the form of its answer; nil when it asks nothing.
func shapeOf(r *http.Request) (*search.Query, error) {
	if r.URL.RawQuery == "" {
		return nil, nil
	}
	asked, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, outcome.New(outcome.Invalid, "the query is not well formed: encode spaces, % and & in values").At("url")
	}
	for name := range asked {
		switch name {
		case "_summary", "_elements", "_format", "_pretty":
		default:
			if preference(r, "handling") != "lenient" {
				return nil, outcome.New(outcome.NotSupported, "a read takes _summary, _elements, _format and _pretty: leave the rest out, or send Prefer: handling=lenient").At("url")
			}
			delete(asked, name)
		}
	}
	if asked.Get("_summary") == "count" {
		return nil, outcome.New(outcome.Invalid, "one resource cannot be counted: _summary is true, text, data or false here").At("_summary")
	}
	return search.Parse(r.PathValue("type"), asked, search.Options{Strict: true})
}

// unchanged reports whether the client holds this version: by its ETag, or else by the time of its last change, which HTTP writes in
// whole seconds. Whoever is told so has learnt something of the record, so the read stands in the log all the same.
// Source: https://hl7.org/fhir/R4/http.html#cread.
func unchanged(doc *document.Doc, ifNoneMatch, ifModifiedSince string) bool {
	if ifNoneMatch != "" {
		for tag := range strings.SplitSeq(ifNoneMatch, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) == doc.VersionID() && tag != "" {
				return true
			}
		}
		return false
	}
	if ifModifiedSince == "" {
		return false
	}
	since, err := http.ParseTime(ifModifiedSince)
	if err != nil {
		since, err = time.Parse(time.RFC3339, ifModifiedSince) // bundle entries write it as an instant
	}
	updated, ok := doc.LastUpdated()
	return err == nil && ok && !updated.Truncate(time.Second).After(since)
}
