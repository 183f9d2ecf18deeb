package record

import (
	"hash/fnv"
	"strings"

	"chartwarden/internal/fhir/search"
)

// A key is a letter for the kind of term and seven bytes: of text its beginning, so that a prefix is a range of keys; of an
// identifier or a phone number a hash. Both are coarser than the value, never finer.
const (
	nameTerm       = 'n'
	addressTerm    = 'a'
	identifierTerm = 'i'
	telecomTerm    = 't'
)

// describe takes from the values of a Patient what the directory keeps, and gives the keys of its terms.
func (e *entry) describe(values []search.Value) (keys []uint64) {
	for i := range values {
		v := &values[i]
		switch v.Param.Name {
		case "name":
			keys = append(keys, textKey(nameTerm, v.Folded))
		case "address":
			keys = append(keys, textKey(addressTerm, v.Folded))
		case "identifier":
			keys = append(keys, hashKey(identifierTerm, v.Code))
		case "telecom":
			keys = append(keys, hashKey(telecomTerm, v.Code))
		case "gender":
			if v.Code != "" {
				e.sex = v.Code[0]
			}
		case "birthdate":
			e.born = [2]int32{days(v.From), days(v.To-1) + 1}
		}
	}
	return keys
}

func textKey(kind byte, folded string) uint64 {
	k := uint64(kind) << 56
	for i := range min(7, len(folded)) {
		k |= uint64(folded[i]) << (48 - 8*i)
	}
	return k
}

func hashKey(kind byte, code string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.ToLower(strings.ToUpper(code)))) // never fails; up and down, for letters that fold only upwards
	return uint64(kind)<<56 | h.Sum64()>>8
}

const day = 24 * 3600 * 1e6 // microseconds

func days(us int64) int32 {
	d := us / day
	if us%day < 0 {
		d--
	}
	return int32(max(min(d, 1<<30), -1<<30)) // open ends are beyond any birth
}

// textTerms and codeTerms say which parameters the directory can look up, under which kind. A value of a narrower parameter is also
// one of the wider that was indexed.
var (
	textTerms = map[string]byte{"name": nameTerm, "family": nameTerm, "given": nameTerm, "address": addressTerm, "address-city": addressTerm,
		"address-state": addressTerm, "address-postalcode": addressTerm, "address-country": addressTerm}
	codeTerms = map[string]byte{"identifier": identifierTerm, "telecom": telecomTerm, "phone": telecomTerm, "email": telecomTerm}
)

// rangesOf are the key ranges that hold every match of a clause; ok is false when the directory cannot look it up.
func rangesOf(c *search.Clause) (ranges [][2]uint64, ok bool) {
	text, isText := textTerms[c.Param.Name]
	code, isCode := codeTerms[c.Param.Name]
	switch {
	case isText && (c.Modifier == search.NoModifier || c.Modifier == search.ModifierExact):
		for i := range c.Any {
			low := textKey(text, c.Any[i].Folded)
			high := low
			if n := len(c.Any[i].Folded); n < 7 {
				high |= 1<<(56-8*n) - 1
			}
			ranges = append(ranges, [2]uint64{low, high})
		}
	case isCode && (c.Modifier == search.NoModifier || c.Modifier == search.ModifierOfType):
		for i := range c.Any {
			if c.Any[i].AnyCode { // a system alone
				return nil, false
			}
			k := hashKey(code, c.Any[i].Code)
			ranges = append(ranges, [2]uint64{k, k})
		}
	default:
		return nil, false
	}
	return ranges, true
}

// admits reports whether sex and birth date allow a match; it may be wrong only by admitting.
func (e *entry) admits(clauses []search.Clause) bool {
	for i := range clauses {
		c := &clauses[i]
		if c.Modifier != search.NoModifier {
			continue
		}
		fits := false
		for j := range c.Any {
			o := &c.Any[j]
			switch c.Param.Name {
			case "gender":
				fits = fits || o.AnyCode || o.Code != "" && e.sex == o.Code[0]|0x20
			case "birthdate":
				fits = fits || e.born != [2]int32{} && bornFits(o, e.born)
			default:
				fits = true
			}
		}
		if !fits {
			return false
		}
	}
	return true
}

// bornFits is a coarse form, in days, of how a date compares.
func bornFits(o *search.Operand, born [2]int32) bool {
	from, to := days(o.From), days(o.To-1)+1
	switch o.Prefix {
	case search.Gt, search.Ge, search.Sa:
		return born[1] >= from
	case search.Lt, search.Le, search.Eb:
		return born[0] <= to
	case search.Ne:
		return true
	}
	return born[0] <= to && born[1] >= from
}
