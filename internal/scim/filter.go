package scim

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Bounds of a filter: what a directory sends is a line, and a tree this deep is an attack.
const (
	longestFilter = 4096
	deepestFilter = 30
)

// expression is a filter, read. A nil expression holds for everything.
type expression interface {
	holds(resource map[string]any) bool
}

type both struct{ left, right expression }
type either struct{ left, right expression }
type negated struct{ of expression }

// comparison compares the values of a path: eq ne co sw ew gt ge lt le pr.
type comparison struct {
	at   path
	op   string
	want any // string, bool, float64 or nil
}

// element holds where one element of a list does.
type element struct {
	at path
}

func (e both) holds(r map[string]any) bool    { return e.left.holds(r) && e.right.holds(r) }
func (e either) holds(r map[string]any) bool  { return e.left.holds(r) || e.right.holds(r) }
func (e negated) holds(r map[string]any) bool { return !e.of.holds(r) }
func (e element) holds(r map[string]any) bool { return len(e.at.values(r)) > 0 }

func (e comparison) holds(r map[string]any) bool {
	values := e.at.values(r)
	if e.op == "pr" {
		return len(values) > 0
	}
	if e.op == "ne" { // nothing there is not equal
		for _, v := range values {
			if matches("eq", v, e.want, e.at.exact()) {
				return false
			}
		}
		return true
	}
	for _, v := range values {
		if matches(e.op, v, e.want, e.at.exact()) {
			return true
		}
	}
	return e.op == "eq" && e.want == nil && len(values) == 0
}

func matches(op string, have, want any, exact bool) bool {
	if flag, ok := have.(bool); ok { // some directories write "True"
		if text, ok := want.(string); ok {
			parsed, known := boolean(text)
			return op == "eq" && known && parsed == flag
		}
		return op == "eq" && have == want
	}
	a, ok1 := have.(string)
	b, ok2 := want.(string)
	if !ok1 || !ok2 {
		return op == "eq" && have == want
	}
	if !exact {
		a, b = strings.ToLower(a), strings.ToLower(b)
	}
	switch op {
	case "eq":
		return a == b
	case "co":
		return strings.Contains(a, b)
	case "sw":
		return strings.HasPrefix(a, b)
	case "ew":
		return strings.HasSuffix(a, b)
	case "gt":
		return a > b
	case "ge":
		return a >= b
	case "lt":
		return a < b
	case "le":
		return a <= b
	}
	return false
}

var operators = map[string]bool{"eq": true, "ne": true, "co": true, "sw": true, "ew": true, "gt": true, "ge": true, "lt": true, "le": true, "pr": true}

// parseFilter reads a filter. Source: https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2.
func parseFilter(text string) (expression, error) {
	if len(text) > longestFilter || !utf8.ValidString(text) {
		return nil, refuse(400, "invalidFilter", "the filter is longer than 4 KiB, or no text")
	}
	r := &reader{text: text}
	e := r.or(false)
	if r.skip(); r.fault == "" && r.at < len(text) {
		r.fail("something stands behind the filter")
	}
	if r.fault != "" {
		return nil, refuse(400, "invalidFilter", r.fault)
	}
	return e, nil
}

// reader reads filters and paths. After a fault everything it gives is nothing.
type reader struct {
	text  string
	at    int
	depth int
	fault string
}

func (r *reader) fail(why string) {
	if r.fault == "" {
		r.fault = why + `: write for example userName eq "anna" and not (active eq false)`
	}
	r.at = len(r.text)
}

func (r *reader) skip() {
	for r.at < len(r.text) && r.text[r.at] == ' ' {
		r.at++
	}
}

func (r *reader) next(c byte) bool {
	r.skip()
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

// word takes a word if it is the next, whatever its case.
func (r *reader) word(want string) bool {
	r.skip()
	end := r.at + len(want)
	if end > len(r.text) || !strings.EqualFold(r.text[r.at:end], want) || end < len(r.text) && !strings.ContainsRune(" ()[]", rune(r.text[end])) {
		return false
	}
	r.at = end
	return true
}

// inside: of the brackets of a list, where no brackets follow.
func (r *reader) or(inside bool) expression {
	if r.depth++; r.depth > deepestFilter {
		r.fail("the filter is nested too deep")
		return nil
	}
	defer func() { r.depth-- }()
	left := r.and(inside)
	for r.fault == "" && r.word("or") {
		left = either{left, r.and(inside)}
	}
	return left
}

func (r *reader) and(inside bool) expression {
	left := r.term(inside)
	for r.fault == "" && r.word("and") {
		left = both{left, r.term(inside)}
	}
	return left
}

func (r *reader) term(inside bool) expression {
	not := r.word("not")
	if r.next('(') {
		e := r.or(inside)
		if !r.next(')') {
			r.fail("a bracket is not closed")
			return nil
		}
		if not {
			return negated{e}
		}
		return e
	}
	if not {
		r.fail("behind not stands a bracket")
		return nil
	}
	at := r.path(inside)
	if r.fault != "" {
		return nil
	}
	r.skip()
	begun := r.at
	for r.at < len(r.text) && isLetter(r.text[r.at]) {
		r.at++
	}
	op := strings.ToLower(r.text[begun:r.at])
	switch {
	case !operators[op] && at.filter != nil:
		r.at = begun
		return element{at}
	case !operators[op]:
		r.fail("there is no such operator")
		return nil
	case op == "pr":
		return comparison{at, op, nil}
	}
	want := r.value()
	if _, text := want.(string); !text && op != "eq" && op != "ne" {
		r.fail("this operator compares text, in quotation marks")
		return nil
	}
	return comparison{at, op, want}
}

// value reads a JSON string, true, false, null or a number.
func (r *reader) value() (v any) {
	r.skip()
	end := r.at
	if end < len(r.text) && r.text[end] == '"' {
		for end++; end < len(r.text) && r.text[end] != '"'; end++ {
			if r.text[end] == '\\' {
				end++
			}
		}
		end++
	} else {
		for end < len(r.text) && !strings.ContainsRune(" ()[]", rune(r.text[end])) {
			end++
		}
	}
	if end > len(r.text) {
		r.fail("a quotation mark is missing")
		return nil
	}
	word := r.text[r.at:end]
	r.at = end
	if word == "True" || word == "False" { // unquoted, as some directories write them
		word = strings.ToLower(word)
	}
	if err := json.Unmarshal([]byte(word), &v); err != nil {
		r.fail("a value is no JSON string, true, false, null or number")
		return nil
	}
	switch v.(type) {
	case map[string]any, []any:
		r.fail("a value is a single one")
		return nil
	}
	return v
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// boolean reads the ways in which directories write true and false.
func boolean(text string) (v, known bool) {
	switch strings.ToLower(text) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}
