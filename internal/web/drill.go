package web

import (
	"time"

	"chartwarden/internal/web/look"
)

// Drill is the last try to restore a copy, as the recovery machine tells it. The zero Drill: there is no report that can be read.
type Drill struct {
	At    time.Time // of the try
	Taken time.Time // of the copy
	Holds bool
}

// drillStale is when a weekly drill is overdue.
const drillStale = 8 * 24 * time.Hour

// drillFacts say when a copy was last tried, and whether it holds.
func (p *Pages) drillFacts() []look.Fact {
	if p.o.Drill == nil {
		return nil
	}
	d := p.o.Drill()
	if d == nil {
		return nil
	}
	f := look.Fact{Name: "Last restore drill"}
	age := p.now().Sub(d.At)
	switch {
	case d.At.IsZero():
		f.Value, f.Tone = "No report is here: nobody knows whether the copies can be restored", look.Warn
		return []look.Fact{f}
	case !d.Holds:
		f.Value, f.Tone = "The copy does not hold", look.Crit
	case age > drillStale:
		f.Value, f.Tone = "Held, and is overdue", look.Warn
	default:
		f.Value = "Holds"
	}
	f.Value += ": tried " + look.Exact(d.At.In(p.o.Zone)).Text() + " (" + ago(age) + " ago) on the copy of " + look.Exact(d.Taken.In(p.o.Zone)).Text() +
		", as the recovery machine says; nothing signs that"
	return []look.Fact{f}
}
