package scope

import (
	"net/url"
	"reflect"
	"slices"

	"chartwarden/internal/fhir/search"
)

// Within is what of s lies within limit: nothing that is not in both, however it is written.
func (s Set) Within(limit Set) Set {
	var out Set
	for _, n := range s.names {
		if limit.Has(n) {
			out.names = append(out.names, n)
		}
	}
	for _, a := range s.resources {
		for _, b := range limit.resources {
			if r, ok := a.within(b); ok {
				out.add(r)
			}
		}
	}
	return out
}

func (r Resource) within(limit Resource) (Resource, bool) {
	if r.Type == "*" {
		r.Type, r.Part, r.part = limit.Type, limit.Part, limit.part
	} else if limit.Type != "*" && limit.Type != r.Type {
		return r, false
	}
	r.May &= limit.May
	if r.May == 0 || r.Context != limit.Context {
		return r, false
	}
	switch {
	case limit.Part == "" || limit.Part == r.Part:
		return r, true
	case r.Part == "":
		r.Part, r.part = limit.Part, limit.part
		return r, true
	}
	both, mend := r.of(r.Part + "&" + limit.Part)
	return both, mend == ""
}

// Reach is how far a set goes for one interaction on one resource type. The zero Reach goes nowhere.
type Reach struct {
	whole bool
	parts []*search.Query
}

// Reach tells how far s goes for an interaction on a type, by its scopes of these contexts.
func (s Set) Reach(i Interactions, typ string, contexts ...Context) (out Reach) {
	for _, r := range s.resources {
		if r.May&i == 0 || r.Type != typ && r.Type != "*" || !slices.Contains(contexts, r.Context) {
			continue
		}
		if r.part == nil {
			return Reach{whole: true}
		}
		out.parts = append(out.parts, r.part)
	}
	return out
}

// Types are the resource types that s reaches by any of the interactions, with * for each.
func (s Set) Types(any Interactions, contexts ...Context) (out []string) {
	for _, r := range s.resources {
		if r.May&any != 0 && slices.Contains(contexts, r.Context) && !slices.Contains(out, r.Type) {
			out = append(out, r.Type)
		}
	}
	return out
}

// None reports that nothing is reached.
func (r Reach) None() bool { return !r.whole && len(r.parts) == 0 }

// Whole reports that every resource of the type is reached.
func (r Reach) Whole() bool { return r.whole }

// Holds reports whether one resource is reached; matches says whether it is what a query looks for.
func (r Reach) Holds(matches func(*search.Query) bool) bool {
	return r.whole || slices.ContainsFunc(r.parts, matches)
}

// Admits reports whether a search stays within the reach by its own words: it names each parameter of a granular scope, with none but
// values of such scopes. One that does not would come back short without saying so. What it finds is still held to [Reach.Holds].
func (r Reach) Admits(q *search.Query) bool {
	if r.whole {
		return true
	}
	return slices.ContainsFunc(r.parts, func(part *search.Query) bool {
		return !slices.ContainsFunc(part.Clauses(), func(want search.Clause) bool { return !r.named(want, q) })
	})
}

// named reports whether q has a clause on the parameter of want all of whose operands are operands of scopes.
func (r Reach) named(want search.Clause, q *search.Query) bool {
	return slices.ContainsFunc(q.Clauses(), func(c search.Clause) bool {
		if c.Param != want.Param || c.Modifier != want.Modifier || c.Missing != want.Missing {
			return false
		}
		return !slices.ContainsFunc(c.Any, func(asked search.Operand) bool { return !r.offered(want, asked) })
	})
}

func (r Reach) offered(want search.Clause, asked search.Operand) bool {
	for _, part := range r.parts {
		for _, c := range part.Clauses() {
			if c.Param == want.Param && c.Modifier == want.Modifier && slices.ContainsFunc(c.Any, func(o search.Operand) bool {
				return reflect.DeepEqual(o, asked) || c.Param.Type == search.Token && asked.AnySystem && !asked.AnyCode && asked.Code == o.Code
			}) {
				return true
			}
		}
	}
	return false
}

// Parameters are the search parameters of a granular scope, for people to read; nil for a whole type.
func (r Resource) Parameters() url.Values {
	if r.Part == "" {
		return nil
	}
	values, err := url.ParseQuery(r.Part)
	if err != nil {
		return nil // it was read when the scope was
	}
	return values
}
