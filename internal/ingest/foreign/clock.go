package foreign

import (
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine

	"chartwarden/internal/outcome"
)

// layout is a way to write a time: yyyy MM M dd d HH H hh h mm ss a MMM, other signs as they stand. A fraction of a second and a zone
// (Z, +02:00) may follow wherever a layout ends with seconds.
type layout struct {
	steps []step
	unix  int64 // 1 or 1000: the number counts seconds or thousandths since 1970
	since int   // the first year that it reads: no log is older than 1990, people are
}

type step struct {
	unit  byte // y M N(ame of the month) d H h m s a, or 0: a sign
	width int  // digits; 0: one or two
	sign  byte
}

var units = []struct {
	text string
	step step
}{{"yyyy", step{unit: 'y', width: 4}}, {"MMM", step{unit: 'N'}}, {"MM", step{unit: 'M'}}, {"M", step{unit: 'M'}}, {"dd", step{unit: 'd'}}, {"d", step{unit: 'd'}},
	{"HH", step{unit: 'H'}}, {"H", step{unit: 'H'}}, {"hh", step{unit: 'h'}}, {"h", step{unit: 'h'}}, {"mm", step{unit: 'm', width: 2}}, {"ss", step{unit: 's', width: 2}}, {"a", step{unit: 'a'}}}

// parseLayout reads a layout; of days too, where those will do.
func parseLayout(text string, days bool) (l layout, why string) {
	switch text {
	case "unix":
		return layout{unix: 1}, ""
	case "unix-ms":
		return layout{unix: 1000}, ""
	}
	var has [256]bool
	if l.since = 1990; days {
		l.since = 1890
	}
next:
	for i := 0; i < len(text); {
		for _, u := range units {
			if strings.HasPrefix(text[i:], u.text) {
				if has[u.step.unit] {
					return l, "the layout names " + u.text + " twice"
				}
				l.steps, i = append(l.steps, u.step), i+len(u.text)
				has[u.step.unit] = true
				continue next
			}
		}
		if c := text[i]; c >= 'a' && c <= 'z' && c != 'T' || c >= 'A' && c <= 'Z' && c != 'T' {
			return l, "a layout is written with yyyy MM M MMM dd d HH H hh h mm ss a, for example M/d/yyyy h:mm:ss a; or unix, unix-ms"
		}
		l.steps, i = append(l.steps, step{sign: text[i]}), i+1
	}
	switch {
	case !has['y'] || !has['M'] && !has['N'] || !has['d']:
		return l, "the layout lacks the year, month or day"
	case days && !has['m'] && !has['H'] && !has['h']:
	case !has['m'] || !has['H'] && !has['h']:
		return l, "the layout lacks the hour or minute: days alone are too coarse to judge accesses by"
	case has['h'] != has['a'] || has['h'] && has['H']:
		return l, "hours of twelve go with `a` for AM and PM, hours of 24 without"
	}
	return l, ""
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// read gives seconds as if the time were UTC. zoned tells that the text named its zone, and the seconds are Unix time.
func (l *layout) read(s string) (sec int64, zoned, ok bool) {
	if l.unix != 0 {
		n, ok := digits(s)
		return n / l.unix, true, ok && len(s) > 8
	}
	year, month, day, hour, minute, second, i := 0, 0, 0, 0, 0, 0, 0
	twelve, pm := false, false
	for _, st := range l.steps {
		if st.unit == 0 {
			if i >= len(s) || s[i] != st.sign {
				return 0, false, false
			}
			i++
			continue
		}
		switch st.unit {
		case 'a':
			if i+2 > len(s) {
				return 0, false, false
			}
			switch strings.ToLower(s[i : i+2]) {
			case "am":
			case "pm":
				pm = true
			default:
				return 0, false, false
			}
			twelve = true
			i += 2
			continue
		case 'N':
			if i+3 > len(s) {
				return 0, false, false
			}
			at := strings.Index(months, strings.ToLower(s[i:i+3]))
			if at < 0 || at%3 != 0 {
				return 0, false, false
			}
			month = at/3 + 1
			i += 3
			continue
		}
		n, most := 0, max(2, st.width)
		from := i
		if i < len(s) && s[i] == ' ' && st.width == 0 { // SQL Server pads days and hours with a space
			i++
			from++
			most = 1
		}
		for i < len(s) && i-from < most && s[i] >= '0' && s[i] <= '9' {
			n = n*10 + int(s[i]-'0')
			i++
		}
		if i == from || st.width > 0 && i-from != st.width {
			return 0, false, false
		}
		switch st.unit {
		case 'y':
			year = n
		case 'M':
			month = n
		case 'd':
			day = n
		case 'H', 'h':
			hour = n
		case 'm':
			minute = n
		case 's':
			second = n
		}
		if st.unit == 's' && i < len(s) && (s[i] == '.' || s[i] == ',') {
			for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			}
		}
	}
	if twelve {
		if hour < 1 || hour > 12 {
			return 0, false, false
		}
		if hour %= 12; pm {
			hour += 12
		}
	}
	if year < l.since || year > 2200 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return 0, false, false
	}
	sec = civil(year, month, day)*86400 + int64(hour*3600+minute*60+second)
	off, named, ok := offset(s[i:])
	return sec - off, named, ok
}

var iso, _ = parseLayout("yyyy-MM-ddTHH:mm:ss", false)

// Instant reads a time of XML or ISO 8601: seconds of Unix time, or, when it names no zone, as a clock on the wall shows them.
func Instant(s string) (sec int64, local, ok bool) {
	sec, zoned, ok := iso.read(strings.TrimSpace(s))
	return sec, !zoned, ok
}

// offset reads what follows a time: nothing, Z, or +hh:mm.
func offset(s string) (off int64, named, ok bool) {
	s = strings.TrimLeft(s, " ")
	if s == "" {
		return 0, false, true
	}
	if s == "Z" || s == "z" || s == "UTC" {
		return 0, true, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false, false
	}
	n, fine := digits(strings.Replace(s[1:], ":", "", 1))
	switch {
	case !fine:
		return 0, false, false
	case len(s) == 3:
		n *= 100
	case len(s) != 5 && len(s) != 6:
		return 0, false, false
	}
	if n%100 > 59 || n > 1400 {
		return 0, false, false
	}
	off = n/100*3600 + n%100*60
	if s[0] == '-' {
		off = -off
	}
	return off, true, true
}

func digits(s string) (n int64, ok bool) {
	if s == "" || len(s) > 15 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// civil counts days from the first of Unix time.
func civil(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// LoadZone is the zone of an IANA name; the zones are part of the program. Errors: outcome.Invalid.
func LoadZone(name string) (*time.Location, error) {
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, outcome.New(outcome.Invalid, "there is no time zone "+name+": name one of the IANA database, for example --zone America/New_York")
	}
	return z, nil
}

// wall turns local times into instants. It is for one goroutine.
type wall struct {
	zone      *time.Location
	day, off  int64 // a local day on which the clock is not set, and its offset
	have      bool
	ambiguous int // local times that were there twice, in autumn
	missing   int // local times that were not there, in spring
	last      int64
	hasLast   bool
}

// instant takes local seconds. A time that was there twice is the first one unless the rows before it are later than that: rows keep
// their order. One that was not there is counted from the offset that ended.
func (w *wall) instant(local int64) int64 {
	d := local / 86400
	if w.have && d == w.day {
		return w.note(local - w.off)
	}
	before, after := w.at(local-26*3600), w.at(local+26*3600)
	if before == after {
		// no change within a day either way (a zone that changes twice in two days would be misread by hours: there is none)
		w.day, w.off, w.have = d, before, w.at(d*86400-26*3600) == before && w.at(d*86400+50*3600) == before
		return w.note(local - before)
	}
	early, late := local-max(before, after), local-min(before, after)
	a, b := w.at(early) == local-early, w.at(late) == local-late
	switch {
	case a && b:
		w.ambiguous++
		if w.hasLast && early < w.last-900 {
			return w.note(late)
		}
		return w.note(early)
	case a:
		return w.note(early)
	case b:
		return w.note(late)
	}
	w.missing++
	return w.note(local - before)
}

// note keeps the latest instant of late rows; a clock far ahead does not count.
func (w *wall) note(t int64) int64 {
	if !w.hasLast || t > w.last && t < w.last+7*86400 || t < w.last-7*86400 {
		w.last, w.hasLast = t, true
	}
	return t
}

func (w *wall) at(t int64) int64 {
	_, off := time.Unix(t, 0).In(w.zone).Zone()
	return int64(off)
}
