package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
)

// public is every way in that answers without a session. A route that is added here opens a door to everybody: say in the commit why.
var public = []string{
	"GET /healthz", "GET /readyz", "GET /metrics",
	"POST /session/test", // of a sandbox
	"GET /fhir/metadata", "GET /.well-known/smart-configuration", "GET /fhir/.well-known/smart-configuration", "GET /.well-known/openid-configuration",
	"GET /oauth/jwks", "GET /oauth/authorize", "POST /oauth/token", "POST /oauth/introspect", "POST /oauth/revoke",
	"GET /static/",
	"GET /sign-in", "POST /sign-in", "POST /sign-in/passkey", "GET /recover", "POST /recover",
	"GET /enrol/{link}", "POST /enrol/{link}", "POST /enrol/{link}/passkey", "GET /locked", "POST /unlock",
	"GET /device/{code}", "POST /device/{code}", "POST /device/nonce",
	"POST /device/machine/nonce", "POST /device/machine/enrol", "POST /device/machine/browser", "POST /device/machine/report",
}

// Every route of a whole server names an action of the policy, the public ones are those that are known, and with one bare route more
// no server starts. (That nothing is served past this table is a rule of archtest.)
func TestRoutesNameAction(t *testing.T) {
	routes := servertest.Start(t).Routes()
	actions := append(policy.Default().Actions(), "session")
	var found []string
	for _, r := range routes {
		name := strings.TrimSpace(r.Method + " " + r.Pattern)
		switch {
		case r.Public && r.Action != "":
			t.Errorf("%s names %s and asks nobody", name, r.Action)
		case r.Public:
			found = append(found, name)
		case !slices.Contains(actions, r.Action):
			t.Errorf("%s names %q, which is no action", name, r.Action)
		}
	}
	slices.Sort(found)
	known := slices.Sorted(slices.Values(public))
	if !slices.Equal(found, known) {
		t.Errorf("public are %q, known are %q", found, known)
	}
	for name, bare := range map[string]access.Route{
		"no action":                        {Method: "GET", Pattern: "/planted"},
		"an action that no policy decides": {Method: "GET", Pattern: "/planted", Action: "look"},
		"any method":                       {Pattern: "/planted"},
	} {
		t.Run(name, func(t *testing.T) {
			bare.Handler = func(http.ResponseWriter, *http.Request) {}
			if err := server.NameActions(append(slices.Clone(routes), bare)); err == nil || !strings.Contains(err.Error(), "/planted") {
				t.Errorf("it is mounted: %v", err)
			}
		})
	}
	if err := server.NameActions(routes); err != nil {
		t.Error(err)
	}
}
