package page

import "chartwarden/internal/web/look"

// SummaryView is the first page of a chart: understand in a minute.
type SummaryView struct {
	Chart       ChartView
	Since       *Since // nil on the first look
	Vitals      []Vital
	VitalsSpan  string // "Last 24 hours"
	Results     []Result
	ResultsOf   string // "Today 06:40"
	ResultsAll  int
	Problems    []Item
	ProblemsAll int
	Medications []Medication
	MedsWords   string // "7 current, 1 stopped"
	Encounters  []Item
	EncountersAll,
	DocumentsAll int
	Documents []Item
}

// Since says what is new since this person last looked.
type Since struct {
	When  look.When
	Links []look.Link
}

// Vital is one sign with its trend. Blood pressure has two series in its trend.
type Vital struct {
	Name, Href  string
	Value, Unit string    // 126/74, mmHg
	Extra       string    // on 2 L/min
	Change      string    // down 24 since admission
	Tone        look.Tone // of the change: OK, Warn for out of range, Crit only for critical
	Usual       string    // 60 to 100, said where there is no trend to draw
	When        look.When // of the reading, said where there is no trend
	Trend       look.TrendOf
}

// sparkline are the values of the first series, for the closed line on a phone.
func (v Vital) sparkline() []float64 {
	if len(v.Trend.Series) == 0 {
		return nil
	}
	points := v.Trend.Series[0].Points
	points = points[max(0, len(points)-24):]
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = p.Value
	}
	return out
}

// Result is one measured or observed value. Flag is a word (High, Low, Critical high, Abnormal) and Tone its colour.
type Result struct {
	Name, Href  string
	Value, Unit string
	Flag        string
	Tone        look.Tone
	Usual       string // 0 to 5
	Before      string // the value before: 92
	When        look.When
	Spark       []float64
	By          string // laboratory or person
}

// Item is one named thing with a date: a problem, an encounter, a document.
type Item struct {
	Href  string // may be empty
	Title string
	Sub   string
	When  look.When
	Marks []look.Mark
}

// Medication is one drug as it is given.
type Medication struct {
	Name, Dose, How string
	Since           look.When
	By              string
	Status          string     // "Given 08:04", "As needed"
	Due             bool       // the status is the next thing to do
	Mark            *look.Mark // Held, Stopped
}

// words reports whether the result is a finding in words, which needs the room of the columns for numbers.
func (r Result) words() bool { return r.Unit == "" && r.Usual == "" && len(r.Spark) == 0 }
