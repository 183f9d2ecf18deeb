package foreign

import (
	"bytes"
	"embed"
	"io"
	"path"
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

//go:embed presets/*.map
var presetFiles embed.FS

var presets, presetNames = loadPresets()

func loadPresets() (map[string]*Mapping, []string) {
	all, names := map[string]*Mapping{}, []string{}
	entries, _ := presetFiles.ReadDir("presets")
	for _, e := range entries {
		text, _ := presetFiles.ReadFile(path.Join("presets", e.Name()))
		m, err := Parse(e.Name(), string(text))
		if err != nil {
			panic(err) // a preset is part of the program; TestPresets parses them all
		}
		all[m.Name] = m
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return all, names
}

// Presets are the names that Preset knows, sorted.
func Presets() []string { return slices.Clone(presetNames) }

// Preset is a mapping that comes with the program; do not change it. Errors: outcome.NotFound, which lists the names.
func Preset(name string) (*Mapping, error) {
	if m, ok := presets[name]; ok {
		return m, nil
	}
	return nil, outcome.New(outcome.NotFound, "there is no format "+name+": there are fhir, atna, "+strings.Join(presetNames, ", ")+", or --map FILE for any other")
}

// GuessStart is the preset whose columns the header of a table has most of, or nil when none fits. start is how the file begins, 4 KiB
// or more of it where there is so much.
func GuessStart(start []byte) *Mapping {
	text, _ := io.ReadAll(decode(bytes.NewReader(start), ""))
	header := strings.TrimLeft(string(text), "\r\n")
	var best *Mapping
	most := 0
	for _, name := range presetNames {
		m := presets[name]
		sep := separatorOf(m, header[:lineEnd(header)])
		end, _, _ := rowEnd(header, sep, m.Quote, true)
		cells, why := split(header[:end], sep, m.Quote, nil)
		if why != "" {
			continue
		}
		if b, missing := m.bind(cells); missing == "" && b.found > most {
			best, most = m, b.found
		}
	}
	return best
}
