package smart

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// fault is an OAuth error: one of the words of the standard, and a sentence for whoever builds the client.
// Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.2.
type fault struct {
	word, text string
}

func (f *fault) Error() string { return f.word + ": " + f.text }

const (
	badRequest  = "invalid_request"
	badClient   = "invalid_client"
	badGrant    = "invalid_grant"
	badScope    = "invalid_scope"
	notYours    = "unauthorized_client"
	badGrantTyp = "unsupported_grant_type"
	later       = "temporarily_unavailable"
	refused     = "access_denied"
)

func wrong(word, text string) *fault { return &fault{word, text} }

// faultOf puts any error into the words of the standard.
func faultOf(err error) *fault {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, identity.ErrNoGrant), errors.Is(err, identity.ErrSignedOut):
		return wrong(badGrant, "the code or token is not valid, expired, used before, or of another client")
	case errors.Is(err, identity.ErrReplayed):
		return wrong(badClient, "the jti of this assertion was used before: sign a new one for each request")
	case outcome.Is(err, outcome.NoStore), outcome.Is(err, outcome.Transient), outcome.Is(err, outcome.Timeout), outcome.Is(err, outcome.Lock):
		return wrong(later, "this cannot be done at the moment: try again")
	}
	return wrong("server_error", "the server could not answer; the fault is recorded on the server")
}

func (f *fault) status() int {
	switch f.word {
	case badClient:
		return http.StatusUnauthorized
	case later:
		return http.StatusServiceUnavailable
	case "server_error":
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// refuse answers a program with its fault, and writes down which client was refused.
func (a *Authority) refuse(w http.ResponseWriter, r *http.Request, client string, err error) {
	f := faultOf(err)
	if _, lookup := a.o.Persons.Client(r.Context(), client); client != "" && lookup != nil {
		client = "" // what nobody registered is not written into the log
	}
	if client != "" || a.nobody.admit(a.o.Now()) {
		if noted := a.o.Persons.NoteRefusal(r.Context(), client, f.Error(), a.o.Arrival(r)); noted != nil && f.word != "server_error" {
			f = faultOf(noted)
		}
	}
	if f.word == badClient {
		w.Header().Set("WWW-Authenticate", `Bearer realm="chartwarden"`)
	}
	answer(w, f.status(), map[string]string{"error": f.word, "error_description": f.text})
}

// limit admits so many a minute.
type limit struct {
	mu    sync.Mutex
	since time.Time
	count int
}

const strangersNoted = 60

func (l *limit) admit(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= time.Minute || now.Before(l.since) {
		l.since, l.count = now, 0
	}
	l.count++
	return l.count <= strangersNoted
}
