package simulate

import (
	"bytes"
	"strings"
	"testing"
)

// The figures that the specification holds to a tolerance, on a small hospital.
func TestCalibration(t *testing.T) {
	s, _ := small(t, func(o *Options) { o.Staff, o.Patients, o.Days = 440, 16000, 14 })
	st := s.Stats
	for _, f := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"distinct patients a clinical person-day", st.Bedside, 15, 30},
		{"direct", st.Direct, .50, .70},
		{"explained", st.Explained, .92, .97},
		{"glass", st.Glass, .001, .01},
		{"wrong patient", st.Clicks, .003, .008},
		{"weekday to weekend by day", st.Ratio[0], 1.76 * .7, 1.76 * 1.3},
		{"in the evening", st.Ratio[1], 1.52 * .7, 1.52 * 1.3},
		{"at night", st.Ratio[2], 1.14 * .7, 1.14 * 1.3},
		{"later than an hour", st.Late1, .25, .35},
		{"later than a day", st.Late24, .03, .07},
		{"employees", st.Employees, .012, .022},
		{"family per million", st.Family, 220, 3520},
		{"neighbours per million", st.Neighbours, 1375, 22000},
	} {
		if f.v < f.lo || f.v > f.hi {
			t.Errorf("%s: %.4g, want %.4g to %.4g", f.name, f.v, f.lo, f.hi)
		}
	}
	var out bytes.Buffer
	st.Print(&out)
	if !strings.Contains(out.String(), "triage-nurse") {
		t.Error(out.String())
	}
	t.Log("\n" + out.String())
}

// Entries a second, files included.
func BenchmarkRun(b *testing.B) {
	n := 0
	for b.Loop() {
		s, _ := small(b, nil)
		n += s.Events
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}
