package document

import (
	"iter"
	"strconv"
	"unsafe"
)

// Kind is the JSON kind of a [Node].
type Kind uint8

// The kinds. Absent is that of the zero Node: what was looked for is not there.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String names the kind as JSON does.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "boolean", "number", "string", "array", "object"}[k]
}

// Node is one value of a document. It is small, comparable and never nil; the zero Node is absent and answers every question with
// nothing, so paths need no checks on the way.
type Node struct {
	p unsafe.Pointer // to a tape; see hidden in print.go
	i uint32
}

func (n Node) tape() *tape { return (*tape)(n.p) }
func (n Node) node() *node { return &n.tape().nodes[n.i] }

// Kind is the JSON kind, [Absent] for the zero Node.
func (n Node) Kind() Kind {
	if n.p == nil {
		return Absent
	}
	return n.node().kind
}

// Exists reports whether there is a value, be it null.
func (n Node) Exists() bool { return n.p != nil }

// Name is the property name of a member of an object; "" for elements of arrays and the root.
func (n Node) Name() string {
	if n.p == nil {
		return ""
	}
	d := n.node()
	return view(n.tape().b[d.name : d.name+uint32(d.nameLen)])
}

// Get is the member called name; absent if there is none or n is no object.
func (n Node) Get(name string) Node {
	if n.Kind() != Object {
		return Node{}
	}
	nodes, b := n.tape().nodes, n.tape().b
	for c, end := n.i+1, nodes[n.i].next; c < end; c = nodes[c].next {
		d := &nodes[c]
		if int(d.nameLen) == len(name) && string(b[d.name:d.name+uint32(d.nameLen)]) == name {
			return Node{n.p, c}
		}
	}
	return Node{}
}

// Path follows names; where it meets an array it goes on with the first element.
func (n Node) Path(names ...string) Node {
	for _, name := range names {
		n = n.first().Get(name)
	}
	return n.first()
}

func (n Node) first() Node {
	if n.Kind() == Array {
		if n.node().next == n.i+1 {
			return Node{}
		}
		return Node{n.p, n.i + 1}
	}
	return n
}

// Items are the elements of an array; n itself if it is something else; nothing if it is absent.
func (n Node) Items() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		switch n.Kind() {
		case Absent:
		case Array:
			n.children(yield)
		default:
			yield(n)
		}
	}
}

// Fields are the members of an object in their order; nothing for other kinds.
func (n Node) Fields() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.Kind() == Object {
			n.children(yield)
		}
	}
}

func (n Node) children(yield func(Node) bool) {
	nodes := n.tape().nodes
	for c, end := n.i+1, nodes[n.i].next; c < end; c = nodes[c].next {
		if !yield(Node{n.p, c}) {
			return
		}
	}
}

// All is n and everything below it, in the order of the text.
func (n Node) All() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.p == nil {
			return
		}
		for c, end := n.i, n.node().next; c < end; c++ {
			if !yield(Node{n.p, c}) {
				return
			}
		}
	}
}

// Text is the decoded content of a string, or the literal of a number or boolean as written; "" for other kinds. Without escapes
// it shares the document's memory and allocates nothing.
func (n Node) Text() string {
	switch n.Kind() {
	case String:
		d := n.node()
		if inside := n.tape().b[d.start+1 : d.end-1]; d.escaped {
			return unescape(inside)
		} else {
			return view(inside)
		}
	case Number, Bool:
		return view(n.Raw())
	}
	return ""
}

// Bool is true for the literal true.
func (n Node) Bool() bool { return n.Kind() == Bool && n.tape().b[n.node().start] == 't' }

// Raw is the value's bytes as written, which must not be changed; nil if absent.
func (n Node) Raw() []byte {
	if n.p == nil {
		return nil
	}
	start, end := n.Span()
	return n.tape().b[start:end:end]
}

// Span is where the value lies in the document's bytes, [start, end); 0, 0 if absent.
func (n Node) Span() (start, end int) {
	if n.p == nil {
		return 0, 0
	}
	d := n.node()
	return int(d.start), int(d.end)
}

// untyped stands first in the path when the resource does not say its type.
const untyped = "Resource"

// Expression is the FHIRPath of n from the resource down, such as Patient.name[0].family; safe to show, since a name that could
// not be an element's is written as ?.
func (n Node) Expression() string {
	if n.p == nil {
		return ""
	}
	out := []byte(untyped)
	nodes := n.tape().nodes
	if rt := (Node{n.p, 0}).Get("resourceType"); rt.Kind() == String && plainName(rt.Text()) {
		out = append(out[:0], rt.Text()...)
	}
	for at := uint32(0); at != n.i; {
		index, inArray := 0, nodes[at].kind == Array
		c := at + 1
		for nodes[c].next <= n.i {
			c = nodes[c].next
			index++
		}
		if inArray {
			out = append(strconv.AppendInt(append(out, '['), int64(index), 10), ']')
		} else {
			out = appendElement(append(out, '.'), Node{n.p, c}.Name())
		}
		at = c
	}
	return string(out)
}

func appendElement(dst []byte, name string) []byte {
	bare := name
	if len(bare) > 1 && bare[0] == '_' {
		bare = bare[1:]
	}
	for i := range len(bare) {
		if c := bare[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return append(dst, '?')
		}
	}
	if bare == "" || len(bare) > 64 {
		return append(dst, '?')
	}
	return append(dst, name...)
}
