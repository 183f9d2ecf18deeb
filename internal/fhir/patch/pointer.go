package patch

import (
	"strconv"
	"strings"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// pointer is a JSON Pointer, cut into its names. Source: https://www.rfc-editor.org/rfc/rfc6901.
type pointer []string

var unescaper = strings.NewReplacer("~1", "/", "~0", "~")

func parsePointer(text string) (pointer, error) {
	if text == "" {
		return pointer{}, nil
	}
	if text[0] != '/' {
		return nil, outcome.New(outcome.Invalid, "a path is empty or begins with /")
	}
	names := strings.Split(text[1:], "/")
	if len(names) > document.MaxDepth {
		return nil, outcome.New(outcome.Invalid, "a path has at most 64 steps")
	}
	for i, name := range names {
		for rest := name; ; {
			at := strings.IndexByte(rest, '~')
			if at < 0 {
				break
			}
			if rest = rest[at+1:]; rest == "" || rest[0] != '0' && rest[0] != '1' {
				return nil, outcome.New(outcome.Invalid, "in a path ~ is written ~0, and / inside a name ~1")
			}
		}
		names[i] = unescaper.Replace(name)
	}
	return names, nil
}

// String is the pointer as far as it is safe to show: a name that could not be an element's is written as ?.
func (p pointer) String() string {
	var b strings.Builder
	for _, name := range p {
		b.WriteByte('/')
		for _, c := range name {
			if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-') || len(name) > 64 {
				name = "?"
				break
			}
		}
		b.WriteString(name)
	}
	return b.String()
}

// parent is the pointer without its last step.
func (p pointer) parent() pointer { return p[:len(p)-1] }

func (p pointer) last() string { return p[len(p)-1] }

// within reports whether p is other or lies below it.
func (p pointer) within(other pointer) bool {
	if len(p) < len(other) {
		return false
	}
	for i, name := range other {
		if p[i] != name {
			return false
		}
	}
	return true
}

// find follows p from n; the zero Node when there is nothing.
func (p pointer) find(n document.Node) document.Node {
	for _, name := range p {
		switch n.Kind() {
		case document.Object:
			n = n.Get(name)
		case document.Array:
			i, ok := index(name)
			if !ok {
				return document.Node{}
			}
			n = element(n, i)
		default:
			return document.Node{}
		}
	}
	return n
}

// index reads the number of an element: no sign, no leading zero.
func index(name string) (int, bool) {
	if name == "" || len(name) > 9 || name[0] == '0' && len(name) > 1 || strings.Trim(name, "0123456789") != "" {
		return 0, false
	}
	i, err := strconv.Atoi(name)
	return i, err == nil
}

func element(array document.Node, i int) document.Node {
	for item := range array.Items() {
		if i == 0 {
			return item
		}
		i--
	}
	return document.Node{}
}

func count(array document.Node) (n int) {
	for range array.Items() {
		n++
	}
	return n
}
