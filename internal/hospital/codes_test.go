package hospital

import (
	"regexp"
	"strings"
	"testing"
)

// Verhoeff's dihedral check, which ends every SNOMED CT identifier.
func snomedHolds(code string) bool {
	var d [10][10]int
	for i := range 5 {
		for j := range 5 {
			d[i][j], d[i][j+5], d[i+5][j], d[i+5][j+5] = (i+j)%5, (i+j)%5+5, (i-j+5)%5+5, (i-j+5)%5
		}
	}
	p := [8][10]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4}}
	for i := 2; i < 8; i++ {
		for j := range 10 {
			p[i][j] = p[i-1][p[1][j]]
		}
	}
	c := 0
	for i := range len(code) {
		c = d[c][p[i%8][code[len(code)-1-i]-'0']]
	}
	return c == 0
}

// The mod-10 check digit behind the hyphen of a LOINC code.
func loincHolds(code string) bool {
	number, check, ok := strings.Cut(code, "-")
	if !ok {
		return false
	}
	sum := 0
	for i := range len(number) {
		n := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return string(rune('0'+(10-sum%10)%10)) == check
}

func TestCheckDigitsOfTheTest(t *testing.T) {
	if !snomedHolds("38341003") || snomedHolds("38341004") || !loincHolds("8867-4") || loincHolds("8867-5") {
		t.Fatal("the check itself is wrong")
	}
}

var icd10 = regexp.MustCompile(`^[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?$`)

// TestCodesAreWellFormed walks every resource of a hospital: a mistyped code is found by its check digit.
func TestCodesAreWellFormed(t *testing.T) {
	h := Generate(Options{Seed: 1, Now: noonUTC})
	seen := map[string]bool{}
	entries := h.Today
	for e := range h.Behind {
		if entries = append(entries, e); len(entries) > 25_000 {
			break
		}
	}
	pair := regexp.MustCompile(`"system":"([^"]+)","code":"([^"]+)"`)
	for _, e := range entries {
		for _, m := range pair.FindAllStringSubmatch(string(e.JSON), -1) {
			if seen[m[0]] {
				continue
			}
			seen[m[0]] = true
			code, ok := m[2], true
			switch m[1] {
			case sysSNOMED:
				ok = snomedHolds(code)
			case sysLOINC:
				ok = strings.HasPrefix(code, "LA") || loincHolds(code)
			case sysICD10:
				ok = icd10.MatchString(code)
			case sysRxNorm:
				ok = regexp.MustCompile(`^\d{3,7}$`).MatchString(code)
			}
			if !ok {
				t.Errorf("%s %s is not well formed", m[1], code)
			}
		}
	}
}

// TestTablesAgree: what a table names, another has.
func TestTablesAgree(t *testing.T) {
	drug := func(where string, keys ...string) {
		for _, key := range keys {
			if _, ok := drugs[key]; !ok {
				t.Errorf("%s: no drug %s", where, key)
			}
		}
	}
	test := func(where string, keys ...string) {
		for _, key := range keys {
			if _, ok := labs[key]; !ok && inPanel[key] == nil {
				t.Errorf("%s: no test %s", where, key)
			}
		}
	}
	for _, c := range conditions {
		drug(c.key, c.drugs...)
		for _, l := range c.tests {
			test(c.key, l.test)
		}
		if !snomedHolds(c.snomed) || !icd10.MatchString(c.icd) {
			t.Errorf("%s: code", c.key)
		}
		if c.talk == "" || c.judgement == "" || c.clinic == "" {
			t.Errorf("%s: nothing to say", c.key)
		}
	}
	for _, s := range append(storyList(), births[0], births[1], newbornStory) {
		drug(s.key, s.drugs...)
		test(s.key, s.panels...)
		for _, l := range s.labs {
			test(s.key, l.test)
		}
		for _, key := range s.with {
			if conditionOf[key] == nil {
				t.Errorf("%s: no condition %s", s.key, key)
			}
		}
		if !snomedHolds(s.snomed) || !icd10.MatchString(s.icd) || len(s.course) == 0 || len(s.nursing) == 0 || len(s.plan) == 0 {
			t.Errorf("%s is incomplete, or miscoded", s.key)
		}
		for _, st := range s.studies {
			if !snomedHolds(st.snomed) {
				t.Errorf("%s: study %s", s.key, st.name)
			}
		}
		if s.surgery != nil && !snomedHolds(s.surgery.snomed) {
			t.Errorf("%s: operation", s.key)
		}
	}
	for i := range arrivals {
		a := &arrivals[i]
		drug(a.name, a.drugs...)
		test(a.name, a.panels...)
		if !snomedHolds(a.snomed) || !icd10.MatchString(a.icd) {
			t.Errorf("%s: code", a.name)
		}
		for _, st := range a.studies {
			if !snomedHolds(st.snomed) {
				t.Errorf("%s: study %s", a.name, st.name)
			}
		}
	}
	for key, g := range drugs {
		if routes[g.route] == nil {
			t.Errorf("%s: no route %s", key, g.route)
		}
	}
	for key, l := range labs {
		if !loincHolds(l.loinc) || l.panel != "" && !has(inPanel[l.panel], key) {
			t.Errorf("%s: code or panel", key)
		}
	}
	for _, kind := range alike {
		drug("alike", kind...)
	}
	if peopleShares != 100 {
		t.Errorf("shares of cultures add up to %d", peopleShares)
	}
}

func storyList() (out []*story) {
	for i := range stories {
		out = append(out, &stories[i])
	}
	return out
}
