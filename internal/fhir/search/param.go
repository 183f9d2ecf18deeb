package search

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Type is the kind of a search parameter.
type Type string

// The kinds of R4. Parameters of type Special are known and not supported.
const (
	Token     Type = "token"
	Date      Type = "date"
	String    Type = "string"
	Number    Type = "number"
	Quantity  Type = "quantity"
	Reference Type = "reference"
	URI       Type = "uri"
	Composite Type = "composite"
	Special   Type = "special"
)

// Param is a search parameter of one resource type, or of all. It is immutable.
type Param struct {
	Name       string
	Type       Type
	Definition string   // canonical URL
	Targets    []string // of a reference: resource types it may name, sorted; "*" alone for any
	Components []*Param // of a composite
	Supported  bool     // false: known to R4, refused here

	elements []string // of the resource, that the paths begin with
	whole    bool     // some path reads the resource itself, and with it any element

	state    *state // paths from the resource, or of a component from the composite's element
	fromRoot bool   // a component whose paths start at the resource after all
}

// TargetsOnly reports whether every reference of the parameter names a resource of type t.
func (p *Param) TargetsOnly(t string) bool { return len(p.Targets) == 1 && p.Targets[0] == t }

// Hidden reports how much of what the parameter reads a mask hides: all of it, none, or (false, false) something between, so that
// only the masked document can tell. drop is asked for elements of the resource.
func (p *Param) Hidden(drop func(element string) bool) (all, none bool) {
	if p.whole {
		return false, false
	}
	all, none = true, true
	for _, e := range p.elements {
		if e == "meta" { // a mask leaves its tag there
			return false, false
		}
		if drop(e) {
			none = false
		} else {
			all = false
		}
	}
	return all && !none, none
}

func (p *Param) targets(t string) bool {
	return slices.Contains(p.Targets, t) || slices.Contains(p.Targets, "*") || len(p.Targets) == 0
}

// Params lists the supported parameters of a resource type, those of all types included, sorted by name; nil for an unknown type.
// The slice is shared: do not change it.
func Params(resourceType string) []*Param {
	if o := catalogue()[resourceType]; o != nil {
		return o.supported
	}
	return nil
}

// Lookup finds a parameter by name, also one that is known and not supported.
func Lookup(resourceType, name string) (*Param, bool) {
	o := catalogue()[resourceType]
	if o == nil {
		return nil, false
	}
	p := o.params[name]
	return p, p != nil
}

// owner is a resource type with its parameters.
type owner struct {
	params    map[string]*Param
	supported []*Param
	all       *state // paths of all of them
}

//go:embed table.txt
var table string

var catalogue = sync.OnceValue(func() map[string]*owner {
	owners, err := load(table)
	if err != nil {
		panic(err) // the embedded table is a part of the program, and a test reads it
	}
	return owners
})

const definitions = "http://hl7.org/fhir/SearchParameter/"

// load reads the table in the format that its first lines describe.
func load(text string) (map[string]*owner, error) {
	owners := map[string]*owner{}
	var current *owner
	var composite *Param
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		depth := len(line) - len(strings.TrimLeft(line, "\t"))
		if line == "" || line[0] == '#' {
			continue
		}
		if depth == 0 {
			current = &owner{params: map[string]*Param{}, all: &state{}}
			owners[line] = current
			continue
		}
		p, paths, err := readParam(line[depth:])
		if err != nil {
			return nil, err
		}
		switch {
		case depth == 2:
			composite.addComponent(p, paths)
			continue
		case p.Type == Composite:
			composite = p
		}
		for _, each := range paths {
			p.state.add(each)
			p.reads(each)
			current.all.add(each)
		}
		current.params[p.Name] = p
	}
	return owners, finish(owners)
}

// finish gives every type the parameters of all types, and sorts.
func finish(owners map[string]*owner) error {
	every := owners["*"]
	if every == nil || len(owners) < 2 {
		return fmt.Errorf("search: the table is empty")
	}
	delete(owners, "*")
	for _, o := range owners {
		for name, p := range every.params {
			o.params[name] = p
		}
		o.all.merge(every.all)
		for _, p := range o.params {
			if p.Supported {
				o.supported = append(o.supported, p)
			}
		}
		slices.SortFunc(o.supported, func(a, b *Param) int { return strings.Compare(a.Name, b.Name) })
	}
	return nil
}

func (p *Param) addComponent(c *Param, paths []path) {
	for _, each := range paths {
		if each.fromRoot {
			c.fromRoot = true
			p.reads(each)
		}
		c.state.add(each)
	}
	p.Components = append(p.Components, c)
}

// reads notes which elements a path of the resource begins with.
func (p *Param) reads(each path) {
	if len(each.hops) == 0 {
		p.whole = true
		return
	}
	p.elements = append(p.elements, each.hops[0].name)
	if each.leaf.resolve != "" {
		p.elements = append(p.elements, "contained")
	}
}

// readParam reads `name kind definition targets ; path type argument ; ...`.
func readParam(line string) (*Param, []path, error) {
	head, rest, _ := strings.Cut(line, " ; ")
	f := strings.Fields(head)
	if len(f) != 4 {
		return nil, nil, fmt.Errorf("search: table: %q has %d fields", head, len(f))
	}
	p := &Param{Name: f[0], Type: Type(f[1]), Definition: f[2], Supported: rest != "", state: &state{}}
	if !strings.Contains(p.Definition, ":") {
		p.Definition = definitions + p.Definition
	}
	if f[3] != "-" {
		p.Targets = strings.Split(f[3], ",")
	}
	if rest == "" {
		return p, nil, nil
	}
	var paths []path
	for _, text := range strings.Split(rest, " ; ") {
		one, err := readPath(p, text)
		if err != nil {
			return nil, nil, err
		}
		paths = append(paths, one)
	}
	return p, paths, nil
}
