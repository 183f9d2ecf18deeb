package hospital_test

import (
	"testing"
	"time"

	"chartwarden/internal/hospital"
)

func benchOptions() hospital.Options {
	return hospital.Options{Seed: 7, Size: hospital.Small, Now: time.Date(2026, time.November, 22, 14, 30, 0, 0, time.UTC)}
}

func BenchmarkToday(b *testing.B) {
	for b.Loop() {
		w := hospital.Generate(benchOptions())
		b.ReportMetric(float64(len(w.Today)), "entries")
	}
}

func BenchmarkBehind(b *testing.B) {
	w := hospital.Generate(benchOptions())
	for b.Loop() {
		n := 0
		for range w.Behind {
			n++
		}
		b.ReportMetric(float64(n), "entries")
	}
}
