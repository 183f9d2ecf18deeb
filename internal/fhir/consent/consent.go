// Package consent reads what a patient agreed to or forbade, as a FHIR R4 Consent says it, and judges records by it. It does no I/O.
//
// A Consent counts while its status is active, its scope is patient-privacy and the period of its provision runs. Its provision says what
// is permitted or denied, to whom ([Asker]), for which purposes, and of which records; provisions inside it are exceptions. Among several
// Consents, and among exceptions at one level, a denial wins. A Consent only ever takes away: what it permits opens nothing that the rules
// of the house keep shut. What cannot be told is read as withheld.
//
// Sources: https://hl7.org/fhir/R4/consent.html; https://profiles.ihe.net/ITI/PCF (basic, intermediate and advanced consents). How each
// element is read: docs/formats/consent.md.
package consent

import (
	"slices"
	"strings"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

// Consent is one that counts, as [Read] understood it. It is immutable.
type Consent struct {
	id    string
	root  provision
	asked bool // for, and not agreed to: it withholds nothing but itself
}

// Groups are the references to Groups that its provisions name as actors, so that the caller can learn who is in them.
func (c *Consent) Groups() []string {
	var out []string
	c.root.each(func(p *provision) {
		for _, actor := range p.actors {
			if strings.HasPrefix(actor, "Group/") {
				out = append(out, actor)
			}
		}
	})
	return out
}

// provision is one rule with its exceptions.
type provision struct {
	deny        bool
	from, until time.Time // zero: no bound; until is exclusive
	actors      []string  // Practitioner/x and the like; none: anybody
	purposes    []string  // codes of v3-ActReason and others; none: any
	terms       terms
	exceptions  []provision
}

func (p *provision) each(visit func(*provision)) {
	visit(p)
	for i := range p.exceptions {
		p.exceptions[i].each(visit)
	}
}

// terms say of which records a provision speaks: all kinds that are given have to fit, one of each is enough.
type terms struct {
	types       []string
	codes       []string // system|code
	labels      []string // of sensitivity
	levels      []int    // of confidentiality
	data        []datum
	from, until time.Time // of what the record tells of
	odd         bool      // it says more than this program understands
}

type datum struct{ meaning, ref string }

// Unclear is an element of a Consent that this program cannot enforce as it is meant, and how to say it instead.
type Unclear struct{ At, Mend string }

// Read understands d, a Consent; false when it is none that counts: of another scope, or not active. Dates without a zone are the site's.
// What cannot be enforced as it is meant is listed; it is read as the stricter of what it could mean.
func Read(d *document.Doc, zone *time.Location) (*Consent, []Unclear, bool) {
	root := d.Root()
	if root.Get("status").Text() != "active" {
		return nil, nil, false
	}
	return read(d, zone)
}

// Asked understands a Consent that was asked for and not agreed to yet (proposed); false for any other. It withholds nothing but itself, and
// that from those whom it would restrict: they do not learn of it before it is agreed to.
func Asked(d *document.Doc, zone *time.Location) (*Consent, bool) {
	if d.Root().Get("status").Text() != "proposed" {
		return nil, false
	}
	c, _, ok := read(d, zone)
	if ok {
		c.asked = true
	}
	return c, ok
}

func read(d *document.Doc, zone *time.Location) (*Consent, []Unclear, bool) {
	root := d.Root()
	if d.Type() != "Consent" || !coded(root.Get("scope"), "patient-privacy") {
		return nil, nil, false
	}
	r := reader{zone: zone}
	c := &Consent{id: strings.Clone(d.ID())}
	p := root.Get("provision")
	c.root = r.provision(p, "Consent.provision")
	if p.Get("type").Text() == "" { // R4 leaves the base to the policy, unless the patient opted out
		c.root.deny = coded(root.Get("policyRule"), "OPTOUT") || coded(root.Get("policyRule"), "OPTOUTE")
		if !c.root.deny {
			c.root.terms, c.root.actors, c.root.purposes = terms{}, nil, nil
		}
	}
	if root.Get("modifierExtension").Exists() {
		r.unclear("Consent.modifierExtension", "leave it out: this server does not know what it changes")
		c.root.deny, c.root.terms = true, terms{}
	}
	return c, r.faults, true
}

func coded(concept document.Node, code string) bool {
	for coding := range concept.Get("coding").Items() {
		if coding.Get("code").Text() == code {
			return true
		}
	}
	return false
}

// reader understands the provisions of one Consent.
type reader struct {
	zone   *time.Location
	faults []Unclear
}

func (r *reader) unclear(at, mend string) { r.faults = append(r.faults, Unclear{at, mend}) }

func (r *reader) provision(n document.Node, at string) provision {
	p := provision{deny: n.Get("type").Text() == "deny"}
	p.from, p.until = r.period(n.Get("period"))
	p.terms.from, p.terms.until = r.period(n.Get("dataPeriod"))
	for actor := range n.Get("actor").Items() {
		p.actors = append(p.actors, r.actor(actor.Path("reference", "reference").Text(), at+".actor.reference"))
	}
	for purpose := range n.Get("purpose").Items() {
		p.purposes = append(p.purposes, strings.Clone(purpose.Get("code").Text()))
	}
	r.labels(&p.terms, n.Get("securityLabel"))
	for class := range n.Get("class").Items() {
		if typ := class.Get("code").Text(); fhir.IsResourceType(typ) {
			p.terms.types = append(p.terms.types, strings.Clone(typ))
		} else {
			p.terms.odd = true
			r.unclear(at+".class", "name a resource type of FHIR, such as Observation")
		}
	}
	for code := range n.Get("code").Items() {
		for coding := range code.Get("coding").Items() {
			p.terms.codes = append(p.terms.codes, coding.Get("system").Text()+"|"+coding.Get("code").Text())
		}
		if !code.Get("coding").Exists() {
			p.terms.odd = true
			r.unclear(at+".code", "give it a coding: this server compares codes, not words")
		}
	}
	for data := range n.Get("data").Items() {
		ref, ok := fhir.ParseReference(data.Path("reference", "reference").Text())
		meaning := data.Get("meaning").Text()
		if !ok || !slices.Contains(meanings, meaning) {
			p.terms.odd = true
			r.unclear(at+".data", "refer to a resource here, as Type/id, with the meaning instance, related, dependents or authoredby")
			continue
		}
		p.terms.data = append(p.terms.data, datum{strings.Clone(meaning), strings.Clone(ref.String())})
	}
	r.actions(&p.terms, n.Get("action"), at)
	if n.Get("modifierExtension").Exists() {
		p.terms.odd = true
		r.unclear(at+".modifierExtension", "leave it out: this server does not know what it changes")
	}
	for inner := range n.Get("provision").Items() {
		p.exceptions = append(p.exceptions, r.provision(inner, at+".provision"))
	}
	return p
}

var meanings = []string{"instance", "related", "dependents", "authoredby"}

// actorTypes are those whom this server can recognise in somebody who asks.
var actorTypes = []string{"Practitioner", "PractitionerRole", "Organization", "Group"}

func (r *reader) actor(text, at string) string {
	ref, ok := fhir.ParseReference(text)
	if !ok || !slices.Contains(actorTypes, ref.Type) {
		r.unclear(at, "name a Practitioner, a PractitionerRole, an Organization or a Group here, as Type/id")
		return ""
	}
	return strings.Clone(ref.String())
}

func (r *reader) labels(t *terms, list document.Node) {
	for label := range list.Items() {
		code := label.Get("code").Text()
		if level := slices.Index(levels, code); level >= 0 && !strings.HasSuffix(label.Get("system").Text(), "ActCode") {
			t.levels = append(t.levels, level)
		} else {
			t.labels = append(t.labels, strings.Clone(code))
		}
	}
}

// actions: what a provision speaks of has to be looking at data, which is what this server decides about by a Consent.
func (r *reader) actions(t *terms, list document.Node, at string) {
	looks, any := false, false
	for action := range list.Items() {
		any = true
		for _, code := range []string{"access", "use", "disclose"} {
			looks = looks || coded(action, code)
		}
	}
	if any && !looks {
		t.odd = true
		r.unclear(at+".action", "use access, use or disclose, or leave it out")
	}
}

// period reads both bounds; the later one holds to the end of its day, month or year.
func (r *reader) period(n document.Node) (from, until time.Time) {
	if start := n.Get("start").Text(); start != "" {
		from, _ = r.bounds(start)
	}
	if end := n.Get("end").Text(); end != "" {
		_, until = r.bounds(end)
	}
	return from, until
}

// bounds are the first moment of a dateTime and the first behind it.
func (r *reader) bounds(text string) (time.Time, time.Time) {
	for layout, next := range map[string][3]int{"2006": {1, 0, 0}, "2006-01": {0, 1, 0}, "2006-01-02": {0, 0, 1}} {
		if at, err := time.ParseInLocation(layout, text, r.zone); err == nil {
			return at, at.AddDate(next[0], next[1], next[2])
		}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, time.Time{}
	}
	return at, at.Add(time.Nanosecond)
}

// Unreadable stands for a Consent that is there and cannot be read: it denies everything to everybody.
func Unreadable() *Consent { return &Consent{root: provision{deny: true}} }
