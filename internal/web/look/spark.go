package look

import (
	"slices"
	"strings"
)

type sparkLine struct {
	Path, Sentence string
	Last           dot
}

func spark(values []float64) sparkLine {
	lo, hi := slices.Min(values), slices.Max(values)
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	var s sparkLine
	var at []string
	for i, v := range values {
		s.Last = dot{3 + 66*float64(i)/float64(len(values)-1), 17 - 14*(v-lo)/(hi-lo)}
		at = append(at, coord(s.Last.X)+","+coord(s.Last.Y))
	}
	s.Path = strings.Join(at, " ")
	first, last := values[0], values[len(values)-1]
	switch {
	case last > first:
		s.Sentence = "rose from " + quantity(first) + " to " + quantity(last)
	case last < first:
		s.Sentence = "fell from " + quantity(first) + " to " + quantity(last)
	default:
		s.Sentence = "stayed at " + quantity(last)
	}
	return s
}
