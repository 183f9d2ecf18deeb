package governance

import (
	"strings"
	"testing"
)

// What a diff keeps and adds is the text after, what it keeps and removes the text before.
func FuzzDiff(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nx\nc\n")
	f.Add("", "a\n")
	f.Add("a\nb\nb\n", "b\na\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		var a, b []string
		for _, l := range lines(split(before), split(after)) {
			if l.Sign != '+' {
				a = append(a, l.Text)
			}
			if l.Sign != '-' {
				b = append(b, l.Text)
			}
		}
		if strings.Join(a, "\n") != strings.Join(split(before), "\n") || strings.Join(b, "\n") != strings.Join(split(after), "\n") {
			t.Fatalf("%q to %q", before, after)
		}
	})
}
