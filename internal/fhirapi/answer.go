package fhirapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

const mediaType = "application/fhir+json; charset=utf-8"

// Fail answers with an OperationOutcome and the status that its code means.
func Fail(w http.ResponseWriter, err error) {
	if outcome.Is(err, outcome.Login) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="chartwarden"`)
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(outcome.Status(err))
	_, _ = w.Write(outcome.OperationOutcome(err)) // the connection is the client's to lose
}

// resource answers with one document.
func resource(w http.ResponseWriter, status int, doc *document.Doc, entry string) {
	h := w.Header()
	h.Set("X-Audit-Entry", entry)
	if v := doc.VersionID(); v != "" {
		h.Set("ETag", `W/"`+v+`"`)
	}
	if t, ok := doc.LastUpdated(); ok {
		h.Set("Last-Modified", t.UTC().Format(http.TimeFormat))
	}
	body(w, status, doc.AppendJSON(nil))
}

func body(w http.ResponseWriter, status int, b []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// stored answers a write as the client prefers: the resource, an OperationOutcome, or nothing.
func (a *API) stored(w http.ResponseWriter, r *http.Request, done access.Written) {
	status := http.StatusOK
	if done.Created {
		status = http.StatusCreated
	}
	h := w.Header()
	h.Set("Location", a.Base+"/"+done.Type+"/"+done.ID+"/_history/"+strconv.FormatInt(done.Version, 10))
	h.Set("X-Audit-Entry", done.Entry)
	h.Set("ETag", `W/"`+strconv.FormatInt(done.Version, 10)+`"`)
	h.Set("Last-Modified", done.Updated.UTC().Format(http.TimeFormat))
	switch prefer := r.Header.Get("Prefer"); {
	case strings.Contains(prefer, "return=minimal"):
		w.WriteHeader(status)
	case strings.Contains(prefer, "return=OperationOutcome"):
		body(w, status, []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational","details":{"text":"stored"}}]}`))
	default:
		resource(w, status, done.Doc, done.Entry)
	}
}

// parse reads the body as one resource. Errors name what is wrong with the media type, the size or the JSON.
func parse(w http.ResponseWriter, r *http.Request) (*document.Doc, error) {
	if err := wantJSON(r); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, document.MaxSize))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, outcome.New(outcome.TooLong, "a resource has at most 16 MiB; send several in a bundle")
	}
	if err != nil {
		return nil, outcome.Wrap("fhirapi: body", outcome.Invalid, "the body did not arrive whole, please send it again", err)
	}
	return document.Parse(b)
}

// wantJSON refuses bodies of another media type.
func wantJSON(r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/fhir+json" && kind != "application/json" {
		return outcome.New(outcome.NotSupported, "send the body as application/fhir+json").At("Content-Type")
	}
	return nil
}

func instant(t time.Time) string { return t.UTC().Format(document.Instant) }
