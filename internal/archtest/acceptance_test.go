package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// docs/acceptance.md names tests that exist, in the packages that it names.
func TestAcceptanceNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/acceptance.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.Contains(cells[3], "`") {
			continue
		}
		rows++
		tests, packages := quoted.FindAllStringSubmatch(cells[3], -1), quoted.FindAllStringSubmatch(cells[4], -1)
		if len(packages) != 1 && len(packages) != len(tests) {
			t.Errorf("%s: %d tests in %d packages", cells[1], len(tests), len(packages))
			continue
		}
		for i, name := range tests {
			in := packages[min(i, len(packages)-1)][1]
			if !holdsTest(t, filepath.Join("../..", in), name[1]) {
				t.Errorf("%s: %s has no %s", strings.TrimSpace(cells[1]), in, name[1])
			}
		}
	}
	if rows < 30 {
		t.Errorf("the page has %d rows", rows)
	}
}

// holdsTest reports whether a test file of a folder declares a test.
func holdsTest(t *testing.T, folder, name string) bool {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
