package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const moduleRoot = "../../../../.."

func published(t *testing.T) string {
	t.Helper()
	file := archive(moduleRoot)
	if _, err := os.Stat(file); err != nil {
		t.Skip("the published FHIR definitions are absent (set CHARTWARDEN_TESTDATA)")
	}
	return file
}

func TestTableIsCurrent(t *testing.T) {
	got, err := generate(published(t))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(moduleRoot, target))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s differs from the definitions: go run ./internal/fhir/search/internal/gen", target)
	}
}

func TestEveryPublishedParameterIsCompiled(t *testing.T) {
	defs, err := readDefinitions(published(t))
	if err != nil {
		t.Fatal(err)
	}
	expressions, composites := 0, 0
	for _, p := range defs.parameters {
		if p.Expression != "" {
			expressions++
		}
		if p.Type == "composite" {
			composites++
		}
	}
	// Of 1,384 published expressions three are the examples that readDefinitions leaves out.
	if len(defs.parameters) != 1387 || expressions != 1381 || composites != 46 {
		t.Errorf("%d parameters, %d expressions, %d composites", len(defs.parameters), expressions, composites)
	}
}

// TestUnknownFHIRPathFails holds for the parser: what it does not know it never compiles.
func TestUnknownFHIRPathFails(t *testing.T) {
	for _, known := range []string{
		"Patient.name", "name", "Patient.name | Patient.alias", "(Observation.value as Quantity)", "(Observation.value as CodeableConcept).text",
		"Condition.onset.as(Age)", "Account.subject.where(resolve() is Patient)", "Person.telecom.where(system='email')",
		"Library.relatedArtifact.where(type='depends-on').resource", "Observation.extension('http://example.org/e')",
		"Bundle.entry[0].resource", "Patient.deceased.exists() and Patient.deceased != false", "%resource.referenceSeq.chromosome",
		"QuestionnaireResponse.item.where(hasExtension('http://example.org/s')).answer.value.ofType(Reference)",
	} {
		if _, err := parseUnion(known); err != nil {
			t.Errorf("%s: %v", known, err)
		}
	}
	for _, unknown := range []string{
		"", "Patient.", "Patient.name.first()", "Patient.name.where(use != 'old')", "Patient.name[1]", "Patient.name.exists()",
		"Patient.a.exists() and Patient.b != false", "Patient.name or Patient.alias", "(Patient.name", "Patient.name.where(resolve() is)",
		"Patient.name |", "Patient.name + 'x'", "Patient.name.where(a='b' and c='d')", "$this", "Patient.name.as('HumanName')",
	} {
		if steps, err := parseUnion(unknown); err == nil {
			t.Errorf("%q was compiled to %v", unknown, steps)
		}
	}
}

func TestPathsThatCannotBeReadFail(t *testing.T) {
	s := &schema{
		types: map[string]map[string]*field{"Widget": {
			"size":       {name: "size", typ: "Attachment"},
			"valueUri":   {name: "valueUri", typ: "canonical"},
			"valueShape": {name: "valueShape", typ: "Attachment"},
		}},
		choices: map[string]map[string][]string{"Widget": {"value": {"valueUri", "valueShape"}}},
		parents: map[string]string{"canonical": "uri", "uri": "Element"},
	}
	for expression, says := range map[string]string{
		"Widget.size":              "cannot read",
		"Widget.colour":            "leads nowhere",
		"(Widget.value as string)": "is never",
		"Widget.size.exists() and Widget.size != false": "no choice",
		"Widget.where(colour='red')":                    "has no",
	} {
		if leaves, err := s.compileUnion("Widget", "uri", expression); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, %v; want an error that says %q", expression, leaves, err, says)
		}
	}
	leaves, err := s.compileUnion("Widget", "uri", "(Widget.value as uri) | Other.value | Widget.value")
	if err != nil || len(leaves) != 1 || leaves[0].String() != "valueUri canonical" {
		t.Errorf("%v, %v: canonical is a uri, other types are left out, a union is a set", leaves, err)
	}
}
