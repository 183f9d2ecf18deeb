package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// tale tells one review in words: a sentence first, then what is not known, then what would have explained it.
type tale struct {
	access.ReviewCase
	name, role string
	zone       *time.Location
	opened     []access.Line // openings of records, in order
}

func taleOf(c access.ReviewCase, staff directory, zone *time.Location) tale {
	t := tale{ReviewCase: c, name: staff.of(c.Person), zone: zone}
	t.name, _, _ = strings.Cut(t.name, ", ")
	for _, l := range c.Lines {
		t.role = cmp.Or(t.role, strings.ToLower(roleNames[l.Agent.Role]))
		if l.Kind == audit.Disclosure || l.Kind == audit.Emergency {
			t.opened = append(t.opened, l)
		}
	}
	return t
}

func (t tale) who() string {
	if t.role == "" {
		return t.name
	}
	return t.name + ", " + t.role
}

func (t tale) headline(patient string) string {
	switch {
	case t.Kind == "question":
		return patient + " does not know " + t.name + ", who opened the chart"
	case t.Glass():
		return t.name + " opened the closed chart of " + patient + " with a reason"
	}
	if t.Kind == "panel" {
		return t.name + " opened the chart of " + patient + ", which nothing but the practice explains"
	}
	return t.name + " opened the chart of " + patient + " with no link that we found"
}

// happened is the sentence.
func (t tale) happened() string {
	first, last := t.First.In(t.zone), t.Last.In(t.zone)
	if t.Kind == "question" && len(t.opened) > 0 {
		first, last = t.opened[0].At.In(t.zone), t.opened[len(t.opened)-1].At.In(t.zone)
	}
	when := "on " + first.Format("Mon 2 Jan") + " between " + first.Format("15:04") + " and " + last.Format("15:04")
	if first.Format("15:04") == last.Format("15:04") {
		when = "on " + first.Format("Mon 2 Jan") + " at " + first.Format("15:04")
	}
	did := "opened this chart " + times(len(t.opened))
	switch {
	case t.Kind == "question":
		return "The patient asks about " + t.who() + ", who " + did + " " + when + "; " + t.links() + "."
	case t.Glass() && len(t.opened) == 0:
		did = "gave a reason to open this chart and then did not open it"
	case t.Glass():
		did = "gave a reason and " + did
	}
	return t.who() + ", " + did + " " + when + "; " + t.links() + "."
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return look.Number(int64(n)) + " times"
}

// links says which links were there at the time and which not.
func (t tale) links() string {
	short := map[string]string{"visit": "visit", "order": "order", "task": "task", "care-team": "care team", "shift": "shift"}
	var missing []string
	on := ""
	for _, s := range t.Sought {
		switch {
		case s.What == "shift" && s.Found:
			on = "the roster had them on shift"
			if s.Place != "" {
				on += " at " + s.Place
			}
		case !s.Found && short[s.What] != "":
			missing = append(missing, short[s.What])
		}
	}
	if len(missing) == 0 {
		return cmp.Or(on, "the links that exist did not permit it")
	}
	none := "no " + orList(missing) + " links them"
	if on != "" {
		return on + ", but " + none
	}
	return none
}

func orList(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}

// unknown is what the record cannot say; it follows "We do not know".
func (t tale) unknown() string {
	if t.Glass() {
		return "whether it was as the reason says: what people saw and said on the ward is not in the record."
	}
	if t.Kind == "question" {
		return "whether the patient met this person without knowing the name: many who help are never introduced."
	}
	return "whether somebody asked for help in person or by telephone: that leaves no trace in the record."
}

// given is the reason in the person's own words, and when.
func (t tale) given() (string, look.When) {
	for _, l := range slices.Backward(t.Lines) {
		if l.Kind != audit.Glass || l.Interaction != "glass" {
			continue
		}
		code, words, _ := strings.Cut(l.Text, ": ")
		return cmp.Or(strings.TrimSpace(words), upper(glassTitle(code))), look.Clock(l.At.In(t.zone))
	}
	for _, l := range slices.Backward(t.History) {
		if l.Interaction == "reason" {
			return l.Text, look.Clock(l.At.In(t.zone))
		}
	}
	return "", look.When{}
}

// checks are the links that would have explained it, and what was found.
func (t tale) checks() []page.Check {
	names := map[string]string{"visit": "A visit or appointment at that time", "past-visit": "An earlier visit", "next-visit": "A visit to come", "care-team": "A place on the care team",
		"order": "An open order to their department", "task": "A task in their queue", "shift": "A shift",
		"self-made": "A link that they made themselves"}
	var out []page.Check
	for _, s := range t.Sought {
		c := page.Check{Text: names[s.What], Found: "none", Yes: s.Found}
		switch {
		case s.What == "shift" && s.Found:
			c.Found = "from " + s.From.In(t.zone).Format("15:04") + " to " + s.Until.In(t.zone).Format("15:04")
			if s.Place != "" {
				c.Found = s.Place + ", " + c.Found
			}
		case s.What == "past-visit" && s.Found:
			c.Found = "ended " + look.Day(s.At.In(t.zone)).Text()
		case s.What == "next-visit" && s.Found:
			c.Found = "on " + look.Day(s.At.In(t.zone)).Text()
		case s.What == "self-made":
			c.Found = "nobody confirmed it"
		case s.Found:
			c.Found = "yes"
		case s.Since:
			c.Found = "not then; recorded since"
		}
		out = append(out, c)
	}
	return out
}

// lanes draws the hours around the openings.
func (t tale) lanes() (*look.LanesOf, string) {
	if len(t.opened) == 0 {
		return nil, ""
	}
	from := t.First.In(t.zone).Add(-2 * time.Hour).Truncate(time.Hour)
	to := t.Last.In(t.zone).Add(3 * time.Hour).Truncate(time.Hour)
	if to.Sub(from) < 8*time.Hour {
		to = from.Add(8 * time.Hour)
	}
	out := look.LanesOf{From: from, To: to}
	for _, s := range t.Sought {
		if s.What == "shift" && s.Found {
			out.Lanes = append(out.Lanes, look.Lane{Name: "Shift", Bands: []look.Band{{From: later(from, s.From), To: earlier(to, s.Until), Text: s.Place}}})
		}
	}
	openings := look.Lane{Name: "Openings", Apart: true, Note: look.Plural(int64(len(t.opened)), "opening", "openings")}
	for _, l := range t.opened {
		openings.Ticks = append(openings.Ticks, l.At.In(t.zone))
	}
	out.Lanes = append(out.Lanes, openings)
	return &out, from.Format("Mon 2 Jan 15:04") + " to " + to.Format("Mon 2 Jan 15:04")
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
