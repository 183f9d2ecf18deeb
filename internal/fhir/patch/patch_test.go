package patch

import (
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

const patient = `{"resourceType":"Patient",
  "name": [ {"family":"A", "given":["B","C"]} , {"text":"D"} ],
  "active" : true,
  "weight":1.10}`

func parsed(t testing.TB, text string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestApply(t *testing.T) {
	for name, c := range map[string]struct{ patch, want string }{
		"replace a value":           {`[{"op":"replace","path":"/name/0/family","value":"Z"}]`, strings.Replace(patient, `"A"`, `"Z"`, 1)},
		"replace the root":          {`[{"op":"replace","path":"","value":{"resourceType":"Basic"}}]`, `{"resourceType":"Basic"}`},
		"digits stay":               {`[{"op":"add","path":"/height","value":2.500}]`, strings.Replace(patient, `1.10`, `1.10,"height":2.500`, 1)},
		"add over what is there":    {`[{"op":"add","path":"/active","value":false}]`, strings.Replace(patient, `true`, `false`, 1)},
		"add in front":              {`[{"op":"add","path":"/name/0/given/0","value":"0"}]`, strings.Replace(patient, `"B"`, `"0","B"`, 1)},
		"add between":               {`[{"op":"add","path":"/name/0/given/1","value":"0"}]`, strings.Replace(patient, `"C"`, `"0","C"`, 1)},
		"add at the length":         {`[{"op":"add","path":"/name/0/given/2","value":"0"}]`, strings.Replace(patient, `"C"`, `"C","0"`, 1)},
		"add at the end":            {`[{"op":"add","path":"/name/0/given/-","value":"0"}]`, strings.Replace(patient, `"C"`, `"C","0"`, 1)},
		"remove the first member":   {`[{"op":"remove","path":"/resourceType"},{"op":"add","path":"/resourceType","value":"Patient"}]`, ""},
		"remove in the middle":      {`[{"op":"remove","path":"/active"}]`, strings.Replace(patient, "\"active\" : true,\n  ", "", 1)},
		"remove the last member":    {`[{"op":"remove","path":"/weight"}]`, strings.Replace(patient, ",\n  \"weight\":1.10", "", 1)},
		"remove an element":         {`[{"op":"remove","path":"/name/0"}]`, strings.Replace(patient, `{"family":"A", "given":["B","C"]} , `, "", 1)},
		"remove the last element":   {`[{"op":"remove","path":"/name/0/given/1"}]`, strings.Replace(patient, `,"C"`, "", 1)},
		"remove the only":           {`[{"op":"remove","path":"/name/1/text"}]`, strings.Replace(patient, `"text":"D"`, "", 1)},
		"move between arrays":       {`[{"op":"move","from":"/name/0/given/0","path":"/name/0/given/1"}]`, strings.Replace(patient, `"B","C"`, `"C","B"`, 1)},
		"move to itself":            {`[{"op":"move","from":"/name","path":"/name"}]`, patient},
		"copy":                      {`[{"op":"copy","from":"/name/0/family","path":"/name/1/family"}]`, strings.Replace(patient, `"text":"D"`, `"text":"D","family":"A"`, 1)},
		"test":                      {`[{"op":"test","path":"/weight","value":11e-1},{"op":"test","path":"/name/0","value":{"given":["B","C"],"family":"\u0041"}}]`, patient},
		"a test of the root":        {`[{"op":"test","path":"","value":` + patient + `}]`, patient},
		"each sees those before it": {`[{"op":"add","path":"/a","value":[]},{"op":"add","path":"/a/-","value":1},{"op":"remove","path":"/a"}]`, patient},
		"escapes in a path":         {`[{"op":"add","path":"/a~1b~0c","value":1}]`, strings.Replace(patient, `1.10`, `1.10,"a/b~c":1`, 1)},
	} {
		p, err := Parse([]byte(c.patch))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := p.Apply(parsed(t, patient))
		if c.want == "" {
			if !outcome.Is(err, outcome.Structure) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || string(got.AppendJSON(nil)) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got.AppendJSON(nil), c.want)
		}
	}
}

// Errors name the operation and the path, and no value.
func TestRefusals(t *testing.T) {
	const marker = "Maren-Okafor"
	for name, c := range map[string]struct {
		patch string
		code  outcome.Code
		place string
	}{
		"no JSON":               {`[`, outcome.Invalid, ""},
		"no array":              {`{}`, outcome.Invalid, ""},
		"nothing":               {`[]`, outcome.Invalid, ""},
		"no object":             {`[1]`, outcome.Invalid, "operation 1"},
		"no op":                 {`[{"path":"/a"}]`, outcome.Invalid, "operation 1"},
		"an unknown op":         {`[{"op":"` + marker + `","path":"/a"}]`, outcome.Invalid, "operation 1"},
		"no path":               {`[{"op":"remove"}]`, outcome.Invalid, "operation 1 (remove)"},
		"a path without slash":  {`[{"op":"remove","path":"a"}]`, outcome.Invalid, "operation 1 (remove)"},
		"a broken escape":       {`[{"op":"remove","path":"/a~2"}]`, outcome.Invalid, "operation 1 (remove)"},
		"no value":              {`[{"op":"add","path":"/a"}]`, outcome.Invalid, "operation 1 (add /a)"},
		"no from":               {`[{"op":"copy","path":"/a"}]`, outcome.Invalid, "operation 1 (copy /a)"},
		"into itself":           {`[{"op":"move","from":"/name","path":"/name/0"}]`, outcome.Invalid, "operation 1 (move /name/0)"},
		"remove the root":       {`[{"op":"remove","path":""}]`, outcome.Invalid, "operation 1 (remove)"},
		"nothing there":         {`[{"op":"test","path":"/active","value":true},{"op":"remove","path":"/gone"}]`, outcome.BusinessRule, "operation 2 (remove /gone)"},
		"replace nothing":       {`[{"op":"replace","path":"/gone","value":1}]`, outcome.BusinessRule, "operation 1 (replace /gone)"},
		"below a value":         {`[{"op":"add","path":"/active/x","value":1}]`, outcome.BusinessRule, "operation 1 (add /active/x)"},
		"below nothing":         {`[{"op":"add","path":"/a/b","value":1}]`, outcome.BusinessRule, "operation 1 (add /a/b)"},
		"beyond the array":      {`[{"op":"add","path":"/name/3","value":1}]`, outcome.BusinessRule, "operation 1 (add /name/3)"},
		"a leading zero":        {`[{"op":"remove","path":"/name/00"}]`, outcome.BusinessRule, "operation 1 (remove /name/00)"},
		"the end has no value":  {`[{"op":"remove","path":"/name/-"}]`, outcome.BusinessRule, "operation 1 (remove /name/-)"},
		"copy from nothing":     {`[{"op":"copy","from":"/gone","path":"/a"}]`, outcome.BusinessRule, "operation 1 (copy /a)"},
		"a test that fails":     {`[{"op":"test","path":"/active","value":"` + marker + `"}]`, outcome.Conflict, "operation 1 (test /active)"},
		"a test of nothing":     {`[{"op":"test","path":"/gone","value":null}]`, outcome.BusinessRule, "operation 1 (test /gone)"},
		"a value in a path":     {`[{"op":"remove","path":"/` + marker + ` 1961"}]`, outcome.BusinessRule, "operation 1 (remove /?)"},
		"what is no resource":   {`[{"op":"replace","path":"","value":"` + marker + `"}]`, outcome.Structure, "operation 1 (replace)"},
		"no type":               {`[{"op":"remove","path":"/resourceType"}]`, outcome.Structure, "operation 1 (remove /resourceType)"},
		"more than a thousand":  {`[` + strings.Repeat(`{"op":"test","path":"/active","value":true},`, 1001) + `1]`, outcome.TooCostly, "1000"},
		"numbers without bound": {`[{"op":"test","path":"/weight","value":1e999999999999}]`, outcome.Conflict, "operation 1 (test /weight)"},
	} {
		p, err := Parse([]byte(c.patch))
		if err == nil {
			_, err = p.Apply(parsed(t, patient))
		}
		body := string(outcome.OperationOutcome(err))
		if !outcome.Is(err, c.code) || !strings.Contains(body, c.place) || strings.Contains(body, marker) {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestElements(t *testing.T) {
	for text, want := range map[string]string{
		`[{"op":"copy","from":"/name/0","path":"/_birthDate/x"},{"op":"test","path":"/name","value":1}]`: "birthDate name",
		`[{"op":"test","path":"","value":1}]`: "whole",
	} {
		p, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		names, whole := p.Elements()
		if got := strings.Join(names, " "); got != want && !(whole && want == "whole") {
			t.Errorf("%s: %s %t", text, got, whole)
		}
	}
}
