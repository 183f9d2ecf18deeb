package access

import (
	"context"
	"net/http"
)

// Route is one HTTP route and the policy action that its handler performs at the door. The server refuses to start with a route that
// is neither public nor names an action, so a page that forgets the door does not exist.
type Route struct {
	Method  string
	Pattern string // http.ServeMux pattern without the method
	Action  string // a policy action, or "session" for what a person does with the own session
	Public  bool   // answers without a session
	Handler http.HandlerFunc
}

type principalKey struct{}

// WithPrincipal returns a context that carries who asks. The server sets it once per request, after authentication.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns who asks; the zero Principal, which may do nothing, when nobody is signed in.
func PrincipalFrom(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
