package fhir

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
)

func parsed(t *testing.T, text string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err, text)
	}
	return d
}

func TestSensitivity(t *testing.T) {
	coded := func(typ, more, system, code string) string {
		return `{"resourceType":"` + typ + `",` + more + `"code":{"coding":[{"system":"` + system + `","code":"` + code + `"}]}}`
	}
	const icd, sct = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
	for _, c := range []struct{ doc, want string }{
		{coded("Condition", "", icd, "F32.1"), "PSY"},
		{coded("Condition", "", "http://hl7.org/fhir/sid/icd-10", "B24"), "HIV"},
		{coded("Condition", "", icd, "F10.20"), "ETH"},
		{coded("Condition", "", icd, "F17.210"), ""}, // tobacco
		{coded("Condition", "", icd, "F03"), ""},     // dementia
		{coded("Condition", "", icd, "J45"), ""},
		{coded("Condition", "", icd, "T74.11XA"), "SDV"},
		{coded("Condition", "", sct, "F32.1"), ""}, // of another system
		{coded("Condition", "", "", "F32.1"), ""},
		{coded("Procedure", "", sct, "56876005"), "ETH"},
		{coded("Observation", "", "http://loinc.org", "55277-8"), "HIV"},
		{coded("PlanDefinition", "", sct, "370143000"), ""}, // of no patient
		{coded("Encounter", `"status":"in-progress",`, sct, "370143000"), ""},
		{coded("Encounter", `"status":"finished",`, sct, "370143000"), "PSY"},
		{`{"resourceType":"Observation","component":[{"valueCodeableConcept":{"coding":[{"system":"` + sct + `","code":"706893006"},{"system":"` + sct + `","code":"5602001"}]}}]}`, "ETH SDV"},
		{`{"resourceType":"Basic","meta":{"tag":[{"system":"` + sct + `","code":"370143000"}]}}`, ""},
		{`{"resourceType":"MedicationRequest","contained":[{"resourceType":"Medication","code":{"coding":[{"system":"http://www.whocc.no/atc","code":"J05AR20"}]}}]}`, "HIV"},
	} {
		if got := strings.Join(Sensitivity(parsed(t, c.doc)), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.doc, got, c.want)
		}
	}
}

// Labels are carried on, set once, and what was lowered stays so until other codes come.
func TestLabelled(t *testing.T) {
	const depression = `"code":{"coding":[{"system":"http://snomed.info/sct","code":"370143000"}]}`
	const hiv = `"bodySite":[{"coding":[{"system":"http://snomed.info/sct","code":"86406008"}]}]`
	const own = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"SDV","display":"said so"}`
	first, err := Labelled(parsed(t, `{"resourceType":"Condition","meta":{"security":[`+own+`]},`+depression+`}`), nil)
	if err != nil || strings.Join(Labels(first), " ") != "PSY SDV" || !LabelledByRule(first, "PSY") || LabelledByRule(first, "SDV") {
		t.Fatalf("%v %s", err, first.AppendJSON(nil))
	}
	second, err := Labelled(parsed(t, `{"resourceType":"Condition",`+depression+`}`), first)
	if err != nil || !slices.Equal(Labels(second), Labels(first)) || !strings.Contains(string(second.AppendJSON(nil)), own) {
		t.Fatalf("an update loses labels: %v %s", err, second.AppendJSON(nil))
	}
	lowered, err := Lowered(second, []string{"PSY"})
	if err != nil || strings.Join(Labels(lowered), " ") != "SDV" {
		t.Fatalf("%v %s", err, lowered.AppendJSON(nil))
	}
	bare, err := Lowered(second, []string{"PSY", "SDV"})
	if err != nil || strings.Contains(string(bare.AppendJSON(nil)), "security") {
		t.Fatalf("%v %s", err, bare.AppendJSON(nil))
	}
	third, err := Labelled(parsed(t, `{"resourceType":"Condition",`+depression+`}`), lowered)
	if err != nil || strings.Join(Labels(third), " ") != "SDV" {
		t.Fatalf("what was lowered came back: %v %s", err, third.AppendJSON(nil))
	}
	fourth, err := Labelled(parsed(t, `{"resourceType":"Condition",`+depression+`,`+hiv+`}`), third)
	if err != nil || strings.Join(Labels(fourth), " ") != "HIV SDV" {
		t.Fatalf("%v %s", err, fourth.AppendJSON(nil))
	}
	plain := parsed(t, `{"resourceType":"Condition","code":{"text":"asthma"}}`)
	if same, err := Labelled(plain, nil); err != nil || same != plain {
		t.Fatal("what no rule speaks of was touched")
	}
}

// TestSensitivityDocument keeps the page that people review equal to the table. UPDATE=1 writes it.
func TestSensitivityDocument(t *testing.T) {
	const page = "../../docs/formats/sensitivity.md"
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "| label | code system | codes |\n|---|---|---|\n", "\n\n## "
	head, rest, ok := strings.Cut(string(got), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the page has no table")
	}
	var b strings.Builder
	seen := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(SensitivityRules)) {
		words := strings.Fields(line)
		if !slices.Contains(sensitive, words[0]) || len(words) < 3 {
			t.Errorf("not a rule: %s", line)
			continue
		}
		for _, code := range words[2:] {
			if at := words[1] + " " + code; seen[at] != "" {
				t.Errorf("%s is %s and %s", at, seen[at], words[0])
			} else {
				seen[at] = words[0]
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", words[0], words[1], strings.Join(words[2:], ", "))
	}
	want := head + begin + strings.TrimSuffix(b.String(), "\n") + end + tail
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(got) {
		t.Error("docs/formats/sensitivity.md is not the table: UPDATE=1 go test -run SensitivityDocument ./internal/fhir")
	}
}

func FuzzUnsecure(f *testing.F) {
	f.Add(`{"resourceType":"Basic","meta":{"security":[{"code":"R"},{"code":"PSY"},{"code":"PSY"},3]},"id":"a"}`, "PSY")
	f.Add(`{"resourceType":"Basic","meta":{"security":{"code":"PSY"}}}`, "PSY")
	f.Fuzz(func(t *testing.T, text, label string) {
		d, err := document.Parse([]byte(text))
		if err != nil {
			return
		}
		out, err := Lowered(d, []string{label})
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(Labels(out), label) {
			t.Fatalf("%s still carries %s", out.AppendJSON(nil), label)
		}
		if _, err := Labelled(out, d); err != nil && len(Labels(d)) == 0 && len(Sensitivity(d)) == 0 {
			t.Fatal(err)
		}
	})
}
