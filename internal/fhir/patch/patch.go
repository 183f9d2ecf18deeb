// Package patch applies JSON Patch to a FHIR document, byte by byte: what no operation names stays as it was written.
//
//	p, err := patch.Parse(body)          // application/json-patch+json
//	changed, err := p.Apply(doc)         // all operations or none
//
// [Parse] refuses what is no patch, [Patch.Apply] what does not fit the document; both name the operation and the path, never a
// value. [Patch.Elements] says which elements a patch looks at, for masks. A Patch holds patient data and prints as its size.
// Source: https://www.rfc-editor.org/rfc/rfc6902, https://hl7.org/fhir/R4/http.html#patch.
package patch

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// Limits of a patch, and with it of the work that it asks for: each operation indexes the document anew.
const (
	maxOps  = 1000
	maxWork = 256 << 20 // bytes of document, all operations together
)

// Patch is a list of operations. It is immutable and safe for concurrent use.
type Patch struct {
	ops func() []op // behind a function, since every printer shows a function as an address
}

// op is one operation.
type op struct {
	kind       string
	path, from pointer
	value      document.Node
}

// Parse reads a JSON Patch. It takes ownership of b. Errors: outcome.Invalid naming the operation; outcome.TooCostly for too many.
func Parse(b []byte) (*Patch, error) {
	root, err := document.ParseValue(b)
	if err != nil {
		return nil, err
	}
	if root.Kind() != document.Array {
		return nil, outcome.New(outcome.Invalid, "a JSON Patch is an array of operations: send [...]").At("patch")
	}
	var ops []op
	for item := range root.Items() {
		if len(ops) == maxOps {
			return nil, outcome.New(outcome.TooCostly, "a patch has at most 1000 operations: send several, or the whole resource")
		}
		o, err := parseOp(item)
		if err != nil {
			return nil, o.fault(len(ops), err)
		}
		ops = append(ops, o)
	}
	if len(ops) == 0 {
		return nil, outcome.New(outcome.Invalid, "the patch has no operation").At("patch")
	}
	return &Patch{func() []op { return ops }}, nil
}

func parseOp(n document.Node) (o op, err error) {
	if n.Kind() != document.Object {
		return o, outcome.New(outcome.Invalid, "an operation is an object with op and path")
	}
	kind, path, from := n.Get("op"), n.Get("path"), n.Get("from")
	if kind.Kind() != document.String || !slices.Contains([]string{"add", "remove", "replace", "move", "copy", "test"}, kind.Text()) {
		return o, outcome.New(outcome.Invalid, "op is add, remove, replace, move, copy or test")
	}
	o.kind = kind.Text()
	if path.Kind() != document.String {
		return o, outcome.New(outcome.Invalid, "path is missing, or no string")
	}
	if o.path, err = parsePointer(path.Text()); err != nil {
		return o, err
	}
	switch o.kind {
	case "move", "copy":
		if from.Kind() != document.String {
			return o, outcome.New(outcome.Invalid, "from is missing, or no string")
		}
		if o.from, err = parsePointer(from.Text()); err != nil {
			return o, err
		}
		if o.kind == "move" && len(o.path) > len(o.from) && o.path.within(o.from) {
			return o, outcome.New(outcome.Invalid, "nothing moves into itself")
		}
	case "add", "replace", "test":
		if o.value = n.Get("value"); !o.value.Exists() {
			return o, outcome.New(outcome.Invalid, "value is missing")
		}
	}
	if len(o.path) == 0 && (o.kind == "remove" || o.kind == "move") || o.kind == "move" && len(o.from) == 0 {
		return o, outcome.New(outcome.Invalid, "the resource as a whole is not removed by a patch: delete it")
	}
	return o, nil
}

// fault says which operation an error is about.
func (o op) fault(i int, err error) error {
	place := fmt.Sprintf("operation %d", i+1)
	if o.kind != "" {
		place += " (" + strings.TrimSpace(o.kind+" "+o.path.String()) + ")"
	}
	var what *outcome.Error
	if !errors.As(err, &what) {
		return err
	}
	return what.At(place)
}

// Elements are the top-level elements that the patch looks at or changes, without `_`; whole when it takes the resource as one.
func (p *Patch) Elements() (names []string, whole bool) {
	for _, o := range p.ops() {
		pointers := []pointer{o.path}
		if o.kind == "move" || o.kind == "copy" {
			pointers = append(pointers, o.from)
		}
		for _, at := range pointers {
			if len(at) == 0 {
				return nil, true
			}
			if name := strings.TrimPrefix(at[0], "_"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, false
}

// Apply carries out all operations in their order. What an operation finds is what those before it left.
//
// Errors: outcome.BusinessRule when an operation names what is not there; outcome.Conflict when a test fails; outcome.TooCostly for a
// long patch of a large resource; outcome.Structure when what comes out is no resource. Nothing is changed then.
func (p *Patch) Apply(d *document.Doc) (*document.Doc, error) {
	work := 0
	for i, o := range p.ops() {
		if work += d.Len(); work > maxWork {
			return nil, o.fault(i, outcome.New(outcome.TooCostly, "too many operations for so large a resource: send the whole resource"))
		}
		changed, err := o.apply(d)
		if err != nil {
			return nil, o.fault(i, err)
		}
		d = changed
	}
	return d, nil
}

func (o op) apply(d *document.Doc) (*document.Doc, error) {
	target := o.path.find(d.Root())
	switch o.kind {
	case "test":
		if !target.Exists() {
			return nil, absent()
		}
		if !equal(target, o.value) {
			return nil, outcome.New(outcome.Conflict, "the test does not hold: read the resource again")
		}
		return d, nil
	case "remove":
		if !target.Exists() {
			return nil, absent()
		}
		return d.Splice(target.Remove())
	case "replace":
		if !target.Exists() {
			return nil, absent()
		}
		return d.Splice(target.Replace(o.value.Raw()))
	case "add":
		return o.path.add(d, o.value.Raw())
	}
	source := o.from.find(d.Root())
	if !source.Exists() {
		return nil, outcome.New(outcome.BusinessRule, "there is nothing at from ("+o.from.String()+")")
	}
	value := source.Raw()
	if o.kind == "move" {
		if slices.Equal(o.from, o.path) {
			return d, nil
		}
		var err error
		if d, err = d.Splice(source.Remove()); err != nil {
			return nil, err
		}
	}
	return o.path.add(d, value)
}

// add puts a value where p says: in place of a member that is there, behind the others as a new member, or into an array.
func (p pointer) add(d *document.Doc, value []byte) (*document.Doc, error) {
	if len(p) == 0 {
		return d.Splice(d.Root().Replace(value))
	}
	into := p.parent().find(d.Root())
	switch into.Kind() {
	case document.Object:
		if there := into.Get(p.last()); there.Exists() {
			return d.Splice(there.Replace(value))
		}
		return d.Splice(into.Put(p.last(), value))
	case document.Array:
		i, ok := index(p.last())
		if p.last() == "-" {
			i, ok = count(into), true
		}
		edit, fits := into.Insert(i, value)
		if !ok || !fits {
			return nil, outcome.New(outcome.BusinessRule, "an array takes an element at 0 to its length, or at - for its end")
		}
		return d.Splice(edit)
	}
	return nil, absent()
}

func absent() error {
	return outcome.New(outcome.BusinessRule, "there is nothing at this path: read the resource again")
}

// String is how many operations there are.
func (p Patch) String() string { return fmt.Sprintf("patch of %d operations", len(p.ops())) }

// Format prints [Patch.String] for every verb.
func (p Patch) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue is [Patch.String].
func (p Patch) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalText is [Patch.String].
func (p Patch) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
