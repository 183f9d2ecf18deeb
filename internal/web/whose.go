package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// A browser has one session, and a tab of an earlier one may come forward again at a workstation that people share: frozen, it missed the lock.
// So each page of somebody says in its forms and in its script's requests whose it is, and what comes from another's does nothing
// (docs/adr/0178). It is no secret and proves nothing: the cookie does, and the origin.

// whoseField is the field of a form.
const whoseField = "whose"

// Whose names a session's person, in the capacity and the acting that the page was drawn in, by 11 characters. It is the same in each session of
// that person, so that an own older tab goes on.
func Whose(s *identity.Session) string {
	by := []string{"whose", s.Person.ID, s.Capacity}
	if s.Actor != nil {
		by = append(by, s.Actor.Person.ID)
	}
	sum := sha256.Sum256([]byte(strings.Join(by, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// ErrWhose refuses what comes from a page of somebody else.
var ErrWhose error = outcome.New(outcome.Conflict, "this page was opened by somebody else at this computer, or before you took on another's view. Nothing was done: begin again on a page of your own").Because("page.another")

// MarkWhose puts the field into each form that changes something. Text in a page is escaped, so only tags begin with <form.
func MarkWhose(page []byte, s *identity.Session) []byte {
	const post = ` method="post"`
	field := []byte(`<input type="hidden" name="` + whoseField + `" value="` + Whose(s) + `">`)
	out := make([]byte, 0, len(page)+len(page)/16)
	for {
		at := bytes.Index(page, []byte("<form"))
		if at < 0 {
			return append(out, page...)
		}
		end := bytes.IndexByte(page[at:], '>')
		if end < 0 {
			return append(out, page...)
		}
		end += at + 1
		out = append(out, page[:end]...)
		if bytes.Contains(page[at:end], []byte(post)) {
			out = append(out, field...)
		}
		page = page[end:]
	}
}

// TakeWhose takes the field out of a form's body and reports whether it names somebody else than the session. A request without one passes: it is
// of a program, or of a script that changes nothing of a person's.
func TakeWhose(body []byte, s *identity.Session) (rest []byte, another bool) {
	want := Whose(s)
	var kept [][]byte
	for _, pair := range bytes.Split(body, []byte("&")) {
		value, is := bytes.CutPrefix(pair, []byte(whoseField+"="))
		if !is {
			kept = append(kept, pair)
			continue
		}
		another = another || len(value) > 0 && string(value) != want
	}
	return bytes.Join(kept, []byte("&")), another
}

// another reports whether a stream was asked for by a page of somebody else.
func another(r *http.Request, s *identity.Session) bool {
	whose := r.URL.Query().Get(whoseField)
	return whose != "" && whose != Whose(s)
}
