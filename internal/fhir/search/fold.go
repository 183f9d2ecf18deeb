package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold brings a string into the form in which strings are compared: compatibility forms decomposed, marks and case dropped, white
// space trimmed and collapsed. Source: https://hl7.org/fhir/R4/search.html#string.
func fold(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.IsSpace(r):
			gap = true
		case unicode.Is(unicode.Mn, r) || unicode.IsControl(r):
		default:
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// plain reports whether fold would change nothing, judged cheaply.
func plain(s string) bool {
	space := true // none at the start, none doubled
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
}

// beginWords reports whether each word of query begins a word of text; both are folded.
func beginWords(text, query string) bool {
	for word := range wordsOf(query) {
		found := false
		for w := range wordsOf(text) {
			if strings.HasPrefix(w, word) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func wordsOf(s string) func(yield func(string) bool) {
	return strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}
