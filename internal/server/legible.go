package server

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// mostForm is what a form may hold; a longer one is refused where it is read.
const mostForm = 1 << 20

// legible refuses addresses, parameters and forms of pages whose values are no text: broken UTF-8, or a character zero, which no browser
// sends and not every database can even be asked about. FHIR has its own answers.
func legible(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if inFHIR(r) {
			next.ServeHTTP(w, r)
			return
		}
		values, _ := url.ParseQuery(r.URL.RawQuery) // what is not well formed is for who reads it
		if !text(r.URL.Path) || !texts(values) || !textForm(r) {
			http.Error(w, "the address or the form holds characters that are no text: send UTF-8 without character 0", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// textForm looks at the fields of a form and puts it back for who reads it.
func textForm(r *http.Request) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" || r.Body == nil {
		return true
	}
	body := r.Body
	begin, err := io.ReadAll(io.LimitReader(body, mostForm+1))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begin), body), body}
	if err != nil || len(begin) > mostForm {
		return true // whoever reads it on meets the same fault
	}
	values, _ := url.ParseQuery(string(begin))
	return texts(values)
}

func texts(values url.Values) bool {
	for name, all := range values {
		if !text(name) {
			return false
		}
		for _, v := range all {
			if !text(v) {
				return false
			}
		}
	}
	return true
}

func text(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
