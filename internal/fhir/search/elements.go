package search

import (
	"maps"
	"slices"
)

// Elements are the top-level elements of a resource that the parameter reads, sorted; nil when it reads the resource as a whole, or
// what cannot be said. An element that is hidden from somebody makes the parameter find nothing for him.
func (p *Param) Elements() []string {
	if p.state == nil || len(p.state.leaves) > 0 || len(p.state.where) > 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(p.state.next))
}
