package care

import (
	"strings"
	"time"

	"chartwarden/internal/fhir/document"
)

// span is when a FHIR date, dateTime or instant may have been: [from, to) in Unix milliseconds. A date without a time is a day of the
// site's zone; a moment is that millisecond. Source: https://hl7.org/fhir/R4/datatypes.html#dateTime.
func span(text string, zone *time.Location) (from, to int64, ok bool) {
	layout, years, months, days := "", 0, 0, 0
	switch len(text) {
	case 4:
		layout, years = "2006", 1
	case 7:
		layout, months = "2006-01", 1
	case 10:
		layout, days = "2006-01-02", 1
	default:
		text = strings.Replace(text, ":60", ":59", 1) // a leap second
		t, err := time.Parse(time.RFC3339Nano, text)
		return t.UnixMilli(), t.UnixMilli(), err == nil
	}
	t, err := time.ParseInLocation(layout, text, zone)
	return t.UnixMilli(), t.AddDate(years, months, days).UnixMilli(), err == nil
}

// start is the first moment of n; missing when n holds no date.
func (p *projection) start(n document.Node, missing int64) int64 {
	if from, _, ok := span(n.Text(), p.g.o.Zone); ok {
		return from
	}
	return missing
}

// end is the moment until which n lasts: the whole day for a date.
func (p *projection) end(n document.Node, missing int64) int64 {
	if _, to, ok := span(n.Text(), p.g.o.Zone); ok {
		return to
	}
	return missing
}

// within narrows [since, until) to a Period.
func (p *projection) within(period document.Node, since, until int64) (int64, int64) {
	return max(since, p.start(period.Get("start"), always)), min(until, p.end(period.Get("end"), never))
}
