package ingest

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// cursor walks one JSON text. The first thing that is not JSON stops it: why says what, and every later step does nothing. Containers
// are entered and left in pairs:
//
//	for c.enter('{'); c.more('}'); {
//		switch c.key() { case "id": id = c.text(); default: c.skip() }
//	}
type cursor struct {
	s     string
	i     int
	comma bool // a value stands before
	why   string
}

func (c *cursor) fail(why string) {
	if c.why == "" {
		c.why = why
	}
	c.i = len(c.s)
}

func (c *cursor) space() byte {
	for c.i < len(c.s) {
		switch b := c.s[c.i]; b {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return b
		}
	}
	return 0
}

// enter steps into a container; anything else in its place fails.
func (c *cursor) enter(open byte) {
	if c.space() != open {
		c.fail("expected " + string(open))
		return
	}
	c.i++
	c.comma = false
}

// is reports whether the next value begins so. A value of another type than expected is skipped by the caller, not an error: a field
// that detection does not understand says nothing.
func (c *cursor) is(open byte) bool { return c.space() == open }

// more reports whether the container goes on, and leaves it when not.
func (c *cursor) more(end byte) bool {
	b := c.space()
	switch {
	case c.why != "":
		return false
	case b == end:
		c.i++
		c.comma = true
		return false
	case !c.comma:
		if b == 0 {
			c.fail("ends too early")
			return false
		}
		return true
	case b == ',':
		c.i++
		c.comma = false
		if c.space() == end {
			c.fail("a comma stands before the end")
			return false
		}
		return true
	case b == 0:
		c.fail("ends too early")
	default:
		c.fail("a comma is missing")
	}
	return false
}

// each calls do at a value, or at every value of a list.
func (c *cursor) each(do func()) {
	if !c.is('[') {
		do()
		return
	}
	for c.enter('['); c.more(']'); {
		do()
	}
}

// key reads a member's name and its colon.
func (c *cursor) key() string {
	k := c.text()
	if c.space() != ':' {
		c.fail("a colon is missing")
		return ""
	}
	c.i++
	return k
}

// text reads a string; any other value is skipped and reads as "". Without escapes the result shares memory with the text.
func (c *cursor) text() string {
	if c.space() != '"' {
		c.skip()
		return ""
	}
	start := c.i + 1
	for i := start; ; i++ {
		j := strings.IndexByte(c.s[i:], '"')
		if j < 0 {
			c.fail("a string does not end")
			return ""
		}
		i += j
		n := 0
		for k := i - 1; k >= start && c.s[k] == '\\'; k-- {
			n++
		}
		if n%2 == 1 {
			continue
		}
		c.i, c.comma = i+1, true
		if raw := c.s[start:i]; strings.IndexByte(raw, '\\') >= 0 {
			return unescape(raw)
		}
		return c.s[start:i]
	}
}

// word reads a number, true, false or null as it stands, or the content of a string.
func (c *cursor) word() string {
	if c.space() == '"' {
		return c.text()
	}
	start := c.i
	c.skip()
	return c.s[min(start, c.i):c.i]
}

// skip steps over one value without looking into it further than its brackets and strings.
func (c *cursor) skip() {
	b := c.space()
	switch b {
	case '"':
		c.text()
		return
	case '{', '[':
	case 0, ',', '}', ']', ':':
		c.fail("a value is missing")
		return
	default:
		for c.i < len(c.s) && strings.IndexByte(",}] \t\r\n", c.s[c.i]) < 0 {
			c.i++
		}
		c.comma = true
		return
	}
	for depth := 0; c.i < len(c.s); c.i++ {
		switch c.s[c.i] {
		case '"':
			c.text()
			if c.why != "" {
				return
			}
			c.i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				c.i++
				c.comma = true
				return
			}
		}
	}
	c.fail("ends too early")
}

func unescape(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			b.WriteByte(raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			r, n := hex(raw, i+1)
			i += n
			if utf16.IsSurrogate(r) && i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
				low, m := hex(raw, i+3)
				r = utf16.DecodeRune(r, low)
				i += 2 + m
			}
			b.WriteRune(r)
		default:
			b.WriteByte(raw[i])
		}
	}
	return b.String()
}

func hex(s string, i int) (rune, int) {
	if i+4 > len(s) {
		return utf8.RuneError, 0
	}
	v, err := strconv.ParseUint(s[i:i+4], 16, 32)
	if err != nil {
		return utf8.RuneError, 0
	}
	return rune(v), 4
}
