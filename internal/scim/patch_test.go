package scim

import (
	"fmt"
	"strings"
	"testing"
)

// Elements are compared by their value however they are written, each comes once, and one operation on a long list looks at it once.
func TestListsOfAPatch(t *testing.T) {
	many := func(n int) (out []any) {
		for i := range n {
			out = append(out, map[string]any{"value": fmt.Sprint("p", i)})
		}
		return out
	}
	resource := map[string]any{"members": many(3)}
	if err := patch(resource, []operation{{"add", "members", []any{"p1", map[string]any{"value": "p9", "type": "User"}, "p9"}}, {"remove", "members", []any{"p0"}}}); err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, m := range resource["members"].([]any) {
		got = append(got, identityOf(m))
	}
	if strings.Join(got, " ") != `"p1" "p2" "p9"` {
		t.Error(got)
	}
	long := map[string]any{}
	if err := patch(long, []operation{{"add", "photos", many(20_000)}}); err != nil || len(long["photos"].([]any)) != 20_000 {
		t.Error(err)
	}
	var steps []operation
	for i := range mostOperations {
		steps = append(steps, operation{"add", "photos", fmt.Sprint("x", i)})
	}
	if err := patch(long, steps); err == nil || !strings.Contains(err.Error(), "fewer operations") {
		t.Errorf("a thousand steps on a long list: %v", err)
	}
}
