package search

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

// Prefix compares ordered values.
type Prefix string

// The prefixes of R4. Source: https://hl7.org/fhir/R4/search.html#prefix.
const (
	Eq Prefix = "eq"
	Ne Prefix = "ne"
	Gt Prefix = "gt"
	Lt Prefix = "lt"
	Ge Prefix = "ge"
	Le Prefix = "le"
	Sa Prefix = "sa" // starts after
	Eb Prefix = "eb" // ends before
	Ap Prefix = "ap" // about: a tenth of the number, or of the time between now and the date
)

var prefixes = []Prefix{Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap}

// Operand is what a clause looks for, stated in the fields of a [Value]. A number's Low and High are its implicit precision, or with
// Ap the range that counts as near; so are a date's From and To. A reference given by its bare id has no Kind.
type Operand struct {
	Prefix Prefix // of dates, numbers and quantities; never empty there
	Value
	Exact      float64   // the number itself
	AnySystem  bool      // of tokens and quantities: the system was not given, so none is asked for
	AnyCode    bool      // of tokens: the system alone was given; of quantities: no unit was
	Components []Operand // of a composite
	literal    string    // normal form of the text
}

// Format prints the parameter's name for every verb.
func (o Operand) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.String()) }

// LogValue is the parameter's name.
func (o Operand) LogValue() slog.Value { return slog.StringValue(o.String()) }

func invalid(text string) *outcome.Error { return outcome.New(outcome.Invalid, text) }

// operand reads one value, in which separators are still escaped. kind is the resource type of the modifier of a reference.
func (p *queryParser) operand(param *Param, m Modifier, kind, text string) (Operand, *outcome.Error) {
	switch param.Type {
	case Token:
		return tokenOperand(param, m, text)
	case Date:
		return p.dateOperand(param, text)
	case String:
		s := unescape(text)
		op := Operand{Value: Value{Param: param, Text: s, Folded: fold(s)}, literal: escape(s)}
		if m != ModifierExact {
			op.literal = escape(op.Folded)
		}
		if op.Folded == "" {
			return op, invalid("the text holds no letter or digit to look for")
		}
		return op, nil
	case Number:
		return numberOperand(param, text)
	case Quantity:
		return quantityOperand(param, text)
	case Reference:
		if m == ModifierIdentifier {
			return tokenOperand(param, m, text)
		}
		return p.referenceOperand(param, kind, unescape(text))
	case URI:
		op := Operand{Value: Value{Param: param}}
		op.URL, op.Version, _ = strings.Cut(unescape(text), "|")
		op.literal = escape(unescape(text))
		if op.URL == "" {
			return op, invalid("write a URL or URN")
		}
		return op, nil
	case Composite:
		return p.compositeOperand(param, text)
	}
	return Operand{}, outcome.New(outcome.NotSupported, "this search parameter is not supported here: leave it out")
}

func parts(text string) []string {
	out := split(text, '|')
	for i := range out {
		out[i] = unescape(out[i])
	}
	return out
}

func joined(of ...string) string {
	var b strings.Builder
	for i, s := range of {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(escape(s))
	}
	return b.String()
}

func tokenOperand(param *Param, m Modifier, text string) (Operand, *outcome.Error) {
	op := Operand{Value: Value{Param: param}}
	if m == ModifierText {
		op.Folded = fold(unescape(text))
		op.literal = escape(op.Folded)
		for range wordsOf(op.Folded) {
			return op, nil
		}
		return op, invalid("the text holds no word to look for")
	}
	switch f := parts(text); {
	case m == ModifierOfType && len(f) == 3 && f[1] != "" && f[2] != "":
		op.Kinds, op.Code, op.literal = []Coding{{f[0], f[1]}}, f[2], joined(f...)
	case m == ModifierOfType:
		return op, invalid("with :of-type write the system and code of the identifier's type and the value: system|code|value")
	case len(f) == 1:
		op.AnySystem, op.Code, op.literal = true, f[0], joined(f[0])
	case len(f) == 2 && (f[0] != "" || f[1] != ""):
		op.System, op.Code, op.AnyCode, op.literal = f[0], f[1], f[1] == "", joined(f...)
	default:
		return op, invalid(`write system|code, |code, system| or code, and a vertical bar inside as \|`)
	}
	return op, nil
}

// cutPrefix takes the prefix; it is followed by a digit, a sign or a point, so that it cannot be mistaken.
func cutPrefix(text string) (Prefix, string) {
	if len(text) > 2 && slices.Contains(prefixes, Prefix(text[:2])) {
		return Prefix(text[:2]), text[2:]
	}
	return Eq, text
}

func (p *queryParser) dateOperand(param *Param, text string) (Operand, *outcome.Error) {
	op := Operand{Value: Value{Param: param}}
	var rest string
	op.Prefix, rest = cutPrefix(unescape(text))
	from, to, ok := parseDate(rest, p.site.zone)
	if !ok {
		return op, invalid("not a date: write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+hh:mm (the plus as %2B), with eq ne gt lt ge le sa eb or ap before it")
	}
	op.literal = string(op.Prefix) + strings.Replace(rest, " ", "+", 1)
	if op.Prefix == Ap {
		now := p.now.UnixMicro()
		gap := max(now-to, from-now, 0) / 10
		from, to = from-gap, to+gap
	}
	op.From, op.To = from, to
	return op, nil
}

func (op *Operand) number(text string) bool {
	var rest string
	op.Prefix, rest = cutPrefix(text)
	x, ok := parseNumber(rest)
	op.Exact, op.Low, op.High = x.exact, x.low, x.high
	if op.Prefix == Ap {
		near := max(x.exact, -x.exact) / 10
		op.Low, op.High = min(op.Low, x.exact-near), max(op.High, x.exact+near)
	}
	op.literal = string(op.Prefix) + strings.TrimPrefix(strings.ToLower(rest), "+")
	return ok
}

func numberOperand(param *Param, text string) (Operand, *outcome.Error) {
	op := Operand{Value: Value{Param: param}}
	if !op.number(unescape(text)) {
		return op, invalid("not a number: write digits with a point, such as 5.40 or 5.4e-3, with eq ne gt lt ge le sa eb or ap before it")
	}
	return op, nil
}

func quantityOperand(param *Param, text string) (Operand, *outcome.Error) {
	op := Operand{Value: Value{Param: param}, AnySystem: true, AnyCode: true}
	f := parts(text)
	if !op.number(f[0]) || len(f) != 1 && len(f) != 3 {
		return op, invalid("not a quantity: write number, number|system|code or number||unit, with eq ne gt lt ge le sa eb or ap before it")
	}
	if len(f) == 3 {
		op.System, op.Code = f[1], f[2]
		op.AnySystem, op.AnyCode = f[1] == "", f[2] == ""
		if !op.AnySystem || !op.AnyCode {
			op.literal += "|" + joined(f[1:]...)
		}
	}
	return op, nil
}

func (p *queryParser) referenceOperand(param *Param, kind, s string) (Operand, *outcome.Error) {
	op := Operand{Value: Value{Param: param}}
	if isID(s) {
		op.Kind, op.ID = kind, s
		if kind == "" && len(param.Targets) == 1 && param.Targets[0] != "*" {
			op.Kind = param.Targets[0]
		}
	} else {
		var version bool
		op.URL, op.Version, version = strings.Cut(s, "|")
		if t := parseReference(op.URL, p.site.base); !version {
			op.Kind, op.ID, op.URL = t.kind, t.id, t.url
		}
		switch {
		case op.ID == "" && !strings.Contains(op.URL, ":"):
			return op, invalid("not a reference: write the id, Type/id or a URL")
		case op.ID != "" && !param.targets(op.Kind), kind != "" && op.Kind != kind && (op.ID != "" || op.Kind != ""):
			return op, invalid("this parameter does not refer to resources of that type: see its targets in the CapabilityStatement")
		case op.ID == "":
			op.Kind = kind
		}
	}
	if op.literal = escape(op.Kind + "/" + op.ID); op.ID == "" {
		op.literal = escape(op.Kind) + "/" + joined(op.URL, op.Version)
	}
	return op, nil
}

func (p *queryParser) compositeOperand(param *Param, text string) (Operand, *outcome.Error) {
	op := Operand{Value: Value{Param: param}}
	f := split(text, '$')
	if len(f) != len(param.Components) {
		names := make([]string, len(param.Components))
		for i, c := range param.Components {
			names[i] = c.Name
		}
		return op, invalid("this parameter combines several: write " + strings.Join(names, "$") + ` with their values in place of the names, and a dollar inside a value as \$`)
	}
	literals := make([]string, len(f))
	for i, c := range param.Components {
		if f[i] == "" {
			return op, invalid("a part of the combination is empty: write all of them, with $ between")
		}
		part, err := p.operand(c, NoModifier, "", f[i])
		if err != nil {
			return op, err
		}
		op.Components = append(op.Components, part)
		literals[i] = part.literal
	}
	op.literal = strings.Join(literals, "$")
	return op, nil
}
