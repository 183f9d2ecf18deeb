package search

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

// Link is a condition on another resource: on one that a reference of this one names (a chain, subject:Patient.family=x), or, Reversed,
// on one that refers to this one (_has:Observation:subject:code=x). It holds when any of Queries finds such a resource.
// Source: https://hl7.org/fhir/R4/search.html#chaining.
type Link struct {
	Param    *Param // the reference: of this type, or of the type of the one query when Reversed
	Reversed bool
	Queries  []*Query // one for each type that the reference may name; one alone when Reversed
	name     string   // as written, without the value
}

// Include asks for further resources beside those that a query finds: what they refer to, or, Reversed, what refers to them.
// Source: https://hl7.org/fhir/R4/search.html#include.
type Include struct {
	Type     string // of the resources that refer
	Param    *Param // by which they do; nil for every reference of Type
	Target   string // only resources of that type; "" for all
	Reversed bool
	Iterate  bool // also from and to resources that were included
}

const (
	maxDepth    = 4
	maxIncludes = 32
)

// Links lists the conditions on other resources. [Match] does not look at them: whoever has the other resources asks each of
// Link.Queries. Do not change them, and do not print what they hold.
func (q *Query) Links() []Link { return q.links() }

// link reads a chain or a _has: name up to the inner parameter, and what that one is asked for.
func (p *queryParser) link(name string, values []string) error {
	if p.depth == maxDepth {
		return refuse(outcome.TooCostly, name, "at most four resources can be chained: search in two steps")
	}
	for _, value := range values {
		l, err := p.oneLink(name, value)
		if err != nil { // the fault lies somewhere in the chain: name it as it was written
			return outcome.Wrap("search: chain", outcome.Invalid, "", err).At("parameter " + shown(name))
		}
		p.links = append(p.links, l)
	}
	return nil
}

func (p *queryParser) oneLink(name, value string) (Link, error) {
	if strings.HasPrefix(name, "_has:") {
		return p.reverse(name, value)
	}
	head, rest, _ := strings.Cut(name, ".")
	bare, kind, _ := strings.Cut(head, ":")
	param, ok := Lookup(p.q.Type, bare)
	switch {
	case !ok || !param.Supported:
		return Link{}, refuse(outcome.NotSupported, name, "no such search parameter of "+p.q.Type+": see the CapabilityStatement")
	case param.Type != Reference:
		return Link{}, refuse(outcome.Invalid, name, "only a parameter of type reference can be chained: write reference:Type.parameter=value")
	case kind != "" && (catalogue()[kind] == nil || !param.targets(kind)):
		return Link{}, refuse(outcome.Invalid, name, "this parameter never refers to resources of that type: see its targets in the CapabilityStatement")
	}
	kinds := []string{kind}
	if kind == "" {
		if kinds = param.Targets; len(kinds) == 0 || kinds[0] == "*" {
			return Link{}, refuse(outcome.Invalid, name, "this reference may name anything: say what, as in "+shown(bare)+":Patient.name")
		}
	}
	l := Link{Param: param, name: head + "." + plainName(rest)}
	var first error
	for _, k := range kinds {
		q, err := p.inner(k, rest, value)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		l.Queries = append(l.Queries, q)
	}
	if len(l.Queries) == 0 {
		return Link{}, first
	}
	return l, nil
}

// reverse reads _has:Type:reference:parameter.
func (p *queryParser) reverse(name, value string) (Link, error) {
	f := strings.SplitN(name, ":", 4)
	if len(f) != 4 {
		return Link{}, refuse(outcome.Invalid, "_has", "write _has:Type:reference:parameter=value, as in _has:Observation:patient:code=x")
	}
	param, ok := Lookup(f[1], f[2])
	switch {
	case catalogue()[f[1]] == nil || !ok || !param.Supported || param.Type != Reference:
		return Link{}, refuse(outcome.NotSupported, "_has", "the second part is a resource type and the third a reference parameter of it, as in _has:Observation:patient:code=x")
	case !param.targets(p.q.Type):
		return Link{}, refuse(outcome.Invalid, "_has", "that parameter never refers to a "+p.q.Type)
	}
	q, err := p.inner(f[1], f[3], value)
	if err != nil {
		return Link{}, err
	}
	return Link{Param: param, Reversed: true, Queries: []*Query{q}, name: "_has:" + f[1] + ":" + f[2] + ":" + plainName(f[3])}, nil
}

// plainName is a name that may be printed: a value may have slipped into it.
func plainName(name string) string { return shown(strings.ReplaceAll(name, "?", "")) }

// inner reads the condition on the other resource.
func (p *queryParser) inner(resourceType, name, value string) (*Query, error) {
	bare, _, _ := strings.Cut(name, ":")
	switch {
	case name == "":
		return nil, refuse(outcome.Invalid, name, "the chain ends without a parameter: write reference:Type.parameter=value")
	case slices.Contains(shaping, bare):
		return nil, refuse(outcome.Invalid, bare, "this shapes the answer and cannot stand in a chain")
	}
	in := &queryParser{q: &Query{Type: resourceType, Count: -1}, strict: true, site: p.site, now: p.now, count: p.count, depth: p.depth + 1}
	if err := in.parameter(name, []string{value}); err != nil {
		return nil, err
	}
	p.count = in.count
	return in.query(), nil
}

// shaping are the parameters that say how the answer looks, not what it holds.
var shaping = []string{"_format", "_pretty", "_contained", "_containedType", "_count", "_total", "_summary", "_sort", "_elements", "_include", "_revinclude"}

// include reads _include or _revinclude.
func (p *queryParser) include(name, modifier, value string) error {
	in := Include{Reversed: name == "_revinclude", Iterate: modifier == "iterate"}
	if modifier != "" && !in.Iterate {
		return refuse(outcome.NotSupported, name, "the only modifier here is :iterate")
	}
	if len(p.q.Includes) == maxIncludes {
		return refuse(outcome.TooCostly, name, "at most 32 inclusions in one search")
	}
	f := strings.Split(value, ":")
	if value == "*" && !in.Reversed {
		f = []string{p.q.Type, "*"}
	}
	if len(f) < 2 || len(f) > 3 || catalogue()[f[0]] == nil {
		return refuse(outcome.Invalid, name, "write Type:reference or Type:reference:TargetType, as in Encounter:subject")
	}
	in.Type = f[0]
	if f[1] != "*" || in.Reversed {
		param, ok := Lookup(f[0], f[1])
		if !ok || !param.Supported || param.Type != Reference {
			return refuse(outcome.NotSupported, name, "that is no reference parameter of "+f[0]+": see the CapabilityStatement")
		}
		in.Param = param
	}
	if len(f) == 3 {
		if in.Target = f[2]; catalogue()[in.Target] == nil || in.Param != nil && !in.Param.targets(in.Target) {
			return refuse(outcome.Invalid, name, "that reference never names resources of that type: see its targets in the CapabilityStatement")
		}
	}
	if in.Reversed && !in.Param.targets(p.q.Type) && !in.Iterate {
		return refuse(outcome.Invalid, name, "that parameter never refers to a "+p.q.Type)
	}
	if !slices.Contains(p.q.Includes, in) {
		p.q.Includes = append(p.q.Includes, in)
	}
	return nil
}

func (l Link) normal() string {
	parts := make([]string, len(l.Queries))
	for i, q := range l.Queries {
		parts[i] = q.Normalised()
	}
	return l.name + "(" + strings.Join(parts, "|") + ")"
}

// String is the name of the link, without what it is asked for.
func (l Link) String() string { return l.name }

// Format prints [Link.String] for every verb.
func (l Link) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// LogValue is [Link.String].
func (l Link) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalText is [Link.String].
func (l Link) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
