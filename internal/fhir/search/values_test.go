package search

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
)

// plainly writes a value as `name: content`, for the tests alone.
func plainly(v *Value) string {
	s := ""
	switch v.Param.Type {
	case Token:
		s = v.System + "|" + v.Code
		if v.Text != "" {
			s += " " + v.Text
		}
	case Date:
		s = fmt.Sprintf("%d+%d", v.From, v.To-v.From)
	case Number, Quantity:
		s = fmt.Sprintf("%g..%g %s|%s %s", v.Low, v.High, v.System, v.Code, v.Text)
	case Reference:
		s = fmt.Sprintf("%s/%s %s", v.Kind, v.ID, v.URL)
	case String:
		s = v.Folded
	case URI:
		s = v.URL + "|" + v.Version
	case Composite:
		for _, p := range v.Parts {
			s += fmt.Sprint(len(p))
		}
	}
	return v.Param.Name + ": " + strings.TrimSpace(s)
}

func TestValuesOfOneWalk(t *testing.T) {
	var got []string
	values := Values(doc(t, bodyHeight), Options{})
	for i := range values {
		if !strings.Contains(values[i].Param.Definition, "genetic") {
			got = append(got, plainly(&values[i]))
		}
	}
	slices.Sort(got)
	want := strings.Split(strings.TrimSpace(`
_id: |o1
_lastUpdated: 1556704800123000+1000
_profile: http://example.org/p|1.0
_security: http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R
_tag: http://example.org/t|red
category: http://terminology.hl7.org/CodeSystem/observation-category|vital-signs
code-value-quantity: 41
code: http://example.org/local|Ht|cm
code: http://loinc.org|8302-2 Body Height
code: | Größe, stehend
code: |bare
combo-code-value-quantity: 41
combo-code: http://example.org/local|Ht|cm
combo-code: http://loinc.org|8302-2 Body Height
combo-code: | Größe, stehend
combo-code: |bare
combo-value-quantity: 5.4..5.4 http://unitsofmeasure.org|cm cm(s)
date: 1527852600000000+1000000
patient: Patient/85
status: http://hl7.org/fhir/observation-status|final
subject: Patient/85
value-quantity: 5.4..5.4 http://unitsofmeasure.org|cm cm(s)`), "\n")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if v := Values(doc(t, `{"resourceType":"Nonesuch"}`), Options{}); v != nil {
		t.Errorf("an unknown type has %d values", len(v))
	}
}

func TestElementsOfTheWrongKindGiveNothing(t *testing.T) {
	for _, text := range []string{
		`{"resourceType":"Observation","code":"x","subject":5,"status":{},"effectiveDateTime":2019,"valueQuantity":[],"component":null,"category":[[null]]}`,
		`{"resourceType":"Observation","code":{"coding":{"code":7}},"valueQuantity":{"value":"5"},"effectivePeriod":{"start":null},"meta":[]}`,
		`{"resourceType":"Patient","name":["x"],"telecom":[null],"birthDate":{},"deceasedBoolean":null,"contained":{},"identifier":[{}]}`,
	} {
		for _, v := range Values(doc(t, text), Options{}) {
			if v.Param.Name != "deceased" {
				t.Errorf("%s: %s", text, plainly(&v))
			}
		}
	}
}

// TestWalksAgree compares the one walk of Values with the walk of each parameter, which Match takes, on every published example.
func TestWalksAgree(t *testing.T) {
	folder := os.Getenv("CHARTWARDEN_TESTDATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(folder, "fhir", "r4-examples.tar.gz"))
	if err != nil {
		t.Skip("the published examples are absent (set CHARTWARDEN_TESTDATA)")
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	types, params, count, resources := map[string]bool{}, map[*Param]bool{}, 0, 0
	seen := 0
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, ".json") || h.Size > 1<<20 {
			continue
		}
		if seen++; testing.Short() && seen%16 != 0 {
			continue
		}
		raw, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		d, err := document.Parse(raw)
		if err != nil || catalogue()[d.Type()] == nil {
			continue // package files, and examples that are no good JSON
		}
		resources++
		types[d.Type()] = true
		got := map[*Param]int{}
		for _, v := range Values(d, Options{}) {
			got[v.Param]++
			params[v.Param] = true
			count++
		}
		for _, p := range Params(d.Type()) {
			w := newWalker(d, Options{}.site())
			w.walk(w.root, p.state)
			if len(w.values) != got[p] {
				t.Errorf("%s: %s has %d values by itself and %d in the walk of all", h.Name, p.Name, len(w.values), got[p])
			}
			w.release()
		}
	}
	t.Logf("%d resources of %d types: %d values of %d parameters", resources, len(types), count, len(params))
	if !testing.Short() && (resources < 5000 || len(params) < 1000) {
		t.Errorf("only %d resources with %d parameters were read", resources, len(params))
	}
}

func TestTable(t *testing.T) {
	pairs, composites := 0, 0
	for kind, o := range catalogue() {
		for _, p := range Params(kind) {
			pairs++
			if again, ok := Lookup(kind, p.Name); !ok || again != p {
				t.Errorf("%s %s is listed and not found", kind, p.Name)
			}
			if p.Type == Composite {
				if composites++; len(p.Components) < 2 {
					t.Errorf("%s %s has %d components", kind, p.Name, len(p.Components))
				}
			}
			if p.Type == Special || !strings.HasPrefix(p.Definition, "http") {
				t.Errorf("%s %s: %s, %s", kind, p.Name, p.Type, p.Definition)
			}
		}
		if len(o.params) < 10 {
			t.Errorf("%s has only %d parameters", kind, len(o.params))
		}
	}
	if len(catalogue()) != 146 || composites != 72 /* 46, some of several types */ {
		t.Errorf("%d resource types, %d composites", len(catalogue()), composites)
	}
	t.Logf("%d pairs of type and parameter", pairs)
	p, _ := Lookup("Observation", "patient")
	if !p.TargetsOnly("Patient") || p.Definition != "http://hl7.org/fhir/SearchParameter/clinical-patient" {
		t.Errorf("patient: %+v", p)
	}
	if p, ok := Lookup("Location", "near"); !ok || p.Supported {
		t.Error("near is known and not supported")
	}
	if _, ok := Lookup("Patient", "nonesuch"); ok || Params("Nonesuch") != nil {
		t.Error("what is unknown is found")
	}
	for _, bad := range []string{"", "Patient\n\tname string\n", "*\nPatient\n\tname string x - ; name Nonesuch\n", "*\nPatient\n\tname string x - ; name\n"} {
		if _, err := load(bad); err == nil {
			t.Errorf("the table %q is taken", bad)
		}
	}
}
