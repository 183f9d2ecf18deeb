// Command gen builds compression dictionary 1 from resources that it invents: nothing in it is about a person. The output is
// committed; a changed generator makes a new dictionary with a new number, because envelopes name theirs for ever.
//
//	go generate ./internal/seal
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	number   = 1 // the dictionary's id in envelopes and in its own header
	rounds   = 40
	frequent = 5 // weight from which a template is worth its indented form too: more gains 1 %
)

func main() {
	built, err := build()
	if err == nil {
		err = os.WriteFile(fmt.Sprintf("dictionary/%d.zdict", number), built, 0o644)
	}
	if err != nil {
		slog.Error("no dictionary", "cause", err)
		os.Exit(1)
	}
}

// build gives the same bytes each time: phrases to refer back to, and entropy tables from invented resources packed with them.
func build() ([]byte, error) {
	r := rand.New(rand.NewPCG(20260101, number))
	return zstd.BuildDict(zstd.BuildDictOptions{
		ID: number, Contents: samples(r), History: phrases(r), Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedFastest,
	})
}

// layouts are how senders write: indented inside a bundle, indented alone, compact.
var layouts = []func(*bytes.Buffer, []byte) error{
	func(b *bytes.Buffer, src []byte) error { return json.Indent(b, src, strings.Repeat(" ", 12), "    ") },
	func(b *bytes.Buffer, src []byte) error { return json.Indent(b, src, "", "  ") },
	json.Compact,
}

func layout(n int, text string) string {
	var b bytes.Buffer
	if err := layouts[n](&b, []byte(text)); err != nil {
		panic("a template is no JSON: " + err.Error())
	}
	return b.String()
}

// samples are many resources in all layouts, compact ones most.
func samples(r *rand.Rand) (out [][]byte) {
	for round := range rounds {
		for _, t := range templates {
			for range t.weight {
				out = append(out, []byte(layout([]int{2, 0, 2, 1, 2}[round%5], expand(r, t.text, fill))))
			}
		}
	}
	return out
}

// phrases is the text that packed resources refer to: rare things first, since what is near the end costs the fewest bits. Lines
// that follow one another as before are left out, and so are invented ids, times and numbers.
func phrases(r *rand.Rand) []byte {
	order := slices.Clone(templates)
	slices.SortStableFunc(order, func(a, b template) int { return a.weight - b.weight })
	var out []byte
	seen := map[[2]string]bool{}
	for _, t := range order {
		if t.weight < frequent {
			continue
		}
		before := ""
		for line := range strings.Lines(layout(0, expand(r, t.text, blank))) {
			if !seen[[2]string{before, line}] {
				seen[[2]string{before, line}] = true
				out = append(out, line...)
			}
			before = line
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vocabulary)) {
		for _, entry := range vocabulary[name] {
			if entry, _, _ = strings.Cut(entry, "\x00"); len(entry) > 40 {
				out = append(out, entry...)
			}
		}
	}
	for _, t := range order {
		out = append(out, layout(2, expand(r, t.text, blank))...)
	}
	return out
}

var hole = regexp.MustCompile(`\$[a-zA-Z]+`)

// expand fills the holes of one resource: words from the vocabulary, a reference the same wherever it occurs, and by number what
// differs each time.
func expand(r *rand.Rand, text string, number func(*rand.Rand, string) string) string {
	seen := map[string]string{}
	return hole.ReplaceAllStringFunc(text, func(h string) string {
		name := h[1:]
		if list, ok := vocabulary[name]; ok {
			word, unit, measure := strings.Cut(list[r.IntN(len(list))], "\x00")
			if measure {
				seen["unit"] = unit
			}
			return word
		}
		switch name {
		case "unit":
			return seen["unit"]
		case "subject", "encounter", "practitioner", "organization", "location", "condition":
			if _, ok := seen[name]; !ok {
				seen[name] = reference(name, number(r, "id"))
			}
			return seen[name]
		}
		return number(r, name)
	})
}

// blank leaves out what no two resources share.
func blank(_ *rand.Rand, name string) string {
	if name == "int" || name == "decimal" || name == "long" {
		return "1"
	}
	return ""
}

func fill(r *rand.Rand, name string) string {
	switch name {
	case "id":
		return uuid(r)
	case "instant":
		return moment(r).Format("2006-01-02T15:04:05.000+00:00")
	case "time":
		return moment(r).Format("2006-01-02T15:04:05") + []string{"+00:00", "Z", "-05:00", "+02:00"}[r.IntN(4)]
	case "date":
		return moment(r).Format(time.DateOnly)
	case "int":
		return fmt.Sprint(1 + r.IntN(9))
	case "big":
		return fmt.Sprint(10000 + r.IntN(90000))
	case "decimal":
		return fmt.Sprintf("%.*f", 1+r.IntN(2), r.Float64()*200)
	case "long":
		return fmt.Sprintf("%.15g", r.Float64()*200)
	}
	panic("a template has an unknown hole: " + name)
}

func moment(r *rand.Rand) time.Time {
	return time.Date(1990+r.IntN(37), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000)*1e6, time.UTC)
}

func uuid(r *rand.Rand) string {
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

func reference(name, id string) string {
	if name == "subject" {
		name = "patient"
	}
	if id != "" && id[0] < '8' {
		return "urn:uuid:" + id
	}
	return strings.ToUpper(name[:1]) + name[1:] + "/" + id
}
