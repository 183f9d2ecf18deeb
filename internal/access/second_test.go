package access_test

import (
	"slices"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
	"chartwarden/policies"
)

// Who counts as a second person is who the rules in force let agree: a house that takes it from its privacy officers waits for none of them.
func TestTheRulesSayWhoIsASecondPerson(t *testing.T) {
	w := newWard(t)
	people := map[string]identity.Person{}
	for _, role := range []string{"administrator", "privacy", "hr", "security", "auditor", "physician"} {
		p, err := w.Persons.Person(t.Context(), w.Person(t, "One of "+role, role, "").Person.Person)
		if err != nil {
			t.Fatal(err)
		}
		people[role] = p
	}
	can := func(s *servertest.Server) (out []string) {
		t.Helper()
		list, err := s.Persons.CanAgree(t.Context(), "somebody", people["physician"].ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			out = append(out, p.Roles...)
		}
		return out
	}
	if got := can(w.Server); !slices.Equal(got, []string{"administrator", "privacy"}) {
		t.Error("by the shipped rules", got)
	}
	for role, p := range people {
		if want := role == "administrator" || role == "privacy"; access.SecondByRules(policy.Enforce(policy.Default()), p, w.Now()) != want || (access.SecondRight(p.Roles) != "") != want {
			t.Errorf("a %s counts: %v", role, !want)
		}
		if p.Active = false; access.SecondByRules(policy.Enforce(policy.Default()), p, w.Now()) {
			t.Errorf("a %s who left counts", role)
		}
	}
	rules, err := policy.Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	rules["denials.cedar"] += "\n@id(\"deny.agree\")\n@why(\"Here administrators agree.\")\nforbid (principal, action == Action::\"people-agree\", resource is System);\n"
	w.Stop()
	s, err := servertest.OpenRuled(t, w.Dir, rules)
	if err != nil {
		t.Fatal(err)
	}
	if got := can(s); !slices.Equal(got, []string{"administrator"}) {
		t.Error("by the house's rules", got)
	}
}
