package search

import (
	"unique"

	"chartwarden/internal/fhir/document"
)

// Values gives the values of one parameter in d. They share nothing with the document and may outlive it: words that many resources
// have in common, such as code systems, are held once.
func (p *Param) Values(d *document.Doc, o Options) []Value {
	w := newWalker(d, o.site())
	defer w.release()
	w.walk(w.root, p.state)
	if len(w.values) == 0 {
		return nil
	}
	return own(w.values)
}

// own copies values with what they point to.
func own(values []Value) []Value {
	out := make([]Value, len(values))
	copy(out, values)
	for i := range out {
		v := &out[i]
		for _, s := range []*string{&v.System, &v.Code, &v.Text, &v.Folded, &v.Kind, &v.ID, &v.URL, &v.Version} {
			if *s != "" {
				*s = unique.Make(*s).Value()
			}
		}
		if v.Kinds != nil {
			v.Kinds = append([]Coding(nil), v.Kinds...)
			for j := range v.Kinds {
				v.Kinds[j] = Coding{unique.Make(v.Kinds[j].System).Value(), unique.Make(v.Kinds[j].Code).Value()}
			}
		}
		if v.Parts != nil {
			parts := make([][]Value, len(v.Parts))
			for j := range v.Parts {
				parts[j] = own(v.Parts[j])
			}
			v.Parts = parts
		}
	}
	return out
}

// Matches reports whether these values of the clause's parameter satisfy it: a query finds a resource that satisfies all its clauses.
func (c *Clause) Matches(values []Value) bool { return c.matches(values) }

// AppendKey appends to key where a resource with these values of the parameter stands, as [Query.SortKey] does for each key in turn.
func (s Sort) AppendKey(key []byte, values []Value) []byte { return s.append(key, values) }
