package document

import "bytes"

// ParseValue checks and indexes a JSON value that need not be a resource, such as a patch. It takes ownership of b. Errors: those of
// [Parse] that are about JSON.
func ParseValue(b []byte) (Node, error) {
	d, err := parse(b, MaxDepth, false)
	return d.Root(), err
}

// Replace gives the edit that puts value in the place of n.
func (n Node) Replace(value []byte) Edit { return replace(n, value) }

// Remove gives the edit that takes n, with its name and one comma, out of the object or array that it is in. The root cannot be
// removed; the empty Edit leaves it.
func (n Node) Remove() Edit {
	if n.p == nil || n.i == 0 {
		return Edit{}
	}
	b := n.tape().b
	start, end := n.Span()
	if name := n.node().name; name > 0 { // elements of arrays have none
		start = int(name) - 1
	}
	after := end + len(b[end:]) - len(bytes.TrimLeft(b[end:], " \t\r\n"))
	if after < len(b) && b[after] == ',' {
		after++
		return Edit{start, after + len(b[after:]) - len(bytes.TrimLeft(b[after:], " \t\r\n")), nil}
	}
	if before := bytes.TrimRight(b[:start], " \t\r\n"); len(before) > 0 && before[len(before)-1] == ',' {
		start = len(before) - 1
	}
	return Edit{start, end, nil}
}

// Insert gives the edit that puts value before element i of the array n, or at its end when i is the number of elements; false for
// any other i, and when n is no array.
func (n Node) Insert(i int, value []byte) (Edit, bool) {
	if n.Kind() != Array || i < 0 {
		return Edit{}, false
	}
	count := 0
	for item := range n.Items() {
		if count == i {
			start, _ := item.Span()
			return Edit{start, start, append(append([]byte(nil), value...), ',')}, true
		}
		count++
	}
	if i != count {
		return Edit{}, false
	}
	return n.atEnd(value), true
}

// Put gives the edit that adds a member to the object n, behind the others. There must be none of that name.
func (n Node) Put(name string, value []byte) Edit {
	return n.atEnd(append(append(appendQuoted(nil, name), ':'), value...))
}

// atEnd inserts before the bracket that closes n.
func (n Node) atEnd(text []byte) Edit {
	_, end := n.Span()
	if n.node().next != n.i+1 { // not empty
		text = append([]byte{','}, text...)
	}
	return Edit{end - 1, end - 1, text}
}
