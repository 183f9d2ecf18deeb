package fhir

import (
	"iter"
	"net/url"
	"strings"

	"chartwarden/internal/fhir/document"
)

// Ref names a resource of this server: Patient/123.
type Ref struct{ Type, ID string }

// String is Type/ID, "" for the zero Ref.
func (r Ref) String() string {
	if r == (Ref{}) {
		return ""
	}
	return r.Type + "/" + r.ID
}

// ParseReference reads a relative literal reference, "Type/id", "Type/id/_history/n" or "Type/id|n", as some systems write a version (which is
// dropped: it counts theirs). It answers false
// for anything else: contained (#x), conditional, urn: and absolute references, unknown types, ids outside their grammar.
// Source: https://hl7.org/fhir/R4/references.html#literal.
func ParseReference(s string) (Ref, bool) {
	typ, rest, ok := strings.Cut(s, "/")
	if !ok || !IsResourceType(typ) {
		return Ref{}, false
	}
	if id := Unversioned(rest); IsID(id) {
		return Ref{typ, id}, true
	}
	return Ref{}, false
}

// Unversioned is a reference without the version that it names, in the form /_history/n or |n; any other text is as it was.
func Unversioned(reference string) string {
	for _, mark := range []string{"/_history/", "|"} {
		if before, version, ok := strings.Cut(reference, mark); ok && IsID(version) && !strings.ContainsAny(before, "?#") {
			return before
		}
	}
	return reference
}

// LocalReference is [ParseReference] that also takes absolute references below base, this server's own URL (with or without a
// slash at its end).
func LocalReference(base, s string) (Ref, bool) {
	if base = strings.TrimSuffix(base, "/"); base != "" {
		s = strings.TrimPrefix(s, base+"/")
	}
	return ParseReference(s)
}

// ConditionalReference reads a reference that says what its target is like: Practitioner?identifier=system|value, relative or below
// base. It answers false for anything else, also for a query that is not well formed.
// Source: https://hl7.org/fhir/R4/http.html#trules.
func ConditionalReference(base, s string) (resourceType string, query url.Values, ok bool) {
	if base = strings.TrimSuffix(base, "/"); base != "" {
		s = strings.TrimPrefix(s, base+"/")
	}
	typ, text, ok := strings.Cut(s, "?")
	if !ok || text == "" || !IsResourceType(typ) {
		return "", nil, false
	}
	query, err := url.ParseQuery(text)
	return typ, query, err == nil
}

// IsID reports whether s is in the grammar of ids and versions: 1 to 64 of A-Z a-z 0-9 - and point.
func IsID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// ReferenceElements are the objects of d that are of type Reference, each with the element that it stands in, contained resources
// included. What the standard does not know is passed over.
func ReferenceElements(d *document.Doc) iter.Seq2[document.Node, *Element] {
	return func(yield func(document.Node, *Element) bool) { references(d.Root(), TypeNamed(d.Type()), yield) }
}

func references(n document.Node, t *Type, yield func(document.Node, *Element) bool) bool {
	if t == nil {
		return true
	}
	for field := range n.Fields() {
		e := t.Element(field.Name())
		if e == nil || e.Type == nil || e.Type.Primitive {
			continue
		}
		for one := range field.Items() {
			inside := e.Type
			if inside.Is("Reference") && !yield(one, e) {
				return false
			}
			if inside.Is("Resource") {
				inside = TypeNamed(one.Get("resourceType").Text())
			}
			if !references(one, inside, yield) {
				return false
			}
		}
	}
	return true
}

// Refs are the resources of this server that d refers to, in the order of the text and as often as it does, those of contained
// resources included.
func Refs(d *document.Doc) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for n := range d.Root().All() {
			if n.Kind() != document.String || n.Name() != "reference" {
				continue
			}
			if ref, ok := ParseReference(n.Text()); ok && !yield(ref) {
				return
			}
		}
	}
}
