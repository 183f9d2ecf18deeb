package main

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// encode writes the table, all numbers as unsigned varints. internal/fhir/schema.go reads it:
//
//	"R4\x01"
//	strings      count, length of each, then all of them
//	types        count; each: name, base (type + 1, 0 for none), kind, number of elements
//	elements     of all types; each: name, type, choice (string + 1), value set (+ 1), target set (+ 1), flags
//	target sets  count; each: count, types
//	value sets   count; each: URL, open, count of systems; each: URL, count, codes
//	compartment  count; each: type, count; each path a string
//
// Names, URLs, codes are indexes of strings; types are ordered by name. Flags: 1 repeats, 2 required, 4 summary, 8 modifier.
func (s *schema) encode() []byte {
	e := &encoder{index: map[string]uint64{}}
	types := slices.Sorted(maps.Keys(s.types))
	typeIndex := map[string]uint64{}
	for i, name := range types {
		typeIndex[name] = uint64(i)
	}
	sets := slices.Sorted(maps.Keys(s.sets))
	var targets []string
	e.put(uint64(len(types)))
	for _, name := range types {
		t := s.types[name]
		base := uint64(0)
		if i, ok := typeIndex[t.base]; ok {
			base = i + 1
		}
		e.put(e.string(name), base, uint64(t.kind), uint64(len(t.elements)))
	}
	for _, name := range types {
		for _, f := range s.types[name].elements {
			e.put(e.string(f.name), typeIndex[f.typ])
			choice := uint64(0)
			if f.choice != "" {
				choice = e.string(f.choice) + 1
			}
			set, _ := slices.BinarySearch(sets, f.set)
			target := uint64(0)
			if len(f.targets) > 0 {
				key := strings.Join(f.targets, " ")
				if !slices.Contains(targets, key) {
					targets = append(targets, key)
				}
				target = uint64(slices.Index(targets, key)) + 1
			}
			if f.set == "" {
				set = -1
			}
			e.put(choice, uint64(set+1), target, flag(f.array, 1)|flag(f.min > 0, 2)|flag(f.summary, 4)|flag(f.modifier, 8))
		}
	}
	e.put(uint64(len(targets)))
	for _, key := range targets {
		names := strings.Fields(key)
		e.put(uint64(len(names)))
		for _, name := range names {
			e.put(typeIndex[name])
		}
	}
	e.put(uint64(len(sets)))
	for _, url := range sets {
		set := s.sets[url]
		e.put(e.string(url), flag(set.open, 1), uint64(len(set.systems)))
		for _, sys := range set.systems {
			e.put(e.string(sys.url), uint64(len(sys.codes)))
			for _, code := range sys.codes {
				e.put(e.string(code))
			}
		}
	}
	e.put(uint64(len(s.compartment)))
	for _, m := range s.compartment {
		e.put(typeIndex[m.typ], uint64(len(m.paths)))
		for _, path := range m.paths {
			e.put(e.string(path))
		}
	}
	out := binary.AppendUvarint([]byte("R4\x01"), uint64(len(e.strings)))
	for _, text := range e.strings {
		out = binary.AppendUvarint(out, uint64(len(text)))
	}
	return append(append(out, strings.Join(e.strings, "")...), e.body...)
}

type encoder struct {
	strings []string
	index   map[string]uint64
	body    []byte
}

func (e *encoder) put(numbers ...uint64) {
	for _, n := range numbers {
		e.body = binary.AppendUvarint(e.body, n)
	}
}

func (e *encoder) string(s string) uint64 {
	i, ok := e.index[s]
	if !ok {
		i = uint64(len(e.strings))
		e.index[s] = i
		e.strings = append(e.strings, s)
	}
	return i
}

func flag(set bool, bit uint64) uint64 {
	if set {
		return bit
	}
	return 0
}
