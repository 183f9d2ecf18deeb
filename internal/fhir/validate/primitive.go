package validate

import (
	"strconv"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// maxString is the longest string that R4 allows, in bytes.
const maxString = 1 << 20

// primitive checks kind and written form of n, which should be of the primitive type of e.
func (c *check) primitive(n document.Node, e *fhir.Element) {
	kind := document.String
	typ := e.Type.Name
	switch typ {
	case "boolean":
		kind = document.Bool
	case "decimal", "integer", "positiveInt", "unsignedInt":
		kind = document.Number
	}
	if n.Kind() != kind {
		mend := map[document.Kind]string{
			document.Bool: "write true or false, without quotes", document.Number: "write a number, without quotes", document.String: "write it in double quotes",
		}[kind]
		if n.Kind() == document.Null {
			mend = "give the value or leave it out"
		}
		c.add(n, "", outcome.Value, "the JSON kind does not fit type "+typ+": "+mend)
		return
	}
	if kind == document.Bool {
		return
	}
	if typ == "id" && n == c.root.Get("id") {
		typ = "string"
	}
	s := n.Text()
	if s == "" {
		c.add(n, "", outcome.Value, "a string is never empty: leave it out")
		return
	}
	if mend := writtenForm(typ, s); mend != "" {
		c.add(n, "", outcome.Value, mend)
		return
	}
	if e.Codes != nil && typ == "code" {
		c.code(n, s, e)
	}
}

// writtenForm checks s, not empty, against the lexical rule of a primitive type and gives the mend; "" when it is right.
// Source: https://hl7.org/fhir/R4/datatypes.html#primitive.
func writtenForm(typ, s string) string {
	switch typ {
	case "string", "markdown", "xhtml":
		if len(s) > maxString && typ != "xhtml" {
			return "this text is longer than 1 MiB: put it into an attachment"
		}
		if !plainText(s) {
			return "this text holds a control character: leave it out"
		}
		if typ == "xhtml" && !strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "<div") {
			return "a narrative is XHTML in one div: write <div xmlns=...>...</div>"
		}
	case "code":
		if !isCode(s) {
			return "a code has no spaces at its ends and no two together: write it as the code system does"
		}
	case "uri", "url", "canonical":
		if !noSpace(s) {
			return "an address has no white space: encode it or leave it out"
		}
	case "date", "dateTime", "instant":
		return moment(typ, s)
	case "time":
		if n := clock(s); n != len(s) {
			return "this is not a time: write hh:mm:ss"
		}
	case "decimal":
	case "integer", "positiveInt", "unsignedInt":
		return integer(typ, s)
	case "id":
		if !fhir.IsID(s) {
			return "an id is 1 to 64 of A-Z a-z 0-9 - and point: choose another"
		}
	case "oid":
		if !isOID(s) {
			return "this is not an OID: write urn:oid:1.2.3"
		}
	case "uuid":
		if !isUUID(s) {
			return "this is not a UUID: write urn:uuid: and 8-4-4-4-12 hexadecimal digits"
		}
	case "base64Binary":
		if !isBase64(s) {
			return "this is not base64: encode the bytes again (RFC 4648, with padding)"
		}
	}
	return ""
}

// plainText reports whether s has no control character besides tab, line feed and carriage return.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func noSpace(s string) bool {
	for i := range len(s) {
		if isSpace(s[i]) {
			return false
		}
	}
	return true
}

func isCode(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		c := s[i]
		if isSpace(c) && isSpace(last) {
			return false
		}
		last = c
	}
	return !isSpace(last)
}

func integer(typ, s string) string {
	digits := strings.TrimPrefix(s, "-")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "this is a whole number: write it without point and exponent"
		}
	}
	n, err := strconv.ParseInt(s, 10, 32)
	switch {
	case err != nil:
		return "this number is outside of 32 bits: use a decimal or a string element"
	case typ == "positiveInt" && n < 1:
		return "this number begins with 1: write a larger one or leave it out"
	case typ == "unsignedInt" && (n < 0 || s[0] == '-'):
		return "this number is never negative: write 0 or more"
	}
	return ""
}

func isOID(s string) bool {
	rest, ok := strings.CutPrefix(s, "urn:oid:")
	if !ok {
		return false
	}
	first := true
	for part := range strings.SplitSeq(rest, ".") {
		if part == "" || len(part) > 1 && part[0] == '0' || digitsAt(part) != len(part) || first && (len(part) > 1 || part > "2") {
			return false
		}
		first = false
	}
	return strings.Contains(rest, ".")
}

func digitsAt(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

func isUUID(s string) bool {
	rest, ok := strings.CutPrefix(s, "urn:uuid:")
	if !ok || len(rest) != 36 {
		return false
	}
	for i := range 36 {
		c := rest[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') {
			return false
		} else if !dash && !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

// isBase64 allows white space, as R4 does.
func isBase64(s string) bool {
	n, pad := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isSpace(c):
		case c == '=':
			n++
			pad++
		case pad > 0, !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/'):
			return false
		default:
			n++
		}
	}
	return n%4 == 0 && pad <= 2 && n > 0
}
