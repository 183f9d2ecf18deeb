package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A step is one stage of a compiled path.
type step struct {
	kind  stepKind
	name  string // element, type, or property of a condition
	value string // value of a condition; URL of an extension
}

type stepKind int

const (
	child        stepKind = iota // .name
	first                        // [0]
	ofType                       // as T, .as(T), .ofType(T)
	resolveIs                    // .where(resolve() is T)
	whereEq                      // .where(name='value')
	hasExtension                 // .where(hasExtension('value'))
	extension                    // .extension('value')
	present                      // .exists() and path != false
	resource                     // %resource
)

// parseUnion parses the part of FHIRPath that search parameters use. Anything else is an error, so that a new release of the
// definitions cannot be compiled wrongly in silence.
func parseUnion(expression string) ([][]step, error) {
	p := &parser{tokens: lexical.FindAllString(expression, -1)}
	var out [][]step
	for {
		term := p.term()
		if p.err != nil {
			return nil, fmt.Errorf("%s: %w", expression, p.err)
		}
		out = append(out, term)
		if p.peek() == "" {
			return out, nil
		}
		p.expect("|")
	}
}

var lexical = regexp.MustCompile(`[A-Za-z_]\w*|'[^']*'|\d+|\S`)

type parser struct {
	tokens []string
	err    error
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) expect(tokens ...string) {
	for _, want := range tokens {
		if got := p.next(); got != want && p.err == nil {
			p.err = fmt.Errorf("%q where %q was expected", got, want)
		}
	}
}

func (p *parser) name() string {
	t := p.next()
	if (t == "" || !isLetter(t[0])) && p.err == nil {
		p.err = fmt.Errorf("%q where a name was expected", t)
	}
	return t
}

func (p *parser) text() string {
	t := p.next()
	if (len(t) < 2 || t[0] != '\'') && p.err == nil {
		p.err = fmt.Errorf("%q where a text was expected", t)
	}
	return strings.Trim(t, "'")
}

// term is a path, a path in brackets with a type, or the one test for presence.
func (p *parser) term() []step {
	out := p.path()
	if p.peek() == "as" {
		p.next()
		out = append(out, step{kind: ofType, name: p.name()})
	}
	if len(out) > 0 && out[len(out)-1].kind == present {
		p.expect("and")
		again := p.path()
		p.expect("!", "=", "false")
		if fmt.Sprint(again) != fmt.Sprint(out[:len(out)-1]) && p.err == nil {
			p.err = fmt.Errorf("presence of one path and value of another")
		}
	}
	return out
}

func (p *parser) path() []step {
	var out []step
	switch p.peek() {
	case "(":
		p.next()
		out = p.path()
		p.expect("as")
		out = append(out, step{kind: ofType, name: p.name()})
		p.expect(")")
	case "%":
		p.next()
		p.expect("resource")
		out = append(out, step{kind: resource})
	default:
		out = append(out, step{kind: child, name: p.name()})
	}
	for p.err == nil {
		switch p.peek() {
		case ".":
			p.next()
			out = append(out, p.step())
		case "[":
			p.next()
			p.expect("0", "]")
			out = append(out, step{kind: first})
		default:
			return out
		}
	}
	return out
}

func (p *parser) step() step {
	name := p.name()
	if p.peek() != "(" {
		return step{kind: child, name: name}
	}
	p.next()
	var s step
	switch name {
	case "as", "ofType":
		s = step{kind: ofType, name: p.name()}
	case "extension":
		s = step{kind: extension, value: p.text()}
	case "exists":
		s = step{kind: present}
	case "where":
		s = p.condition()
	default:
		p.err = fmt.Errorf("unknown function %s", name)
	}
	p.expect(")")
	return s
}

func (p *parser) condition() step {
	name := p.name()
	switch {
	case name == "resolve":
		p.expect("(", ")", "is")
		return step{kind: resolveIs, name: p.name()}
	case name == "hasExtension":
		p.expect("(")
		s := step{kind: hasExtension, value: p.text()}
		p.expect(")")
		return s
	default:
		p.expect("=")
		return step{kind: whereEq, name: name, value: p.text()}
	}
}

func isLetter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
