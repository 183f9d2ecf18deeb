package search

import (
	"math"
	"time"
)

// Always open ends of a period, in the microseconds of Value.From and Value.To.
const (
	Forever = math.MaxInt64
	Never   = math.MinInt64
)

const (
	second = int64(1e6)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// parseDate reads a FHIR date, dateTime or instant, or the date of a query, as the interval [from, to) that its precision covers, in
// microseconds since 1970. Finer fractions are cut. Without a zone it is taken in zone. A leap second is the second after it; 24:00
// is the midnight at the end of the day. Source: https://hl7.org/fhir/R4/datatypes.html#dateTime.
func parseDate(s string, zone *time.Location) (from, to int64, ok bool) {
	y, m, d := 0, 1, 1
	if len(s) < 4 || !number(s[:4], &y) || y == 0 {
		return 0, 0, false
	}
	switch {
	case len(s) == 4:
		return midnight(y, 1, 1, zone), midnight(y+1, 1, 1, zone), true
	case len(s) < 7 || s[4] != '-' || !number(s[5:7], &m) || m < 1 || m > 12:
		return 0, 0, false
	case len(s) == 7:
		return midnight(y, m, 1, zone), midnight(y, m+1, 1, zone), true
	case len(s) < 10 || s[7] != '-' || !number(s[8:10], &d) || d < 1 || d > daysIn(y, m):
		return 0, 0, false
	case len(s) == 10:
		return midnight(y, m, d, zone), midnight(y, m, d+1, zone), true
	case s[10] != 'T':
		return 0, 0, false
	}
	clock, width, rest, ok := parseClock(s[11:])
	if !ok {
		return 0, 0, false
	}
	if rest == "" {
		from = wall(y, m, d, clock, zone)
	} else {
		offset, ok := parseOffset(rest)
		if !ok {
			return 0, 0, false
		}
		from = daysSince1970(y, m, d)*day + clock - offset
	}
	return from, from + width, true
}

// parseClock reads hh:mm, hh:mm:ss or hh:mm:ss.fff: microseconds since midnight, the width of the precision, and what follows.
func parseClock(s string) (at, width int64, rest string, ok bool) {
	h, m, sec := 0, 0, 0
	if len(s) < 5 || s[2] != ':' || !number(s[:2], &h) || !number(s[3:5], &m) || h > 24 || m > 59 {
		return 0, 0, "", false
	}
	width, rest = minute, s[5:]
	fraction := int64(0)
	if len(rest) >= 3 && rest[0] == ':' {
		if !number(rest[1:3], &sec) || sec > 60 {
			return 0, 0, "", false
		}
		width, rest = second, rest[3:]
		if len(rest) > 1 && rest[0] == '.' {
			i := 1
			for ; i < len(rest) && '0' <= rest[i] && rest[i] <= '9'; i++ {
				if width > 1 {
					width /= 10
					fraction += int64(rest[i]-'0') * width
				}
			}
			if i == 1 {
				return 0, 0, "", false
			}
			rest = rest[i:]
		}
	}
	if h == 24 && (m != 0 || sec != 0 || fraction != 0) {
		return 0, 0, "", false
	}
	return int64(h)*hour + int64(m)*minute + int64(sec)*second + fraction, width, rest, true
}

// parseOffset reads Z or +hh:mm. A blank stands for a plus: that is what an unescaped plus in a URL becomes.
func parseOffset(s string) (int64, bool) {
	if s == "Z" {
		return 0, true
	}
	h, m := 0, 0
	if len(s) != 6 || s[3] != ':' || !number(s[1:3], &h) || !number(s[4:6], &m) || h > 14 || m > 59 {
		return 0, false
	}
	offset := int64(h)*hour + int64(m)*minute
	switch s[0] {
	case '+', ' ':
		return offset, true
	case '-':
		return -offset, true
	}
	return 0, false
}

func number(s string, out *int) bool {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		n = n*10 + int(s[i]-'0')
	}
	*out = n
	return true
}

func midnight(y, m, d int, zone *time.Location) int64 { return wall(y, m, d, 0, zone) }

func wall(y, m, d int, clock int64, zone *time.Location) int64 {
	if zone == time.UTC {
		if m == 13 {
			y, m = y+1, 1
		}
		return daysSince1970(y, m, d)*day + clock
	}
	return time.Date(y, time.Month(m), d, 0, 0, int(clock/second), int(clock%second)*1000, zone).UnixMicro()
}

// daysSince1970 counts the days of the Gregorian calendar; d may lie beyond the month.
func daysSince1970(y, m, d int) int64 {
	if m <= 2 { // count years from March, so that the leap day is the last
		y, m = y-1, m+12
	}
	return int64(365*y+y/4-y/100+y/400+(153*(m-3)+2)/5+d-1) - 719468
}

func daysIn(y, m int) int {
	switch {
	case m == 4 || m == 6 || m == 9 || m == 11:
		return 30
	case m != 2:
		return 31
	case y%4 == 0 && (y%100 != 0 || y%400 == 0):
		return 29
	}
	return 28
}
