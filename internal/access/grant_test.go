package access

import (
	"fmt"
	"testing"
	"time"

	"chartwarden/internal/care"
)

// When a grant of 10:00 ends, by the visits of the patient; "never" is a visit that runs. Times are hours of that day and after.
func TestGrantEndsWithTheVisit(t *testing.T) {
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	hour := func(h float64) time.Time { return day.Add(time.Duration(h * float64(time.Hour))) }
	const never = 1e5
	visit := func(from, to float64) care.Visit { return care.Visit{From: hour(from), To: hour(to)} }
	for name, c := range map[string]struct {
		visits []care.Visit
		at     float64
		want   string // hour until when, and whether a visit runs
	}{
		"no visit":                              {nil, 50, "82 false"},
		"no visit, after three days":            {nil, 82, "over"},
		"a visit runs":                          {[]care.Visit{visit(8, never)}, 50, "82 true"},
		"a visit runs, after three days":        {[]care.Visit{visit(8, never)}, 82, "over"},
		"discharged":                            {[]care.Visit{visit(8, 14)}, 14, "over"},
		"about to be discharged":                {[]care.Visit{visit(8, 14)}, 13.9, "14 true"},
		"over before the glass was broken":      {[]care.Visit{visit(8, 9.5)}, 50, "82 false"},
		"it begins later":                       {[]care.Visit{visit(12, never)}, 13, "82 true"},
		"it began later and is over":            {[]care.Visit{visit(12, 14)}, 14.5, "over"},
		"one follows the other":                 {[]care.Visit{visit(8, 14), visit(14, 20)}, 15, "20 true"},
		"a gap: the second does not revive it":  {[]care.Visit{visit(8, 14), visit(16, never)}, 17, "over"},
		"a short one inside":                    {[]care.Visit{visit(11, 12), visit(8, never)}, 13, "82 true"},
		"her own word does not prolong it":      {[]care.Visit{visit(8, 14), {From: hour(13), To: hour(never), Own: true}}, 15, "over"},
		"her own word alone is no visit either": {[]care.Visit{{From: hour(13), To: hour(never), Own: true}}, 15, "82 false"},
	} {
		o := &Grant{Opened: hour(10), Until: hour(10 + 72)}
		got := "over"
		if b := o.bounded(c.visits, hour(c.at)); b != nil {
			got = fmt.Sprint(b.Until.Sub(day).Hours(), " ", b.Visit)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if (*Grant)(nil).bounded(nil, day) != nil {
		t.Error("a grant out of nothing")
	}
}
