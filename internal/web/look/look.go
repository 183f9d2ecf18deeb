// Package look is how Chartwarden looks: assets, page frame, parts and charts. It only renders; it reads no data and decides nothing.
//
// A page is a templ component inside [Layout] (a signed-in person) or [Outside] (nobody signed in yet). Stylesheet, icons, fonts and
// modules are embedded and served by [Static] under names that hold their hash, so they may be cached for ever:
//
//	mux.Handle("GET /static/", look.Static())
//	w.Header().Set("Content-Security-Policy", look.Policy)
//	err := look.Layout(shell).Render(templ.WithChildren(ctx, body), w)
//
// Charts ([Trend], [Spark], [Lanes], [Bars], [QR]) are inline SVG with a one-sentence text alternative made from the same numbers. Times and
// dates are written by [Day], [Clock], [Moment] and [Partial] only, so that no page can write 03/14/61.
//
// Editing a .templ file needs one command afterwards; the generated files are committed:
//
//	go generate ./internal/web/look
package look

//go:generate go tool -modfile=../../../tools/go.mod templ generate -path .. -lazy

// Policy is the Content-Security-Policy of every page. There is no inline script or style anywhere, so it needs no nonce.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
