// Package foreign reads the access logs that other record systems export as tables, so that their accesses are judged like our own.
//
// What a system's export looks like is a [Mapping]: a short text that names columns, time layouts and what the system's words for an act
// mean. Presets are such texts too ([Preset], [Guess]). A [Stream] reads files by a mapping, one after the other, and gives events in order:
//
//	m, err := foreign.Preset("epic-purview")
//	s := foreign.NewStream(foreign.Sinks{Event: judge, Learn: learn, Reject: note}, crosswalk, seed)
//	err = s.Table(ctx, "march.txt", file, m, zone)
//	s.Close()
//
// Rows are read on every core and judged in order. Names and addresses that a row carries are handed on once, to be turned into keyed
// values, and kept nowhere. Nothing in a file stops the reading: what is no row is counted and told with its line.
package foreign
