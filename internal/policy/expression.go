package policy

import (
	"slices"
	"strings"
)

// The language of a compiled filter: what is left of a rule once person, action and circumstances are known. It is sealed: whatever
// the compiler does not know is refused there, so nothing is evaluated by guess.
//
// An expression can fail like the engine's: reading a time that is not set, say. Failure is never false, or a forbid would be lost.
type truth int8

const (
	no truth = iota
	yes
	fails
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// pair is one candidate: a record and, where it belongs to a chart, how the asker stands to it.
type pair struct {
	resource *Resource
	relation *Relation
}

type expression interface {
	eval(pair) truth
	onlyRelation() bool // needs no resource: folds away once the relation is known
}

type (
	constant truth
	negation struct{ of expression }
	both     struct{ left, right expression }
	either   struct{ left, right expression }

	// relationFlag is a Bool of the relation; resourceFlag one of the record.
	relationFlag struct{ get func(*Relation) bool }
	resourceFlag struct{ get func(*Resource) bool }
	// isDirectory tells data of no patient from a chart's.
	isDirectory struct{}
	// timeSet is `has`; before compares two instants, each a constant or a time of the relation plus an offset.
	timeSet struct{ get instant }
	before  struct {
		left, right instant
		orEqual     bool
	}
	// textIn is a text of the record among words, labelIn a word among the labels.
	textIn struct {
		get   func(*Resource) string
		words []string
	}
	labelIn struct{ word string }
	// labelsWithin: every label of the record is among words. flagIn: a word among the flags; noFlags: there is none.
	labelsWithin struct{ words []string }
	flagIn       struct{ word string }
	noFlags      struct{}
	// grantedIn: a text of the record is among what was granted.
	grantedIn struct{ get func(*Resource) string }
	// orderTo: an open order for one of these departments.
	orderTo struct{ departments []string }
)

// instant is a moment in Unix milliseconds: get(relation) + shift, or shift alone where get is nil.
type instant struct {
	get   func(*Relation) (int64, bool)
	shift int64
}

func (i instant) at(r *Relation) (int64, bool) {
	if i.get == nil {
		return i.shift, true
	}
	t, ok := i.get(r)
	return t + i.shift, ok
}

func (c constant) eval(pair) truth { return truth(c) }

func (n negation) eval(p pair) truth {
	switch n.of.eval(p) {
	case yes:
		return no
	case no:
		return yes
	}
	return fails
}

// both and either stop at the left side as the engine does, so a guard on the left keeps the right from failing.
func (b both) eval(p pair) truth {
	if l := b.left.eval(p); l != yes {
		return l
	}
	return b.right.eval(p)
}

func (e either) eval(p pair) truth {
	if l := e.left.eval(p); l != no {
		return l
	}
	return e.right.eval(p)
}

func (f relationFlag) eval(p pair) truth { return truthOf(f.get(p.relation)) }
func (f resourceFlag) eval(p pair) truth { return truthOf(f.get(p.resource)) }
func (isDirectory) eval(p pair) truth    { return truthOf(p.resource.PatientKey == "") }
func (t timeSet) eval(p pair) truth      { _, ok := t.get.at(p.relation); return truthOf(ok) }
func (b before) eval(p pair) truth {
	l, okLeft := b.left.at(p.relation)
	r, okRight := b.right.at(p.relation)
	if !okLeft || !okRight {
		return fails
	}
	return truthOf(l < r || b.orEqual && l == r)
}
func (t textIn) eval(p pair) truth  { return truthOf(slices.Contains(t.words, t.get(p.resource))) }
func (l labelIn) eval(p pair) truth { return truthOf(slices.Contains(p.resource.Labels, l.word)) }
func (l labelsWithin) eval(p pair) truth {
	return truthOf(!slices.ContainsFunc(p.resource.Labels, func(x string) bool { return !slices.Contains(l.words, x) }))
}
func (f flagIn) eval(p pair) truth { return truthOf(slices.Contains(p.relation.Flags, f.word)) }
func (noFlags) eval(p pair) truth  { return truthOf(len(p.relation.Flags) == 0) }
func (o orderTo) eval(p pair) truth {
	return truthOf(slices.ContainsFunc(o.departments, func(d string) bool { return slices.Contains(p.relation.OrderDepts, d) }))
}

func (g grantedIn) eval(p pair) truth {
	return truthOf(slices.Contains(p.relation.Granted, g.get(p.resource)))
}

func (constant) onlyRelation() bool     { return true }
func (n negation) onlyRelation() bool   { return n.of.onlyRelation() }
func (b both) onlyRelation() bool       { return b.left.onlyRelation() && b.right.onlyRelation() }
func (e either) onlyRelation() bool     { return e.left.onlyRelation() && e.right.onlyRelation() }
func (relationFlag) onlyRelation() bool { return true }
func (resourceFlag) onlyRelation() bool { return false }
func (isDirectory) onlyRelation() bool  { return false }
func (timeSet) onlyRelation() bool      { return true }
func (before) onlyRelation() bool       { return true }
func (textIn) onlyRelation() bool       { return false }
func (labelIn) onlyRelation() bool      { return false }
func (labelsWithin) onlyRelation() bool { return false }
func (flagIn) onlyRelation() bool       { return true }
func (noFlags) onlyRelation() bool      { return true }
func (orderTo) onlyRelation() bool      { return true }
func (grantedIn) onlyRelation() bool    { return false }

// fold replaces what r already decides by its value. The order of evaluation stays, and with it which failures are reached.
func fold(e expression, r *Relation) expression {
	if e.onlyRelation() {
		return constant(e.eval(pair{relation: r}))
	}
	switch x := e.(type) {
	case negation:
		return negation{fold(x.of, r)}
	case both:
		left, right := fold(x.left, r), fold(x.right, r)
		if c, ok := left.(constant); ok {
			if truth(c) == yes {
				return right
			}
			return left
		}
		return both{left, right}
	case either:
		left, right := fold(x.left, r), fold(x.right, r)
		if c, ok := left.(constant); ok {
			if truth(c) == no {
				return right
			}
			return left
		}
		return either{left, right}
	case grantedIn:
		if len(r.Granted) == 0 {
			return constant(no)
		}
		return textIn{x.get, r.Granted}
	}
	return e
}

// describe prints an expression for tests and for people who wonder what a filter asks.
func describe(e expression) string {
	switch x := e.(type) {
	case constant:
		return [...]string{"no", "yes", "fails"}[x]
	case negation:
		return "not " + describe(x.of)
	case both:
		return "(" + describe(x.left) + " and " + describe(x.right) + ")"
	case either:
		return "(" + describe(x.left) + " or " + describe(x.right) + ")"
	case textIn:
		return "one of " + strings.Join(x.words, "|")
	case labelIn:
		return "labelled " + x.word
	case labelsWithin:
		return "labels within " + strings.Join(x.words, "|")
	case grantedIn:
		return "granted"
	case isDirectory:
		return "directory"
	case resourceFlag:
		return "flag of the record"
	}
	return "relation"
}
