// Package validate checks resources against what R4 says of their type, at the level that gates every write: structure,
// cardinality, the written form of primitives, and required codes.
//
//	if issues := validate.Check(d); issues != nil {
//		return outcome.Invalids(issues)
//	}
//
// One walk over the document against the tables of fhir. Each issue has the FHIRPath of the place and a sentence that names the
// mend, never a value. The id of the resource itself is the server's to choose and not looked at. Invariants, reference targets,
// narrative and profiles are not checked here.
package validate

import (
	"slices"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// MaxIssues is how many issues are told of one resource; a last one says that there are more.
const MaxIssues = 100

// Check tells what is wrong with d, in the order of the text; nil when it is valid. Safe for concurrent use.
// Source: https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/datatypes.html.
func Check(d *document.Doc) []outcome.Issue {
	c := check{root: d.Root()}
	c.resource(d.Root())
	return c.issues
}

type check struct {
	root   document.Node
	issues []outcome.Issue
}

// add notes an issue at n, or at the member of n if one is named.
func (c *check) add(n document.Node, member string, code outcome.Code, public string) {
	switch {
	case len(c.issues) > MaxIssues:
		return
	case len(c.issues) == MaxIssues:
		c.issues = append(c.issues, outcome.Issue{Code: outcome.Structure, Public: "there are more issues: mend these first", Expression: c.place(c.root)})
		return
	}
	at := c.place(n)
	if member != "" {
		at += "." + member
	}
	c.issues = append(c.issues, outcome.Issue{Code: code, Public: public, Expression: at})
}

func (c *check) resource(n document.Node) {
	if n.Kind() != document.Object {
		c.add(n, "", outcome.Structure, "a resource is an object: write it as {...}")
		return
	}
	name := n.Get("resourceType")
	if !name.Exists() {
		c.add(n, "", outcome.Structure, "resourceType is missing: name the type of the resource")
		return
	}
	t := fhir.TypeNamed(name.Text())
	if t == nil || !t.Resource {
		c.add(n, "", outcome.Structure, "resourceType is not a resource type of R4: see the list in the CapabilityStatement")
		return
	}
	c.object(n, t)
}

// object checks the members of n, which should be of type t.
func (c *check) object(n document.Node, t *fhir.Type) {
	if n.Kind() != document.Object {
		c.add(n, "", outcome.Structure, "this is an object of type "+t.Name+": write it as {...}")
		return
	}
	var chosen choices
	empty := true
	for f := range n.Fields() {
		empty = false
		name := f.Name()
		e := t.Element(name)
		switch {
		case e != nil:
			c.element(n, f, e)
		case name == "resourceType" && t.Resource:
			continue
		case name != "" && name[0] == '_':
			if e = t.Element(name[1:]); e == nil || !e.Type.Primitive {
				c.unknown(f, t)
				continue
			}
			c.sibling(n, f, e)
		default:
			c.unknown(f, t)
			continue
		}
		if e.Choice != "" && !chosen.add(e.Choice, e.Name) {
			c.add(n, e.Choice+"[x]", outcome.Structure, "this element has one type at a time: keep one of the choices")
		}
	}
	if empty {
		c.add(n, "", outcome.Structure, "an object is never empty: leave it out")
		return
	}
	c.required(n, t)
}

// choices remembers which type of each choice an object has. No type has more than a handful of choices.
type choices struct {
	seen [8][2]string
	n    int
}

func (s *choices) add(choice, name string) bool {
	for _, c := range s.seen[:s.n] {
		if c[0] == choice {
			return c[1] == name
		}
	}
	if s.n < len(s.seen) {
		s.seen[s.n] = [2]string{choice, name}
		s.n++
	}
	return true
}

func (c *check) unknown(f document.Node, t *fhir.Type) {
	mend := "leave it out, or say it in an extension"
	for i := range t.Elements {
		if strings.EqualFold(t.Elements[i].Name, f.Name()) {
			mend = "write " + t.Elements[i].Name
		}
	}
	c.add(f, "", outcome.Structure, "this is not an element of "+t.Name+": "+mend)
}

// element checks the value f of element e in object n.
func (c *check) element(n, f document.Node, e *fhir.Element) {
	if !e.Repeats {
		if f.Kind() == document.Array {
			c.add(f, "", outcome.Structure, "this element occurs once: write it without [ ]")
			return
		}
		c.value(f, e)
		return
	}
	if f.Kind() != document.Array {
		c.add(f, "", outcome.Structure, "this element repeats: write it as [...]")
		return
	}
	empty, nulls := true, false
	for item := range f.Items() {
		empty = false
		if item.Kind() == document.Null && e.Type.Primitive {
			nulls = true
			continue
		}
		c.value(item, e)
	}
	if empty {
		c.add(f, "", outcome.Structure, "an array is never empty: leave it out")
	}
	if nulls && n.Get("_"+e.Name).Kind() != document.Array {
		c.add(f, "", outcome.Structure, "null stands only where _"+e.Name+" has something in its place: leave it out")
	}
}

func (c *check) value(n document.Node, e *fhir.Element) {
	switch t := e.Type; {
	case t.Primitive:
		c.primitive(n, e)
	case t.Abstract:
		c.resource(n)
	default:
		c.object(n, t)
		if e.Codes != nil {
			c.concept(n, e)
		}
	}
}

// elementType is what `_` siblings are.
var elementType = fhir.TypeNamed("Element")

// sibling checks f, which carries id and extensions of the primitive element e in object n.
func (c *check) sibling(n, f document.Node, e *fhir.Element) {
	value := n.Get(e.Name)
	if !e.Repeats {
		c.companion(f, value.Exists())
		return
	}
	if f.Kind() != document.Array {
		c.add(f, "", outcome.Structure, "this element repeats, so its _ sibling is an array: write it as [...]")
		return
	}
	var values []document.Node
	for v := range value.Items() {
		values = append(values, v)
	}
	i := 0
	for item := range f.Items() {
		has := i < len(values) && values[i].Kind() != document.Null
		switch {
		case item.Kind() != document.Null:
			c.companion(item, has)
		case !has:
			c.add(item, "", outcome.Structure, "null stands here and in the value: leave both out")
		}
		i++
	}
	if value.Exists() && i != len(values) {
		c.add(f, "", outcome.Structure, "the _ sibling has not as many items as the element: fill up with null")
	}
}

// companion checks one object beside a primitive: without a value it must say why, in an extension.
func (c *check) companion(n document.Node, hasValue bool) {
	c.object(n, elementType)
	if !hasValue && n.Kind() == document.Object && !n.Get("extension").Exists() {
		c.add(n, "", outcome.Structure, "there is neither a value nor an extension: give one or leave it out")
	}
}

// required checks that what must be there is there.
func (c *check) required(n document.Node, t *fhir.Type) {
	for _, need := range needs[t] {
		found := false
		for f := range n.Fields() {
			if found = slices.Contains(need.names, strings.TrimPrefix(f.Name(), "_")); found {
				break
			}
		}
		if !found {
			c.add(n, need.label, outcome.Required, t.Name+" must have "+need.label+": add it")
		}
	}
}

// need is a required element: one of its names must occur.
type need struct {
	label string
	names []string
}

// needs has the required elements of each type that has some.
var needs = func() map[*fhir.Type][]need {
	out := map[*fhir.Type][]need{}
	for t := range fhir.Types() {
		for i := range t.Elements {
			e := &t.Elements[i]
			if !e.Required {
				continue
			}
			list, label := out[t], e.Name
			if e.Choice != "" {
				label = e.Choice + "[x]"
			}
			if last := len(list) - 1; last >= 0 && list[last].label == label {
				list[last].names = append(list[last].names, e.Name)
				continue
			}
			out[t] = append(list, need{label, []string{e.Name}})
		}
	}
	return out
}()
