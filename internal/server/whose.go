package server

import (
	"bytes"
	"io"
	"mime"
	"net/http"

	"chartwarden/internal/access"
	"chartwarden/internal/web"
)

// fromOwnPage refuses a form that a page of somebody else sent, before anything of it is done, whatever route it takes.
func fromOwnPage(r *http.Request) error {
	who := access.PrincipalFrom(r.Context())
	if r.Method != http.MethodPost || who.Session == nil || who.App != nil || r.Body == nil {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil
	}
	body, another := r.Body, false
	begin, err := io.ReadAll(io.LimitReader(body, mostForm+1))
	if err == nil && len(begin) <= mostForm { // else whoever reads it on meets the same fault
		begin, another = web.TakeWhose(begin, who.Session)
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begin), body), body}
	if another {
		return web.ErrWhose
	}
	return nil
}
