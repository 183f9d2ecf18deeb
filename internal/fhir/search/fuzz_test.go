package search

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"chartwarden/internal/fhir/document"
)

// FuzzParse: any query is refused with an outcome that quotes no value, or is read, has one normal form, and matches without panic.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"code=http://loinc.org|8302-2&date=ge2019", "patient=Patient/85", `code=a\,b\|c\$d\\`, "code-value-quantity=8302-2$gt5.4||cm",
		"value-quantity=1e-3", "_sort=-date,status&_count=5", "subject:Patient=85", "date=2016-12-31T23:59:60%2B01:00", "_profile:below=http://a", "code:missing=true", "value-string:contains=Ö"} {
		f.Add(s)
	}
	d, err := document.Parse([]byte(bodyHeight))
	if err != nil {
		f.Fatal(err)
	}
	const secret = "qzvkwx"
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := Parse("Observation", values, testOptions)
		if err != nil {
			for name := range values {
				values[name] = append(values[name], secret)
			}
			if _, err := Parse("Observation", values, testOptions); err != nil && strings.Contains(err.Error(), secret) {
				t.Fatalf("the error quotes a value: %v", err)
			}
			return
		}
		Match(d, q)
		q.SortKey(d)
		q.Patient()
		again, err := Parse("Observation", values, testOptions)
		if err != nil || again.Normalised() != q.Normalised() {
			t.Fatalf("%q and %q are of one query", again.Normalised(), q.Normalised())
		}
		for _, c := range q.Clauses() { // the normal form is a query too, and its own normal form
			if c.Modifier != NoModifier || !utf8.ValidString(c.normal()) || c.Param.Type == Reference {
				continue
			}
			name, value, _ := strings.Cut(c.normal(), "=")
			normal, err := Parse("Observation", url.Values{name: {value}}, testOptions)
			if err != nil || normal.Normalised() != "Observation&"+c.normal() {
				t.Fatalf("%q is not its own normal form: %v", c.normal(), err)
			}
		}
	})
}

// FuzzValues: any document has values, the same in both walks, and a query drawn from one of them finds it.
func FuzzValues(f *testing.F) {
	f.Add([]byte(bodyHeight))
	for _, s := range []string{
		`{"resourceType":"Patient","id":"1","name":[{"family":"Zoë","given":["a",null]}],"telecom":[{"system":"email","value":"a@b"}],"deceasedDateTime":"2019","identifier":[{"system":"urn:x","value":"a|b,c$d\\"}]}`,
		`{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"},"component":[{"code":{"coding":[{"code":"x"}]},"valueQuantity":{"value":1.50,"comparator":"<"}}]}`,
		`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Composition","id":"c"}}]}`,
		`{"resourceType":"Encounter","period":{"start":"2019-03-10T24:00:00Z"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := document.Parse(bytes.Clone(raw))
		if err != nil {
			return
		}
		values := Values(d, testOptions)
		counts := map[*Param]int{}
		for i := range values {
			v := &values[i]
			counts[v.Param]++
			if v.From > v.To || v.Low > v.High {
				t.Fatalf("%s: an empty interval", v.Param.Name)
			}
			text := asked(v, v.Param)
			if text == "" || v.Param.Type == String && v.Folded == "" || v.Param.Type == Reference && v.ID == "" {
				continue
			}
			q, err := Parse(d.Type(), url.Values{v.Param.Name: {text}}, testOptions)
			if err == nil && !Match(d, q) {
				t.Fatalf("%s=%s does not find the document it is from", v.Param.Name, text)
			}
		}
		for p, n := range counts {
			w := newWalker(d, testOptions.site())
			if w.walk(w.root, p.state); len(w.values) != n {
				t.Fatalf("%s has %d values by itself and %d in the walk of all", p.Name, len(w.values), n)
			}
			w.release()
		}
	})
}
