package main

import (
	"fmt"
	"slices"
)

// valueSet is the codes of a required binding. An open one names codes that the package does not list (currencies, media types,
// units): membership is not decided.
type valueSet struct {
	url     string
	open    bool
	systems []system
}

type system struct {
	url   string
	codes []string
}

// openSystems are the code systems that R4 only names.
var openSystems = []string{"urn:iso:std:iso:4217", "urn:ietf:bcp:13", "http://unitsofmeasure.org"}

// openSets are value sets of others, known by name only.
var openSets = []string{"http://loinc.org/vs/LL379-9"}

func (s *schema) addValueSets(d *definitions) error {
	for _, t := range s.types {
		for _, f := range t.elements {
			if f.set == "" || s.sets[f.set] != nil {
				continue
			}
			set, err := expand(d, f.set)
			if err != nil {
				return fmt.Errorf("%s.%s: %s: %w", t.name, f.name, f.set, err)
			}
			s.sets[f.set] = set
		}
	}
	return nil
}

func expand(d *definitions, url string) (*valueSet, error) {
	out := &valueSet{url: url}
	def, ok := d.valueSets[url]
	if !ok {
		if out.open = slices.Contains(openSets, url); !out.open {
			return nil, fmt.Errorf("is not in the package")
		}
		return out, nil
	}
	if len(def.Compose.Exclude) > 0 || len(def.Compose.Include) == 0 {
		return nil, fmt.Errorf("has an exclusion or nothing: write it")
	}
	for _, in := range def.Compose.Include {
		if len(in.Filter) > 0 || len(in.ValueSet) > 0 {
			return nil, fmt.Errorf("has a filter or takes another: write it")
		}
		at := slices.IndexFunc(out.systems, func(s system) bool { return s.url == in.System })
		if at < 0 {
			at = len(out.systems)
			out.systems = append(out.systems, system{url: in.System})
		}
		concepts := in.Concept
		if len(concepts) == 0 {
			cs, ok := d.codeSystems[in.System]
			if !ok || cs.Content != "complete" {
				if !slices.Contains(openSystems, in.System) {
					return nil, fmt.Errorf("takes all of %s, which is not complete in the package", in.System)
				}
				out.open = true
			}
			concepts = cs.Concept
		}
		out.systems[at].codes = collect(out.systems[at].codes, concepts)
	}
	for i := range out.systems {
		slices.Sort(out.systems[i].codes)
		out.systems[i].codes = slices.Compact(out.systems[i].codes)
	}
	return out, nil
}

func collect(dst []string, concepts []concept) []string {
	for _, c := range concepts {
		dst = collect(append(dst, c.Code), c.Concept)
	}
	return dst
}
