package validate

import (
	"strconv"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

// place is the FHIRPath of n: Observation.value.ofType(Quantity).unit for valueQuantity, Patient.birthDate.extension[0] for what
// _birthDate has. It goes down from the root by the spans, knowing the types; only issues pay for it.
func (c *check) place(n document.Node) string {
	at, t := c.root, resourceType(c.root)
	out := "Resource"
	if t != nil {
		out = t.Name
	}
	for at != n {
		child, index, ok := towards(at, n)
		if !ok {
			return out
		}
		switch {
		case at.Kind() == document.Array:
			out += "[" + strconv.Itoa(index) + "]"
		default:
			e := elementOf(t, child.Name())
			switch {
			case e == nil:
				path := child.Expression() // writes names that are none as ?
				out += path[strings.LastIndexByte(path, '.'):]
			case e.Choice != "":
				out += "." + e.Choice + ".ofType(" + e.Type.Name + ")"
			default:
				out += "." + e.Name
			}
			switch {
			case e == nil:
				t = nil
			case strings.HasPrefix(child.Name(), "_"):
				t = elementType
			default:
				t = e.Type
			}
		}
		if t != nil && t.Abstract && child.Kind() == document.Object {
			t = resourceType(child)
		}
		at = child
	}
	return out
}

// towards is the child of at in which n lies.
func towards(at, n document.Node) (child document.Node, index int, ok bool) {
	start, _ := n.Span()
	visit := func(c document.Node) bool {
		if from, to := c.Span(); from <= start && start < to {
			child, ok = c, true
			return false
		}
		index++
		return true
	}
	if at.Kind() == document.Array {
		at.Items()(visit)
	} else {
		at.Fields()(visit)
	}
	return child, index, ok
}

func resourceType(n document.Node) *fhir.Type { return fhir.TypeNamed(n.Get("resourceType").Text()) }

func elementOf(t *fhir.Type, name string) *fhir.Element {
	if t == nil {
		return nil
	}
	if e := t.Element(name); e != nil {
		return e
	}
	if e := t.Element(strings.TrimPrefix(name, "_")); e != nil && e.Type.Primitive {
		return e
	}
	return nil
}
