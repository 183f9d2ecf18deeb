// Package document keeps a FHIR resource as the exact bytes received, with a flat index over them.
//
// Nothing is ever serialised again, so decimals (1.10), `_birthDate` siblings, null-padded arrays and the order of names survive.
// [Parse] checks the JSON and builds the index; [Node] walks it without allocating; every change is a splice that gives a new
// document and leaves all other bytes alone ([Doc.Stamp], [Doc.Splice], [Doc.Mask], [Doc.ReplaceReferences]).
//
//	d, err := document.Parse(body)
//	family := d.Root().Path("name", "family").Text()
//	d, err = d.Stamp("4b1c", "1", now)
//	out = d.AppendJSON(out)
//
// Large bundles and NDJSON are read entry by entry from a stream: [SplitBundle], [SplitLines].
//
// A [Doc], a [Node], an [Edit] and an [Entry] hold patient data and cannot be printed: fmt, slog, encoding/json and errors show
// "Patient/123" or a position. Content leaves only by names that say so (Text, Raw, AppendJSON).
package document

import (
	"sync"
	"time"
	"unsafe"

	"chartwarden/internal/outcome"
)

// Limits of one resource. Bundles read by [SplitBundle] have no limit as a whole.
const (
	MaxSize  = 16 << 20 // bytes
	MaxDepth = 64       // objects and arrays inside each other
)

// Doc is one resource: immutable bytes and their index. Use it by pointer. Safe for concurrent use.
//
// Strings given by its nodes share the document's memory; a caller that keeps one for long clones it.
type Doc struct{ p unsafe.Pointer } // to a tape; see hidden in print.go

func (d Doc) tape() *tape { return (*tape)(d.p) }

// Parse checks b and indexes it. It takes ownership of b: the caller must not change it afterwards.
//
// Refused besides what the JSON grammar refuses: anything but an object with a string `resourceType` that is a plain name, a name
// twice in one object, bad UTF-8, lone surrogates, names written with escapes or longer than 255 bytes, more than [MaxDepth] levels
// and more than [MaxSize] bytes. Errors are outcome.Invalid (JSON), outcome.Structure (shape) or outcome.TooLong, with the FHIRPath
// of the place and the byte offset, never with a value.
// Source: https://hl7.org/fhir/R4/json.html.
func Parse(b []byte) (*Doc, error) { return parse(b, MaxDepth, true) }

var scratch = sync.Pool{New: func() any { s := make([]node, 0, 1024); return &s }}

// parse indexes b. Nodes are collected in pooled memory and copied out in their exact number, so that a document keeps no slack.
func parse(b []byte, depth int, resource bool) (*Doc, error) {
	if len(b) > MaxSize+slack(resource) {
		return nil, outcome.New(outcome.TooLong, "the resource is larger than 16 MiB: put large content into a Binary or leave it at its source")
	}
	pooled := scratch.Get().(*[]node)
	p := parser{b: b, nodes: (*pooled)[:0], levels: depth}
	ok := p.document()
	if cap(p.nodes) <= 1<<16 {
		*pooled = p.nodes[:0]
		defer scratch.Put(pooled)
	}
	if !ok {
		return nil, p.err()
	}
	d := (&tape{b: b, nodes: append(make([]node, 0, len(p.nodes)), p.nodes...)}).document()
	if resource {
		if err := d.checkType(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// slack is what the wrapping of a bundle's entry may add to a resource.
func slack(resource bool) int {
	if resource {
		return 0
	}
	return 1 << 20
}

func (d *Doc) checkType() error {
	root := d.Root()
	if root.Kind() != Object {
		return outcome.New(outcome.Structure, "a resource is one JSON object: send { ... }").At(untyped)
	}
	rt := root.Get("resourceType")
	switch {
	case !rt.Exists():
		return outcome.New(outcome.Structure, "resourceType is missing: name the type of the resource, such as Patient").At("resourceType")
	case rt.Kind() != String || !plainName(rt.Text()):
		return outcome.New(outcome.Structure, "resourceType is not the name of a type: write it as in Patient").At("resourceType")
	}
	return nil
}

func plainName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// Root is the resource itself, an object.
func (d *Doc) Root() Node {
	if d == nil {
		return Node{}
	}
	return Node{d.p, 0}
}

// Type is the resourceType as written; never empty.
func (d *Doc) Type() string { return d.Root().Get("resourceType").Text() }

// ID is the logical id, "" when the resource has none.
func (d *Doc) ID() string { return text(d.Root().Get("id")) }

// VersionID is meta.versionId, "" when absent.
func (d *Doc) VersionID() string { return text(d.Root().Get("meta").Get("versionId")) }

// LastUpdated is meta.lastUpdated; false when absent or not an instant.
func (d *Doc) LastUpdated() (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, text(d.Root().Get("meta").Get("lastUpdated")))
	return at, err == nil
}

func text(n Node) string {
	if n.Kind() != String {
		return ""
	}
	return n.Text()
}

// Len is the size in bytes of the wire form.
func (d *Doc) Len() int { return len(d.tape().b) }

// AppendJSON appends the wire form, the exact bytes parsed, to dst.
func (d *Doc) AppendJSON(dst []byte) []byte { return append(dst, d.tape().b...) }
