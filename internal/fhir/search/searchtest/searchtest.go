// Package searchtest draws FHIR searches at random for tests that hold two ways to answer them against each other.
//
// A test says once what its data can be asked by ([World]) and then draws: conditions, chains both ways in any depth up to two,
// sorting, inclusions, totals and page sizes. The same seed draws the same questions.
package searchtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Link is a search parameter that refers from one type to another.
type Link struct{ From, Param, To string }

// World is what there is to ask: by type its plain conditions, such as gender=male, and the parameters that it sorts by, and how the
// types refer to each other.
type World struct {
	Conditions map[string][]string
	Sorts      map[string][]string
	Links      []Link
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// Draw gives a type that has conditions and a query about it, without the question mark; some are empty.
func (w World) Draw(r *rand.Rand) (typ, query string) {
	var types []string
	for t := range w.Conditions {
		types = append(types, t)
	}
	slices.Sort(types)
	typ = pick(r, types)
	var parts []string
	for range []int{0, 1, 1, 1, 2, 2, 3}[r.IntN(7)] {
		parts = append(parts, w.condition(r, typ))
	}
	if sorts := w.Sorts[typ]; len(sorts) > 0 && r.IntN(3) == 0 {
		parts = append(parts, "_sort="+pick(r, []string{"", "-"})+pick(r, sorts))
	}
	reached := []string{typ} // inclusions go on from what others brought
	for range r.IntN(3) {
		iterate, from := "", typ
		if len(reached) > 1 && r.IntN(2) == 0 {
			iterate, from = ":iterate", pick(r, reached[1:])
		}
		if r.IntN(2) == 0 {
			if l, some := w.link(r, func(l Link) bool { return l.From == from }); some {
				parts, reached = append(parts, "_include"+iterate+"="+l.From+":"+l.Param), append(reached, l.To)
			}
		} else if l, some := w.link(r, func(l Link) bool { return l.To == from }); some {
			parts, reached = append(parts, "_revinclude"+iterate+"="+l.From+":"+l.Param), append(reached, l.From)
		}
	}
	switch r.IntN(6) {
	case 0:
		parts = append(parts, "_total="+pick(r, []string{"none", "estimate", "accurate"}))
	case 1:
		parts = append(parts, "_summary=count")
	}
	if r.IntN(2) == 0 {
		parts = append(parts, fmt.Sprint("_count=", 1+r.IntN(9)))
	}
	return typ, strings.Join(parts, "&")
}

func (w World) link(r *rand.Rand, such func(Link) bool) (Link, bool) {
	var some []Link
	for _, l := range w.Links {
		if such(l) {
			some = append(some, l)
		}
	}
	if len(some) == 0 {
		return Link{}, false
	}
	return pick(r, some), true
}

// condition is one about a type: plain, of what it refers to, or of what refers to it.
func (w World) condition(r *rand.Rand, typ string) string {
	switch r.IntN(5) {
	case 0:
		return w.chain(r, typ, 1)
	case 1:
		return w.back(r, typ, 1)
	}
	return pick(r, w.Conditions[typ])
}

func (w World) chain(r *rand.Rand, typ string, more int) string {
	l, some := w.link(r, func(l Link) bool { return l.From == typ && len(w.Conditions[l.To]) > 0 })
	if !some {
		return pick(r, w.Conditions[typ])
	}
	inner := pick(r, w.Conditions[l.To])
	if more > 0 && r.IntN(3) == 0 {
		inner = w.chain(r, l.To, more-1)
	}
	return l.Param + ":" + l.To + "." + inner
}

func (w World) back(r *rand.Rand, typ string, more int) string {
	l, some := w.link(r, func(l Link) bool { return l.To == typ && len(w.Conditions[l.From]) > 0 })
	if !some {
		return pick(r, w.Conditions[typ])
	}
	inner := pick(r, w.Conditions[l.From])
	if more > 0 {
		switch r.IntN(4) {
		case 0:
			inner = w.back(r, l.From, more-1)
		case 1:
			inner = w.chain(r, l.From, more-1)
		}
	}
	return "_has:" + l.From + ":" + l.Param + ":" + inner
}
