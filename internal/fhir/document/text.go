package document

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

const (
	each  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text reads the string whose quote is at p.i and leaves p.i after its closing quote. Eight bytes are looked at in one step: a
// quote, a backslash, a control character or a byte above ASCII sets the high bit of its place. (A borrow can set a bit wrongly
// only above a right one, and only the lowest is used.)
func (p *parser) text() (escaped, ok bool) {
	b, i := p.b, p.i+1
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^'"'*each, w^'\\'*each
			m := ((quote-each)&^quote | (slash-each)&^slash | (w-' '*each)&^w | w) & highs
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			p.i = i
			return false, p.fail(faultEnd)
		}
		switch c := b[i]; {
		case c == '"':
			p.i = i + 1
			return escaped, true
		case c == '\\':
			escaped = true
			n, f := escape(b[i:])
			if f != noFault {
				p.i = i
				if f == faultEnd {
					p.i = len(b)
				}
				return false, p.fail(f)
			}
			i += n
		case c < ' ':
			p.i = i
			return false, p.fail(faultControl)
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				p.i = i
				return false, p.fail(faultUTF8)
			}
			i += n
		}
	}
}

// escape measures the escape at the start of b; a surrogate pair is one escape.
func escape(b []byte) (int, fault) {
	if len(b) < 2 {
		return 0, faultEnd
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, noFault
	case 'u':
	default:
		return 0, faultEscape
	}
	r, f := hex4(b)
	if f != noFault || !utf16.IsSurrogate(r) {
		return 6, f
	}
	if len(b) < 12 || b[6] != '\\' || b[7] != 'u' {
		return 0, faultSurrogate
	}
	low, f := hex4(b[6:])
	if f != noFault {
		return 0, f
	}
	if utf16.DecodeRune(r, low) == utf8.RuneError {
		return 0, faultSurrogate
	}
	return 12, noFault
}

// hex4 reads \uXXXX.
func hex4(b []byte) (rune, fault) {
	var r rune
	for i := 2; i < 6; i++ {
		if i >= len(b) {
			return 0, faultEnd
		}
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, faultEscape
		}
	}
	return r, noFault
}

// unescape decodes the inside of a string that the parser has accepted.
func unescape(b []byte) string {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			out = append(out, b[i])
			i++
			continue
		}
		switch c := b[i+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(b[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := hex4(b[i+2:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
		i += 2
	}
	return view(out)
}

// view is b as a string without a copy; b is never written again.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// appendQuoted appends s as a JSON string, escaping no more than JSON demands.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
