package balp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fshRule   = regexp.MustCompile(`^\* (\S+) = (.*)$`)
	fshSlice  = regexp.MustCompile(`^(\w+)(?:\[(\w+)\])?$`)
	fshCode   = regexp.MustCompile(`^(\S*)#(\S+)`)
	fshRef    = regexp.MustCompile(`^Reference\((.*)\)$`)
	fshArrays = map[string]bool{"subtype": true, "agent": true, "entity": true, "purposeOfEvent": true, "detail": true, "role": true, "policy": true, "purposeOfUse": true, "extension": true}
)

// fshEvents reads the AuditEvent instances of an FHIR Shorthand file: as much of the language as the published examples use.
func fshEvents(text string) map[string]map[string]any {
	out := map[string]map[string]any{}
	var now map[string]any
	slots := map[string]int{}
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(strings.ReplaceAll(line, "DCM#", systemDICOM+"#"), " // ")
		if name, ok := strings.CutPrefix(line, "Instance:"); ok {
			now, slots = map[string]any{"resourceType": "AuditEvent", "id": strings.TrimSpace(name)}, map[string]int{}
			out[strings.TrimSpace(name)] = now
		}
		if m := fshRule.FindStringSubmatch(strings.TrimSpace(line)); m != nil && now != nil && !strings.HasPrefix(m[1], "meta") {
			fshSet(now, strings.Split(m[1], "."), m[2], slots, "")
		}
	}
	return out
}

func fshSet(at map[string]any, path []string, value string, slots map[string]int, where string) {
	m := fshSlice.FindStringSubmatch(path[0])
	if m == nil {
		return
	}
	name, where := m[1], where+"."+path[0]
	array := fshArrays[name] && (name != "role" || !strings.HasPrefix(where, ".entity")) || where == ".source.type"
	if len(path) == 1 && !array {
		at[name] = fshValue(name, where, value)
		return
	}
	if !array {
		next, _ := at[name].(map[string]any)
		if next == nil {
			next = map[string]any{}
			at[name] = next
		}
		fshSet(next, path[1:], value, slots, where)
		return
	}
	list, _ := at[name].([]any)
	slot, known := slots[where]
	if !known {
		slot = len(list)
		slots[where] = slot
		list = append(list, map[string]any{})
	}
	if len(path) == 1 {
		list[slot] = fshValue(name, where, value)
	} else {
		fshSet(list[slot].(map[string]any), path[1:], value, slots, where)
	}
	at[name] = list
}

func fshValue(name, where, value string) any {
	value = strings.TrimSpace(value)
	if m := fshRef.FindStringSubmatch(value); m != nil {
		return map[string]any{"reference": m[1]}
	}
	if m := fshCode.FindStringSubmatch(value); m != nil {
		code := map[string]any{"system": m[1], "code": m[2]}
		switch {
		case name == "action" || name == "outcome" || strings.HasSuffix(where, "network.type"):
			return m[2]
		case name == "purposeOfEvent" || name == "purposeOfUse" || strings.HasPrefix(where, ".agent"):
			return map[string]any{"coding": []any{code}}
		}
		return code
	}
	if value == "true" || value == "false" {
		return value == "true"
	}
	return strings.Trim(value, `"`)
}

func TestProfileExamplesAreRead(t *testing.T) {
	verbs := map[string]string{"Create": "create", "Read": "read", "Update": "update", "Delete": "delete", "Query": "search"}
	count := 0
	files, _ := filepath.Glob(filepath.Join(testdata(t, "audit-samples", "ihe-balp-fsh"), "*.fsh"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, instance := range fshEvents(string(text)) {
			if instance["agent"] == nil || instance["recorded"] == nil {
				continue // patients, devices and other company
			}
			count++
			b, _ := json.Marshal(instance)
			e, err := Parse(b)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, b)
				continue
			}
			for word, verb := range verbs {
				if strings.HasPrefix(name, "ex-auditBasic"+word) && !strings.HasPrefix(e.Interaction, verb) {
					t.Errorf("%s is read as %s", name, e.Interaction)
				}
			}
			if strings.Contains(string(b), "Patient/ex-patient") && !strings.Contains(name, "poke") && len(e.Patients) == 0 && e.Agent.Ref != "Patient/ex-patient" {
				t.Errorf("%s: no patient in %+v", name, e)
			}
			if e.Agent.Name == "" && e.Agent.ID == "" && e.Agent.Ref == "" && len(e.Agent.Policies) == 0 { // a token may be all that is known
				t.Errorf("%s: nobody asked: %s", name, b)
			}
			if again, err := Parse(e.AppendJSON(nil)); err != nil || again.Interaction != e.Interaction || len(again.Patients) != len(e.Patients) || again.Agent.Ref != e.Agent.Ref {
				t.Errorf("%s changed by writing and reading (%v)", name, err)
			}
		}
	}
	if count < 40 {
		t.Errorf("only %d examples were found", count)
	}
}
