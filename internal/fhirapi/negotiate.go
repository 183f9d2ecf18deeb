package fhirapi

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

// negotiated serves JSON to whoever takes JSON, indented on request, and refuses other forms before anything is looked at: an answer
// that the client cannot read would have been a disclosure for nothing. Source: https://hl7.org/fhir/R4/http.html#mime-type.
func (a *API) negotiated(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked url.Values
		if strings.Contains(r.URL.RawQuery, "_format") || strings.Contains(r.URL.RawQuery, "_pretty") {
			asked = r.URL.Query()
		}
		inForm(w, r, asked, func(w http.ResponseWriter) { h(w, r) })
	}
}

// inForm lets answer write in the form that the request asks for.
func inForm(w http.ResponseWriter, r *http.Request, asked url.Values, answer func(http.ResponseWriter)) {
	indent, err := formOf(r, asked)
	if err != nil {
		Fail(w, err)
		return
	}
	if !indent {
		answer(w)
		return
	}
	p := &prettyWriter{ResponseWriter: w, status: http.StatusOK}
	answer(p)
	p.flush()
}

// formOf reads _format, _pretty and Accept; _format wins over the header.
func formOf(r *http.Request, asked url.Values) (indent bool, err error) {
	if asked.Has("_format") {
		for _, format := range asked["_format"] {
			if !isJSON(format) {
				return false, withStatus{outcome.New(outcome.NotSupported, "this server writes JSON only: ask for _format=json").At("_format"), http.StatusNotAcceptable}
			}
		}
	} else if !acceptsJSON(r.Header.Values("Accept")) {
		return false, withStatus{outcome.New(outcome.NotSupported, "this server writes JSON only: send Accept: application/fhir+json").At("Accept"), http.StatusNotAcceptable}
	}
	switch pretty := asked.Get("_pretty"); pretty {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, outcome.New(outcome.Invalid, "_pretty is true or false").At("_pretty")
}

// isJSON understands the short and the long names; a + that nobody encoded arrives as a space.
func isJSON(format string) bool {
	kind, parameters, err := mime.ParseMediaType(strings.ReplaceAll(format, "fhir json", "fhir+json"))
	if err != nil {
		return false
	}
	if v := parameters["fhirversion"]; v != "" && v != "4.0" {
		return false
	}
	switch kind {
	case "json", "application/json", "application/fhir+json", "text/json":
		return true
	}
	return false
}

// acceptsJSON reports whether any of the accepted forms is one of ours. Without a header everything is.
func acceptsJSON(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	for _, line := range accept {
		for form := range strings.SplitSeq(line, ",") {
			form = strings.TrimSpace(form)
			kind, parameters, err := mime.ParseMediaType(form)
			if err != nil {
				continue
			}
			if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil && q == 0 {
				continue
			}
			if isJSON(form) || kind == "*/*" || kind == "application/*" || kind == "text/html" { // a person who looks with a browser
				return true
			}
		}
	}
	return false
}

// prettyWriter keeps the answer back and sends it indented. Only white space changes: numbers keep their digits.
type prettyWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (p *prettyWriter) WriteHeader(status int) { p.status = status }

// Write keeps the body.
func (p *prettyWriter) Write(b []byte) (int, error) { return p.body.Write(b) }

func (p *prettyWriter) flush() {
	var out bytes.Buffer
	if json.Indent(&out, p.body.Bytes(), "", "  ") != nil {
		out = p.body
	}
	if out.Len() > 0 {
		p.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	}
	p.ResponseWriter.WriteHeader(p.status)
	_, _ = p.ResponseWriter.Write(out.Bytes())
}

// preference is what the client prefers under a name (return, handling); "" when it does not say.
// Source: https://www.rfc-editor.org/rfc/rfc7240.
func preference(r *http.Request, name string) string {
	for _, line := range r.Header.Values("Prefer") {
		for part := range strings.FieldsFuncSeq(line, func(c rune) bool { return c == ',' || c == ';' }) {
			key, value, _ := strings.Cut(part, "=")
			if strings.EqualFold(strings.TrimSpace(key), name) {
				return strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
	}
	return ""
}

// withStatus is an error whose HTTP status no issue type stands for.
type withStatus struct {
	error
	status int
}

// Unwrap gives the error itself.
func (e withStatus) Unwrap() error { return e.error }
