package look

import (
	"fmt"
	"strings"
	"time"
)

// LanesOf lays events of several kinds over one time axis: a shift, openings with and without a link, prints.
type LanesOf struct {
	From, To time.Time
	Lanes    []Lane
}

// Lane is one row. Give it bands, ticks, marks or several of these.
type Lane struct {
	Name  string
	Bands []Band
	Ticks []time.Time
	Note  string // beside the last tick: "13 charts in 39 minutes"
	Marks []Happening
	Apart bool // these ticks are what the page is about
}

// Band is a stretch of time with a name.
type Band struct {
	From, To time.Time
	Text     string
}

// Happening is one moment with a name.
type Happening struct {
	At   time.Time
	Text string
}

const (
	laneLeft, laneRight = 124.0, 750.0
	laneTop, laneStep   = 22.0, 36.0
)

func (l LanesOf) x(at time.Time) float64 {
	x := laneLeft + (laneRight-laneLeft)*float64(at.Sub(l.From))/float64(max(l.To.Sub(l.From), 1))
	return min(max(x, laneLeft), laneRight)
}

func (l LanesOf) height() float64 { return laneTop + laneStep*float64(len(l.Lanes)) + 20 }

// hours are the lines of the axis, and the midnights among them.
func (l LanesOf) hours() (lines []tick, midnights []float64) {
	step := 3 * time.Hour
	for l.To.Sub(l.From)/step > 9 {
		step *= 2
	}
	y, m, day := l.From.Date()
	for at := time.Date(y, m, day, 0, 0, 0, 0, l.From.Location()); !at.After(l.To); at = at.Add(step) {
		if at.Before(l.From) {
			continue
		}
		anchor := "middle"
		if l.x(at) > laneRight-14 {
			anchor = "end"
		}
		if step >= 24*time.Hour { // days; whole ones begin at midnight anyway
			lines = append(lines, tick{l.x(at), at.Format("2 Jan"), anchor})
			continue
		}
		lines = append(lines, tick{l.x(at), at.Format("15:04"), anchor})
		if at.Hour() == 0 && at.After(l.From) && at.Before(l.To) {
			midnights = append(midnights, l.x(at))
		}
	}
	return lines, midnights
}

// noteAt places words beside x: after it, or before it near the right edge.
func noteAt(x float64, text string) (at float64, anchor string) {
	if x+12+6.4*float64(len(text)) > laneRight {
		return x - 9, "end"
	}
	return x + 9, "start"
}

// Sentence says in words what the lanes show.
func (l LanesOf) Sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "From %s to %s.", l.From.Format("Mon 2 Jan 15:04"), l.To.Format("Mon 2 Jan 15:04"))
	for _, lane := range l.Lanes {
		var parts []string
		for _, band := range lane.Bands {
			parts = append(parts, fmt.Sprintf("%s to %s", band.From.Format("15:04"), band.To.Format("15:04")))
		}
		switch n := len(lane.Ticks); {
		case n == 1:
			parts = append(parts, "once, at "+lane.Ticks[0].Format("15:04"))
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d times between %s and %s", n, lane.Ticks[0].Format("15:04"), lane.Ticks[n-1].Format("15:04")))
		}
		for _, m := range lane.Marks {
			parts = append(parts, m.Text+" at "+m.At.Format("15:04"))
		}
		if len(parts) == 0 {
			parts = []string{"nothing"}
		}
		b.WriteString(" " + lane.Name + ": " + strings.Join(parts, ", ") + ".")
	}
	return b.String()
}
