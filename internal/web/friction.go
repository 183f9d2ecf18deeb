package web

import (
	"fmt"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/web/look"
)

// askedMost is the share of chart openings that may ask anything. Above it the links are missing: it says nothing about the staff.
const askedMost = .02

// friction says what protection cost the people at work; nothing when nobody opened a chart. The note stands beneath the figures.
func friction(f access.Friction) (facts []look.Fact, note string) {
	if f.Charts == 0 {
		return nil, ""
	}
	asked := look.Fact{Name: "Charts before which something was asked", Tone: look.OK,
		Value: fmt.Sprintf("%s (%s of %s)", percent(f.Asked, f.Charts), look.Number(int64(f.Asked)), look.Number(int64(f.Charts)))}
	note = "Aim: at most 2 % of charts and one question a shift. A chart counts once for a person and a day."
	if float64(f.Asked) > askedMost*float64(f.Charts) {
		asked.Tone = look.Warn
		note = "More than 2 %: visits, orders or shifts are missing that should link people to patients. Mend these; it says nothing about the staff."
	}
	facts = append(facts, asked,
		look.Fact{Name: "Questions a shift", Value: fmt.Sprintf("%.2f; at most %d for one person on one day", float64(f.Asked)/float64(f.Shifts), f.Most)})
	if f.Opened > 0 {
		facts = append(facts, look.Fact{Name: "Time between question and chart",
			Value: fmt.Sprintf("%s in the middle, %s in all", seconds(f.Median), seconds(f.Lost))})
	}
	overrides := look.Fact{Name: "Overrides", Value: look.Plural(int64(f.Overrode), "opening with the glass", "openings with the glass")}
	if f.Overrode > 0 {
		overrides.Value += fmt.Sprintf(", %s explained since by what others recorded", look.Number(int64(f.Later)))
	}
	return append(facts, overrides), note
}

// seconds writes a short time as people say it.
func seconds(d time.Duration) string {
	if d < 2*time.Minute {
		return look.Plural(int64(d/time.Second), "second", "seconds")
	}
	return ago(d)
}
