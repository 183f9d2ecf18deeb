package main

import (
	"fmt"
	"slices"
	"strings"
)

// readable lists the element types that each kind of parameter reads, the special before the general. Package search has one reader
// for each pair.
var readable = map[string][]string{
	"token":     {"code", "Coding", "CodeableConcept", "Identifier", "ContactPoint", "boolean", "string", "id", "uri", "present"},
	"date":      {"date", "dateTime", "instant", "Period", "Timing"},
	"string":    {"string", "markdown", "HumanName", "Address", "CodeableConcept"},
	"number":    {"integer", "decimal", "positiveInt", "unsignedInt", "Range"},
	"quantity":  {"Quantity", "Money", "Range", "SampledData"},
	"reference": {"Reference", "canonical", "uri", "Resource"},
	"uri":       {"canonical", "uri"},
}

// place is where a path has led: an element of a type, or a choice whose type is still open.
type place struct {
	path   string
	typ    string
	field  *field
	choice string // base name of an open choice of typ
	is     string // type that a reference must lead to
}

// leaf is one compiled path with the type of what it reaches.
type leaf struct {
	path, typ, argument string
	targets             []string
}

func (l leaf) String() string { return strings.TrimSpace(l.path + " " + l.typ + " " + l.argument) }

// compileUnion compiles every term of an expression that starts at owner: a resource type, or the element of a composite. Terms of
// other resource types are left out. Paths to elements of a type that kind cannot read are errors when the path leads nowhere else.
func (s *schema) compileUnion(owner, kind, expression string) ([]leaf, error) {
	terms, err := parseUnion(expression)
	if err != nil {
		return nil, err
	}
	var out []leaf
	for _, term := range terms {
		reached, err := s.follow(owner, term)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", owner, expression, err)
		}
		var read []leaf
		for _, p := range reached {
			read = append(read, s.leaves(kind, p)...)
		}
		if len(read) == 0 && len(reached) > 0 {
			return nil, fmt.Errorf("%s: %s: %s cannot read %s", owner, expression, kind, reached[0].typ)
		}
		for _, l := range read {
			if !slices.ContainsFunc(out, func(o leaf) bool { return o.String() == l.String() }) {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

// leaves gives the compiled path of a place when kind has a reader for its type or for one that its type specialises: one, or one
// for each code system that a code may be of.
func (s *schema) leaves(kind string, p place) []leaf {
	for _, t := range readable[kind] {
		if p.typ != t && (t == "string" || !s.is(p.typ, t)) {
			continue // a code is a string by its derivation, but never read as one
		}
		l := leaf{path: p.path, typ: t}
		if p.typ == "present" {
			l.argument = strings.Join(s.choices[p.field.typ][p.choice], ",")
			return []leaf{l}
		}
		if p.field != nil {
			l.targets = p.field.targets
		}
		if p.is != "" {
			l.path += "[resolve=" + p.is + "]"
			l.targets = []string{p.is}
		}
		if t != "code" || p.field == nil || len(p.field.systems) == 0 {
			return []leaf{l}
		}
		var out []leaf
		for _, l.argument = range p.field.systems {
			out = append(out, l)
		}
		return out
	}
	return nil
}

func (s *schema) follow(owner string, steps []step) ([]place, error) {
	here := []place{{path: "", typ: owner}}
	if steps[0].kind == child {
		switch name := steps[0].name; {
		case name == owner || name == "Resource" || name == "DomainResource":
			steps = steps[1:]
		case 'A' <= name[0] && name[0] <= 'Z':
			return nil, nil // another resource type of the same parameter
		}
	}
	for _, st := range steps {
		var next []place
		for _, p := range here {
			reached, err := s.take(p, st)
			if err != nil {
				return nil, err
			}
			next = append(next, reached...)
		}
		if len(next) == 0 {
			return nil, fmt.Errorf("%v leads nowhere", st)
		}
		here = next
	}
	var out []place
	for _, p := range here {
		out = append(out, s.expand(p)...)
	}
	return out, nil
}

func (s *schema) take(p place, st step) ([]place, error) {
	if p.choice != "" && st.kind != ofType && st.kind != present {
		var out []place
		for _, each := range s.expand(p) {
			reached, err := s.take(each, st)
			if err != nil {
				return nil, err
			}
			out = append(out, reached...)
		}
		return out, nil
	}
	switch st.kind {
	case child:
		if _, ok := s.choices[p.typ][st.name]; ok {
			p.choice = st.name
			return []place{p}, nil
		}
		if f := s.types[p.typ][st.name]; f != nil {
			return []place{{path: join(p.path, f.name), typ: f.typ, field: f}}, nil
		}
		return nil, nil
	case ofType:
		return s.narrow(p, st.name)
	case first:
		p.path += "[0]"
	case resolveIs:
		p.is = st.name
	case whereEq:
		if s.types[p.typ][st.name] == nil {
			return nil, fmt.Errorf("%s has no %s", p.typ, st.name)
		}
		p.path += "[" + st.name + "=" + st.value + "]"
	case hasExtension:
		p.path += "[extension=" + st.value + "]"
	case extension:
		return []place{{path: join(p.path, "extension[url="+st.value+"]"), typ: "Extension", choice: "value"}}, nil
	case present:
		if p.choice == "" {
			return nil, fmt.Errorf("presence of %s, which is no choice", p.path)
		}
		return []place{{path: p.path, typ: "present", field: &field{typ: p.typ}, choice: p.choice}}, nil
	default:
		return nil, fmt.Errorf("a step that only composites take")
	}
	return []place{p}, nil
}

// narrow keeps the fields of a choice whose type is name or specialises it. On a plain element it is a check.
func (s *schema) narrow(p place, name string) ([]place, error) {
	if s.parents[name] == "" && s.parents[lowerFirst(name)] != "" {
		name = lowerFirst(name) // DateTime in one expression of R4
	}
	var out []place
	for _, each := range s.expand(p) {
		if s.is(each.typ, name) {
			out = append(out, each)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s is never %s", p.path, name)
	}
	return out, nil
}

// expand lists the fields of an open choice.
func (s *schema) expand(p place) []place {
	if p.choice == "" || p.typ == "present" {
		return []place{p}
	}
	var out []place
	for _, name := range s.choices[p.typ][p.choice] {
		f := s.types[p.typ][name]
		out = append(out, place{path: join(p.path, name), typ: f.typ, field: f})
	}
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
