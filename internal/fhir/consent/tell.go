package consent

import (
	"slices"
	"time"

	"chartwarden/internal/fhir/document"
)

// Rule is one provision as it was understood, for whoever puts it into words: what is told to the patient is what the door judges by, not
// what the document may have meant. A Rule shares nothing that may change.
type Rule struct {
	Deny          bool
	From, Until   time.Time // when it counts; zero: no bound; Until is exclusive
	Actors        []string  // Type/id; none: anybody; an empty one: somebody whom this server cannot recognise
	Purposes      []string  // codes of v3-ActReason and others; none: any
	Types         []string  // resource types; none: any
	Labels        []string  // of sensitivity
	Levels        []string  // of confidentiality: a denial reaches from the level on, a permission up to it
	Narrowed      bool      // it speaks of some records alone: by code, by name, or by more than is understood
	Data          []string  // Type/id of those that it names
	Since, Before time.Time // of what the records tell of; Before is exclusive
	Exceptions    []Rule
}

// All reports whether the rule speaks of every record.
func (r Rule) All() bool {
	return len(r.Types) == 0 && len(r.Labels) == 0 && len(r.Levels) == 0 && !r.Narrowed && r.Since.IsZero() && r.Before.IsZero()
}

// Over reports whether the rule has ended.
func (r Rule) Over(at time.Time) bool { return !r.Until.IsZero() && !at.Before(r.Until) }

// Rule is the outermost provision with its exceptions.
func (c *Consent) Rule() Rule { return c.root.rule() }

// Told is the rule of a Consent whatever its state, for whoever tells of requests; false where d is no Consent about privacy.
func Told(d *document.Doc, zone *time.Location) (Rule, bool) {
	c, _, ok := read(d, zone)
	if !ok {
		return Rule{}, false
	}
	return c.Rule(), true
}

func (p *provision) rule() Rule {
	t := &p.terms
	out := Rule{Deny: p.deny, From: p.from, Until: p.until, Actors: slices.Clone(p.actors), Purposes: slices.Clone(p.purposes), Types: slices.Clone(t.types), Labels: slices.Clone(t.labels),
		Narrowed: len(t.codes) > 0 || len(t.data) > 0 || t.odd, Since: t.from, Before: t.until}
	for _, d := range t.data {
		out.Data = append(out.Data, d.ref)
	}
	for _, level := range t.levels {
		out.Levels = append(out.Levels, levels[level])
	}
	for i := range p.exceptions {
		out.Exceptions = append(out.Exceptions, p.exceptions[i].rule())
	}
	return out
}
