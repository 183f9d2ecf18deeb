package access

import (
	"context"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
)

// Check verifies the grants, the words of colleagues, the downtimes and the practices: the tag of each, that an entry opened it, and that one that was ended stays so. Give it every entry in
// order, then ask for the rows. For one run and one goroutine.
type Check struct {
	g         *Gate
	fault     func(table string, row int64, what string)
	untagged  bool
	opened    map[pair][]audit.Event
	back      map[pair][]time.Time
	said      map[string]saying    // what an entry said, by its name
	unsaid    map[string]time.Time // words that a person ended, by the entry that said them
	words     []Word
	downtimes []Downtime
	practices []Practice
	practice  string // the entry that declared one last
	cut       bool
}

// saying is what an entry says of a word or a downtime.
type saying struct {
	text    string
	by      string // id of who said so; empty: a job, and the text names the request
	patient fhir.PatientID
	erased  bool // the patient's part, with her key
}

// pair is whose grant on whose chart.
type pair struct {
	person  string
	patient fhir.PatientID
}

// NewCheck begins a verification of the grants in d. untagged leaves tags out, for an installation of an earlier version.
// Errors: as [db.Migrate].
func NewCheck(ctx context.Context, d *db.DB, grants, words, downtimes, practices Tags, untagged bool, fault func(table string, row int64, what string)) (*Check, error) {
	if err := db.Migrate(ctx, d, "access", migrations()); err != nil {
		return nil, err
	}
	return &Check{g: &Gate{db: d, tags: grants, wordTags: words, downtimeTags: downtimes, practiceTags: practices, altered: func(table string, row int64) { fault(table, row, "was not written by this server, or was changed") }}, fault: fault, untagged: untagged, opened: map[pair][]audit.Event{}, back: map[pair][]time.Time{}, said: map[string]saying{}, unsaid: map[string]time.Time{}}, nil
}

// Entry takes in one entry of the log.
func (c *Check) Entry(r *audit.Read) {
	e := &r.Event
	if e.Kind == audit.Cut {
		c.cut = true
	}
	if e.Kind == audit.People && e.Outcome == succeeded {
		switch e.Interaction {
		case wordGiven:
			one := saying{text: e.Text, by: e.Agent.Person, erased: r.Withheld > 0}
			if len(e.Patients) > 0 {
				one.patient = e.Patients[0].Patient
			}
			c.said[r.Entry()] = one
		case wordEnded:
			if of, _, ok := strings.Cut(strings.TrimPrefix(e.Text, endsWord), " "); ok {
				c.unsaid[of] = r.Recorded
			}
		}
	}
	if e.Kind == audit.Setting && e.Outcome == succeeded {
		switch e.Interaction {
		case downtimeBegins:
			c.said[r.Entry()] = saying{text: e.Text}
		case practiceBegins:
			c.said[r.Entry()] = saying{text: e.Text}
			if c.practice != "" {
				c.unsaid[c.practice] = r.Recorded // the later one ended it
			}
			c.practice = r.Entry()
		case downtimeEnds, practiceEnds:
			c.unsaid[e.Text] = r.Recorded
		}
	}
	if e.Kind != audit.Glass && e.Kind != audit.Emergency || e.Outcome != succeeded {
		return
	}
	for i := range e.Patients {
		who := pair{e.Agent.Person, e.Patients[i].Patient}
		switch e.Interaction {
		case "glass":
			c.opened[who] = append(c.opened[who], audit.Event{Time: e.Time, Patients: e.Patients[i : i+1]})
		case "glass-back":
			c.back[who] = append(c.back[who], e.Time)
		}
	}
}

// Read gives the grants as they are at one moment. Errors: outcome.Transient.
func (c *Check) Read(ctx context.Context) (out []Grant, err error) {
	err = c.g.eachGrant(ctx, c.g.db.Reader(), "", func(o Grant, mac []byte) error {
		if !c.untagged && !c.g.tags.Holds(mac, o.columns()...) {
			c.fault(grantTable, o.ID, "was not written by this server, or was changed")
			return nil
		}
		out = append(out, o)
		return nil
	})
	if err == nil {
		c.words, err = c.g.readWords(ctx, c.g.db.Reader(), "")
	}
	if err == nil {
		c.downtimes, err = c.g.readDowntimes(ctx, c.g.db.Reader(), "")
	}
	if err == nil {
		c.practices, err = c.g.readPractices(ctx, c.g.db.Reader(), "")
	}
	return out, err
}

// near is how far the moment of a grant may lie from that of its entry.
const near = 5 * time.Second

// Compare holds grants that were read against the log, all entries of which have come by now.
func (c *Check) Compare(grants []Grant, readAt time.Time) {
	c.compareWords(readAt)
	c.compareDowntimes(readAt)
	c.comparePractices(readAt)
	for i := range grants {
		o := &grants[i]
		who, found := pair{o.Person, o.Patient}, false
		for _, e := range c.opened[who] {
			found = found || e.Time.Sub(o.Opened).Abs() <= near && e.Patients[0].Template == "glass."+o.Code
		}
		if !found && !c.cut {
			c.fault(grantTable, o.ID, "is a grant that no entry opened")
		}
		if o.Until.Sub(o.Opened) > grantLasts {
			c.fault(grantTable, o.ID, "lasts longer than a grant can")
		}
		for _, at := range c.back[who] {
			if !o.back.Valid && at.After(o.Opened) && at.Before(o.Until) && readAt.Sub(at) > time.Second && !c.again(who, at, o.Opened) {
				c.fault(grantTable, o.ID, "was given back, as the log says, and runs on here")
				break
			}
		}
	}
}

// compareWords holds the words that were read against the log.
func (c *Check) compareWords(readAt time.Time) {
	for i := range c.words {
		w := &c.words[i]
		if said, ok := c.said[w.Entry]; !ok && !c.cut {
			c.fault(wordTable, w.ID, "is a word that no entry says")
		} else if ok && (said.text != w.line() || !said.erased && said.patient != w.Patient || said.by != "" && said.by != w.By) {
			c.fault(wordTable, w.ID, "says other than its entry")
		}
		if at, ok := c.unsaid[w.Entry]; ok && !w.ended.Valid && readAt.Sub(at) > time.Second {
			c.fault(wordTable, w.ID, "was ended, as the log says, and runs on here")
		}
	}
}

// compareDowntimes holds the downtimes that were read against the log.
func (c *Check) compareDowntimes(readAt time.Time) {
	for i := range c.downtimes {
		d := &c.downtimes[i]
		if said, ok := c.said[d.Entry]; !ok && !c.cut {
			c.fault(downtimeTable, d.ID, "is a downtime that no entry declares")
		} else if ok && said.text != d.line() {
			c.fault(downtimeTable, d.ID, "says other than its entry")
		}
		if at, ok := c.unsaid[d.Entry]; ok && !d.ended.Valid && readAt.Sub(at) > time.Second {
			c.fault(downtimeTable, d.ID, "was ended, as the log says, and runs on here")
		}
	}
}

// comparePractices holds what declares a practice against the log.
func (c *Check) comparePractices(readAt time.Time) {
	for i := range c.practices {
		d := &c.practices[i]
		if said, ok := c.said[d.Entry]; !ok && !c.cut {
			c.fault(practiceTable, d.ID, "declares a practice as no entry does")
		} else if ok && said.text != d.line() {
			c.fault(practiceTable, d.ID, "says other than its entry")
		}
		if at, ok := c.unsaid[d.Entry]; ok && !d.ended.Valid && readAt.Sub(at) > time.Second {
			c.fault(practiceTable, d.ID, "was ended, as the log says, and runs on here")
		}
	}
}

// again reports whether another grant of the same pair ran at that moment, which may be the one that was given back.
func (c *Check) again(who pair, at, but time.Time) bool {
	for _, e := range c.opened[who] {
		if e.Time.Sub(but).Abs() > near && e.Time.Before(at) && e.Time.After(but) {
			return true
		}
	}
	return false
}
