package fhirapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

const mediaType = "application/fhir+json; charset=utf-8"

// Fail answers with an OperationOutcome and the status that its code means.
func Fail(w http.ResponseWriter, err error) {
	challenge(w, err)
	if outcome.Is(err, outcome.Throttled) {
		w.Header().Set("Retry-After", "60")
	}
	status := outcome.Status(err)
	var own withStatus
	if errors.As(err, &own) {
		status = own.status
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(outcome.OperationOutcome(err)) // the connection is the client's to lose
}

// challenge says to a program what is wrong with its token. Sources: https://www.rfc-editor.org/rfc/rfc6750#section-3 and, where its person
// has to sign in again, https://www.rfc-editor.org/rfc/rfc9470#section-3.
func challenge(w http.ResponseWriter, err error) {
	const realm = `Bearer realm="chartwarden"`
	var o *outcome.Error
	switch {
	case !errors.As(err, &o):
	case o.Proof != nil:
		ask := realm + `, error="insufficient_user_authentication", error_description="The person has to sign in again", acr_values="` + identity.ACR(o.Proof.AAL) + `"`
		if o.Proof.MaxAge >= 0 {
			ask += `, max_age="` + strconv.Itoa(int(o.Proof.MaxAge.Seconds())) + `"`
		}
		w.Header().Set("WWW-Authenticate", ask)
	case o.Reason == "scope.insufficient":
		w.Header().Set("WWW-Authenticate", realm+`, error="insufficient_scope"`)
	case o.Reason == "token.invalid":
		w.Header().Set("WWW-Authenticate", realm+`, error="invalid_token"`)
	case o.Code == outcome.Login:
		w.Header().Set("WWW-Authenticate", realm)
	}
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
func (a *API) stored(w http.ResponseWriter, r *http.Request, done access.Written, err error) {
	if err != nil {
		Fail(w, err)
		return
	}
	status := http.StatusOK
	if done.Created {
		status = http.StatusCreated
	}
	h := w.Header()
	h.Set("Location", a.Base+"/"+done.Type+"/"+done.ID+"/_history/"+strconv.FormatInt(done.Version, 10))
	h.Set("X-Audit-Entry", done.Entry)
	h.Set("ETag", `W/"`+strconv.FormatInt(done.Version, 10)+`"`)
	h.Set("Last-Modified", done.Updated.UTC().Format(http.TimeFormat))
	switch preference(r, "return") {
	case "minimal":
		w.WriteHeader(status)
	case "OperationOutcome":
		body(w, status, []byte(storedOutcome))
	default:
		resource(w, status, done.Doc, done.Entry)
	}
}

const storedOutcome = `{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational","details":{"text":"stored"}}]}`

// parse reads the body as one resource. Errors name what is wrong with the media type, the size or the JSON.
func parse(w http.ResponseWriter, r *http.Request) (*document.Doc, error) {
	if err := wantMedia(r, "application/fhir+json", "application/json"); err != nil {
		return nil, err
	}
	b, err := whole(w, r)
	if err != nil {
		return nil, err
	}
	return document.Parse(b)
}

// whole reads a body of the size of one resource.
func whole(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, document.MaxSize))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, outcome.New(outcome.TooLong, "a resource has at most 16 MiB; send several in a bundle")
	}
	if err != nil {
		return nil, outcome.Wrap("fhirapi: body", outcome.Invalid, "the body did not arrive whole, please send it again", err)
	}
	return b, nil
}

// wantMedia refuses bodies of other media types than those.
func wantMedia(r *http.Request, kinds ...string) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(kinds, kind) {
		return withStatus{outcome.New(outcome.NotSupported, "send the body as "+kinds[0]).At("Content-Type"), http.StatusUnsupportedMediaType}
	}
	return nil
}

func instant(t time.Time) string { return t.UTC().Format(document.Instant) }
