package scim

import (
	"encoding/json"
	"testing"
)

// Whatever is sent, a filter is read or refused, and holds or not.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{`userName eq "a"`, `not (a[b eq "c" and d pr].e sw "f") or g.h ne null`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "x"`, `a eq "\u00e9`} {
		f.Add(text)
	}
	resource := map[string]any{"userName": "a", "emails": []any{map[string]any{"value": "x", "type": "work"}, "bare"}, "active": true, enterprise: map[string]any{"department": "x"}}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseFilter(text)
		if (e == nil) == (err == nil) {
			t.Fatalf("%q: %v %v", text, e, err)
		}
		if err == nil {
			e.holds(resource)
			if not, err := parseFilter("not (" + text + ")"); err == nil && not.holds(resource) == e.holds(resource) {
				t.Fatalf("%q and its negation agree", text)
			}
		}
	})
}

// A PATCH is done or refused, and what it leaves is JSON.
func FuzzPatch(f *testing.F) {
	f.Add("emails[type eq \"work\"].value", "Add", `"x"`)
	f.Add("", "replace", `{"name.givenName":["a"],"active":"False"}`)
	f.Add("members", "Remove", `[{"value":"x"}]`)
	f.Add(enterprise+":manager.value", "replace", `7`)
	f.Fuzz(func(t *testing.T, at, op, value string) {
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			return
		}
		resource := map[string]any{"userName": "a", "name": map[string]any{"givenName": "b"}, "emails": []any{map[string]any{"value": "x", "type": "work"}, "bare"}, "members": []any{}}
		if patch(resource, []operation{{op, at, v}}) == nil {
			if _, err := json.Marshal(resource); err != nil {
				t.Fatal(err)
			}
			_, _ = read(resource)
		}
	})
}
