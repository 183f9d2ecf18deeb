package search

import (
	"net/url"
	"testing"

	"chartwarden/internal/fhir/document"
)

func BenchmarkValues(b *testing.B) {
	samples := synthea(b)
	b.ReportAllocs()
	n := 0
	for i := 0; b.Loop(); i++ {
		n += len(Values(samples[i%len(samples)].doc, Options{}))
	}
	b.ReportMetric(float64(n)/float64(b.N), "values/op")
}

func BenchmarkParseAndValues(b *testing.B) {
	samples := synthea(b)
	var bytes int
	for i := 0; b.Loop(); i++ {
		raw := samples[i%len(samples)].doc.Root().Raw()
		bytes += len(raw)
		d, err := document.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		Values(d, Options{})
	}
	b.SetBytes(int64(bytes / b.N))
}

func BenchmarkMatch(b *testing.B) {
	var docs []*document.Doc
	for _, s := range synthea(b) {
		if s.doc.Type() == "Observation" {
			docs = append(docs, s.doc)
		}
	}
	for name, text := range map[string]string{
		"code":      "code=http://loinc.org|8302-2",
		"date":      "date=ge2015&date=lt2018",
		"patient":   "patient=85",
		"quantity":  "value-quantity=gt100",
		"composite": "code-value-quantity=http://loinc.org|8302-2$gt150",
		"three":     "category=vital-signs&date=ge2015&status=final",
	} {
		b.Run(name, func(b *testing.B) {
			values, _ := url.ParseQuery(text)
			q, err := Parse("Observation", values, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				Match(docs[i%len(docs)], q)
			}
		})
	}
}

func BenchmarkLoadTable(b *testing.B) {
	for b.Loop() {
		if _, err := load(table); err != nil {
			b.Fatal(err)
		}
	}
}
