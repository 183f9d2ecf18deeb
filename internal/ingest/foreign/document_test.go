package foreign

import (
	"os"
	"strings"
	"testing"
)

// The page of the format names every key, and the guide's mapping works on the guide's table.
func TestTheDocumentsAreTrue(t *testing.T) {
	page, err := os.ReadFile("../../../docs/formats/foreign-logs.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range []map[string]string{fields, staffFields} {
		for key := range keys {
			if !strings.Contains(string(page), "`"+key+"`") {
				t.Errorf("the page does not name the key %s", key)
			}
		}
	}
	for kind := range kinds {
		if !strings.Contains(string(page), kind) {
			t.Errorf("the page does not name the kind %s", kind)
		}
	}
	for _, name := range Presets() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the page does not name the preset %s", name)
		}
	}
	guide, err := os.ReadFile("../../../docs/guides/other-ehr.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "For a table like\n\n")
	table, rest, _ := strings.Cut(rest, "\n\nthis is a whole mapping:\n\n")
	mapping, _, ok := strings.Cut(rest, "\n\n")
	if !ok {
		t.Fatal("the guide has no example")
	}
	m, err := Parse("the guide's", strings.ReplaceAll(mapping, "    ", ""))
	if err != nil {
		t.Fatal(err)
	}
	got := take(t, m, m.Zone, NewCrosswalk(), strings.ReplaceAll(table, "    ", "")+"\n")
	same(t, "the guide's table", got.events, []string{"2026-03-02T08:15:00Z print Practitioner/login:khuber Patient/patnr:4711 device=Device/W-113"})
	_, rest, _ = strings.Cut(string(page), "`layout` for days:\n\n")
	staff, _, _ := strings.Cut(rest, "\n\n")
	if _, err := ParseStaff("the page's", strings.ReplaceAll(staff, "    ", "")); err != nil {
		t.Error(err)
	}
}
