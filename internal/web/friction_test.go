package web

import (
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/web/look"
)

// Above two in a hundred the page blames what links people to patients, and never the people.
func TestFrictionSaysWhatIsMissing(t *testing.T) {
	f := access.Friction{Charts: 1000, Asked: 20, Opened: 15, Lost: 10 * time.Minute, Median: 9 * time.Second, Shifts: 40, Most: 2, Overrode: 12, Later: 11}
	facts, note := friction(f)
	if facts[0].Tone != look.OK || facts[0].Value != "2.0 % (20 of "+look.Number(1000)+")" || facts[1].Value != "0.50; at most 2 for one person on one day" ||
		facts[2].Value != "9 seconds in the middle, 10 minutes in all" || facts[3].Value != "12 openings with the glass, 11 explained since by what others recorded" {
		t.Errorf("%+v %s", facts, note)
	}
	f.Asked++
	if facts, note = friction(f); facts[0].Tone != look.Warn || !strings.Contains(note, "nothing about the staff") {
		t.Errorf("%+v %s", facts, note)
	}
	if facts, note = friction(access.Friction{}); facts != nil || note != "" {
		t.Error("a house in which nobody opened a chart has no friction to tell")
	}
}
