package look

import (
	"bytes"
	"context"
	"encoding/xml"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

var update = flag.Bool("update", false, "write the golden charts anew")

func point(hours float64, v float64) Point {
	return Point{At: noon.Add(time.Duration((hours - 24) * float64(time.Hour))), Value: v}
}

func charts() map[string]templ.Component {
	day := func(name, unit string, s ...Series) TrendOf {
		return TrendOf{Name: name, Unit: unit, From: noon.Add(-24 * time.Hour), To: noon, Now: true, Series: s}
	}
	heart := Series{Usual: Range{60, 100}, Points: []Point{point(1, 112), point(6, 104), point(12, 99), point(18, 92), point(23.5, 88)}}
	pressure := []Series{{Name: "systolic", Usual: Range{100, 140}, Points: []Point{point(1, 104), point(12, 118), point(23, 126)}},
		{Name: "diastolic", Usual: Range{60, 90}, Points: []Point{point(1, 58), point(12, 70), point(23, 74)}}}
	large := day("Heart rate", "/min", heart)
	large.Large = true
	night := time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC)
	return map[string]templ.Component{
		"trend":            Trend(day("Heart rate", "/min", heart)),
		"trend-large":      Trend(large),
		"trend-two-lines":  Trend(day("Blood pressure", "mmHg", pressure...)),
		"trend-one-sided":  Trend(day("CRP", "mg/L", Series{Usual: Range{math.Inf(-1), 5}, Points: []Point{point(2, 92), point(22, 64)}})),
		"trend-no-range":   Trend(day("Weight", "kg", Series{Points: []Point{point(2, 71.8), point(22, 71.4)}})),
		"trend-one-point":  Trend(day("Weight", "kg", Series{Points: []Point{point(22, 71.4)}})),
		"trend-no-reading": Trend(day("Weight", "kg", Series{})),
		"trend-years": Trend(TrendOf{Name: "HbA1c", Unit: "mmol/mol", From: noon.AddDate(-6, 0, 0), To: noon, Series: []Series{{Usual: Range{20, 42},
			Points: []Point{{noon.AddDate(-5, 0, 0), 48}, {noon.AddDate(-3, 0, 0), 55}, {noon.AddDate(-1, 0, 0), 51}}}}}),
		"spark":      Spark("CRP", []float64{180, 164, 131, 92, 64}),
		"spark-flat": Spark("Sodium", []float64{140, 140}),
		"spark-one":  Spark("Sodium", []float64{140}),
		"lanes": Lanes(LanesOf{From: night, To: night.Add(24 * time.Hour), Lanes: []Lane{
			{Name: "Shift", Bands: []Band{{night.Add(3 * time.Hour), night.Add(11 * time.Hour), "Emergency desk"}}},
			{Name: "Charts, no link", Ticks: []time.Time{night.Add(14 * time.Hour), night.Add(14*time.Hour + 3*time.Minute)}, Note: "2 charts in 3 minutes", Apart: true},
			{Name: "Print", Marks: []Happening{{night.Add(23 * time.Hour), "Printed 9 pages"}}}, {Name: "Export"}}}),
		"lanes-days": Lanes(LanesOf{From: night, To: night.Add(12 * 24 * time.Hour), Lanes: []Lane{
			{Name: "Charts, no link", Ticks: []time.Time{night.Add(30 * time.Hour), night.Add(200 * time.Hour)}, Apart: true}}}),
		"hours":       Hours(late()),
		"hours-alone": Hours(HoursOf{Name: "Usually"}),
		"ego": Ego(EgoOf{Who: "N-4F2", Sub: "Nurse, 3 West", Links: []EgoLink{{To: "A", Sub: "5 West", How: "same household", Apart: true}, {To: "B", Sub: "Oncology", How: "no link found"},
			{To: "C", Sub: "3 West", How: "on her unit", Care: true}}}),
		"ego-many":     Ego(EgoOf{Who: "R-0A1", Sub: "Registrar", Links: make([]EgoLink, 9)}),
		"volume":       Volume(VolumeOf{What: "openings", PartName: "without a reason", Bars: []Bar{{"19 Nov", 1200, 2}, {"20 Nov", 1310, 0}, {"21 Nov", 402, 1}}}),
		"volume-empty": Volume(VolumeOf{What: "openings"}),
		"gauge":        Gauge(.974, 1, "97.4 %"),
		"qr":           QR("otpauth://totp/Chartwarden:kim.osei?secret=JBSWY3DPEHPK3PXP", "QR code"),
	}
}

// late is a person of day shifts, at work on a Friday night.
func late() HoursOf {
	h := HoursOf{Name: "Usually", Of: "4 nurses of 3 West", Peers: &[7][24]int{}}
	for d := range 5 {
		for hour := 7; hour < 19; hour++ {
			h.Usual[d][hour], h.Peers[d][hour] = 1+hour%5, 12
		}
	}
	for hour := range 24 {
		h.Peers[5][hour] = 3
	}
	h.Now[4][1], h.Now[4][2] = true, true
	return h
}

// Golden charts: what is drawn is compared with what was looked at. `go test ./internal/web/look -update` writes them anew; look at them then.
func TestCharts(t *testing.T) {
	for name, c := range charts() {
		var b bytes.Buffer
		if err := c.Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s differs from its golden file:\n%s", name, b.String())
		}
		if b.Len() == 0 {
			continue // a spark of one value draws nothing
		}
		for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("%s is not well-formed: %v", name, err)
				break
			}
		}
		for _, bad := range []string{"NaN", "Inf", "style=", `aria-label=""`} {
			if strings.Contains(b.String(), bad) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
		if !strings.Contains(b.String(), `role="img" aria-label="`) {
			t.Errorf("%s says nothing to those who cannot see it", name)
		}
	}
}

func TestTrendSentence(t *testing.T) {
	got := TrendOf{Name: "Blood pressure", Unit: "mmHg", From: noon.Add(-24 * time.Hour), To: noon, Series: []Series{
		{Name: "systolic", Usual: Range{100, 140}, Points: []Point{point(1, 98), point(23, 126)}},
		{Name: "diastolic", Usual: Range{60, 90}, Points: []Point{point(1, 62), point(23, 74)}}}}.Sentence()
	want := "Blood pressure over 24 hours. Latest systolic 126 mmHg. Between 98 and 126. Usual range 100 to 140, 1 of 2 readings outside it." +
		" Latest diastolic 74 mmHg. Between 62 and 74. Usual range 60 to 90, 0 of 2 readings outside it."
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Whatever the numbers, every coordinate lies inside the drawing.
func FuzzTrendStaysInside(f *testing.F) {
	f.Add(60.0, 100.0, 88.0, 112.0)
	f.Add(0.0, 0.0, 1e-9, 1e12)
	f.Add(-5.0, -5.0, -5.0, -5.0)
	f.Fuzz(func(t *testing.T, low, high, a, b float64) {
		for _, v := range []float64{low, high, a, b} {
			if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e15 {
				t.Skip()
			}
		}
		d := TrendOf{Name: "x", From: noon.Add(-24 * time.Hour), To: noon, Series: []Series{{Usual: Range{min(low, high), max(low, high)}, Points: []Point{point(1, a), point(2, b), point(30, a)}}}}.draw()
		for _, box := range d.Bands {
			if box.Y < d.top-1 || box.Y+box.H > d.bottom+1 || box.H < 0 {
				t.Errorf("band %+v leaves the drawing", box)
			}
		}
		for _, l := range d.Lines {
			for _, p := range append(append(l.In, l.Out...), *l.Last) {
				if !(p.X >= d.left && p.X <= d.right && p.Y >= d.top-1 && p.Y <= d.bottom+1) {
					t.Errorf("dot %+v leaves the drawing", p)
				}
			}
		}
	})
}

// One reading is a number; two of the same line within the axis are a trend.
func TestOneReadingIsNoTrend(t *testing.T) {
	from := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	at := func(hours ...int) (s Series) {
		for _, h := range hours {
			s.Points = append(s.Points, Point{from.Add(time.Duration(h) * time.Hour), 70})
		}
		return s
	}
	for name, c := range map[string]struct {
		series []Series
		drawn  bool
	}{"none": {nil, false}, "one": {[]Series{at(3)}, false}, "two": {[]Series{at(3, 4)}, true}, "one within": {[]Series{at(-5, 3, 30)}, false},
		"a pressure once": {[]Series{at(3), at(3)}, false}} {
		if got := (TrendOf{From: from, To: from.Add(24 * time.Hour), Series: c.series}).Drawn(); got != c.drawn {
			t.Errorf("%s: %v", name, got)
		}
	}
}
