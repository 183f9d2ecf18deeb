package search

import (
	"fmt"
	"strings"

	"chartwarden/internal/fhir/document"
)

// path leads from a resource, or from the element of a composite, to what a parameter reads.
type path struct {
	hops     []hop
	leaf     leaf
	fromRoot bool
}

// hop is one element on the way.
type hop struct {
	name  string
	first bool // only the first of a list
	tests []test
}

// test is a condition on the element itself: it has a child with that value, or an extension with that URL.
type test struct{ child, value string }

func (t test) passes(n document.Node) bool {
	if t.child != "extension" {
		return n.Get(t.child).Text() == t.value
	}
	for e := range n.Get("extension").Items() {
		if e.Get("url").Text() == t.value {
			return true
		}
	}
	return false
}

// leaf says which parameter reads the element here, and how.
type leaf struct {
	param    *Param
	read     reader
	argument string // the implied system of a code, or the names that `present` looks for
	resolve  string // resource type to which a reference must lead
}

// readPath reads one `path type argument` of the table.
func readPath(p *Param, text string) (path, error) {
	f := strings.Fields(text)
	if len(f) < 2 || len(f) > 3 {
		return path{}, fmt.Errorf("search: table: %s: %q", p.Name, text)
	}
	out := path{leaf: leaf{param: p}}
	if out.leaf.read = readers[string(p.Type)+" "+f[1]]; p.Type == Composite {
		out.leaf.read = (*walker).composite
	}
	if out.leaf.read == nil {
		return path{}, fmt.Errorf("search: table: %s: no reader of %s for %s", p.Name, p.Type, f[1])
	}
	if len(f) == 3 {
		out.leaf.argument = f[2]
	}
	f[0], out.fromRoot = strings.CutPrefix(f[0], "%")
	if f[0] == "." {
		return out, nil
	}
	for f[0] != "" {
		var h hop
		h, f[0] = readHop(f[0], &out.leaf)
		out.hops = append(out.hops, h)
	}
	return out, nil
}

// readHop reads `name[condition]...` up to the next point.
func readHop(text string, l *leaf) (h hop, rest string) {
	i := strings.IndexAny(text, ".[")
	if i < 0 {
		return hop{name: text}, ""
	}
	h.name, rest = text[:i], text[i:]
	for strings.HasPrefix(rest, "[") {
		var condition string
		condition, rest, _ = strings.Cut(rest[1:], "]")
		switch child, value, _ := strings.Cut(condition, "="); child {
		case "0":
			h.first = true
		case "resolve":
			l.resolve = value
		default:
			h.tests = append(h.tests, test{child, value})
		}
	}
	return h, strings.TrimPrefix(rest, ".")
}

// state is a node of the trie that all paths of a resource type share, so that one walk reads everything.
type state struct {
	next   map[string]*edge
	where  []branch
	leaves []leaf
}

// edge leads to a child: every element of a list, or the first only.
type edge struct{ every, first *state }

// branch goes on with the same element if it passes the test.
type branch struct {
	test test
	to   *state
}

func (s *state) add(p path) {
	for _, h := range p.hops {
		s = s.child(h.name, h.first)
		for _, t := range h.tests {
			s = s.branch(t)
		}
	}
	s.leaves = append(s.leaves, p.leaf)
}

func (s *state) child(name string, first bool) *state {
	if s.next == nil {
		s.next = map[string]*edge{}
	}
	e := s.next[name]
	if e == nil {
		e = &edge{}
		s.next[name] = e
	}
	to := &e.every
	if first {
		to = &e.first
	}
	if *to == nil {
		*to = &state{}
	}
	return *to
}

func (s *state) branch(t test) *state {
	for _, b := range s.where {
		if b.test == t {
			return b.to
		}
	}
	s.where = append(s.where, branch{t, &state{}})
	return s.where[len(s.where)-1].to
}

// merge adds the paths of other, which has no conditions.
func (s *state) merge(other *state) {
	s.leaves = append(s.leaves, other.leaves...)
	for name, e := range other.next {
		s.child(name, false).merge(e.every)
	}
}
