package document

import "chartwarden/internal/outcome"

func structureAt(n Node, public string) error {
	return outcome.New(outcome.Structure, public).At(n.Expression())
}

// ReplaceReferences calls swap with the text of each Reference.reference, contained and nested resources included, and replaces
// those for which it answers true. It is how `urn:uuid:` and conditional references become Type/id. Three uri elements of the same
// name (Expression, DetectedIssue, Immunization.education) are offered too; a transaction resolves urn:uuid in them as well.
// Errors: those of [Doc.Splice].
func (d *Doc) ReplaceReferences(swap func(reference string) (string, bool)) (*Doc, error) {
	var edits []Edit
	for n := range d.Root().All() {
		if n.Kind() == String && n.Name() == "reference" {
			if with, ok := swap(n.Text()); ok {
				edits = append(edits, replace(n, appendQuoted(nil, with)))
			}
		}
	}
	return d.Splice(edits...)
}

// Refer writes a literal reference into Reference objects of d that have none: each object of at gets "reference" as its first member.
// Errors: those of [Doc.Splice].
func (d *Doc) Refer(at map[Node]string) (*Doc, error) {
	edits := make([]Edit, 0, len(at))
	for n, reference := range at {
		start, _ := n.Span()
		with := appendQuoted([]byte(`"reference":`), reference)
		for range n.Fields() {
			with = append(with, ',')
			break
		}
		edits = append(edits, Edit{Start: start + 1, End: start + 1, With: with})
	}
	return d.Splice(edits...)
}

// Detach copies n, an object with a resourceType such as a contained resource or that of a bundle's entry, into a document of its
// own.
// Errors: outcome.Structure when n is no resource; outcome.TooLong.
func (n Node) Detach() (*Doc, error) {
	if n.Kind() != Object {
		return nil, structureAt(n, "a resource is one JSON object: send { ... }")
	}
	if start, end := n.Span(); end-start > MaxSize {
		return nil, outcome.New(outcome.TooLong, "the resource is larger than 16 MiB: put large content into a Binary or leave it at its source")
	}
	top := n.node()
	t := &tape{b: append([]byte(nil), n.Raw()...), nodes: append([]node(nil), n.tape().nodes[n.i:top.next]...)}
	for i := range t.nodes {
		c := &t.nodes[i]
		c.start -= top.start
		c.end -= top.start
		c.name -= min(c.name, top.start)
		c.next -= n.i
	}
	t.nodes[0].name, t.nodes[0].nameLen = 0, 0
	d := t.document()
	if err := d.checkType(); err != nil {
		return nil, err
	}
	return d, nil
}
