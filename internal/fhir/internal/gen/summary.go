package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// summary writes the table for people: one line a type, value set and compartment member, so that a change shows in review.
func (s *schema) summary() []byte {
	var b bytes.Buffer
	names := slices.Sorted(maps.Keys(s.types))
	elements := 0
	for _, t := range s.types {
		elements += len(t.elements)
	}
	fmt.Fprintf(&b, "FHIR R4 4.0.1: %d types, %d elements, %d value sets of required bindings, %d types of the patient compartment\n", len(names), elements, len(s.sets), len(s.compartment))
	fmt.Fprintf(&b, "written by go run ./internal/fhir/internal/gen; ! required, * repeats, ^ summary, ? modifier, [x] choice, <code set>\n\n")
	for _, name := range names {
		t := s.types[name]
		fmt.Fprintf(&b, "%s %s:", [...]string{"type", "primitive", "resource", "abstract"}[t.kind], name)
		chosen := map[string]bool{}
		for _, f := range t.elements {
			label := f.name
			if f.choice != "" {
				if chosen[f.choice] {
					continue
				}
				chosen[f.choice] = true
				label = f.choice + "[x]"
			}
			for _, m := range []struct {
				set  bool
				mark string
			}{{f.min > 0, "!"}, {f.array, "*"}, {f.summary, "^"}, {f.modifier, "?"}} {
				if m.set {
					label += m.mark
				}
			}
			if f.set != "" {
				label += "<" + last(f.set, "/") + ">"
			}
			b.WriteString(" " + label)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	for _, url := range slices.Sorted(maps.Keys(s.sets)) {
		set := s.sets[url]
		var parts []string
		for _, sys := range set.systems {
			if set.open {
				parts = append(parts, sys.url+" (not listed)")
				continue
			}
			parts = append(parts, fmt.Sprintf("%s %d codes", sys.url, len(sys.codes)))
		}
		fmt.Fprintf(&b, "codes %s: %s\n", url, strings.Join(parts, ", "))
	}
	b.WriteByte('\n')
	for _, m := range s.compartment {
		fmt.Fprintf(&b, "compartment %s: %s\n", m.typ, strings.Join(m.paths, " "))
	}
	return b.Bytes()
}
