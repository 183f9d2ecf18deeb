package look

import (
	"fmt"
	"strings"
	"time"
)

// When is a date or time as a page shows it. Its zero value shows nothing. Only the functions of this file make one, so that every page
// writes dates in the one unambiguous way (14 Mar 1961). The zone is that of the time given: pass times in the zone of the site.
type When struct{ text, iso string }

// Text is what the person reads; empty for the zero When.
func (w When) Text() string { return w.text }

// IsZero reports whether there is nothing to show.
func (w When) IsZero() bool { return w.text == "" }

// Day writes a date: 14 Mar 1961.
func Day(t time.Time) When { return write(t, "2 Jan 2006", "2006-01-02") }

// ShortDay writes a date within the current year, where the year would only be noise: 19 Nov.
func ShortDay(t time.Time) When { return write(t, "2 Jan", "2006-01-02") }

// Clock writes a time of day: 09:10.
func Clock(t time.Time) When { return write(t, "15:04", time.RFC3339) }

// Moment writes date and time: Fri 20 Nov 2026, 02:33.
func Moment(t time.Time) When { return write(t, "Mon 2 Jan 2006, 15:04", time.RFC3339) }

// Exact writes date and time to the second, for audit entries: 20 Nov 2026, 02:33:07.
func Exact(t time.Time) When { return write(t, "2 Jan 2006, 15:04:05", time.RFC3339Nano) }

// Recent writes a time as short as it stays clear, seen from now: 09:10 today, Fri 17:40 within the week before and until a day ahead, 19 Nov within the year, else the day.
func Recent(t, now time.Time) When {
	now = now.In(t.Location())
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch {
	case t.After(now.Add(24*time.Hour)) || t.Year() != now.Year():
		return Day(t)
	case !t.Before(midnight) && t.Before(midnight.AddDate(0, 0, 1)):
		return Clock(t)
	case t.After(midnight.AddDate(0, 0, -6)): // tomorrow, too
		return write(t, "Mon 15:04", time.RFC3339)
	}
	return ShortDay(t)
}

// Partial writes a FHIR date or dateTime of any precision as it is known: 1961, Mar 1961 or 14 Mar 1961. What does not parse shows nothing.
func Partial(s string) When {
	day, _, _ := strings.Cut(s, "T")
	for _, p := range [][2]string{{"2006-01-02", "2 Jan 2006"}, {"2006-01", "Jan 2006"}, {"2006", "2006"}} {
		if t, err := time.Parse(p[0], day); err == nil {
			return When{t.Format(p[1]), day}
		}
	}
	return When{}
}

func write(t time.Time, text, iso string) When {
	if t.IsZero() {
		return When{}
	}
	return When{t.Format(text), t.Format(iso)}
}

// ParseDay reads a date that a person typed: 14 Mar 1961, 14 March 1961, 14.3.1961 or 1961-03-14. Slashes are refused, because 03/04/61
// is two different days on two sides of an ocean.
func ParseDay(s string) (t time.Time, ok bool) {
	s = strings.Join(strings.Fields(s), " ")
	for _, layout := range []string{"2 Jan 2006", "2 January 2006", "2.1.2006", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Age says how old somebody born on a FHIR date is: 65 years, 11 months, 3 days. Babies are counted finer because doses depend on it.
// It is empty when the birth date is not known.
func Age(born string, at time.Time) string {
	day, _, _ := strings.Cut(born, "T")
	b, err := time.Parse("2006-01-02", day)
	if err != nil {
		for _, layout := range []string{"2006-01", "2006"} {
			if b, err = time.Parse(layout, day); err == nil {
				return "about " + Plural(int64(at.Year()-b.Year()), "year", "years")
			}
		}
		return ""
	}
	y, m, d := at.Date()
	months := (y-b.Year())*12 + int(m-b.Month())
	if d < b.Day() {
		months--
	}
	switch days := int(at.Sub(b).Hours() / 24); {
	case days < 0:
		return ""
	case days < 28:
		return Plural(int64(days), "day", "days")
	case months < 3:
		return Plural(int64(days/7), "week", "weeks")
	case months < 24:
		return Plural(int64(months), "month", "months")
	}
	return Plural(int64(months/12), "year", "years")
}

// Number writes a count with a thin space between thousands, which cannot be mistaken for a decimal point: 18 204.
func Number(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// Plural writes a count with its noun: 1 chart, 14 charts.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Shown says how much of a list is on the page: "5 of 31 shown", or the count alone when it is complete.
func Shown(shown, total int, one, many string) string {
	if shown >= total {
		return Plural(int64(total), one, many)
	}
	return fmt.Sprintf("%s of %s shown", Number(int64(shown)), Number(int64(total)))
}
