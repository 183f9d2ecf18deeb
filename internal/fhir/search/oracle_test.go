package search

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

// at collects what lies under a path in a tree of encoding/json, lists flattened.
func at(tree any, path ...string) []any {
	if list, ok := tree.([]any); ok {
		var out []any
		for _, e := range list {
			out = append(out, at(e, path...)...)
		}
		return out
	}
	if len(path) == 0 {
		return []any{tree}
	}
	if object, ok := tree.(map[string]any); ok {
		if child, ok := object[path[0]]; ok {
			return at(child, path[1:]...)
		}
	}
	return nil
}

func any1(values []any, is func(string) bool) bool {
	for _, v := range values {
		if s, ok := v.(string); ok && is(s) {
			return true
		}
	}
	return false
}

func equals(want string) func(string) bool { return func(s string) bool { return s == want } }

// moment reads the dateTimes of Synthea, which have a zone and seconds or are days.
func moment(s string) time.Time {
	if m, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return m
	}
	m, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(s)
	}
	return m
}

func year(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }

// TestCountsAgreeWithBruteForce compares with oracles that know only the JSON, written for each query by itself.
func TestCountsAgreeWithBruteForce(t *testing.T) {
	samples := synthea(t)
	coded := func(tree any, path []string, system, code string) bool {
		for _, c := range at(tree, append(path, "coding")...) {
			if o := c.(map[string]any); (system == "" || o["system"] == system) && o["code"] == code {
				return true
			}
		}
		return false
	}
	patient, number := "", ""
	for _, s := range samples {
		if s.doc.Type() == "Patient" {
			patient, number = s.doc.ID(), at(s.tree, "identifier")[2].(map[string]any)["value"].(string)
		}
	}
	for text, oracle := range map[string]func(tree map[string]any) bool{
		"Observation?code=http://loinc.org|8302-2": func(o map[string]any) bool {
			return coded(o, []string{"code"}, "http://loinc.org", "8302-2")
		},
		"Observation?category=laboratory&date=ge2015&date=lt2017": func(o map[string]any) bool {
			return coded(o, []string{"category"}, "", "laboratory") && any1(at(o, "effectiveDateTime"), func(s string) bool {
				return !moment(s).Before(year(2015)) && moment(s).Before(year(2017))
			})
		},
		"Observation?value-quantity=gt100||cm": func(o map[string]any) bool {
			for _, q := range at(o, "valueQuantity") {
				if m := q.(map[string]any); m["unit"] == "cm" && m["value"].(float64) > 100 {
					return true
				}
			}
			return false
		},
		"Observation?component-code-value-quantity=http://loinc.org|8480-6$ge120": func(o map[string]any) bool {
			for _, c := range at(o, "component") {
				if v := at(c, "valueQuantity", "value"); coded(c, []string{"code"}, "http://loinc.org", "8480-6") && len(v) == 1 && v[0].(float64) >= 120 {
					return true
				}
			}
			return false
		},
		"Observation?code:not=http://loinc.org|8302-2": func(o map[string]any) bool { return !coded(o, []string{"code"}, "http://loinc.org", "8302-2") },
		"Observation?code:text=body+mass":              func(o map[string]any) bool { return any1(at(o, "code", "text"), equals("Body Mass Index")) },
		"Observation?value-quantity:missing=true":      func(o map[string]any) bool { return o["valueQuantity"] == nil },
		"Condition?clinical-status=active,recurrence": func(c map[string]any) bool {
			return coded(c, []string{"clinicalStatus"}, "", "active") || coded(c, []string{"clinicalStatus"}, "", "recurrence")
		},
		"Condition?onset-date=le2000": func(c map[string]any) bool {
			return any1(at(c, "onsetDateTime"), func(s string) bool { return moment(s).Before(year(2001)) })
		},
		"Encounter?date=2012": func(e map[string]any) bool {
			p := e["period"].(map[string]any)
			return !moment(p["start"].(string)).Before(year(2012)) && moment(p["end"].(string)).Before(year(2013))
		},
		"Encounter?class=AMB&status=finished": func(e map[string]any) bool {
			return e["status"] == "finished" && any1(at(e, "class", "code"), equals("AMB"))
		},
		"Encounter?patient=" + patient:         func(e map[string]any) bool { return any1(at(e, "subject", "reference"), equals("Patient/"+patient)) },
		"Claim?patient=Patient/" + patient:     func(c map[string]any) bool { return any1(at(c, "patient", "reference"), equals("Patient/"+patient)) },
		"Encounter?practitioner:missing=false": func(e map[string]any) bool { return len(at(e, "participant", "individual", "reference")) > 0 },
		"Patient?gender=female&birthdate=lt1960": func(p map[string]any) bool {
			return p["gender"] == "female" && moment(p["birthDate"].(string)).Before(year(1960))
		},
		"Patient?name:contains=an": func(p map[string]any) bool {
			found := false
			for _, part := range []string{"family", "given", "prefix", "suffix", "text"} {
				found = found || any1(at(p, "name", part), func(s string) bool { return strings.Contains(strings.ToLower(s), "an") })
			}
			return found
		},
		"Patient?address-state=m": func(p map[string]any) bool {
			return any1(at(p, "address", "state"), func(s string) bool { return strings.HasPrefix(strings.ToLower(s), "m") })
		},
		"Patient?deceased=true": func(p map[string]any) bool { return p["deceasedDateTime"] != nil || p["deceasedBoolean"] == true },
		"Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|SS|" + number: func(p map[string]any) bool {
			for _, i := range at(p, "identifier") {
				if coded(i, []string{"type"}, "http://terminology.hl7.org/CodeSystem/v2-0203", "SS") && at(i, "value")[0] == number {
					return true
				}
			}
			return false
		},
		"MedicationRequest?intent=order&status=active,stopped": func(m map[string]any) bool {
			return m["intent"] == "order" && (m["status"] == "active" || m["status"] == "stopped")
		},
		"ExplanationOfBenefit?created=gt2015": func(e map[string]any) bool {
			return any1(at(e, "created"), func(s string) bool { return !moment(s).Before(year(2016)) })
		},
		"Organization?name=la": func(o map[string]any) bool { return strings.HasPrefix(strings.ToLower(o["name"].(string)), "la") },
	} {
		kind, rest, _ := strings.Cut(text, "?")
		q := query(t, kind, rest)
		got, want, of := 0, 0, 0
		for _, s := range samples {
			if s.doc.Type() != kind {
				continue
			}
			of++
			found, should := Match(s.doc, q), oracle(s.tree)
			if found {
				got++
			}
			if should {
				want++
			}
			if found != should {
				t.Errorf("%s: %v is found: %t, should be %t", text, s.doc, found, should)
				break
			}
		}
		t.Logf("%-100s %5d of %5d", text, got, of)
		if got == 0 || got == of && of > 60 {
			t.Errorf("%s: proves little on this data", text)
		}
	}
}

// TestLiteralsAgreeWithExactArithmetic compares with rational numbers.
func TestLiteralsAgreeWithExactArithmetic(t *testing.T) {
	nearest := func(r *big.Rat) float64 { f, _ := r.Float64(); return f }
	for _, s := range []string{"0", "5", "-5", "5.4", "5.40", "-0.0540", "100", "1e2", "1E-3", "0.1", "0.30000", "123456789.123456789", "9007199254740993",
		"1.7976931348623157e308", "4.9e-324", "12345678901234567", "0.00000000000000000000000000001", "98.6", "2.675"} {
		got, ok := parseNumber(s)
		exact, _ := new(big.Rat).SetString(s)
		mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
		unit := "1"
		if _, fraction, point := strings.Cut(mantissa, "."); point {
			unit = "0." + strings.Repeat("0", len(fraction)-1) + "1"
		}
		if exponent != "" {
			unit += "e" + exponent
		}
		half, _ := new(big.Rat).SetString(unit)
		half.Quo(half, big.NewRat(2, 1))
		low, high := nearest(new(big.Rat).Sub(exact, half)), nearest(new(big.Rat).Add(exact, half))
		if !ok || got.exact != nearest(exact) || got.low != low || got.high > high || got.high < got.exact {
			t.Errorf("%s: %v, want %v in [%v, %v)", s, got, nearest(exact), low, high)
		}
	}
	for _, s := range []string{"", "-", "+", ".", "e5", "1e", "1e+", "1e9999", "0x1", "1_0", "NaN", "Inf", "1 ", "--1", "1-", "٣", strings.Repeat("1", 2000)} {
		if l, ok := parseNumber(s); ok {
			t.Errorf("%q is taken for %v", s, l)
		}
	}
}

// TestDatesAgreeWithTime compares with package time over the years that FHIR allows.
func TestDatesAgreeWithTime(t *testing.T) {
	zone := time.FixedZone("", -5*3600)
	for y := 1; y <= 9999; y += 7 {
		m := time.Date(y, time.Month(1+y%12), 1+y%28, y%24, y%60, y*7%60, 0, zone)
		for layout, end := range map[string]time.Time{
			"2006-01-02T15:04:05Z07:00": m.Add(time.Second), "2006-01-02T15:04:05": m.Add(time.Second),
			"2006-01-02": time.Date(y, m.Month(), m.Day()+1, 0, 0, 0, 0, zone), "2006-01": time.Date(y, m.Month()+1, 1, 0, 0, 0, 0, zone),
			"2006": time.Date(y+1, 1, 1, 0, 0, 0, 0, zone),
		} {
			text := m.Format(layout)
			start, err := time.ParseInLocation(layout, text, zone)
			from, to, ok := parseDate(text, zone)
			if err != nil || !ok || from != start.UnixMicro() || to != end.UnixMicro() {
				t.Fatalf("%s: [%d, %d), want [%d, %d)", text, from, to, start.UnixMicro(), end.UnixMicro())
			}
			if from, _, _ := parseDate(text, time.UTC); layout == "2006-01-02" && from != start.Add(-5*time.Hour).UnixMicro() {
				t.Fatalf("%s in UTC: %d", text, from)
			}
		}
	}
}

func TestFold(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "plain": "plain", " a  b\t\nc ": "a b c", "Ångström": "angstrom", "ÑANDÚ": "nandu", "ﬁre": "fire", "Zoe\u0308": "zoe", "ＡＢ": "ab",
		"a\u00a0b": "a b", "O’Kon": "o’kon", "李 明": "李 明", "\u0308": "", "a\u0000b": "ab", "Straße": "straße", "Đặng": "đang",
	} {
		if got := fold(s); got != want || fold(got) != got {
			t.Errorf("%q folds to %q, want %q", s, got, want)
		}
	}
	for r := rune(1); r < 0x2000; r++ {
		if s := fold("a" + string(r) + "b"); fold(s) != s {
			t.Errorf("%U folds to %q, and that to %q", r, s, fold(s))
		}
	}
}
