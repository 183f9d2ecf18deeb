package record

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/fhir"
)

// fact is what the naive matcher knows of one resource: read off its JSON by hand, without the product's tables, walker or matcher.
type fact struct {
	ref    string
	tokens map[string][]string // "system|code"
	dates  map[string][][2]time.Time
	refs   map[string][]string
	names  map[string][]string // lower case
}

// paths are, by type and parameter, where the naive matcher looks.
var paths = map[string]map[string]string{
	"Observation":       {"code": "code.coding", "category": "category.coding", "status": "status", "date": "effectiveDateTime", "subject": "subject.reference", "encounter": "encounter.reference"},
	"Encounter":         {"class": "class", "type": "type.coding", "status": "status", "date": "period", "subject": "subject.reference", "participant": "participant.individual.reference", "service-provider": "serviceProvider.reference"},
	"Condition":         {"code": "code.coding", "clinical-status": "clinicalStatus.coding", "onset-date": "onsetDateTime", "subject": "subject.reference", "encounter": "encounter.reference"},
	"Procedure":         {"code": "code.coding", "status": "status", "date": "performedPeriod", "subject": "subject.reference", "encounter": "encounter.reference"},
	"MedicationRequest": {"code": "medicationCodeableConcept.coding", "status": "status", "authoredon": "authoredOn", "subject": "subject.reference", "encounter": "encounter.reference", "requester": "requester.reference"},
	"Immunization":      {"vaccine-code": "vaccineCode.coding", "status": "status", "date": "occurrenceDateTime", "patient": "patient.reference"},
	"DiagnosticReport":  {"code": "code.coding", "status": "status", "date": "effectiveDateTime", "subject": "subject.reference", "encounter": "encounter.reference", "result": "result.reference"},
	"Patient":           {"family": "name.family", "gender": "gender", "birthdate": "birthDate"},
	"Practitioner":      {"family": "name.family"},
	"Organization":      {"name": "name"},
}

func under(tree any, path string) (out []any) {
	if list, ok := tree.([]any); ok {
		for _, e := range list {
			out = append(out, under(e, path)...)
		}
		return out
	}
	if path == "" {
		return []any{tree}
	}
	head, rest, _ := strings.Cut(path, ".")
	if object, ok := tree.(map[string]any); ok && object[head] != nil {
		return under(object[head], rest)
	}
	return nil
}

func when(s string) [2]time.Time {
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		if strings.Contains(s, ".") {
			return [2]time.Time{at, at.Add(time.Millisecond)}
		}
		return [2]time.Time{at, at.Add(time.Second)}
	}
	for layout, next := range map[string][3]int{"2006-01-02": {0, 0, 1}, "2006-01": {0, 1, 0}, "2006": {1, 0, 0}} {
		if at, err := time.Parse(layout, s); err == nil {
			return [2]time.Time{at, at.AddDate(next[0], next[1], next[2])}
		}
	}
	panic("no date")
}

func factOf(t testing.TB, text []byte) *fact {
	var tree map[string]any
	must(t, json.Unmarshal(text, &tree))
	typ := tree["resourceType"].(string)
	f := &fact{ref: typ + "/" + tree["id"].(string), tokens: map[string][]string{}, dates: map[string][][2]time.Time{}, refs: map[string][]string{}, names: map[string][]string{}}
	for param, path := range paths[typ] {
		for _, v := range under(tree, path) {
			switch object, isObject := v.(map[string]any); {
			case isObject && (object["start"] != nil || object["end"] != nil):
				f.dates[param] = append(f.dates[param], [2]time.Time{when(object["start"].(string))[0], when(object["end"].(string))[1]})
			case isObject:
				system, _ := object["system"].(string)
				code, _ := object["code"].(string)
				f.tokens[param] = append(f.tokens[param], system+"|"+code)
			case strings.HasSuffix(path, "reference"):
				f.refs[param] = append(f.refs[param], v.(string))
			case param == "family" || param == "name":
				f.names[param] = append(f.names[param], strings.ToLower(v.(string)))
			case strings.Contains(param, "date") || param == "authoredon":
				f.dates[param] = append(f.dates[param], when(v.(string)))
			default:
				f.tokens[param] = append(f.tokens[param], "|"+v.(string))
			}
		}
	}
	return f
}

// asked is a generated condition: its text, and whether a resource meets it.
type asked struct {
	text string
	met  func(*fact) bool
}

// naive answers searches by looking at everything.
type naive struct {
	byType map[string][]*fact
	byRef  map[string]*fact
	r      *rand.Rand
}

func pickOne[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// condition makes a condition that some resource of the type meets, or nearly.
func (n *naive) condition(typ string) asked {
	like := pickOne(n.r, n.byType[typ])
	var params []string
	for p := range paths[typ] {
		params = append(params, p)
	}
	slices.Sort(params)
	for range 50 {
		p := pickOne(n.r, params)
		switch {
		case len(like.tokens[p]) > 0:
			system, code, _ := strings.Cut(pickOne(n.r, like.tokens[p]), "|")
			if strings.ContainsAny(code, "|,$&+%;# ") {
				continue
			}
			has := func(f *fact) bool {
				return slices.ContainsFunc(f.tokens[p], func(t string) bool { return strings.HasSuffix(t, "|"+code) })
			}
			text := p + "=" + code
			if system != "" && n.r.IntN(2) == 0 {
				text = p + "=" + system + "|" + code
				has = func(f *fact) bool { return slices.Contains(f.tokens[p], system+"|"+code) }
			}
			if n.r.IntN(6) == 0 {
				return asked{strings.Replace(text, "=", ":not=", 1), func(f *fact) bool { return !has(f) }}
			}
			return asked{text, has}
		case len(like.dates[p]) > 0:
			at := pickOne(n.r, like.dates[p])[0].UTC()
			text := pickOne(n.r, []string{at.Format("2006"), at.Format("2006-01"), at.Format("2006-01-02")})
			q := when(text)
			prefix := pickOne(n.r, []string{"ge", "lt", "gt", "le", "", "sa", "eb"})
			return asked{p + "=" + prefix + text, func(f *fact) bool {
				return slices.ContainsFunc(f.dates[p], func(v [2]time.Time) bool {
					within := !v[0].Before(q[0]) && !v[1].After(q[1])
					switch prefix {
					case "ge":
						return v[1].After(q[1]) || within
					case "gt":
						return v[1].After(q[1])
					case "lt":
						return v[0].Before(q[0])
					case "le":
						return v[0].Before(q[0]) || within
					case "sa":
						return !v[0].Before(q[1])
					case "eb":
						return !v[1].After(q[0])
					}
					return within
				})
			}}
		case len(like.refs[p]) > 0:
			ref := pickOne(n.r, like.refs[p])
			target := n.byRef[ref]
			is := func(f *fact) bool { return slices.Contains(f.refs[p], ref) }
			kind, id, _ := strings.Cut(ref, "/")
			if target == nil || n.r.IntN(2) == 0 || paths[kind] == nil {
				return asked{p + "=" + pickOne(n.r, []string{ref, id}), is}
			}
			inner := n.condition(kind)
			return asked{p + ":" + kind + "." + inner.text, func(f *fact) bool {
				return slices.ContainsFunc(f.refs[p], func(r string) bool {
					return n.byRef[r] != nil && strings.HasPrefix(r, kind+"/") && inner.met(n.byRef[r])
				})
			}}
		case len(like.names[p]) > 0:
			name := pickOne(n.r, like.names[p])
			if strings.ContainsFunc(name, func(r rune) bool { return r > 'z' || r == ' ' || r == '&' || r == ',' }) {
				continue
			}
			prefix := name[:1+n.r.IntN(len(name))]
			return asked{p + "=" + prefix, func(f *fact) bool {
				return slices.ContainsFunc(f.names[p], func(v string) bool { return strings.HasPrefix(v, prefix) })
			}}
		}
	}
	_, id, _ := strings.Cut(like.ref, "/") // nothing of it can be written plainly
	return asked{"_id=" + id, func(f *fact) bool { return f == like }}
}

// backwards makes a condition on what refers to a resource of the type.
func (n *naive) backwards(typ string) asked {
	back := map[string][][2]string{"Patient": {{"Condition", "subject"}, {"Observation", "subject"}, {"Encounter", "subject"}, {"Immunization", "patient"}},
		"Encounter": {{"Observation", "encounter"}, {"Condition", "encounter"}, {"Procedure", "encounter"}}, "Practitioner": {{"Encounter", "participant"}},
		"Observation": {{"DiagnosticReport", "result"}}}[typ]
	by := pickOne(n.r, back)
	inner := n.condition(by[0])
	set := map[string]bool{}
	for _, f := range n.byType[by[0]] {
		if inner.met(f) {
			for _, ref := range f.refs[by[1]] {
				set[ref] = true
			}
		}
	}
	return asked{"_has:" + by[0] + ":" + by[1] + ":" + inner.text, func(f *fact) bool { return set[f.ref] }}
}

// TestSearchesAcrossSyntheaEqualBruteForce holds generated searches over all the published patients, inside charts and across them, with
// chains, _has and inclusions, against a matcher that knows nothing of the product.
func TestSearchesAcrossSyntheaEqualBruteForce(t *testing.T) {
	w := newWorld(t)
	staff, patients := synthea(t)
	questions := 1000
	switch {
	case testing.Short():
		patients, questions = patients[:6], 120
	case os.Getenv("CHARTWARDEN_LONG") == "": // all of them take minutes
		patients, questions = patients[:20], 300
	}
	n := &naive{byType: map[string][]*fact{}, byRef: map[string]*fact{}, r: rand.New(rand.NewPCG(17, 4))}
	for _, file := range append(staff, patients...) {
		for _, s := range w.must(w.bundle(file)...) {
			if paths[s.Type()] == nil {
				continue
			}
			if n.byRef[s.Ref()] != nil || s.found().doc == nil { // staff come again with each file
				continue
			}
			f := factOf(t, s.found().doc.AppendJSON(nil))
			n.byType[s.Type()], n.byRef[f.ref] = append(n.byType[s.Type()], f), f
		}
	}
	var types []string
	for typ := range n.byType {
		types = append(types, typ)
	}
	slices.Sort(types)
	found, empty := 0, 0
	for range questions {
		typ := pickOne(n.r, types)
		conditions := []asked{n.condition(typ)}
		for len(conditions) < 1+n.r.IntN(3) {
			conditions = append(conditions, n.condition(typ))
		}
		if n.r.IntN(4) == 0 && slices.Contains([]string{"Patient", "Encounter", "Practitioner", "Observation"}, typ) {
			conditions = append(conditions[:1], n.backwards(typ))
		}
		var expected []string
		var parts []string
		for _, c := range conditions {
			parts = append(parts, c.text)
		}
		patient := fhir.PatientID(0)
		if n.r.IntN(3) == 0 && paths[typ]["subject"] != "" { // inside one chart
			who := pickOne(n.r, n.byType["Patient"])
			parts = append(parts, "subject="+who.ref)
			conditions = append(conditions, asked{"", func(f *fact) bool { return slices.Contains(f.refs["subject"], who.ref) }})
			var err error
			patient, err = w.Patient(t.Context(), strings.TrimPrefix(who.ref, "Patient/"))
			must(t, err)
		}
		for _, f := range n.byType[typ] {
			if !slices.ContainsFunc(conditions, func(c asked) bool { return !c.met(f) }) {
				expected = append(expected, strings.TrimPrefix(f.ref, typ+"/"))
			}
		}
		text := strings.Join(parts, "&")
		q := query(t, typ, text+pickOne(n.r, []string{"", "&_sort=_id", "&_sort=-_lastUpdated"})+"&_total=accurate&_count=300")
		r := SearchRequest{Query: q, Text: text, Patient: patient, Principal: "p"}
		page, err := w.Search(t.Context(), r)
		must(t, err)
		if page.Total != len(expected) {
			t.Fatalf("%s?%s: %d found, want %d", typ, text, page.Total, len(expected))
		}
		var got []string
		for _, h := range page.Hits {
			got = append(got, h.ID())
		}
		slices.Sort(got)
		slices.Sort(expected)
		if len(expected) <= 300 && !slices.Equal(got, expected) || len(slices.Compact(slices.Clone(got))) != len(got) ||
			slices.ContainsFunc(got, func(id string) bool { _, ok := slices.BinarySearch(expected, id); return !ok }) {
			t.Fatalf("%s?%s: other resources than expected", typ, text)
		}
		if found += len(expected); len(expected) == 0 {
			empty++
		}
		n.inclusions(t, w, typ, text, patient, got)
	}
	if found < questions || empty > questions*2/3 {
		t.Fatalf("%d found by %d questions, %d found nothing: nothing was tested", found, questions, empty)
	}
}

// inclusions compares what comes along with the first hits.
func (n *naive) inclusions(t *testing.T, w *world, typ, text string, patient fhir.PatientID, hits []string) {
	t.Helper()
	if len(hits) == 0 || len(hits) > 60 {
		return
	}
	expected := map[string]bool{}
	var ask []string
	for p, path := range paths[typ] {
		if strings.HasSuffix(path, "reference") {
			ask = append(ask, "_include="+typ+":"+p)
			for _, id := range hits {
				for _, ref := range n.byRef[typ+"/"+id].refs[p] {
					expected[ref] = n.byRef[ref] != nil
				}
			}
		}
	}
	if typ == "Encounter" {
		ask = append(ask, "_revinclude=Condition:encounter")
		for _, f := range n.byType["Condition"] {
			for _, ref := range f.refs["encounter"] {
				if slices.Contains(hits, strings.TrimPrefix(ref, "Encounter/")) {
					expected[f.ref] = true
				}
			}
		}
	}
	if len(ask) == 0 {
		return
	}
	page, err := w.Search(t.Context(), SearchRequest{Query: query(t, typ, text+"&_count=300&"+strings.Join(ask, "&")), Patient: patient})
	must(t, err)
	for _, x := range page.Included {
		if !expected[x.Ref()] {
			t.Fatalf("%s?%s: includes a %s too many", typ, text, x.Type())
		}
		delete(expected, x.Ref())
	}
	for ref, there := range expected {
		if kind, id, _ := strings.Cut(ref, "/"); there && !(kind == typ && slices.Contains(hits, id)) {
			t.Fatalf("%s?%s: a %s is not included", typ, text, kind)
		}
	}
}

func refsOf(in []*Sealed) (out []string) {
	for _, x := range in {
		out = append(out, x.Ref())
	}
	return out
}
