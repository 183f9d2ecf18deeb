package validate

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/internal/published"
)

// invalidExamples are the published examples that R4 itself does not allow.
var invalidExamples = []string{
	"ImplementationGuide-fhir.json", "ig-r4.json", // no name, no status
	"Questionnaire-qs1.json", // items without linkId
	// no base:
	"SearchParameter-codesystem-extensions-CodeSystem-author.json", "SearchParameter-codesystem-extensions-CodeSystem-effective.json",
	"SearchParameter-codesystem-extensions-CodeSystem-end.json", "SearchParameter-codesystem-extensions-CodeSystem-keyword.json",
	"SearchParameter-codesystem-extensions-CodeSystem-workflow.json", "SearchParameter-valueset-extensions-ValueSet-author.json",
	"SearchParameter-valueset-extensions-ValueSet-effective.json", "SearchParameter-valueset-extensions-ValueSet-end.json",
	"SearchParameter-valueset-extensions-ValueSet-keyword.json", "SearchParameter-valueset-extensions-ValueSet-workflow.json",
}

func TestPublishedExamples(t *testing.T) {
	count := 0
	var refused []string
	for name, b := range published.Files(published.Need(t), "r4-examples.tar.gz") {
		if name == "package.json" {
			continue
		}
		d, err := document.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		count++
		if issues := Check(d); issues != nil {
			refused = append(refused, name)
			if !slices.Contains(invalidExamples, name) {
				t.Errorf("%s: %+v", name, issues[0])
			}
		}
	}
	if len(refused) != len(invalidExamples) {
		t.Errorf("%d of the %d invalid examples are refused", len(refused), len(invalidExamples))
	}
	t.Logf("%d examples, %d refused", count, len(refused))
}

func TestSynthea(t *testing.T) {
	count, bundles := 0, 0
	for name, b := range published.Bundles(published.Need(t)) {
		if bundles++; testing.Short() && bundles%20 != 0 {
			continue
		}
		for e, err := range document.SplitBundle(bytes.NewReader(b)).Entries() {
			if err != nil {
				t.Fatal(name, err)
			}
			d, err := e.Doc()
			if err != nil {
				t.Fatal(name, err)
			}
			count++
			if issues := Check(d); issues != nil {
				t.Errorf("%s %s: %+v", name, d, issues[0])
			}
		}
	}
	t.Logf("%d resources", count)
}

// lenient are cases for which the other validator was told to look away: comments, which JSON does not have, and a bad id inside.
var lenient = []string{"json-comments-1-yes", "json-comments-2-yes", "contained-resource-bad-id-ignore"}

// TestValidatorCases measures us on the R4 cases without profiles that the authors of the reference validator collected: no valid
// one may be refused; of the invalid ones most need invariants, references, narrative or terminology, which this level leaves out.
func TestValidatorCases(t *testing.T) {
	files := map[string][]byte{}
	for name, b := range published.Files(published.Need(t), "fhir-test-cases-r4.tar.gz") {
		if strings.HasPrefix(name, "validator/") && strings.HasSuffix(name, ".json") {
			files[strings.TrimPrefix(name, "validator/")] = b
		}
	}
	var manifest struct {
		Cases []struct {
			Name, File, Version                              string
			Java                                             json.RawMessage
			Profile, Profiles, Supporting, Packages, Logical json.RawMessage
		} `json:"test-cases"`
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	accepted, valid, caught, invalid := 0, 0, 0, 0
	for _, c := range manifest.Cases {
		var where string
		if c.Version != "4.0" || c.Profile != nil || c.Profiles != nil || c.Supporting != nil || c.Packages != nil || c.Logical != nil || json.Unmarshal(c.Java, &where) != nil {
			continue
		}
		text, expected := files[c.File], files[path.Join("outcomes", where)]
		if text == nil || expected == nil {
			continue
		}
		var said struct{ Issue []struct{ Severity string } }
		if err := json.Unmarshal(expected, &said); err != nil {
			t.Fatal(err)
		}
		good := true
		for _, is := range said.Issue {
			good = good && is.Severity != "error" && is.Severity != "fatal"
		}
		d, err := document.Parse(bytes.Clone(text))
		refused := err != nil || Check(d) != nil
		switch {
		case good && refused:
			valid++
			if !slices.Contains(lenient, c.Name) {
				t.Errorf("%s is valid and refused: %v", c.Name, err)
				if err == nil {
					t.Errorf("%+v", Check(d))
				}
			}
		case good:
			valid++
			accepted++
		default:
			invalid++
			if refused {
				caught++
			}
		}
	}
	t.Logf("%d of %d valid accepted, %d of %d invalid caught", accepted, valid, caught, invalid)
	if caught < 35 {
		t.Errorf("only %d of %d invalid cases are caught", caught, invalid)
	}
}

func BenchmarkCheck(b *testing.B) {
	docs, size := synthea(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, d := range docs {
			if Check(d) != nil {
				b.Fatal("a valid resource is refused")
			}
		}
	}
}

func BenchmarkParseAndCheck(b *testing.B) {
	docs, size := synthea(b)
	var texts [][]byte
	for _, d := range docs {
		texts = append(texts, d.AppendJSON(nil))
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range texts {
			d, _ := document.Parse(text)
			if Check(d) != nil {
				b.Fatal("a valid resource is refused")
			}
		}
	}
}

// synthea is the resources of some Synthea bundles, compact as clients send them.
func synthea(b *testing.B) (docs []*document.Doc, size int64) {
	count := 0
	for _, bundle := range published.Bundles(published.Need(b)) {
		if count++; count%20 != 0 {
			continue
		}
		for e := range document.SplitBundle(bytes.NewReader(bundle)).Entries() {
			d, err := e.Doc()
			if err != nil {
				b.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, d.AppendJSON(nil)); err != nil {
				b.Fatal(err)
			}
			if d, err = document.Parse(compact.Bytes()); err != nil {
				b.Fatal(err)
			}
			docs = append(docs, d)
			size += int64(compact.Len())
		}
	}
	return docs, size
}
