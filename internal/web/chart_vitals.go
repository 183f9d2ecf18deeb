package web

import (
	"math"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// shownSigns is how many vital signs the summary has room for.
const shownSigns = 4

// periods that a trend may cover, the shortest first.
var periods = []struct {
	lasts time.Duration
	words string
}{
	{24 * time.Hour, "Last 24 hours"}, {72 * time.Hour, "Last 3 days"}, {7 * 24 * time.Hour, "Last 7 days"}, {30 * 24 * time.Hour, "Last 30 days"},
	{365 * 24 * time.Hour, "Last 12 months"}, {5 * 365 * 24 * time.Hour, "Last 5 years"},
}

// window is the stretch of time that trends of a page share.
type window struct {
	from, to time.Time
	now      bool
	words    string
}

// windowOf picks the shortest period that ends now and holds at least four readings of one kind; where none does, the shortest that
// holds them all; for what is old, the time from the first to the last.
func windowOf(kinds [][]reading, now time.Time) window {
	for _, p := range periods {
		for _, of := range kinds {
			n := 0
			for _, r := range of {
				if age := now.Sub(r.at.at); age >= 0 && age <= p.lasts {
					n++
				}
			}
			if n >= 4 {
				return window{now.Add(-p.lasts), now, true, p.words}
			}
		}
	}
	var from, to time.Time
	for _, of := range kinds {
		for _, r := range of {
			if from.IsZero() || r.at.at.Before(from) {
				from = r.at.at
			}
			if r.at.at.After(to) {
				to = r.at.at
			}
		}
	}
	for _, p := range periods { // few readings, but of late
		if !to.IsZero() && now.Sub(from) <= p.lasts {
			return window{now.Add(-p.lasts), now, true, p.words}
		}
	}
	if from.IsZero() {
		return window{from: now.Add(-24 * time.Hour), to: now, now: true}
	}
	if !from.Before(to) {
		from = to.Add(-24 * time.Hour)
	}
	return window{from: from, to: to, words: "Since " + look.Day(from).Text()}
}

// vitals are the signs that the summary shows: the newest reading of each with its trend. href gives the address of a reading's history.
func vitals(all []reading, now time.Time, href func(reading) string) ([]page.Vital, string) {
	kinds := make([][]reading, len(signs))
	for _, r := range all {
		if r.sign > 0 && (r.measured || len(r.parts) > 0) {
			kinds[r.sign-1] = append(kinds[r.sign-1], r)
		}
	}
	kinds = slices.DeleteFunc(kinds, func(of []reading) bool { return len(of) == 0 })
	kinds = kinds[:min(len(kinds), shownSigns)]
	if len(kinds) == 0 {
		return nil, ""
	}
	w := windowOf(kinds, now)
	var out []page.Vital
	for _, of := range kinds {
		latest := of[0]
		v := page.Vital{Name: latest.name, Href: href(latest), Value: latest.text, Unit: latest.unit, Usual: latest.usualText, When: latest.at.recent(now), Trend: w.trend(latest.name, of)}
		if latest.at.at.Before(w.from) && v.Trend.Drawn() {
			v.Extra = latest.at.since(now).Text()
		}
		v.Change, v.Tone = w.change(of)
		out = append(out, v)
	}
	return out, w.words
}

// trend draws readings of one kind, given newest first. Both values of a blood pressure are drawn.
func (w window) trend(name string, of []reading) look.TrendOf {
	t := look.TrendOf{Name: name, Unit: of[0].unit, From: w.from, To: w.to, Now: w.now}
	var upper, lower, plain look.Series
	for i := len(of) - 1; i >= 0; i-- {
		r := of[i]
		if u, l, ok := r.pressure(); ok {
			upper.Points, upper.Usual = append(upper.Points, look.Point{At: r.at.at, Value: u.number}), u.usual
			lower.Points, lower.Usual = append(lower.Points, look.Point{At: r.at.at, Value: l.number}), l.usual
		} else if r.measured && r.unit == of[0].unit {
			plain.Points, plain.Usual = append(plain.Points, look.Point{At: r.at.at, Value: r.number}), r.usual
		}
	}
	if len(upper.Points) > 0 {
		upper.Name, lower.Name = "systolic", "diastolic"
		t.Series = []look.Series{upper, lower}
	} else if len(plain.Points) > 0 {
		t.Series = []look.Series{plain}
	}
	return t
}

// change says how the newest reading stands to its range and to the first of the window.
func (w window) change(of []reading) (string, look.Tone) {
	latest := of[0]
	first := latest
	for _, r := range of {
		if r.unit == latest.unit && !r.at.at.Before(w.from) {
			first = r
		}
	}
	moved := "" // one reading makes no trend
	if first.id != latest.id {
		moved = movement(level(first), level(latest))
	}
	if latest.flag == "" {
		return moved, look.Plain
	}
	if moved != "" {
		return latest.flag + ", " + moved, latest.tone
	}
	return latest.flag, latest.tone
}

// level is the number by which readings are compared: of a blood pressure the systolic.
func level(r reading) float64 {
	if upper, _, ok := r.pressure(); ok {
		return upper.number
	}
	return r.number
}

// movement says how far a value went; less than a twentieth is steady.
func movement(from, to float64) string {
	by := math.Abs(to - from)
	if by < math.Abs(from)/20 || by == 0 {
		return "steady"
	}
	direction := "up "
	if to < from {
		direction = "down "
	}
	return direction + amount(strconv.FormatFloat(math.Round(by*100)/100, 'f', -1, 64)) + " from " + amount(strconv.FormatFloat(from, 'f', -1, 64))
}
