package search

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// asked writes a value of a document as the text of a query that must find it.
func asked(v *Value, p *Param) string {
	switch p.Type {
	case Token:
		switch {
		case v.Code != "" && v.System != "":
			return joined(v.System, v.Code)
		case v.Code != "":
			return joined(v.Code)
		case v.System != "":
			return escape(v.System) + "|"
		}
	case Date:
		if v.From != Never && v.To == v.From+day { // a day is the coarsest precision that needs no calendar
			return time.UnixMicro(v.From).UTC().Format("2006-01-02")
		}
		if v.From != Never {
			return "ge" + time.UnixMicro(v.From).UTC().Format("2006-01-02T15:04:05.000000Z")
		}
	case String:
		return escape(v.Text)
	case Number, Quantity:
		if v.Low == v.High {
			n := strconv.FormatFloat(v.Low, 'f', -1, 64)
			if p.Type == Quantity && v.Code != "" {
				n += "|" + joined(v.System, v.Code)
			}
			return n
		}
	case Reference:
		switch {
		case v.ID != "":
			return v.Kind + "/" + v.ID
		case v.URL != "" && v.URL[0] != '#':
			return joined(v.URL)
		}
	case URI:
		return joined(v.URL)
	case Composite:
		parts := make([]string, len(v.Parts))
		for i, each := range v.Parts {
			if parts[i] = asked(&each[0], p.Components[i]); parts[i] == "" {
				return ""
			}
		}
		return strings.Join(parts, "$")
	}
	return ""
}

// TestLaws draws queries from the values of real resources and checks what must hold for any of them: a value is found, a list is
// the union, a repetition the intersection, :not the complement, :missing splits.
func TestLaws(t *testing.T) {
	samples := synthea(t)
	byType := map[string][]sample{}
	for _, s := range samples {
		if kind := s.doc.Type(); len(byType[kind]) < 300 {
			byType[kind] = append(byType[kind], s)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	askedTypes := map[Type]int{}
	find := func(kind string, q url.Values) []bool {
		parsed, err := Parse(kind, q, testOptions)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		out := make([]bool, len(byType[kind]))
		for i, s := range byType[kind] {
			out[i] = Match(s.doc, parsed)
		}
		return out
	}
	combine := func(a, b []bool, f func(x, y bool) bool) []bool {
		out := make([]bool, len(a))
		for i := range a {
			out[i] = f(a[i], b[i])
		}
		return out
	}
	for kind, of := range byType {
		for range 30 {
			i := random.IntN(len(of))
			values := Values(of[i].doc, testOptions)
			v := &values[random.IntN(len(values))]
			name, first := v.Param.Name, asked(v, v.Param)
			if first == "" {
				continue
			}
			askedTypes[v.Param.Type]++
			a := find(kind, url.Values{name: {first}})
			if !a[i] {
				t.Errorf("%s: a value of %s does not find its own resource", kind, name)
			}
			second := first
			other := Values(of[random.IntN(len(of))].doc, testOptions)
			for j := range other {
				if s := asked(&other[j], other[j].Param); other[j].Param == v.Param && s != "" {
					second = s
				}
			}
			b := find(kind, url.Values{name: {second}})
			both := find(kind, url.Values{name: {first, second}})
			either := find(kind, url.Values{name: {first + "," + second}})
			if !slices.Equal(both, combine(a, b, func(x, y bool) bool { return x && y })) {
				t.Errorf("%s: %s twice is no intersection", kind, name)
			}
			if !slices.Equal(either, combine(a, b, func(x, y bool) bool { return x || y })) {
				t.Errorf("%s: a list of %s is no union", kind, name)
			}
			there, gone := find(kind, url.Values{name + ":missing": {"false"}}), find(kind, url.Values{name + ":missing": {"true"}})
			if !there[i] || !slices.Equal(there, combine(gone, gone, func(x, _ bool) bool { return !x })) {
				t.Errorf("%s: %s:missing does not split", kind, name)
			}
			if slices.Contains(combine(either, gone, func(x, y bool) bool { return x && y }), true) {
				t.Errorf("%s: %s finds resources that have no value", kind, name)
			}
			if v.Param.Type == Token {
				not := find(kind, url.Values{name + ":not": {first + "," + second}})
				if !slices.Equal(not, combine(either, either, func(x, _ bool) bool { return !x })) {
					t.Errorf("%s: %s:not is no complement", kind, name)
				}
			}
			if v.Param.Type != Composite && len(query(t, kind, "_sort="+name).SortKey(of[i].doc)) < 2 {
				t.Errorf("%s: %s sorts a resource that has a value as if it had none", kind, name)
			}
		}
	}
	for _, kind := range []Type{Token, Date, String, Quantity, Reference, Composite} {
		if askedTypes[kind] == 0 {
			t.Errorf("no query of type %s was drawn", kind)
		}
	}
}

// TestPrefixesAgree holds for any two intervals.
func TestPrefixesAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		from, valueFrom := random.Int64N(8), random.Int64N(8)
		to, valueTo := from+1+random.Int64N(4), valueFrom+1+random.Int64N(4)
		is := func(p Prefix) bool { return p.dates(from, to, valueFrom, valueTo) }
		switch {
		case is(Eq) == is(Ne), is(Ge) != (is(Gt) || is(Eq)), is(Le) != (is(Lt) || is(Eq)), is(Sa) && !is(Gt), is(Eb) && !is(Lt),
			is(Sa) && is(Eb), is(Ap) == (is(Sa) || is(Eb)), is(Eq) && (is(Gt) || is(Lt)), !is(Eq) && !is(Gt) && !is(Lt):
			t.Fatalf("the prefixes contradict each other: query [%d,%d), value [%d,%d)", from, to, valueFrom, valueTo)
		}
	}
}
