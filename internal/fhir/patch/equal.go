package patch

import (
	"strconv"
	"strings"

	"chartwarden/internal/fhir/document"
)

// equal compares two values as the test operation does: objects without regard to order, numbers by what they amount to.
// Source: https://www.rfc-editor.org/rfc/rfc6902#section-4.6.
func equal(a, b document.Node) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case document.Object:
		members := map[string]document.Node{}
		for m := range b.Fields() {
			members[m.Name()] = m
		}
		n := 0
		for m := range a.Fields() {
			other, ok := members[m.Name()]
			if !ok || !equal(m, other) {
				return false
			}
			n++
		}
		return n == len(members)
	case document.Array:
		if count(a) != count(b) {
			return false
		}
		var others []document.Node
		for m := range b.Items() {
			others = append(others, m)
		}
		i := 0
		for m := range a.Items() {
			if !equal(m, others[i]) {
				return false
			}
			i++
		}
		return true
	case document.Number:
		x, y := a.Text(), b.Text()
		if x == y {
			return true
		}
		dx, okx := parseDecimal(x)
		dy, oky := parseDecimal(y)
		return okx && oky && dx == dy
	}
	return a.Text() == b.Text()
}

// decimal is a number as its digits without zeros at either end, and the power of ten of the last.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// parseDecimal never computes the number, which may have billions of digits.
func parseDecimal(text string) (d decimal, ok bool) {
	d.negative = strings.HasPrefix(text, "-")
	text = strings.TrimPrefix(text, "-")
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		e, err := strconv.ParseInt(text[at+1:], 10, 32)
		if err != nil {
			return d, false
		}
		d.exponent, text = e, text[:at]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	d.digits = strings.TrimLeft(whole+fraction, "0")
	d.exponent -= int64(len(fraction))
	short := strings.TrimRight(d.digits, "0")
	d.exponent += int64(len(d.digits) - len(short))
	if d.digits = short; short == "" {
		return decimal{}, true
	}
	return d, true
}
