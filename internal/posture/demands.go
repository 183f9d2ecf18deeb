package posture

import (
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Demands are what a house wants of a machine that is to count as managed. A zero length of time demands nothing, but for Age.
type Demands struct {
	Disk    bool          // the disk is encrypted
	Lock    time.Duration // the screen locks after at most so long
	Proven  bool          // by a setting that was read; nobody's word is enough
	Updated time.Duration // the system took its updates at most so long ago
	Started time.Duration // it was started at most so long ago: what an update changed runs
	Age     time.Duration // the report itself is at most so old
}

// Usual are the demands of a house that states none.
var Usual = Demands{Disk: true, Lock: 15 * time.Minute, Updated: 60 * day, Age: 24 * time.Hour}

const day = 24 * time.Hour

// ParseDemands reads demands with commas between them: disk, lock=15m, proven, updated=60d, started=90d, age=24h. What is not listed is not
// demanded; age is 24h where it is not. Empty is [Usual]. Errors: outcome.Value.
func ParseDemands(text string) (Demands, error) {
	if strings.TrimSpace(text) == "" {
		return Usual, nil
	}
	d := Demands{Age: Usual.Age}
	seen := map[string]bool{}
	for one := range strings.SplitSeq(text, ",") {
		name, length, timed := strings.Cut(strings.TrimSpace(one), "=")
		into := map[string]*time.Duration{"lock": &d.Lock, "updated": &d.Updated, "started": &d.Started, "age": &d.Age}[name]
		flag := map[string]*bool{"disk": &d.Disk, "proven": &d.Proven}[name]
		at, ok := span(length)
		switch {
		case seen[name]:
			return Demands{}, outcome.New(outcome.Value, name+" stands twice among the demands of a managed device")
		case flag != nil && !timed:
			*flag = true
		case into != nil && ok:
			*into = at
		default:
			return Demands{}, outcome.New(outcome.Value, "the demand "+strings.TrimSpace(one)+" cannot be read: write disk,lock=15m,proven,updated=60d,started=90d,age=24h, or some of them, with lengths of a minute to a year")
		}
		seen[name] = true
	}
	return d, nil
}

// span reads a length of time, in days, too: 60d, 24h, 15m.
func span(text string) (time.Duration, bool) {
	d, err := time.ParseDuration(text)
	if days, found := strings.CutSuffix(text, "d"); found {
		n, bad := strconv.Atoi(days)
		if bad == nil && n < 1000 {
			d, err = time.Duration(n)*day, nil
		}
	}
	return d, err == nil && d >= time.Minute && d <= 366*day
}

// Lacks says in words what a report that came at a time does not meet now; nothing where the machine is managed.
func (d Demands) Lacks(r Report, came, now time.Time) (out []string) {
	if d.late(came, now) {
		out = append(out, "its last report is older than "+Span(d.Age))
	}
	switch {
	case !d.Disk || r.Disk == Encrypted:
	case r.Disk == Open:
		out = append(out, "its disk is not encrypted")
	default:
		out = append(out, "nobody knows whether its disk is encrypted")
	}
	switch {
	case d.Lock == 0:
	case r.Lock == 0:
		out = append(out, "its screen does not lock by itself")
	case r.Lock > d.Lock:
		out = append(out, "its screen locks after "+Span(r.Lock)+", not "+Span(d.Lock))
	case d.Proven && r.LockBy == ByWord:
		out = append(out, "that its screen locks is stated, not read")
	}
	switch {
	case d.Updated == 0:
	case r.Updated.IsZero():
		out = append(out, "nobody knows when it was last updated")
	case now.Sub(r.Updated) > d.Updated:
		out = append(out, "it was last updated more than "+Span(d.Updated)+" ago")
	}
	if d.Started > 0 && now.Sub(r.Started) > d.Started {
		out = append(out, "it was last started more than "+Span(d.Started)+" ago")
	}
	return out
}

// late reports whether a report counts no more. One from the future does not count either: a clock was set back.
func (d Demands) late(came, now time.Time) bool {
	age := now.Sub(came)
	return age > d.Age || age < -10*time.Minute
}

// Span writes a length of time for people, in its largest whole unit.
func Span(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		word string
	}{{day, " day"}, {time.Hour, " h"}, {time.Minute, " min"}} {
		if n := int64(d / u.of); n > 0 && (d%u.of == 0 || n >= 2) {
			if u.of == day && n > 1 {
				return strconv.FormatInt(n, 10) + " days"
			}
			return strconv.FormatInt(n, 10) + u.word
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}

// Words say what a machine reported, in an order that is always the same.
func (r Report) Words(now time.Time) []string {
	out := []string{r.System, map[string]string{Encrypted: "disk encrypted", Open: "disk not encrypted"}[r.Disk], "screen does not lock", "updates not known", "started " + ago(r.Started, now)}
	if out[1] == "" {
		out[1] = "disk not known"
	}
	if r.Lock > 0 {
		out[2] = "screen locks after " + Span(r.Lock)
		if r.LockBy == ByWord {
			out[2] += " as stated"
		}
	}
	if !r.Updated.IsZero() {
		out[3] = "updated " + ago(r.Updated, now)
	}
	return out
}

func ago(t, now time.Time) string {
	if d := now.Sub(t); d >= day {
		return Span(d.Truncate(day)) + " ago"
	}
	return "today"
}
