package document

import (
	"cmp"
	"slices"

	"chartwarden/internal/outcome"
)

// Edit replaces the bytes [Start, End) of a document by With; Start == End inserts. Make it where it is used and do not keep it in
// a struct: there a print could reach With.
type Edit struct {
	Start, End int
	With       []byte
}

// Splice applies edits and gives the new document; all other bytes stay as they are. Edits refer to the bytes of d, come in any
// order and must not overlap; insertions at one place keep their order.
// Errors: outcome.Exception for a range outside or an overlap (a fault of the caller), else those of [Parse] on the result.
func (d *Doc) Splice(edits ...Edit) (*Doc, error) {
	if len(edits) == 0 {
		return d, nil
	}
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(a.Start-b.Start, a.End-b.End) })
	size, at := len(d.tape().b), 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(d.tape().b) {
			return nil, outcome.New(outcome.Exception, "edits of a document overlap or lie outside of it")
		}
		at = e.End
		size += len(e.With) - (e.End - e.Start)
	}
	out := make([]byte, 0, size)
	at = 0
	for _, e := range edits {
		out = append(append(out, d.tape().b[at:e.Start]...), e.With...)
		at = e.End
	}
	return Parse(append(out, d.tape().b[at:]...))
}
