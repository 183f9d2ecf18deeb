package archtest

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestModuleKeepsItsShape(t *testing.T) {
	found, err := Findings(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// Each rule is shown to fail on a planted violation.
func TestPlantedViolations(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"upward import":         {map[string]string{"care/a.go": "// Package care is planted.\npackage care\nimport _ \"chartwarden/internal/access\"\n"}, "ranks no lower"},
		"same rank":             {map[string]string{"tlog/a.go": "// Package tlog is planted.\npackage tlog\nimport _ \"chartwarden/internal/seal\"\n"}, "ranks no lower"},
		"record behind door":    {map[string]string{"web/a.go": "// Package web is planted.\npackage web\nimport _ \"chartwarden/internal/record\"\n"}, "through the door"},
		"seal in a page":        {map[string]string{"web/a.go": "// Package web is planted.\npackage web\nimport _ \"chartwarden/internal/seal\"\n"}, "key family"},
		"undeclared family":     {map[string]string{"fhir/document/a.go": "// Package document is planted.\npackage document\nimport _ \"chartwarden/internal/fhir/search\"\n"}, "ranks no lower"},
		"no rank":               {map[string]string{"gossip/a.go": "// Package gossip is planted.\npackage gossip\n"}, "no rank"},
		"no comment":            {map[string]string{"care/a.go": "package care\n"}, "0 package comments"},
		"two comments":          {map[string]string{"care/a.go": "// Package care is planted.\npackage care\n", "care/b.go": "// Package care is planted twice.\npackage care\n"}, "2 package comments"},
		"catch-all":             {map[string]string{"web/utils/a.go": "// Package utils is planted.\npackage utils\n"}, "says nothing"},
		"append outside a door": {map[string]string{"web/a.go": "// Package web is planted.\npackage web\nfunc f(l interface{ Disclose() }) { l.Disclose() }\n"}, "appends to the audit"},
		"told in a page":        {map[string]string{"web/a.go": "// Package web is planted.\npackage web\nfunc f(s interface{ TellVersions() }) { s.TellVersions() }\n"}, "only detection does"},
		"a route of its own":    {map[string]string{"web/a.go": "// Package web is planted.\npackage web\nimport \"net/http\"\nfunc f(m *http.ServeMux, h http.Handler) { m.Handle(\"GET /planted\", h) }\n"}, "past the table"},
		"banned word":           {map[string]string{"care/a.go": "// Package care is planted.\npackage care\ntype UserRecord struct{}\n"}, "say Person"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for p, text := range c.files {
				fsys[p] = &fstest.MapFile{Data: []byte(text)}
			}
			found, err := Findings(fsys)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(found, "\n"), c.want) {
				t.Fatalf("not found: %q in %q", c.want, found)
			}
		})
	}
}
