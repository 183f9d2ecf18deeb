package policy

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"chartwarden/policies"
)

// The matrix says what the rules say, and laws that everybody knows can be read off it.
func TestMatrix(t *testing.T) {
	cells := Default().Matrix()
	if want := len(Roles) * len(MatrixActions) * len(groupKinds) * len(Stands); len(cells) != want {
		t.Fatalf("%d cells, not %d", len(cells), want)
	}
	for _, c := range cells {
		q, ok := Default().Asked(c)
		if d := Default().decide(q); !ok || d.Allowed != c.Allowed || !slices.Equal(decidedBy(d), c.Rules) {
			t.Errorf("%+v is %+v", c, d)
		}
		switch {
		case c.Role == "administrator" && c.Allowed:
			t.Errorf("an administrator: %+v", c)
		case c.Stand == "stranger" && c.Allowed && slices.Contains(Clinical, c.Role):
			t.Errorf("a stranger: %+v", c)
		case c.Stand == "glass" && c.Action != Read && c.Action != Search && c.Allowed && c.Role != "front-desk" && c.Role != "billing":
			t.Errorf("a grant does more than read: %+v", c)
		case c.Stand == "contact" && c.Action == Read && c.Group == "notes" && !c.Allowed && slices.Contains(Clinical, c.Role):
			t.Errorf("a contact does not read: %+v", c)
		}
	}
}

func TestMatrixShowsWhatChanges(t *testing.T) {
	b, err := Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	b = maps.Clone(b)
	b["operations.cedar"] = strings.Replace(b["operations.cedar"], `["demographics", "billing"].contains(resource.class)`, `["demographics", "billing", "results"].contains(resource.class)`, 1)
	other, err := Load(b)
	if err != nil {
		t.Fatal(err)
	}
	changed := Changed(Default().Matrix(), other.Matrix())
	for _, c := range changed {
		if c.Role != "billing" || c.Group != "results" || !c.Allowed {
			t.Errorf("%+v", c)
		}
	}
	if len(changed) == 0 {
		t.Error("nothing changes")
	}
	if r, ok := other.Rule("ops.billing"); !ok || !strings.Contains(r.Text, `"results"`) || !strings.HasPrefix(r.Place, "operations.cedar:") {
		t.Errorf("%+v", r)
	}
}

// A name that could stand for two files in the hash is no name of a file of rules.
func TestABundleHasPlainNames(t *testing.T) {
	for _, name := range []string{"a 1\nxb.cedar", "A.cedar", "a b.cedar", "..cedar"} {
		if _, err := Gather(fstest.MapFS{name: {Data: []byte("x")}}); err == nil {
			t.Errorf("gathered %q", name)
		}
		if _, err := Unpack(Bundle{name: "x"}.Pack()); err == nil {
			t.Errorf("unpacked %q", name)
		}
	}
	for _, b := range []Bundle{{"treatment.cedar": "x", "scenarios/glass.txt": "y", "schema.cedarschema": "z"}} {
		if _, err := Gather(b); err != nil {
			t.Error(err)
		}
		if _, err := Unpack(b.Pack()); err != nil {
			t.Error(err)
		}
	}
}
