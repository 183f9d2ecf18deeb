package fhir

import (
	_ "embed"
	"iter"
	"slices"
	"strings"
)

//go:embed schema.bin
var schemaText string

// Type is what R4 says of a resource type, a data type, or a backbone element (named by its path, such as Patient.contact).
// Types are read-only and live as long as the program.
type Type struct {
	Name      string
	Base      *Type // what it specialises: Quantity for Age; nil for the roots
	Primitive bool
	Resource  bool // a concrete resource type
	Abstract  bool // Resource or DomainResource
	Elements  []Element

	index uint16
}

// Element is one JSON property of a type. An element with a choice of types is one Element for each of them.
type Element struct {
	Name     string // as in JSON: birthDate, valueQuantity
	Type     *Type
	Choice   string  // value for valueQuantity; "" if there is no choice
	Codes    *Codes  // what a required binding allows; nil without one
	Targets  []*Type // what a Reference or canonical may lead to; empty: anything
	Repeats  bool    // an array in JSON
	Required bool    // at least once; of a choice, one of its types
	Summary  bool    // shown by _summary=true
	Modifier bool    // may change the meaning of what holds it; never left out silently

	owner uint16
}

// Codes is the value set of a required binding.
type Codes struct {
	URL     string
	Open    bool         // R4 names the codes without listing them (currencies, media types, units): nothing is decided here
	Systems []CodeSystem // in the order of the definition
}

// CodeSystem is the codes that a value set takes from one code system, sorted.
type CodeSystem struct {
	URL   string
	Codes []string
}

// Has reports whether code is in the set, whatever its system: for elements of type code, whose system is implied.
func (c *Codes) Has(code string) bool {
	for i := range c.Systems {
		if _, ok := slices.BinarySearch(c.Systems[i].Codes, code); ok {
			return true
		}
	}
	return c.Open
}

// HasIn reports whether the set has code from system.
func (c *Codes) HasIn(system, code string) bool {
	for i := range c.Systems {
		if c.Systems[i].URL == system {
			if _, ok := slices.BinarySearch(c.Systems[i].Codes, code); ok {
				return true
			}
		}
	}
	return c.Open
}

// TypeNamed is the type called name; nil if R4 has none.
func TypeNamed(name string) *Type { return table.byName[name] }

// Types are all types of R4: resource types, data types and backbone elements, by name.
func Types() iter.Seq[*Type] {
	return func(yield func(*Type) bool) {
		for i := range table.types {
			if !yield(&table.types[i]) {
				return
			}
		}
	}
}

// Is reports whether t is the type called name or specialises it.
func (t *Type) Is(name string) bool {
	for ; t != nil; t = t.Base {
		if t.Name == name {
			return true
		}
	}
	return false
}

// Element is the element with this JSON name; nil if t has none.
func (t *Type) Element(name string) *Element {
	for slot := hash(name, t.index); ; slot++ {
		i := table.slots[slot%uint32(len(table.slots))]
		if i == 0 {
			return nil
		}
		if e := &table.elements[i-1]; e.owner == t.index && e.Name == name {
			return e
		}
	}
}

// IsResourceType reports whether name is one of the concrete resource types.
func IsResourceType(name string) bool {
	t := table.byName[name]
	return t != nil && t.Resource
}

// ResourceTypes lists the concrete resource types in alphabetical order. The caller owns the slice.
func ResourceTypes() []string { return slices.Clone(table.resources) }

// table is what schema.bin holds. Reading it takes about a millisecond; its strings share the embedded text.
var table = load(schemaText)

type schema struct {
	types     []Type
	elements  []Element
	slots     []uint16 // hash table over elements: index + 1, open addressing
	byName    map[string]*Type
	resources []string
	patients  map[string][][]string // type to element paths, see compartment.go
}

// hash mixes both ends and the length of a name with its type.
func hash(name string, owner uint16) uint32 {
	n := len(name)
	h := uint32(owner)*0x9e3779b1 ^ uint32(n)
	if n > 0 {
		h = (h ^ uint32(name[0])<<8 ^ uint32(name[n-1])<<16 ^ uint32(name[n/2])<<24) * 0x85ebca6b
		h = (h ^ uint32(name[n/4]) ^ uint32(name[3*n/4])<<7) * 0xc2b2ae35
	}
	return h ^ h>>15
}

// reader decodes the format that internal/gen/encode.go describes. The text is part of the program: a fault in it is a panic at
// start, caught by any test.
type reader struct {
	text    string
	strings []string
}

func (r *reader) number() int {
	var n uint64
	for shift := 0; ; shift += 7 {
		c := r.text[0]
		r.text = r.text[1:]
		if n |= uint64(c&0x7f) << shift; c < 0x80 {
			return int(n)
		}
	}
}

func (r *reader) string() string { return r.strings[r.number()] }

func load(text string) *schema {
	body, ok := strings.CutPrefix(text, "R4\x01")
	if !ok {
		panic("fhir: schema.bin is of another format")
	}
	r := &reader{text: body}
	lengths := make([]int, r.number())
	for i := range lengths {
		lengths[i] = r.number()
	}
	for _, n := range lengths {
		r.strings = append(r.strings, r.text[:n])
		r.text = r.text[n:]
	}
	s := &schema{byName: map[string]*Type{}, patients: map[string][][]string{}}
	counts := r.types(s)
	sets, targets := r.elements(s, counts)
	r.targets(s, targets)
	r.codes(s, sets)
	r.compartment(s)
	s.index()
	return s
}

func (r *reader) types(s *schema) (counts []int) {
	s.types = make([]Type, r.number())
	for i := range s.types {
		t := &s.types[i]
		t.Name, t.index = r.string(), uint16(i)
		if base := r.number(); base > 0 {
			t.Base = &s.types[base-1]
		}
		switch r.number() {
		case 1:
			t.Primitive = true
		case 2:
			t.Resource = true
			s.resources = append(s.resources, t.Name)
		case 3:
			t.Abstract = true
		}
		s.byName[t.Name] = t
		counts = append(counts, r.number())
	}
	return counts
}

// elements reads the rows and gives, for each, the indexes of its value set and of its targets.
func (r *reader) elements(s *schema, counts []int) (sets, targets []int) {
	total := 0
	for _, n := range counts {
		total += n
	}
	s.elements = make([]Element, total)
	sets, targets = make([]int, total), make([]int, total)
	at := 0
	for i, n := range counts {
		s.types[i].Elements = s.elements[at : at+n : at+n]
		for ; n > 0; n-- {
			e := &s.elements[at]
			e.owner = uint16(i)
			e.Name, e.Type = r.string(), &s.types[r.number()]
			if choice := r.number(); choice > 0 {
				e.Choice = r.strings[choice-1]
			}
			sets[at], targets[at] = r.number(), r.number()
			flags := r.number()
			e.Repeats, e.Required, e.Summary, e.Modifier = flags&1 != 0, flags&2 != 0, flags&4 != 0, flags&8 != 0
			at++
		}
	}
	return sets, targets
}

func (r *reader) targets(s *schema, of []int) {
	lists := make([][]*Type, r.number())
	for i := range lists {
		for n := r.number(); n > 0; n-- {
			t := &s.types[r.number()]
			if t.Abstract {
				lists[i] = nil // anything
				continue
			}
			lists[i] = append(lists[i], t)
		}
	}
	for i, n := range of {
		if n > 0 {
			s.elements[i].Targets = lists[n-1]
		}
	}
}

func (r *reader) codes(s *schema, of []int) {
	sets := make([]Codes, r.number())
	for i := range sets {
		c := &sets[i]
		c.URL, c.Open = r.string(), r.number() == 1
		c.Systems = make([]CodeSystem, r.number())
		for j := range c.Systems {
			c.Systems[j].URL = r.string()
			c.Systems[j].Codes = make([]string, r.number())
			for k := range c.Systems[j].Codes {
				c.Systems[j].Codes[k] = r.string()
			}
		}
	}
	for i, n := range of {
		if n > 0 {
			s.elements[i].Codes = &sets[n-1]
		}
	}
}

func (r *reader) compartment(s *schema) {
	for n := r.number(); n > 0; n-- {
		name := s.types[r.number()].Name
		for paths := r.number(); paths > 0; paths-- {
			s.patients[name] = append(s.patients[name], strings.Split(r.string(), "."))
		}
	}
}

func (s *schema) index() {
	s.slots = make([]uint16, 1<<15)
	for i := range s.elements {
		e := &s.elements[i]
		slot := hash(e.Name, e.owner)
		for s.slots[slot%uint32(len(s.slots))] != 0 {
			slot++
		}
		s.slots[slot%uint32(len(s.slots))] = uint16(i + 1)
	}
}
