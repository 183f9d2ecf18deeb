package governance

import (
	"maps"
	"slices"
	"strings"

	"chartwarden/internal/policy"
)

// FileDiff is how the text of one file differs.
type FileDiff struct {
	Name  string
	Lines []DiffLine
}

// DiffLine is one line: '+' added, '-' removed, ' ' around them, '~' where unchanged lines are left out.
type DiffLine struct {
	Sign   byte
	Number int // in the text after; of a removed line, before
	Text   string
}

// around is how many unchanged lines are shown beside a change; mostCompared bounds the work on one file.
const (
	around       = 2
	mostCompared = 4_000_000
)

// Diff lists the files whose text differs, by name.
func Diff(before, after policy.Bundle) (out []FileDiff) {
	names := maps.Clone(after)
	maps.Copy(names, before)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] != after[name] {
			out = append(out, FileDiff{name, folded(lines(split(before[name]), split(after[name])))})
		}
	}
	return out
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// lines is the shortest way from a to b by whole lines, by the longest common subsequence of what lies between their common ends.
func lines(a, b []string) (out []DiffLine) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		out = append(out, DiffLine{' ', head + 1, a[head]})
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	common := make([][]int32, len(x)+1)
	if len(x)*len(y) <= mostCompared {
		for i := range common {
			common[i] = make([]int32, len(y)+1)
		}
		for i := len(x) - 1; i >= 0; i-- {
			for j := len(y) - 1; j >= 0; j-- {
				if x[i] == y[j] {
					common[i][j] = common[i+1][j+1] + 1
				} else {
					common[i][j] = max(common[i+1][j], common[i][j+1])
				}
			}
		}
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case common[0] != nil && i < len(x) && j < len(y) && x[i] == y[j]:
			out = append(out, DiffLine{' ', head + j + 1, x[i]})
			i, j = i+1, j+1
		case i < len(x) && (j == len(y) || common[0] == nil || common[i+1][j] >= common[i][j+1]):
			out = append(out, DiffLine{'-', head + i + 1, x[i]})
			i++
		default:
			out = append(out, DiffLine{'+', head + j + 1, y[j]})
			j++
		}
	}
	for k := tail; k > 0; k-- {
		out = append(out, DiffLine{' ', len(b) - k + 1, b[len(b)-k]})
	}
	return out
}

// folded leaves out what is far from any change.
func folded(all []DiffLine) (out []DiffLine) {
	near := make([]bool, len(all))
	for i, l := range all {
		if l.Sign != ' ' {
			for k := max(0, i-around); k <= min(len(all)-1, i+around); k++ {
				near[k] = true
			}
		}
	}
	for i, l := range all {
		switch {
		case near[i]:
			out = append(out, l)
		case i > 0 && near[i-1]:
			out = append(out, DiffLine{Sign: '~'})
		}
	}
	return out
}
