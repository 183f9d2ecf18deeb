package document

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"chartwarden/internal/fhir/internal/published"
)

// synthea is the resources of some Synthea bundles, compact as clients send them.
func synthea(b *testing.B) (resources [][]byte, size int64) {
	dir := published.Need(b)
	count := 0
	for _, bundle := range published.Bundles(dir) {
		if count++; count%20 != 0 {
			continue
		}
		for e, err := range SplitBundle(bytes.NewReader(bundle)).Entries() {
			if err != nil {
				b.Fatal(err)
			}
			d, err := e.Doc()
			if err != nil {
				b.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, d.AppendJSON(nil)); err != nil {
				b.Fatal(err)
			}
			resources = append(resources, compact.Bytes())
			size += int64(compact.Len())
		}
	}
	b.ReportMetric(float64(size)/float64(len(resources)), "B/resource")
	return resources, size
}

func BenchmarkParse(b *testing.B) {
	resources, size := synthea(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range resources {
			if _, err := Parse(r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkStamp(b *testing.B) {
	resources, size := synthea(b)
	now := time.Now()
	b.SetBytes(size)
	for b.Loop() {
		for _, r := range resources {
			d, _ := Parse(r)
			if _, err := d.Stamp("01234567890123456789012345", "1", now); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkSplitBundle(b *testing.B) {
	var bundle []byte
	for _, bytes := range published.Bundles(published.Need(b)) {
		if len(bytes) > 2<<20 {
			bundle = bytes
			break
		}
	}
	b.SetBytes(int64(len(bundle)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range SplitBundle(bytes.NewReader(bundle)).Entries() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkAny is encoding/json on the same resources, for comparison.
func BenchmarkAny(b *testing.B) {
	resources, size := synthea(b)
	b.SetBytes(size)
	for b.Loop() {
		for _, r := range resources {
			var v any
			if err := json.Unmarshal(r, &v); err != nil {
				b.Fatal(err)
			}
		}
	}
}
