package search

import (
	"slices"
	"strings"
)

// matches reports whether the values of the clause's parameter satisfy it.
func (c *Clause) matches(values []Value) bool {
	if c.Modifier == ModifierMissing {
		return c.Missing == (len(values) == 0)
	}
	for i := range values {
		for j := range c.Any {
			if c.Any[j].finds(&values[i], c.Modifier) {
				return c.Modifier != ModifierNot
			}
		}
	}
	return c.Modifier == ModifierNot
}

// finds reports whether v is what o looks for. With ModifierNot it answers as without: the complement is of all values together.
func (o *Operand) finds(v *Value, m Modifier) bool {
	switch o.Param.Type {
	case Token:
		return o.findsToken(v, m)
	case Date:
		return o.Prefix.dates(o.From, o.To, v.From, v.To)
	case String:
		switch m {
		case ModifierExact:
			return v.Text == o.Text
		case ModifierContains:
			return strings.Contains(v.Folded, o.Folded)
		}
		return strings.HasPrefix(v.Folded, o.Folded)
	case Number:
		return o.numbers(v)
	case Quantity:
		return o.findsUnit(v) && o.numbers(v)
	case Reference:
		if m == ModifierIdentifier {
			return o.findsToken(v, m)
		}
		return o.findsReference(v)
	case URI:
		return o.findsURI(v, m)
	case Composite:
		for i := range o.Components {
			if !slices.ContainsFunc(v.Parts[i], func(part Value) bool { return o.Components[i].finds(&part, NoModifier) }) {
				return false
			}
		}
		return true
	}
	return false
}

func (o *Operand) findsToken(v *Value, m Modifier) bool {
	switch m {
	case ModifierText:
		return v.Text != "" && beginWords(fold(v.Text), o.Folded)
	case ModifierOfType:
		return v.Code == o.Code && slices.ContainsFunc(v.Kinds, func(k Coding) bool {
			return k.Code == o.Kinds[0].Code && (o.Kinds[0].System == "" || k.System == o.Kinds[0].System)
		})
	}
	if !o.AnySystem && v.System != o.System {
		return false
	}
	return o.AnyCode || v.Code != "" && (v.Code == o.Code || v.IgnoreCase && strings.EqualFold(v.Code, o.Code))
}

// dates compares the interval of a value with that of the query. Source: https://hl7.org/fhir/R4/search.html#prefix.
func (p Prefix) dates(from, to, valueFrom, valueTo int64) bool {
	within := from <= valueFrom && valueTo <= to
	switch p {
	case Eq:
		return within
	case Ne:
		return !within
	case Gt:
		return valueTo > to
	case Lt:
		return valueFrom < from
	case Ge:
		return valueTo > to || within
	case Le:
		return valueFrom < from || within
	case Sa:
		return valueFrom >= to
	case Eb:
		return valueTo <= from
	case Ap:
		return valueFrom < to && valueTo > from
	}
	return false
}

// numbers compares a value with the query's number. Only eq, ne and ap know its precision.
func (o *Operand) numbers(v *Value) bool {
	within := o.Low <= v.Low && v.High <= o.High
	switch o.Prefix {
	case Eq:
		return within
	case Ne:
		return !within
	case Gt:
		return v.High > o.Exact
	case Lt:
		return v.Low < o.Exact
	case Ge:
		return v.High >= o.Exact
	case Le:
		return v.Low <= o.Exact
	case Sa:
		return v.Low > o.Exact
	case Eb:
		return v.High < o.Exact
	case Ap:
		return v.Low <= o.High && v.High >= o.Low
	}
	return false
}

// findsUnit compares units as written: without a system the code or the printed unit will do.
func (o *Operand) findsUnit(v *Value) bool {
	if !o.AnySystem && v.System != o.System {
		return false
	}
	return o.AnyCode || v.Code == o.Code || o.AnySystem && v.Text == o.Code
}

func (o *Operand) findsReference(v *Value) bool {
	if o.ID != "" {
		return v.ID == o.ID && (o.Kind == "" || v.Kind == o.Kind)
	}
	return v.URL != "" && v.URL == o.URL && (o.Kind == "" || v.Kind == o.Kind) && (o.Version == "" || v.Version == o.Version)
}

func (o *Operand) findsURI(v *Value, m Modifier) bool {
	switch m {
	case ModifierBelow:
		return below(v.URL, o.URL)
	case ModifierAbove:
		return below(o.URL, v.URL)
	}
	return v.URL == o.URL && (o.Version == "" || v.Version == o.Version)
}

// below reports whether url is parent or lies below it, whole path segments counting.
func below(url, parent string) bool {
	rest, ok := strings.CutPrefix(url, parent)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(parent, "/"))
}
