package search

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"chartwarden/internal/outcome"
)

type queryParser struct {
	q       *Query
	strict  bool
	alone   bool
	site    site
	now     time.Time
	clauses []Clause
	links   []Link
	count   int // operands so far
	depth   int // chains around this one
}

// refuse names the parameter; its name is repeated only if it is a plain one, for a value may have slipped into its place.
func refuse(code outcome.Code, name, text string) *outcome.Error {
	return outcome.New(code, text).At("parameter " + shown(name))
}

func shown(name string) string {
	for _, r := range name {
		if !(r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_-:.", r)) {
			return "?"
		}
	}
	if name == "" || len(name) > 64 {
		return "?"
	}
	return name
}

func (p *queryParser) parameter(name string, values []string) error {
	switch name {
	case "_format", "_pretty", "_contained", "_containedType":
		if name == "_contained" && !slices.Equal(values, []string{"false"}) {
			return refuse(outcome.NotSupported, name, "contained resources are not searched: leave _contained out")
		}
		return nil
	case "_count", "_total", "_summary":
		if len(values) != 1 {
			return refuse(outcome.Invalid, name, "this parameter is given more than once: keep one")
		}
		return p.result(name, values[0])
	case "_sort", "_elements":
		for _, v := range values {
			if err := p.result(name, v); err != nil {
				return err
			}
		}
		return nil
	}
	bare, modifier, _ := strings.Cut(name, ":")
	switch {
	case bare == "_include" || bare == "_revinclude":
		for _, v := range values {
			if err := p.include(bare, modifier, v); err != nil {
				return err
			}
		}
		return nil
	case (bare == "_has" || strings.Contains(name, ".")) && p.alone:
		return refuse(outcome.NotSupported, name, "a condition on another resource (chaining, _has) cannot stand here: name the resource itself")
	case bare == "_has" || strings.Contains(name, "."):
		return p.link(name, values)
	}
	param, ok := Lookup(p.q.Type, bare)
	switch {
	case !ok && (p.strict || modifier != "" || bare == "_list" || bare == "_type"):
		return refuse(outcome.NotSupported, name, "no such search parameter of "+p.q.Type+": see the CapabilityStatement, or send Prefer: handling=lenient")
	case !ok:
		p.q.Ignored = append(p.q.Ignored, shown(name))
		return nil
	case !param.Supported:
		return refuse(outcome.NotSupported, name, "this search parameter is not supported here: leave it out")
	}
	for _, v := range values {
		c, err := p.clause(param, modifier, v)
		if err != nil {
			return err.At("parameter " + shown(name))
		}
		p.clauses = append(p.clauses, c)
	}
	return nil
}

// result reads the parameters that shape the answer.
func (p *queryParser) result(name, value string) error {
	switch name {
	case "_count":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return refuse(outcome.Invalid, name, "_count is a whole number, 0 or more")
		}
		p.q.Count = n
	case "_total":
		if !slices.Contains([]string{"none", "estimate", "accurate"}, value) {
			return refuse(outcome.Invalid, name, "_total is none, estimate or accurate")
		}
		p.q.Total = value
	case "_summary":
		if !slices.Contains([]string{"true", "text", "data", "count", "false"}, value) {
			return refuse(outcome.Invalid, name, "_summary is true, text, data, count or false")
		}
		p.q.Summary = value
	case "_elements":
		for e := range strings.SplitSeq(value, ",") {
			if e == "" || shown(e) == "?" || strings.ContainsAny(e, ":.") {
				return refuse(outcome.Invalid, name, "_elements lists names of top-level elements, with commas between")
			}
			p.q.Elements = append(p.q.Elements, e)
		}
	case "_sort":
		return p.sort(value)
	}
	return nil
}

func (p *queryParser) sort(value string) error {
	for key := range strings.SplitSeq(value, ",") {
		if len(p.q.Sort) >= maxSorts {
			return refuse(outcome.TooCostly, "_sort", "too many keys to sort by: at most 16")
		}
		name, descending := strings.CutPrefix(key, "-")
		param, ok := Lookup(p.q.Type, name)
		switch {
		case ok && param.Supported && param.Type != Composite:
			p.q.Sort = append(p.q.Sort, Sort{param, descending})
		case ok || p.strict || name == "" || name == "_score":
			return refuse(outcome.NotSupported, "_sort", "results cannot be sorted by this: name supported search parameters, with - before the name to go down")
		default:
			if !slices.Contains(p.q.Ignored, "_sort") {
				p.q.Ignored = append(p.q.Ignored, "_sort")
			}
		}
	}
	return nil
}

// clause reads one value of a parameter: operands with commas between.
func (p *queryParser) clause(param *Param, modifier, value string) (Clause, *outcome.Error) {
	c := Clause{Param: param, Modifier: Modifier(modifier)}
	kind := ""
	switch {
	case modifier == "" || slices.Contains(modifiers[param.Type], c.Modifier):
	case param.Type == Reference && catalogue()[modifier] != nil:
		if !param.targets(modifier) {
			return c, outcome.New(outcome.Invalid, "this parameter never refers to resources of that type: see its targets in the CapabilityStatement")
		}
		kind, c.Modifier = modifier, NoModifier
	default:
		return c, outcome.New(outcome.NotSupported, "this modifier is not supported for a parameter of type "+string(param.Type)+": leave it out")
	}
	if !utf8.ValidString(value) {
		return c, outcome.New(outcome.Invalid, "the value is not UTF-8: encode it as UTF-8, then escape it for the URL")
	}
	if c.Modifier == ModifierMissing {
		if p.count++; p.count > maxOperands {
			return c, tooMany
		}
		if value != "true" && value != "false" {
			return c, outcome.New(outcome.Invalid, "with :missing the value is true or false")
		}
		c.Missing = value == "true"
		return c, nil
	}
	for _, text := range split(value, ',') {
		if p.count++; p.count > maxOperands {
			return c, tooMany
		}
		if strings.TrimSpace(text) == "" {
			return c, outcome.New(outcome.Invalid, "a value is empty: write one, or leave the parameter out (name:missing=true finds what has none)")
		}
		op, err := p.operand(param, c.Modifier, kind, text)
		if err != nil {
			return c, err
		}
		c.Any = append(c.Any, op)
	}
	slices.SortStableFunc(c.Any, func(a, b Operand) int { return strings.Compare(a.literal, b.literal) })
	c.Any = slices.CompactFunc(c.Any, func(a, b Operand) bool { return a.literal == b.literal })
	return c, nil
}

var tooMany = outcome.New(outcome.TooCostly, "too many values in one search: at most 2000, split it into several")

// split cuts at separators that no backslash precedes; the backslashes stay.
func split(s string, at byte) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case at:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// unescape takes the backslash from \, \| \$ and \\. Source: https://hl7.org/fhir/R4/search.html#escaping.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return unescaper.Replace(s)
}

func escape(s string) string {
	if !strings.ContainsAny(s, `\,|$`) {
		return s
	}
	return escaper.Replace(s)
}

var (
	unescaper = strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\|`, `|`, `\$`, `$`)
	escaper   = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)
)
