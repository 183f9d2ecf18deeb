package main

import (
	"sort"
	"strings"
)

// schema knows every element by its JSON name: a choice such as value[x] is one field for each of its types.
type schema struct {
	types     map[string]map[string]*field // type, or path of a backbone element -> JSON name -> field
	choices   map[string]map[string][]string
	parents   map[string]string // type -> the type that it specialises
	resources []string          // concrete, sorted
}

// field is one JSON property.
type field struct {
	name    string
	typ     string   // a data type, "Resource", or the path of a backbone element
	targets []string // resource types that a reference may name; "Resource" for any
	systems []string // implied code systems of a code; Task.intent alone has two
}

func newSchema(d *definitions) *schema {
	s := &schema{types: map[string]map[string]*field{}, choices: map[string]map[string][]string{}, parents: map[string]string{}}
	for _, def := range d.structures {
		s.parents[def.Type] = lastPart(def.BaseDefinition)
		if def.Kind == "resource" && !def.Abstract {
			s.resources = append(s.resources, def.Type)
		}
		for _, e := range def.Snapshot.Element {
			s.addElement(d, e)
		}
	}
	sort.Strings(s.resources)
	return s
}

func (s *schema) addElement(d *definitions, e elementDefinition) {
	i := strings.LastIndexByte(e.Path, '.')
	if i < 0 {
		return
	}
	owner, name := e.Path[:i], e.Path[i+1:]
	if s.types[owner] == nil {
		s.types[owner], s.choices[owner] = map[string]*field{}, map[string][]string{}
	}
	if e.ContentReference != "" {
		_, path, _ := strings.Cut(e.ContentReference, "#")
		s.types[owner][name] = &field{name: name, typ: path}
		return
	}
	base, choice := strings.CutSuffix(name, "[x]")
	for _, t := range e.Type {
		f := &field{name: name, typ: t.Code}
		switch {
		case strings.HasPrefix(t.Code, "http://hl7.org/fhirpath/"):
			f.typ = "string"
		case t.Code == "BackboneElement" || t.Code == "Element":
			f.typ = e.Path
		}
		if choice {
			f.name = base + strings.ToUpper(t.Code[:1]) + t.Code[1:]
			s.choices[owner][base] = append(s.choices[owner][base], f.name)
		}
		for _, profile := range t.TargetProfile {
			f.targets = append(f.targets, lastPart(profile))
		}
		if f.typ == "code" && e.Binding.Strength == "required" {
			f.systems = d.systems(e.Binding.ValueSet)
		}
		s.types[owner][f.name] = f
	}
}

// is reports whether typ is want or one of its specialisations: canonical is a uri, Age is a Quantity.
func (s *schema) is(typ, want string) bool {
	for ; typ != "" && typ != "Element"; typ = s.parents[typ] {
		if typ == want {
			return true
		}
	}
	return false
}

func lastPart(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }
