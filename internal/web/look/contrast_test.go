package look

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// The token table is read from the stylesheet that is served, so what is measured is what people see.
func tokens(t *testing.T) map[string][2]string {
	t.Helper()
	out := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)`).FindAllStringSubmatch(string(mustRead("css/tokens.css")), -1) {
		out[m[1]] = [2]string{m[2], m[3]}
	}
	if len(out) < 18 {
		t.Fatalf("only %d tokens found", len(out))
	}
	return out
}

// luminance and contrast: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
func luminance(hex string) float64 {
	part := func(s string) float64 {
		n, _ := strconv.ParseUint(s, 16, 8)
		c := float64(n) / 255
		if c <= .04045 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*part(hex[1:3]) + .7152*part(hex[3:5]) + .0722*part(hex[5:7])
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func TestContrast(t *testing.T) {
	type pair struct {
		fore, back string
		least      float64
	}
	const text, control = 4.5, 3
	var pairs []pair
	for _, back := range []string{"surface", "paper", "sunken"} {
		for _, fore := range []string{"ink", "ink-2", "ink-3", "accent", "ok", "warn", "crit"} {
			pairs = append(pairs, pair{fore, back, text})
		}
		pairs = append(pairs, pair{"focus", back, control})
	}
	for _, wash := range []string{"accent", "ok", "warn", "crit"} {
		pairs = append(pairs, pair{wash, wash + "-wash", text}, pair{"ink", wash + "-wash", text}, pair{"ink-2", wash + "-wash", text})
	}
	pairs = append(pairs, pair{"accent-ink", "accent", text}, pair{"paper", "ink", text}, pair{"edge", "surface", control}, pair{"edge", "paper", control})
	tok := tokens(t)
	for _, p := range pairs {
		for i, theme := range []string{"light", "dark"} {
			if got := contrast(tok[p.fore][i], tok[p.back][i]); got < p.least {
				t.Errorf("%s: %s on %s is %.2f, needs %.1f", theme, p.fore, p.back, got, p.least)
			}
		}
	}
}
