package policy

import (
	"strings"
	"testing"

	"chartwarden/policies"
)

// A bundle that loads, passes the lint and says what its authors want may still break what everything rests on.
func TestLawsAreBrokenByNoBundle(t *testing.T) {
	if broken, err := Broken(policies.Files); err != nil || len(broken) > 0 {
		t.Fatal(broken, err)
	}
	permit := func(id, scope string) string {
		return "@id(\"" + id + "\")\n@why(\"Because.\")\npermit (" + scope + ", resource is Record)\nwhen { principal is Staff && principal in [Role::\"administrator\", Role::\"nurse\"] };\n"
	}
	for name, c := range map[string]struct{ file, old, now, want string }{
		"ended":      {"denials.cedar", "(principal is Staff && !principal.active) ||\n", "", "an account that was ended"},
		"admin":      {"treatment.cedar", "@id(\"treat.careteam\")", permit("treat.all", "principal, action == Action::\"read\"") + "@id(\"treat.careteam\")", "administer or watch"},
		"self made":  {"treatment.cedar", "@id(\"treat.careteam\")", permit("treat.all", "principal, action == Action::\"read\"") + "@id(\"treat.careteam\")", "nobody confirmed"},
		"grant":      {"treatment.cedar", "@id(\"treat.careteam\")", permit("treat.all", "principal, action == Action::\"write\"") + "@id(\"treat.careteam\")", "a grant alone"},
		"export":     {"denials.cedar", "when { context.approvals < 1 };", "when { context.approvals < 0 };", "second person"},
		"own chart":  {"denials.cedar", ".self };", ".self && context.aal > 2 };", "own chart"},
		"notes":      {"denials.cedar", `resource.labels.contains("PSYTHPN") &&`, `resource.labels.contains("PSYTHPX") &&`, "psychotherapy"},
		"glass":      {"glass.cedar", `Role::"nurse", `, "", "always break the glass"},
		"the portal": {"patient.cedar", "resource.chart.getTag(principal.key).self", "true", "of others"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "admin" {
				t.Skip("each takes ten thousand decisions")
			}
			broken, err := Broken(edit(t, c.file, c.old, c.now))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(broken, "\n"), c.want) {
				t.Errorf("%q is not among %q", c.want, broken)
			}
		})
	}
}
