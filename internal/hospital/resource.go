package hospital

import (
	"encoding/base64"
	"strconv"
	"time"
)

// object is a JSON object in the making: names and values in turn. What is empty (nil, "", a zero time, an object or list of
// nothing) is left out, since FHIR allows no empty elements and a table need not ask before it names an optional one.
type object []any

// list is a JSON array in the making.
type list []any

// fixed is JSON that is the same each time, rendered once.
type fixed string

func fix(v any) fixed {
	b, _ := appendValue(nil, v)
	return fixed(b)
}

// day is a FHIR date.
type day time.Time

// text is bytes that FHIR carries as base64.
type text string

// decimal is n / 10^places, printed with exactly that many places, as an instrument would.
type decimal struct {
	n      int
	places int
}

func (d decimal) String() string {
	if d.places == 0 {
		return strconv.Itoa(d.n)
	}
	sign, n := "", d.n
	if n < 0 {
		sign, n = "-", -n
	}
	s := strconv.Itoa(n)
	for len(s) <= d.places {
		s = "0" + s
	}
	return sign + s[:len(s)-d.places] + "." + s[len(s)-d.places:]
}

func appendValue(b []byte, v any) (out []byte, some bool) {
	switch v := v.(type) {
	case string:
		if v == "" {
			return b, false
		}
		return appendString(b, v), true
	case fixed:
		return append(b, v...), v != ""
	case object:
		return appendObject(b, v)
	case list:
		start := len(b)
		b = append(b, '[')
		for _, item := range v {
			at := len(b)
			if at > start+1 {
				b = append(b, ',')
			}
			next, some := appendValue(b, item)
			if b = next; !some {
				b = b[:at]
			}
		}
		if len(b) == start+1 {
			return b[:start], false
		}
		return append(b, ']'), true
	case time.Time:
		if v.IsZero() {
			return b, false
		}
		return append(v.AppendFormat(append(b, '"'), "2006-01-02T15:04:05-07:00"), '"'), true
	case day:
		if time.Time(v).IsZero() {
			return b, false
		}
		return append(time.Time(v).AppendFormat(append(b, '"'), time.DateOnly), '"'), true
	case int:
		return strconv.AppendInt(b, int64(v), 10), true
	case decimal:
		return append(b, v.String()...), true
	case bool:
		return strconv.AppendBool(b, v), true
	case text:
		b = append(b, '"')
		return append(base64.StdEncoding.AppendEncode(b, []byte(v)), '"'), true
	}
	return b, false
}

func appendObject(b []byte, o object) ([]byte, bool) {
	start := len(b)
	b = append(b, '{')
	for i := 0; i+1 < len(o); i += 2 {
		at := len(b)
		if at > start+1 {
			b = append(b, ',')
		}
		b = append(appendString(b, o[i].(string)), ':')
		next, some := appendValue(b, o[i+1])
		if b = next; !some {
			b = b[:at]
		}
	}
	if len(b) == start+1 {
		return b[:start], false
	}
	return append(b, '}'), true
}

func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// The data types that nearly every resource needs.

func coding(system, code, display string) object {
	return object{"system", system, "code", code, "display", display}
}

func concept(text string, codings ...object) object {
	l := make(list, len(codings))
	for i, c := range codings {
		l[i] = c
	}
	return object{"coding", l, "text", text}
}

func ref(url, display string) object {
	if url == "" {
		return nil
	}
	return object{"reference", url, "display", display}
}

func period(start, end time.Time) object { return object{"start", start, "end", end} }

func identifier(use, typ, typeText, system, value string) object {
	return object{"use", use, "type", concept(typeText, coding(sysIdentifierType, typ, typeText)), "system", system, "value", value}
}

func quantity(v decimal, unit, ucum string) object {
	return object{"value", v, "unit", unit, "system", sysUCUM, "code", ucum}
}

func dollars(cents int) object { return object{"value", decimal{cents, 2}, "currency", "USD"} }

func phone(number, use string) object { return object{"system", "phone", "value", number, "use", use} }
