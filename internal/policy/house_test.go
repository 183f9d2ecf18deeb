package policy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/policies"
)

func TestHouseRolesAreRead(t *testing.T) {
	roles, faults := ReadHouse("# ours\n\nward-clerk = nurse : contact,demographics, contact\nfloat = technician, nurse: results\n")
	want := []HouseRole{{"ward-clerk", []string{"nurse"}, []string{"demographics", "contact"}}, {"float", []string{"nurse", "technician"}, []string{"results"}}}
	if len(faults) != 0 || !reflect.DeepEqual(roles, want) {
		t.Fatalf("%v, %v", roles, faults)
	}
	again, faults := ReadHouse(WriteHouse(roles))
	if len(faults) != 0 || !reflect.DeepEqual(again, want) {
		t.Fatalf("written and read: %v, %v", again, faults)
	}
	for text, part := range map[string]string{
		"clerk":                                    "roles.txt:1: write a role as",
		"clerk = nurse":                            "roles.txt:1: write a role as",
		"\n\nClerk = nurse: notes":                 "roles.txt:3: \"Clerk\" is no name",
		"nurse = nurse: notes":                     "nurse is a shipped role",
		"clerk = : notes":                          "clerk is of no role",
		"clerk = nurse:":                           "clerk sees no field group",
		"boss = administrator: notes":              `boss is of "administrator"`,
		"me = patient: notes":                      `me is of "patient"`,
		"clerk = nurse: everything":                `clerk sees "everything"`,
		"clerk = nurse: directory":                 `clerk sees "directory"`,
		"a1 = nurse: notes\na1 = physician: notes": "roles.txt:2: a1 is there twice",
	} {
		if _, faults := ReadHouse(text); len(faults) != 1 || !strings.Contains(faults[0], part) {
			t.Errorf("%q: %v, want %q", text, faults, part)
		}
	}
	if _, faults := ReadHouse(strings.Repeat("x", 1<<16)); len(faults) != 1 {
		t.Errorf("a long line: %d faults", len(faults))
	}
}

func FuzzHouse(f *testing.F) {
	f.Add("ward-clerk = nurse: contact, demographics\n")
	f.Add("a = b: c")
	f.Fuzz(func(t *testing.T, text string) {
		roles, faults := ReadHouse(text)
		again, more := ReadHouse(WriteHouse(roles))
		if len(more) > 0 || !reflect.DeepEqual(roles, again) {
			t.Fatalf("%v is read again as %v, %v (%v)", roles, again, more, faults)
		}
	})
}

// houses is the shipped bundle with roles of the house.
func houses(t *testing.T, text string) *Set {
	t.Helper()
	b, err := Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	b[HouseFile] = text
	set, err := Load(b)
	if err != nil {
		t.Fatal(err)
	}
	if broken, err := Broken(b); err != nil || len(broken) > 0 {
		t.Fatalf("%v, %v", broken, err)
	}
	if set.Hash() != b.Hash() || set.Hash() == Default().Hash() {
		t.Fatal("the hash does not name the roles")
	}
	return set
}

// A role of the house answers as its shipped role does where it sees the field group, and else not at all, but for the glass, allergies and
// finding; in every cell of the matrix.
func TestARoleOfTheHouseOnlyNarrows(t *testing.T) {
	set := houses(t, "ward-clerk = nurse: demographics, results\ndesk = front-desk: scheduling\n")
	for name, shipped := range map[string]string{"ward-clerk": "nurse", "desk": "front-desk"} {
		role, _ := set.HouseRole(name)
		wide, cells := set.MatrixOf(shipped), set.MatrixOf(name)
		less := 0
		for i, c := range cells {
			in := slices.Contains(role.Groups, c.Group) || c.Stand == "glass" && (c.Action == Read || c.Action == Search)
			if c.Allowed != (wide[i].Allowed && in) {
				t.Errorf("%s %s %s %s: %v, %s %v", name, c.Stand, c.Action, c.Group, c.Allowed, shipped, wide[i].Allowed)
			}
			if wide[i].Allowed && !c.Allowed {
				less++
			}
		}
		if len(cells) == 0 || less == 0 {
			t.Errorf("%s: %d cells, %d of them closed", name, len(cells), less)
		}
	}
	her := Principal{Kind: Person, ID: "her", Capacity: Staff, Roles: []string{"nurse"}, House: "ward-clerk", Active: true, OnShift: true, TrainingDue: scenarioNow.Add(time.Hour)}
	ask := func(p Principal, kind, group string, rel Relation) bool {
		q := Request{Principal: p, Action: Read, Relation: rel, Resource: Resource{Type: kind, Group: group, Released: true, PatientKey: "1"},
			Context: Context{Now: scenarioNow, Device: Managed, Zone: Hospital, AAL: 2, AuthAge: 60}}
		d := set.Decide(q)
		f, err := set.Filter(p, Read, rel, q.Context)
		if err != nil || f.Allows(q.Resource) != d.Allowed {
			t.Errorf("filter and decision part ways for %s %s: %v, %v", kind, group, d.Allowed, err)
		}
		return d.Allowed
	}
	team, glass := Relation{CareTeam: true}, Relation{BTGUntil: scenarioNow.Add(time.Hour)}
	both, gone := her, her
	both.Roles = []string{"nurse", "physician"}
	gone.House = "no-such"
	for _, c := range []struct {
		who   string
		p     Principal
		kind  string
		group string
		rel   Relation
		want  bool
	}{
		{"hers", her, "Observation", "results", team, true},
		{"not hers", her, "Condition", "clinical", team, false},
		{"allergies always", her, "AllergyIntolerance", "clinical", team, true},
		{"the glass", her, "Condition", "clinical", glass, true},
		{"a role that it is not of", both, "Observation", "results", team, false},
		{"then the glass still opens", both, "Observation", "results", glass, true},
		{"a role that these rules do not have", gone, "Observation", "results", team, false},
		{"then the glass still opens", gone, "Condition", "clinical", glass, true},
	} {
		if got := ask(c.p, c.kind, c.group, c.rel); got != c.want {
			t.Errorf("%s: %v", c.who, got)
		}
	}
}

// What an entry keeps names the role, not its groups: a candidate that gives it others is tried with its own.
func TestFactsNameTheRoleOfTheHouse(t *testing.T) {
	now, later := houses(t, "ward-clerk = nurse: results\n"), houses(t, "ward-clerk = nurse: notes\n")
	f := Facts{Principal: Principal{Kind: Person, ID: "her", Capacity: Staff, Roles: []string{"nurse"}, House: "ward-clerk", Active: true, TrainingDue: scenarioNow.Add(time.Hour)}, Action: Read,
		Relation: Relation{CareTeam: true}, Context: Context{Now: scenarioNow, Device: Managed, Zone: Hospital, AAL: 2},
		Resources: []Resource{{Type: "Observation", Group: "results", Released: true, PatientKey: "1"}, {Type: "DocumentReference", Group: "notes", Released: true, PatientKey: "1"}}}
	kept, err := ReadFacts(f.Text(), "her")
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range kept.Requests() {
		if a, b := now.Decide(q).Allowed, later.Decide(q).Allowed; a != (i == 0) || b != (i == 1) {
			t.Errorf("%s: %v by the rules of that day, %v by the candidate", q.Resource.Group, a, b)
		}
	}
}

// Rules that pass over a narrowed role break a law.
func TestAHouseRoleThatRulesPassOver(t *testing.T) {
	b, err := Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	b[HouseFile] = "ward-clerk = nurse: results\n"
	b["denials.cedar"] = strings.Replace(b["denials.cedar"], "when { principal has groups && !principal.groups.contains(resource.class) }", `when { principal has groups && !principal.groups.contains(resource.class) && resource.class != "notes" }`, 1)
	broken, err := Broken(b)
	if err != nil || len(broken) != 1 || !strings.Contains(broken[0], "its own field groups only") {
		t.Fatalf("%v, %v", broken, err)
	}
}
