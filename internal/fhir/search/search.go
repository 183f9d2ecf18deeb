// Package search answers one question about one FHIR resource: does it match this query?
//
// [Parse] reads a query, [Match] decides on a document, [Query.SortKey] orders what matched. Match defines the truth: an index may
// only propose candidates. For indexes, [Values] gives every search value of a document in one walk, in the same form in which a
// query's [Operand] states what is looked for.
//
//	q, err := search.Parse("Observation", url.Values{"code": {"http://loinc.org|718-7"}, "date": {"ge2019"}}, search.Options{})
//	if search.Match(doc, q) { ... }
//
// Where values lie in a resource is compiled from the published search parameters into table.txt (see internal/gen); the same table
// answers [Params] for the CapabilityStatement.
//
// Queries and values hold patient data and print as names only. What R4 leaves open is settled so:
//   - A stored number is a point, an open Quantity (<5) or a Range an interval; only the query's number has implicit precision.
//   - Codes compare exactly, except those of systems that ignore case and e-mail addresses. Identifiers and ids compare exactly.
//   - :not is the complement: it also finds resources without a value. So is ne not: it needs a value.
//   - :text finds words that begin with each word of the query.
//
// Source: https://hl7.org/fhir/R4/search.html.
package search

import (
	"time"

	"chartwarden/internal/fhir/document"
)

// Options say how a site reads dates and references, and how it takes unknown parameters.
type Options struct {
	// Strict makes unknown parameters an error; otherwise they are passed over and named in Query.Ignored.
	Strict bool
	// Zone is that of dates written without one; UTC when nil.
	Zone *time.Location
	// Base is the server's own base URL, such as https://ehr.example/fhir: references below it are local.
	Base string
	// Alone refuses conditions on other resources (chains, _has), for those who ask [Match] only, which does not look at them.
	Alone bool
	// Now anchors the prefix ap of dates; the clock's time when zero.
	Now time.Time
}

func (o Options) zone() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// Match reports whether d is a resource that q finds, as far as d alone can tell: [Query.Links] are not looked at. Safe for concurrent
// use.
func Match(d *document.Doc, q *Query) bool {
	if d.Type() != q.Type {
		return false
	}
	w := newWalker(d, q.site())
	defer w.release()
	for _, c := range q.clauses() {
		w.reset()
		w.walk(w.root, c.Param.state)
		if !c.matches(w.values) {
			return false
		}
	}
	return true
}
