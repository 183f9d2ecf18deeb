package server_test

import (
	"cmp"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// Denied by default: who is signed in and has no role gets nothing from any route that is not public.
func TestWithoutARoleNothingOpens(t *testing.T) {
	b := besiege(t)
	eve := b.Person(t, "Eve Nobody", identity.Nurse, "")
	none := []string{}
	if _, _, err := b.Persons.Change(t.Context(), audit.Agent{Job: "test"}, eve.Person.Person, identity.Change{Roles: &none}); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, route := range b.Routes() {
		if route.Public || strings.HasPrefix(route.Pattern, "/events") { // a stream does not end
			continue
		}
		path := wildcard.ReplaceAllStringFunc(route.Pattern, func(w string) string {
			switch name := strings.Trim(w, "{}.$"); name {
			case "":
				return ""
			case "type":
				return "Condition"
			case "id":
				return b.condition
			case "patient":
				return b.maren
			case "person":
				return b.victim.Person.Person
			default:
				return "x"
			}
		})
		a := eve.Do(t, cmp.Or(route.Method, "GET"), path, "", "Accept", "text/html")
		asked++
		if a.Status < 300 {
			t.Errorf("%s %s (%s): %d", route.Method, route.Pattern, route.Action, a.Status)
		}
		for _, secret := range []string{"Sarkoidose", "Okafor"} {
			if strings.Contains(a.Body, secret) {
				t.Errorf("%s %s says %s", route.Method, route.Pattern, secret)
			}
		}
	}
	if asked < 100 {
		t.Error(asked, "routes")
	}
}
