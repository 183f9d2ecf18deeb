package scim

import (
	"strings"
	"unicode/utf8"
)

const (
	core       = "urn:ietf:params:scim:schemas:core:2.0:"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// path names values of a resource: attr, attr.sub, attr[filter], attr[filter].sub, each also behind the name of its schema.
type path struct {
	extension string // name of a schema whose attributes stand in an object of their own
	attr      string
	filter    expression
	sub       string
}

// exact reports values whose letters count as they are written. Source: https://www.rfc-editor.org/rfc/rfc7643#section-7.
func (p path) exact() bool {
	return strings.EqualFold(p.attr, "id") || strings.EqualFold(p.attr, "externalId") || strings.EqualFold(p.attr, "members")
}

// parsePath reads the path of a PATCH.
func parsePath(text string) (path, error) {
	if len(text) > longestFilter || !utf8.ValidString(text) {
		return path{}, refuse(400, "invalidPath", "the path is longer than 4 KiB, or no text")
	}
	r := &reader{text: text}
	p := r.path(false)
	if r.skip(); r.fault == "" && r.at < len(text) {
		r.fail("something stands behind the path")
	}
	if r.fault != "" {
		return path{}, refuse(400, "invalidPath", "the path cannot be read: write for example name.givenName or emails[type eq \"work\"].value")
	}
	return p, nil
}

// path reads one; inside brackets none follow.
func (r *reader) path(inside bool) (p path) {
	r.skip()
	rest := r.text[r.at:]
	for _, kind := range []string{"User:", "Group:"} {
		if head := core + kind; len(rest) > len(head) && strings.EqualFold(rest[:len(head)], head) {
			r.at += len(head)
		}
	}
	if rest = r.text[r.at:]; len(rest) >= len(enterprise) && strings.EqualFold(rest[:len(enterprise)], enterprise) {
		p.extension = enterprise
		r.at += len(enterprise)
		if r.at == len(r.text) || r.text[r.at] != ':' && r.text[r.at] != '.' {
			return p // the whole object
		}
		r.at++
	}
	if p.attr = r.name(); p.attr == "" {
		r.fail("an attribute is missing")
		return path{}
	}
	if !inside && r.at < len(r.text) && r.text[r.at] == '[' {
		r.at++
		if p.filter = r.or(true); !r.next(']') {
			r.fail("a bracket is not closed")
			return path{}
		}
	}
	if r.at < len(r.text) && r.text[r.at] == '.' {
		r.at++
		if p.sub = r.name(); p.sub == "" {
			r.fail("an attribute is missing")
			return path{}
		}
	}
	return p
}

// name reads an attribute's name: a letter, then letters, digits, dashes, underscores; a $ in front of ref.
func (r *reader) name() string {
	begun := r.at
	for r.at < len(r.text) {
		c := r.text[r.at]
		if isLetter(c) || r.at > begun && (c >= '0' && c <= '9' || c == '-' || c == '_') || r.at == begun && c == '$' {
			r.at++
			continue
		}
		break
	}
	return r.text[begun:r.at]
}

// values are what the path names in a resource, each element of a list by itself; of an object without more its value.
func (p path) values(r map[string]any) (out []any) {
	if p.extension != "" {
		inner, _ := lookUp(r, p.extension).(map[string]any)
		if p.attr == "" {
			if inner == nil {
				return nil
			}
			return []any{inner}
		}
		r = inner
	}
	for _, one := range list(lookUp(r, p.attr)) {
		object, isObject := one.(map[string]any)
		if p.filter != nil && !(isObject && p.filter.holds(object)) && !(!isObject && p.filter.holds(map[string]any{"value": one})) {
			continue
		}
		switch {
		case p.sub != "":
			if v := lookUp(object, p.sub); v != nil {
				out = append(out, list(v)...)
			}
		case isObject && lookUp(object, "value") != nil:
			out = append(out, lookUp(object, "value"))
		default:
			out = append(out, one)
		}
	}
	return out
}

// lookUp finds a member, whatever the case of its name.
func lookUp(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	return m[key(m, name)]
}

// key is how a member is written in m, or name.
func key(m map[string]any, name string) string {
	if _, ok := m[name]; ok {
		return name
	}
	for k := range m {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

// list is a value as a list; nothing is the empty one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}
