package policy

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"chartwarden/policies"
)

func TestShippedBundleLoads(t *testing.T) {
	for _, fault := range Check(policies.Files) {
		t.Error(fault)
	}
}

func TestShippedScenariosHold(t *testing.T) {
	trials, err := Default().Test(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, x := range trials {
		if !x.Passed {
			t.Errorf("%s: %s\n  %s\n  got %s", x.Place, x.Scenario, x.Step, x.Got)
		}
		for _, word := range strings.Fields(x.Step) {
			used[strings.TrimSuffix(word, ",")] = true
		}
	}
	for _, p := range Default().Policies() {
		if !used[p.ID] {
			t.Errorf("no scenario names %s", p.ID)
		}
	}
	t.Logf("%d policies, %d questions", len(Default().Policies()), len(trials))
}

// edit gives the shipped bundle with one replacement, which must change something.
func edit(t *testing.T, file, old, now string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(policies.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(policies.Files, name)
		if name == file {
			changed := strings.Replace(string(text), old, now, 1)
			if changed == string(text) {
				return fmt.Errorf("%s does not hold %q", file, old)
			}
			text = []byte(changed)
		}
		out[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ file, old, now, want string }{
		"syntax":               {"glass.cedar", "permit (", "permit {", "glass.cedar:5"},
		"misspelt attribute":   {"treatment.cedar", "principal.onShift", "principal.onshift", "onshift"},
		"misspelt action":      {"treatment.cedar", `Action::"chart"`, `Action::"chrat"`, "chrat"},
		"misspelt role":        {"treatment.cedar", `Role::"medical-assistant"`, `Role::"medical-asistant"`, "medical-asistant"},
		"misspelt scope role":  {"treatment.cedar", `principal is Staff in Role::"nurse"`, `principal is Staff in Role::"nurze"`, "nurze"},
		"misspelt device":      {"stepup.cedar", `context.device == "unknown"`, `context.device == "unkown"`, "unkown"},
		"misspelt group":       {"operations.cedar", `"demographics", "contact"`, `"demographics", "contacts"`, "contacts"},
		"misspelt job":         {"machines.cedar", `Job::"backup"`, `Job::"bakcup"`, "bakcup"},
		"unguarded optional":   {"glass.cedar", "resource.chart.getTag(principal.key) has btgUntil &&\n", "", "btgUntil"},
		"no id":                {"glass.cedar", `@id("btg.grant")`, "", "has no @id"},
		"no why":               {"glass.cedar", `@why("You may open this chart in an emergency by giving a reason.")`, "", "no @why"},
		"same id":              {"glass.cedar", `@id("btg.grant")`, `@id("btg.break")`, "twice"},
		"effect against id":    {"glass.cedar", `@id("btg.grant")`, `@id("deny.grant")`, "disagree"},
		"unknown annotation":   {"glass.cedar", `@rests("btg")`, `@rest("btg")`, "@rest is unknown"},
		"unknown advice":       {"stepup.cedar", `@advice("device:register")`, `@advice("step-up:four")`, "@advice"},
		"somebody by key":      {"treatment.cedar", "principal.onShift", `principal.key == "mal"`, "picks single people"},
		"somebody by entity":   {"treatment.cedar", "principal.onShift", `principal == Staff::"mal"`, "is one alone"},
		"a day":                {"treatment.cedar", "principal.onShift", `context.now < datetime("2026-12-01")`, "names a day"},
		"permit names nobody":  {"treatment.cedar", `principal is Staff in Role::"physician", action in Action::"chart"`, `principal is Staff, action in Action::"chart"`, "names those it admits"},
		"permit by exclusion":  {"treatment.cedar", `principal in [Role::"medical-assistant", Role::"pharmacist", Role::"technician"] &&`, `!(principal in [Role::"billing"]) &&`, "names those it admits"},
		"weakened care guard":  {"stepup.cedar", "  (resource.chart.getTag(principal.key).openContact ||\n", "  (resource.chart.getTag(principal.key).careTeam ||\n", "care guard"},
		"new unguarded forbid": {"stepup.cedar", `@id("stepup.device")`, "@id(\"stepup.mood\")\n@why(\"No.\")\nforbid (principal is Staff, action == Action::\"read\", resource is Record);\n@id(\"stepup.device\")", "stepup.mood: lacks the care guard"},
		"forgotten override":   {"denials.cedar", "@override(\"btg\")\n", "", "speaks of a grant"},
		"schema drift":         {"schema.cedarschema", "panel: Bool", "panel: Long", "no longer fit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(edit(t, c.file, c.old, c.now))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v\ndoes not name %q", err, c.want)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}); err == nil {
		t.Error("an empty bundle is accepted")
	}
}

func TestHashNamesTheBundle(t *testing.T) {
	again, err := Load(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != Default().Hash() || len(again.Hash()) != 64 {
		t.Fatalf("hash %q is not stable", again.Hash())
	}
	changed, err := Load(edit(t, "denials.cedar", "> 200", "> 100"))
	if err != nil {
		t.Fatal(err)
	}
	if changed.Hash() == again.Hash() {
		t.Error("another bundle, the same hash")
	}
}

func TestActionsAreThoseOfTheSchema(t *testing.T) {
	want := []string{Approvals, AuditRead, AuditVerify, Break, CaseWork, Cases, Export, ExportAgree, Find, GlassReview, GrantAgree, Integrity, Lower, Mute, MuteAgree, Own, People, PeopleAgree, PeopleList, PolicyAgree, PolicyPropose, PolicyRead, Print, Provision, Read, Recertify, RecertifyStart, Search, Settings, SettingsRead, Shred, ShredAgree, Undo, UndoAgree, Write}
	if got := Default().Actions(); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("%v", got)
	}
	for _, a := range want {
		if administrative(a) != (a == Own || Default().actions[a].Parents.Len() == 1 && !strings.Contains("read search write export print lower", a)) {
			t.Errorf("%s is taken for the wrong kind", a)
		}
	}
}
