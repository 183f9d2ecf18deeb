package web

import (
	"strings"
	"time"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/web/look"
)

// The elements that most resources share, read for people: a moment, a concept in words, a reference, a name.

// moment is a date or dateTime as the record knows it: an instant, or a day, month or year and no more.
type moment struct {
	at    time.Time // in the zone of the site; of a mere date its first midnight
	known string    // as written, when it is a date or less
}

// momentOf reads the first of nodes that holds a dateTime, an instant, a date or a Period (its start).
func momentOf(zone *time.Location, nodes ...document.Node) moment {
	for _, n := range nodes {
		if n.Kind() == document.Object {
			n = n.Get("start")
		}
		s := n.Text()
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			return moment{at: at.In(zone)}
		}
		for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
			if at, err := time.ParseInLocation(layout, s, zone); err == nil {
				return moment{at, strings.Clone(s)}
			}
		}
	}
	return moment{}
}

// day writes the date: 14 Mar 1961.
func (m moment) day() look.When {
	if m.known != "" {
		return look.Partial(m.known)
	}
	return look.Day(m.at)
}

// since writes the date without the year where that is the present one: 19 Nov.
func (m moment) since(now time.Time) look.When {
	if m.at.Year() == now.Year() && (m.known == "" || len(m.known) == len(time.DateOnly)) {
		return look.ShortDay(m.at)
	}
	return m.day()
}

// recent writes it as short as it stays clear, seen from now.
func (m moment) recent(now time.Time) look.When {
	if m.known != "" || m.at.IsZero() {
		return look.Partial(m.known)
	}
	return look.Recent(m.at, now)
}

// within writes it below a heading that names the year: with the time when it was lately.
func (m moment) within(now time.Time) look.When {
	if m.known == "" && now.Sub(m.at) > 6*24*time.Hour {
		return look.ShortDay(m.at)
	}
	return m.recent(now)
}

// whole writes date and time as far as they are known.
func (m moment) whole() look.When {
	if m.known != "" {
		return look.Partial(m.known)
	}
	return look.Moment(m.at)
}

// words is a CodeableConcept as people say it: its text, else what a code is displayed as, else the code.
func words(concept document.Node) string {
	if s := concept.Get("text").Text(); s != "" {
		return untagged(s)
	}
	code := ""
	for c := range concept.Get("coding").Items() {
		if s := c.Get("display").Text(); s != "" {
			return untagged(s)
		}
		if code == "" {
			code = c.Get("code").Text()
		}
	}
	return code
}

// untagged takes the semantic tag of SNOMED CT off a term: "Stress (finding)" is said "Stress".
func untagged(s string) string {
	if i := strings.LastIndex(s, " ("); i > 0 && strings.HasSuffix(s, ")") {
		switch s[i+2 : len(s)-1] {
		case "disorder", "finding", "procedure", "situation", "event", "regime/therapy", "observable entity", "morphologic abnormality", "person":
			return s[:i]
		}
	}
	return s
}

// coded reports whether a CodeableConcept, or one of several, has one of the codes, of whichever system.
func coded(concepts document.Node, codes ...string) bool {
	for concept := range concepts.Items() {
		for c := range concept.Get("coding").Items() {
			for _, code := range codes {
				if c.Get("code").Text() == code {
					return true
				}
			}
		}
	}
	return false
}

// target is the last part of a reference, which is the id of what it leads to.
func target(reference document.Node) string {
	s := reference.Get("reference").Text()
	return s[strings.LastIndexAny(s, "/:#")+1:]
}

// withdrawn reports whether a resource says of itself that it was entered in error.
func withdrawn(root document.Node) bool {
	return root.Get("status").Text() == "entered-in-error" || root.Get("docStatus").Text() == "entered-in-error" ||
		coded(root.Get("verificationStatus"), "entered-in-error", "refuted")
}

// capital starts a sentence.
func capital(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}
