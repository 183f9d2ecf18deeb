package main

import (
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"

	"chartwarden/internal/fhir/internal/published"
)

// definitions is the part of the published package that we read.
type definitions struct {
	structures  []structure // base definitions, by name
	valueSets   map[string]valueSetDef
	codeSystems map[string]codeSystemDef
	params      map[[2]string]param // by base and code
	compartment compartmentDef
}

type structure struct {
	Type, Kind, Derivation, BaseDefinition string
	Abstract                               bool
	Snapshot                               struct{ Element []element }
}

type element struct {
	Path, Max, ContentReference string
	Min                         int
	IsModifier, IsSummary       bool
	Type                        []struct {
		Code          string
		TargetProfile []string
		Extension     []struct{ URL, ValueUrl string }
	}
	Binding struct{ Strength, ValueSet string }
}

type concept struct {
	Code    string
	Concept []concept
}

type codeSystemDef struct {
	URL, Content string
	Concept      []concept
}

type valueSetDef struct {
	URL     string
	Compose struct {
		Include []struct {
			System           string
			Concept          []concept
			Filter, ValueSet []json.RawMessage
		}
		Exclude []json.RawMessage
	}
}

type param struct {
	Code, Expression string
	Base             []string
}

type compartmentDef struct {
	Resource []struct {
		Code  string
		Param []string
	}
}

func read(dir string) (*definitions, error) {
	d := &definitions{valueSets: map[string]valueSetDef{}, codeSystems: map[string]codeSystemDef{}, params: map[[2]string]param{}}
	var err error
	into := func(b []byte, v any) {
		if e := json.Unmarshal(b, v); e != nil && err == nil {
			err = e
		}
	}
	for name, b := range published.Files(dir, "r4-core.tar.gz") {
		base := path.Base(name)
		switch kind, _, _ := strings.Cut(base, "-"); kind {
		case "StructureDefinition":
			var s structure
			into(b, &s)
			if s.Derivation != "constraint" && s.Kind != "logical" {
				d.structures = append(d.structures, s)
			}
		case "ValueSet":
			var v valueSetDef
			into(b, &v)
			d.valueSets[v.URL] = v
		case "CodeSystem":
			var c codeSystemDef
			into(b, &c)
			d.codeSystems[c.URL] = c
		case "SearchParameter":
			var p param
			into(b, &p)
			for _, base := range p.Base {
				d.params[[2]string{base, p.Code}] = p
			}
		case "CompartmentDefinition":
			if base == "CompartmentDefinition-patient.json" {
				into(b, &d.compartment)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", base, err)
		}
	}
	sort.Slice(d.structures, func(i, j int) bool { return d.structures[i].Type < d.structures[j].Type })
	return d, nil
}
