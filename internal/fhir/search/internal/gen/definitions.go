package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strings"
)

// definitions are the parts of the published package that the compiler reads.
type definitions struct {
	structures []structure
	parameters []parameter
	valueSets  map[string]valueSet // by URL without version
}

type structure struct {
	Name, Type, Kind, Derivation, BaseDefinition string
	Abstract                                     bool
	Snapshot                                     struct{ Element []elementDefinition }
}

type elementDefinition struct {
	Path, Max, ContentReference string
	Type                        []struct {
		Code          string
		TargetProfile []string
	}
	Binding struct{ Strength, ValueSet string }
}

type parameter struct {
	ID, URL, Code, Type, Expression string
	Base, Target                    []string
	Component                       []struct{ Definition, Expression string }
}

type valueSet struct {
	URL     string
	Compose struct {
		Include []struct {
			System   string
			ValueSet []string
		}
	}
}

func readDefinitions(name string) (*definitions, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defs := &definitions{valueSets: map[string]valueSet{}}
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		kind, _, _ := strings.Cut(path.Base(h.Name), "-")
		if err := defs.add(kind, json.NewDecoder(files)); err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	sort.Slice(defs.structures, func(i, j int) bool { return defs.structures[i].Name < defs.structures[j].Name })
	sort.Slice(defs.parameters, func(i, j int) bool { return defs.parameters[i].ID < defs.parameters[j].ID })
	return defs, nil
}

func (d *definitions) add(kind string, from *json.Decoder) error {
	switch kind {
	case "StructureDefinition":
		var s structure
		if err := from.Decode(&s); err != nil {
			return err
		}
		if s.Derivation != "constraint" && s.Kind != "logical" {
			d.structures = append(d.structures, s)
		}
	case "SearchParameter":
		var p parameter
		if err := from.Decode(&p); err != nil {
			return err
		}
		// Parameters without a base belong to no resource. The three examples of the specification redefine _id and subject.
		if len(p.Base) > 0 && p.ID != "example" && p.ID != "example-extension" && p.ID != "example-reference" {
			if p.ID == "DocumentReference-relationship" && len(p.Component) == 2 && p.Component[0].Expression == "code" {
				// Published with the expressions of its two components exchanged: a reference cannot be read from a code.
				p.Component[0].Expression, p.Component[1].Expression = p.Component[1].Expression, p.Component[0].Expression
			}
			d.parameters = append(d.parameters, p)
		}
	case "ValueSet":
		var v valueSet
		if err := from.Decode(&v); err != nil {
			return err
		}
		d.valueSets[v.URL] = v
	}
	return nil
}

// systems lists the code systems of a value set, in order, following the value sets that it includes.
func (d *definitions) systems(url string) []string {
	url, _, _ = strings.Cut(url, "|")
	var out []string
	for _, include := range d.valueSets[url].Compose.Include {
		found := []string{include.System}
		if include.System == "" {
			found = nil
			for _, inner := range include.ValueSet {
				found = append(found, d.systems(inner)...)
			}
		}
		for _, s := range found {
			if !contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
