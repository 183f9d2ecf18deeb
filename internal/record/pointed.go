package record

import (
	"iter"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
)

// A search by a reference to resources that it names (encounter=Encounter/x, subject=x) looks at those records of a shelf only that
// refer to such an id, by an index in memory. What else would be looked at could not match: what a mask hides only takes values away.

// pointed gives the spots of a shelf that can match, in their order; false when that may be any.
func (f *finder) pointed(x *shelf) (spots iter.Seq[int], few bool, err error) {
	c := f.pivot()
	if c == nil || x.latest > f.moment { // earlier versions may have referred elsewhere
		return nil, false, nil
	}
	out := slices.Clone(x.faults) // they may or may not match, and whoever asks is told
	for i := range c.Any {
		at, err := f.s.referring(x, c.Param, c.Any[i].ID)
		if err != nil {
			return nil, false, err
		}
		out = append(out, at...)
	}
	slices.Sort(out)
	return slices.Values(slices.Compact(out)), true, nil
}

// pivot is a condition that a resource meets only by referring to one of some ids; nil when there is none. On the shelves of one chart,
// who it is about tells nothing.
func (f *finder) pivot() *search.Clause {
	clauses := f.r.Query.Clauses()
	for i := range clauses {
		c := &clauses[i]
		if f.r.Patient != 0 && search.Subject(c.Param) {
			continue
		}
		if c.Param.Type == search.Reference && c.Modifier == search.NoModifier && !slices.ContainsFunc(c.Any, func(o search.Operand) bool { return o.ID == "" }) {
			return c
		}
	}
	return nil
}

// barren reports whether nothing on a shelf in memory can match, so that nobody has to be asked whether it is open.
func (f *finder) barren(patient fhir.PatientID, kind int64) (bool, error) {
	if f.pivot() == nil {
		return false, nil
	}
	x, current := f.s.shelves.get(shelfKey{patient, kind})
	if !current {
		return false, nil
	}
	spots, few, err := f.pointed(x)
	if err != nil || !few {
		return false, err
	}
	for range spots {
		return false, nil
	}
	return true, nil
}

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
