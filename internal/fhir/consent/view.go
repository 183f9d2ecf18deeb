package consent

import (
	"slices"
	"strings"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

// Asker is who wants to look, when, and what for.
type Asker struct {
	Is       func(ref string) bool // whether a reference names her, a role of hers, where she works, or a group that she is in
	Purposes []string              // codes of v3-ActReason: TREAT, HPAYMT, HOPERAT, ...
	At       time.Time
}

// View is what the Consents of one patient withhold from one asker. The zero View withholds nothing. It is immutable.
type View struct {
	rules []rule
	zone  *time.Location
}

// rule is what is left of a provision when the asker is known.
type rule struct {
	id         string // of the Consent, for the outermost
	asked      bool   // for and not agreed to
	deny       bool
	terms      terms
	exceptions []rule
}

// For is what the Consents of a patient withhold from somebody.
func For(list []*Consent, a Asker, zone *time.Location) View {
	v := View{zone: zone}
	for _, c := range list {
		if !c.asked && !c.root.runs(a.At) {
			continue
		}
		r := rule{id: c.id, asked: c.asked, exceptions: exceptionsFor(c.root.exceptions, a)}
		if c.root.concerns(a) {
			r.deny, r.terms = c.root.deny, c.root.terms
		}
		if r.mayDeny() {
			v.rules = append(v.rules, r)
		}
	}
	return v
}

func exceptionsFor(in []provision, a Asker) (out []rule) {
	for i := range in {
		if p := &in[i]; p.runs(a.At) && p.concerns(a) {
			out = append(out, rule{deny: p.deny, terms: p.terms, exceptions: exceptionsFor(p.exceptions, a)})
		}
	}
	return out
}

func (p *provision) runs(at time.Time) bool {
	return !at.Before(p.from) && (p.until.IsZero() || at.Before(p.until))
}

// concerns reports whether a provision speaks of the asker and of what she wants to look for. Whom it names and this server does not know
// is everybody for a denial and nobody for a permission.
func (p *provision) concerns(a Asker) bool {
	who := len(p.actors) == 0 || slices.ContainsFunc(p.actors, func(ref string) bool { return ref == "" && p.deny || ref != "" && a.Is(ref) })
	what := len(p.purposes) == 0 || slices.ContainsFunc(p.purposes, func(code string) bool { return slices.Contains(a.Purposes, code) })
	return who && what
}

func (r *rule) mayDeny() bool {
	return r.deny || !r.terms.empty() || slices.ContainsFunc(r.exceptions, func(x rule) bool {
		return x.deny || slices.ContainsFunc(x.exceptions, func(y rule) bool { return y.mayDeny() })
	})
}

func (t *terms) empty() bool {
	return len(t.types) == 0 && len(t.codes) == 0 && len(t.labels) == 0 && len(t.levels) == 0 && len(t.data) == 0 && t.from.IsZero() && t.until.IsZero() && !t.odd
}

// Silent reports that the view withholds nothing, whatever the record.
func (v View) Silent() bool { return len(v.rules) == 0 }

// Withholds reports whether the view holds a record back. A nil document is one of which only the type is known: then it says true
// unless nothing of that type is held back. A Consent that holds something back from the asker is held back itself: it tells what.
func (v View) Withholds(typ string, d *document.Doc) bool {
	x := subject{typ: typ, doc: d, zone: v.zone}
	return slices.ContainsFunc(v.rules, func(r rule) bool {
		return typ == "Consent" && d != nil && d.ID() == r.id || !r.asked && r.denies(&x) != no
	})
}

// WithholdsAll reports whether the view holds back every record of a type.
func (v View) WithholdsAll(typ string) bool {
	x := subject{typ: typ}
	return slices.ContainsFunc(v.rules, func(r rule) bool { return !r.asked && r.denies(&x) == yes })
}

// truth is three-valued: a record of which not all is known may or may not fit.
type truth int8

const (
	no truth = iota
	maybe
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func not(t truth) truth { return yes - t }

// denies is the answer of an outermost rule. A permission denies what it does not speak of; exceptions come before it.
func (r *rule) denies(x *subject) truth {
	base := r.terms.fit(x, r.deny)
	if !r.deny {
		base = not(base)
	}
	return except(r.exceptions, base, x)
}

// except is base unless exceptions that fit say otherwise; a denial among them wins.
func except(exceptions []rule, base truth, x *subject) truth {
	denied, permitted := no, no
	for i := range exceptions {
		e := &exceptions[i]
		fits := e.terms.fit(x, e.deny)
		if fits == no {
			continue
		}
		says := except(e.exceptions, truthOf(e.deny), x)
		denied, permitted = max(denied, min(fits, says)), max(permitted, min(fits, not(says)))
	}
	return max(denied, min(not(permitted), base))
}

// subject is the record in question. Without a document only its type is known.
type subject struct {
	typ  string
	doc  *document.Doc
	zone *time.Location
}

// fit reports whether terms speak of a record. Terms that say more than is understood fit where they deny, and do not where they permit.
func (t *terms) fit(x *subject, deny bool) truth {
	out := yes
	if len(t.types) > 0 {
		out = truthOf(slices.Contains(t.types, x.typ))
	}
	if t.odd && !deny {
		return no
	}
	if out == no {
		return no
	}
	content := len(t.codes) > 0 || len(t.labels) > 0 || len(t.levels) > 0 || len(t.data) > 0 || !t.from.IsZero() || !t.until.IsZero()
	switch {
	case !content:
		return out
	case x.doc == nil:
		return maybe
	}
	if len(t.codes) > 0 {
		out = min(out, truthOf(x.codedAs(t.codes)))
	}
	if len(t.labels)+len(t.levels) > 0 {
		out = min(out, truthOf(x.labelled(t, deny)))
	}
	if len(t.data) > 0 {
		out = min(out, truthOf(slices.ContainsFunc(t.data, x.is)))
	}
	if !t.from.IsZero() || !t.until.IsZero() {
		at, known := fhir.MainDate(x.doc, x.zone)
		if !known {
			return min(out, maybe)
		}
		out = min(out, truthOf(!at.Before(t.from) && (t.until.IsZero() || at.Before(t.until))))
	}
	return out
}

// levels of confidentiality, from the lowest. Source: http://terminology.hl7.org/CodeSystem/v3-Confidentiality.
var levels = []string{"U", "L", "M", "N", "R", "V"}

// level is how confidential a record is: what it says, else restricted when it carries a sensitivity label, else normal.
func (x *subject) level() int {
	out := -1
	for coding := range x.doc.Root().Get("meta").Get("security").Items() {
		if strings.HasSuffix(coding.Get("system").Text(), "Confidentiality") {
			code := coding.Get("code").Text()
			if code == "S" || code == "T" { // the old codes for sensitive and taboo
				code = "R"
			}
			out = max(out, slices.Index(levels, code))
		}
	}
	if out >= 0 {
		return out
	}
	if len(fhir.Labels(x.doc)) > 0 {
		return slices.Index(levels, "R")
	}
	return slices.Index(levels, "N")
}

// labelled: a permission reaches up to a level, a denial from it on.
func (x *subject) labelled(t *terms, deny bool) bool {
	if len(t.levels) > 0 {
		level := x.level()
		if slices.ContainsFunc(t.levels, func(l int) bool { return deny && level >= l || !deny && level <= l }) {
			return true
		}
	}
	for coding := range x.doc.Root().Get("meta").Get("security").Items() {
		if slices.Contains(t.labels, coding.Get("code").Text()) {
			return true
		}
	}
	return false
}

// codedAs looks at every coding of the record but those of meta.
func (x *subject) codedAs(codes []string) bool {
	for part := range x.doc.Root().Fields() {
		if part.Name() == "meta" {
			continue
		}
		for n := range part.All() {
			if n.Kind() == document.Object && n.Get("code").Kind() == document.String && slices.Contains(codes, n.Get("system").Text()+"|"+n.Get("code").Text()) {
				return true
			}
		}
	}
	return false
}

// authors are the elements in which a record says whose word it is.
var authors = strings.Fields("author performer recorder asserter requester prescriber sender attester informationSource enterer resultsInterpreter participant collector")

// is reports whether a record is what a datum names: itself, what refers to it, or what somebody wrote.
func (x *subject) is(d datum) bool {
	self := x.typ+"/"+x.doc.ID() == d.ref
	switch d.meaning {
	case "instance":
		return self
	case "authoredby":
		return slices.ContainsFunc(authors, func(name string) bool { return refers(x.doc.Root().Get(name), d.ref) })
	}
	return self || refers(x.doc.Root(), d.ref)
}

func refers(n document.Node, to string) bool {
	if !n.Exists() {
		return false
	}
	for part := range n.All() {
		if part.Kind() == document.Object {
			if ref, ok := fhir.ParseReference(part.Get("reference").Text()); ok && ref.String() == to {
				return true
			}
		}
	}
	return false
}
