package main

import (
	"fmt"
	"slices"
	"strings"
)

// schema is what the table holds.
type schema struct {
	types       map[string]*typ
	sets        map[string]*valueSet // of required bindings, by URL
	compartment []member
}

// The kinds of types; internal/fhir/schema.go has the same.
const (
	kindComplex = iota
	kindPrimitive
	kindResource
	kindAbstract
)

type typ struct {
	name, base string
	kind       int
	elements   []*field
}

// field is one JSON property: a choice is one field for each of its types.
type field struct {
	name, typ, choice string // choice: value for valueQuantity
	set               string // URL of the value set of a required binding
	targets           []string
	min               int
	array             bool
	summary, modifier bool
}

// primitiveKinds lists the primitive types with their JSON kind; a new one needs a lexical rule in internal/fhir/validate.
var primitiveKinds = strings.Fields("base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time unsignedInt uri url uuid xhtml")

func (s *schema) addTypes(d *definitions) error {
	for _, def := range d.structures {
		t := s.named(def.Type)
		t.base = last(def.BaseDefinition, "/")
		switch {
		case def.Kind == "primitive-type":
			if !slices.Contains(primitiveKinds, def.Type) {
				return fmt.Errorf("unknown primitive type %s", def.Type)
			}
			t.kind = kindPrimitive
			continue
		case def.Kind == "resource" && def.Abstract:
			t.kind = kindAbstract
		case def.Kind == "resource":
			t.kind = kindResource
		case def.Kind != "complex-type":
			return fmt.Errorf("%s is of unknown kind %s", def.Type, def.Kind)
		}
		for _, e := range def.Snapshot.Element {
			if err := s.addElement(def, e); err != nil {
				return fmt.Errorf("%s: %w", e.Path, err)
			}
		}
	}
	for _, t := range s.types {
		for _, f := range t.elements {
			if target := s.types[f.typ]; target == nil || target.kind == kindComplex && len(target.elements) == 0 {
				return fmt.Errorf("%s.%s is of unknown type %s", t.name, f.name, f.typ)
			}
			for _, target := range f.targets {
				if s.types[target] == nil {
					return fmt.Errorf("%s.%s refers to unknown type %s", t.name, f.name, target)
				}
			}
		}
	}
	return nil
}

func (s *schema) named(name string) *typ {
	t := s.types[name]
	if t == nil {
		t = &typ{name: name}
		s.types[name] = t
	}
	return t
}

func (s *schema) addElement(def structure, e element) error {
	dot := strings.LastIndexByte(e.Path, '.')
	if dot < 0 {
		return nil
	}
	parent, name := s.named(e.Path[:dot]), e.Path[dot+1:]
	if e.Min > 1 || e.Max != "1" && e.Max != "*" {
		return fmt.Errorf("cardinality %d..%s is not known here", e.Min, e.Max)
	}
	base := field{min: e.Min, array: e.Max == "*", summary: e.IsSummary, modifier: e.IsModifier}
	if e.Binding.Strength == "required" {
		base.set, _, _ = strings.Cut(e.Binding.ValueSet, "|")
	}
	if e.ContentReference != "" {
		base.name, base.typ = name, last(e.ContentReference, "#")
		parent.elements = append(parent.elements, &base)
		return nil
	}
	choice, many := strings.CutSuffix(name, "[x]")
	if len(e.Type) == 0 || !many && len(e.Type) > 1 {
		return fmt.Errorf("has %d types", len(e.Type))
	}
	for _, t := range e.Type {
		f := base
		f.typ = t.Code
		switch {
		case strings.HasPrefix(t.Code, "http://hl7.org/fhirpath/"):
			f.typ = "string"
			for _, x := range t.Extension {
				if last(x.URL, "/") == "structuredefinition-fhir-type" {
					f.typ = x.ValueUrl
				}
			}
			if def.Kind == "resource" && e.Path == def.Type+".id" {
				f.typ = "id" // published as string by mistake; Resource.id says id
			}
		case t.Code == "BackboneElement" || t.Code == "Element":
			f.typ = e.Path
			s.named(e.Path).base = t.Code
		}
		for _, p := range t.TargetProfile {
			f.targets = append(f.targets, last(p, "/"))
		}
		slices.Sort(f.targets)
		if f.name = name; many {
			f.choice, f.name = choice, choice+strings.ToUpper(t.Code[:1])+t.Code[1:]
		}
		parent.elements = append(parent.elements, &f)
	}
	return nil
}

func last(s, sep string) string { return s[strings.LastIndex(s, sep)+1:] }
