package search

import (
	"math"
	"strconv"
	"strings"
)

// literal is a decimal as written: the number, and the closed interval of its implicit precision, half a unit of the last digit to
// both sides. All three are the float64 nearest to the exact decimal, so equal decimals compare equal however they are written.
type literal struct{ exact, low, high float64 }

// parseNumber reads a decimal with an optional exponent. Source: https://hl7.org/fhir/R4/search.html#number.
func parseNumber(s string) (l literal, ok bool) {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e < -999 || e > 999 {
			return literal{}, false
		}
		mantissa, exponent = s[:i], e
	}
	negative := strings.HasPrefix(mantissa, "-")
	if mantissa != "" && (mantissa[0] == '-' || mantissa[0] == '+') {
		mantissa = mantissa[1:]
	}
	digits, many, coefficient := 0, false, uint64(0)
	for i, point := 0, false; i < len(mantissa); i++ {
		switch c := mantissa[i]; {
		case c == '.' && !point:
			point = true
		case '0' <= c && c <= '9':
			if point {
				exponent--
			}
			digits++
			if many = many || coefficient >= 1e17; !many {
				coefficient = coefficient*10 + uint64(c-'0')
			}
		default:
			return literal{}, false
		}
	}
	if digits == 0 || len(s) > 1<<10 {
		return literal{}, false
	}
	if many { // finer than float64: the interval is the point
		v, err := strconv.ParseFloat(strings.TrimPrefix(s, "+"), 64)
		return literal{v, v, v}, err == nil
	}
	l = literal{scale(coefficient*10, exponent-1), 0, scale(coefficient*10+5, exponent-1)}
	if coefficient == 0 {
		l.low = -l.high
	} else {
		l.low = scale(coefficient*10-5, exponent-1)
	}
	if negative {
		l.exact, l.low, l.high = -l.exact, -l.high, -l.low
	}
	l.high = max(l.exact, math.Nextafter(l.high, math.Inf(-1))) // half open: the next literal begins there
	return l, !math.IsInf(l.exact, 0)
}

var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// scale is coefficient * 10^exponent, correctly rounded: where both factors are exact float64 one operation rounds correctly.
func scale(coefficient uint64, exponent int) float64 {
	if coefficient < 1<<53 {
		switch {
		case 0 <= exponent && exponent < len(powers):
			return float64(coefficient) * powers[exponent]
		case -len(powers) < exponent && exponent < 0:
			return float64(coefficient) / powers[-exponent]
		}
	}
	v, _ := strconv.ParseFloat(strconv.FormatUint(coefficient, 10)+"e"+strconv.Itoa(exponent), 64) // the only error is overflow to Inf
	return v
}
