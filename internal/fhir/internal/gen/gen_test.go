package main

import (
	"bytes"
	"os"
	"testing"

	"chartwarden/internal/fhir/internal/published"
)

func TestCommittedTableIsCurrent(t *testing.T) {
	table, summary, err := compile(published.Need(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"schema.bin": table, "schema.txt": summary} {
		if got, err := os.ReadFile("../../" + name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the definitions say (%v): run go run ./internal/fhir/internal/gen", name, err)
		}
	}
}

func TestShapesThatTheGeneratorDoesNotKnow(t *testing.T) {
	s := &schema{types: map[string]*typ{}, sets: map[string]*valueSet{}}
	for name, e := range map[string]element{
		"bounded":  {Path: "A.b", Max: "3"},
		"no type":  {Path: "A.b", Max: "1"},
		"min of 2": {Path: "A.b", Min: 2, Max: "*"},
	} {
		if s.addElement(structure{}, e) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := expand(&definitions{}, "http://example.org/unknown"); err == nil {
		t.Error("an unknown value set is accepted")
	}
	d := &definitions{params: map[[2]string]param{{"Basic", "x"}: {Expression: "Basic.subject.where(identifier.exists())"}}}
	d.compartment.Resource = append(d.compartment.Resource, struct {
		Code  string
		Param []string
	}{"Basic", []string{"x"}})
	if s.addCompartment(d) == nil {
		t.Error("an unknown expression is accepted")
	}
}
