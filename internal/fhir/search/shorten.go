package search

import (
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

// Shorten leaves of d what _elements or _summary asks for, tagged SUBSETTED; d itself where nothing is left out. Mandatory elements
// stay. The query's conditions do not matter. Errors: those of document.Doc.Mask.
// Source: https://hl7.org/fhir/R4/search.html#summary.
func (q *Query) Shorten(d *document.Doc) (*document.Doc, error) {
	keep := q.kept(d.Type())
	if keep == nil {
		return d, nil
	}
	return d.Mask(func(element string) bool { return !keep(element) }, document.Subsetted)
}

// kept says which elements of a type stay; nil: all.
func (q *Query) kept(resourceType string) func(element string) bool {
	typ := fhir.TypeNamed(resourceType)
	element := func(name string) fhir.Element {
		if typ != nil {
			if e := typ.Element(name); e != nil {
				return *e
			}
		}
		return fhir.Element{}
	}
	switch {
	case len(q.Elements) > 0:
		return func(name string) bool { return slices.Contains(q.Elements, name) || element(name).Required }
	case q.Summary == "true":
		return func(name string) bool { return element(name).Summary || element(name).Required }
	case q.Summary == "text":
		return func(name string) bool { return name == "text" || element(name).Required }
	case q.Summary == "data":
		return func(name string) bool { return name != "text" }
	}
	return nil
}
