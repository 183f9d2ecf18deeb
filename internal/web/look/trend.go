package look

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

// TrendOf is a measured quantity over time. It draws the usual range as a band, dots for readings outside it, and a ring on the latest.
type TrendOf struct {
	Name, Unit string    // Heart rate, /min
	From, To   time.Time // the axis; readings outside are left out
	Now        bool      // To is now, and labelled so
	Series     []Series  // one line; two for blood pressure, upper first
	Large      bool      // for a page of its own: more height and width
}

// Series is one line of a trend.
type Series struct {
	Name   string // systolic; empty when there is only one
	Points []Point
	Usual  Range
}

// Point is one reading.
type Point struct {
	At    time.Time
	Value float64
}

// Range is where readings usually lie. The zero Range is unknown; one open end is an infinity.
type Range struct{ Low, High float64 }

func (r Range) known() bool          { return r != Range{} }
func (r Range) holds(v float64) bool { return !r.known() || v >= r.Low && v <= r.High }
func (r Range) bounds() (out []float64) {
	for _, v := range []float64{r.Low, r.High} {
		if r.known() && !math.IsInf(v, 0) {
			out = append(out, v)
		}
	}
	return out
}

func (r Range) words() string {
	switch {
	case math.IsInf(r.Low, -1):
		return "up to " + quantity(r.High)
	case math.IsInf(r.High, 1):
		return "from " + quantity(r.Low)
	}
	return quantity(r.Low) + " to " + quantity(r.High)
}

// drawing is a trend laid out in the units of its view box.
type drawing struct {
	W, H                     float64
	left, right, top, bottom float64
	Bands                    []box
	Rows, Columns            []tick
	Lines                    []line
	Sentence                 string
}

type (
	box  struct{ X, Y, W, H float64 }
	tick struct {
		At     float64
		Label  string
		Anchor string
	}
	dot  struct{ X, Y float64 }
	line struct {
		Name string
		Head dot // where the name stands
		Path string
		Out  []dot // readings outside the usual range
		In   []dot // readings inside, shown only when there are few
		Last *dot
		LastOut,
		Second bool
	}
)

func (t TrendOf) draw() drawing {
	d := drawing{W: 250, H: 82, left: 28, right: 243, top: 7, bottom: 62}
	if t.Large {
		d = drawing{W: 760, H: 240, left: 40, right: 740, top: 10, bottom: 208}
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range t.Series {
		for _, p := range s.Points {
			if t.within(p) {
				lo, hi = min(lo, p.Value), max(hi, p.Value)
			}
		}
		for _, v := range s.Usual.bounds() {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		lo, hi = 0, 1
	}
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	pad := (hi - lo) * .08
	lo, hi = lo-pad, hi+pad
	x := func(at time.Time) float64 {
		return d.left + (d.right-d.left)*float64(at.Sub(t.From))/float64(max(t.To.Sub(t.From), 1))
	}
	y := func(v float64) float64 { return d.bottom - (d.bottom-d.top)*(v-lo)/(hi-lo) }

	var rows []float64
	for i, s := range t.Series {
		if s.Usual.known() {
			top, bottom := y(min(s.Usual.High, hi)), y(max(s.Usual.Low, lo))
			d.Bands = append(d.Bands, box{d.left, top, d.right - d.left, bottom - top})
			rows = append(rows, s.Usual.bounds()...)
		}
		d.Lines = append(d.Lines, t.line(s, i > 0, x, y))
	}
	if len(rows) == 0 {
		rows = []float64{lo + pad, hi - pad}
	}
	sort.Float64s(rows)
	last := math.Inf(1)
	for _, v := range rows {
		if at := y(v); last-at >= 13 {
			d.Rows = append(d.Rows, tick{At: at, Label: quantity(v)})
			last = at
		}
	}
	d.Columns = t.columns(d.left, d.right, x)
	d.Sentence = t.Sentence()
	return d
}

// Drawn reports whether there is a trend to draw: two readings of one line inside the axis. One reading is a number.
func (t TrendOf) Drawn() bool {
	for _, s := range t.Series {
		n := 0
		for _, p := range s.Points {
			if t.within(p) {
				n++
			}
		}
		if n > 1 {
			return true
		}
	}
	return false
}

func (t TrendOf) within(p Point) bool { return !p.At.Before(t.From) && !p.At.After(t.To) }

func (t TrendOf) line(s Series, second bool, x func(time.Time) float64, y func(float64) float64) line {
	l := line{Name: s.Name, Second: second}
	var path strings.Builder
	var n int
	for _, p := range s.Points {
		if t.within(p) {
			n++
		}
	}
	for _, p := range s.Points {
		if !t.within(p) {
			continue
		}
		at := dot{x(p.At), y(p.Value)}
		if path.Len() > 0 {
			path.WriteByte(' ')
		} else {
			l.Head = dot{min(at.X+2, x(t.To)-labelWidth(s.Name)), at.Y - 5}
		}
		path.WriteString(coord(at.X) + "," + coord(at.Y))
		out := !s.Usual.holds(p.Value)
		if l.Last != nil {
			l.place(n)
		}
		l.Last, l.LastOut = &at, out
	}
	l.Path = path.String()
	return l
}

// place files the reading that was the latest until now among the dots.
func (l *line) place(total int) {
	if l.LastOut {
		l.Out = append(l.Out, *l.Last)
	} else if total <= 16 {
		l.In = append(l.In, *l.Last)
	}
}

// steps are the distances that labels of the time axis may have.
var steps = []struct {
	width  time.Duration
	layout string
}{
	{time.Hour, "15:04"}, {2 * time.Hour, "15:04"}, {3 * time.Hour, "15:04"}, {6 * time.Hour, "15:04"}, {12 * time.Hour, "15:04"},
	{24 * time.Hour, "2 Jan"}, {48 * time.Hour, "2 Jan"}, {7 * 24 * time.Hour, "2 Jan"}, {14 * 24 * time.Hour, "2 Jan"},
	{30 * 24 * time.Hour, "Jan 2006"}, {91 * 24 * time.Hour, "Jan 2006"}, {182 * 24 * time.Hour, "Jan 2006"},
	{365 * 24 * time.Hour, "2006"}, {2 * 365 * 24 * time.Hour, "2006"}, {5 * 365 * 24 * time.Hour, "2006"}, {10 * 365 * 24 * time.Hour, "2006"},
}

func (t TrendOf) columns(left, right float64, x func(time.Time) float64) []tick {
	span, most := t.To.Sub(t.From), time.Duration((right-left)/52)
	step := steps[len(steps)-1]
	for _, s := range steps {
		if span/s.width <= most {
			step = s
			break
		}
	}
	label := t.To.Format(step.layout)
	if t.Now {
		label = "now"
	}
	var out []tick
	free := left - 12 // from where a label may stand
	for at := round(t.From, step.width); at.Before(t.To); at = at.Add(step.width) {
		text, anchor := at.Format(step.layout), "middle"
		begins := x(at) - labelWidth(text)/2
		if x(at)-left < 12 {
			begins, anchor = x(at), "start"
		}
		if begins < free {
			continue
		}
		if free = begins + labelWidth(text) + 6; free > right-labelWidth(label) {
			break
		}
		out = append(out, tick{x(at), text, anchor})
	}
	return append(out, tick{right, label, "end"})
}

// labelWidth is about how wide a label of an axis is, in units of the view box.
func labelWidth(text string) float64 { return 6.6 * float64(len(text)) }

// round gives the first whole step from at on, counted from midnight of the zone: 12:00, 18:00.
func round(at time.Time, step time.Duration) time.Time {
	y, m, d := at.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, at.Location())
	if step > 24*time.Hour {
		step = 24 * time.Hour
	}
	past := at.Sub(midnight) % step
	if past == 0 {
		return at
	}
	return at.Add(step - past)
}

// Sentence says in words what the trend shows.
func (t TrendOf) Sentence() string {
	var b strings.Builder
	b.WriteString(t.Name + " over " + spanWords(t.To.Sub(t.From)) + ".")
	for _, s := range t.Series {
		name := ""
		if s.Name != "" {
			name = s.Name + " "
		}
		var n, out int
		var last Point
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, p := range s.Points {
			if !t.within(p) {
				continue
			}
			n++
			last, lo, hi = p, min(lo, p.Value), max(hi, p.Value)
			if !s.Usual.holds(p.Value) {
				out++
			}
		}
		if n == 0 {
			b.WriteString(" No " + name + "readings.")
			continue
		}
		fmt.Fprintf(&b, " Latest %s%s %s. Between %s and %s.", name, quantity(last.Value), t.Unit, quantity(lo), quantity(hi))
		if s.Usual.known() {
			fmt.Fprintf(&b, " Usual range %s, %d of %d readings outside it.", s.Usual.words(), out, n)
		}
	}
	return b.String()
}

func spanWords(d time.Duration) string {
	switch {
	case d <= 72*time.Hour:
		return Plural(int64(math.Round(d.Hours())), "hour", "hours")
	case d <= 100*24*time.Hour:
		return Plural(int64(math.Round(d.Hours()/24)), "day", "days")
	case d <= 730*24*time.Hour:
		return Plural(int64(math.Round(d.Hours()/24/30.4)), "month", "months")
	}
	return Plural(int64(math.Round(d.Hours()/24/365.25)), "year", "years")
}

// quantity writes a measured value without noise digits: 37.4, 88, 0.023.
func quantity(v float64) string {
	if v == 0 || math.Abs(v) >= 1 {
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// coord writes a coordinate to a tenth of a unit.
func coord(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
