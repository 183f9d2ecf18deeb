package ingest

import "time"

import "strings"

// instant reads an RFC 3339 time, or a FHIR date or dateTime of any precision, as seconds of Unix time. A date begins at midnight UTC.
func instant(s string) (int64, bool) {
	if len(s) < 4 {
		return 0, false
	}
	n := func(i, j int) (v int) {
		if j > len(s) {
			return -1
		}
		for ; i < j; i++ {
			if s[i] < '0' || s[i] > '9' {
				return -1
			}
			v = v*10 + int(s[i]-'0')
		}
		return v
	}
	year, month, d := n(0, 4), 1, 1
	if len(s) >= 7 {
		month = n(5, 7)
	}
	if len(s) >= 10 {
		d = n(8, 10)
	}
	if year < 0 || month < 1 || month > 12 || d < 1 || d > 31 {
		return 0, false
	}
	sec := days(year, month, d) * 86400
	if len(s) <= 10 {
		return sec, true
	}
	if len(s) < 20 || s[10] != 'T' {
		return 0, false
	}
	h, m, x := n(11, 13), n(14, 16), n(17, 19)
	if h < 0 || h > 24 || m < 0 || m > 59 || x < 0 || x > 60 {
		return 0, false
	}
	sec += int64(h*3600 + m*60 + x)
	i := 19
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		}
	}
	switch {
	case i < len(s) && s[i] == 'Z':
		return sec, true
	case i+6 <= len(s) && (s[i] == '+' || s[i] == '-'):
		oh, om := n(i+1, i+3), n(i+4, i+6)
		if oh < 0 || om < 0 {
			return 0, false
		}
		off := int64(oh*3600 + om*60)
		if s[i] == '+' {
			off = -off
		}
		return sec + off, true
	}
	return 0, false
}

// instantAfter is the first whole second that does not lie before the time: what became known within a second is known from the next.
// An event of that second may have been before it.
func instantAfter(s string) (int64, bool) {
	t, ok := instant(s)
	if _, fraction, has := strings.Cut(s, "."); ok && has {
		if i := strings.IndexAny(fraction, "Z+-"); i >= 0 && strings.Trim(fraction[:i], "0") != "" {
			t++
		}
	}
	return t, ok
}

// instantEnd is the last second of a date or dateTime: a year, month or day lasts to its end. 0 is none.
func instantEnd(s string) int64 {
	t, ok := instant(s)
	if !ok {
		return 0
	}
	switch y, m := time.Unix(t, 0).UTC().Year(), time.Unix(t, 0).UTC().Month(); len(s) {
	case 4:
		return days(y+1, 1, 1)*86400 - 1
	case 7:
		return days(y+int(m)/12, int(m)%12+1, 1)*86400 - 1
	case 10:
		return t + 86399
	}
	return t
}

// days counts from the first day of Unix time. Howard Hinnant's algorithm of days_from_civil.
func days(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}
