package search

import (
	"math"
	"strconv"
	"strings"

	"chartwarden/internal/fhir/document"
)

// reader adds the values of the element n to the walker. Elements of another JSON kind than their type has give nothing.
type reader func(w *walker, l *leaf, n document.Node)

// readers is keyed by the type of the parameter and of the element. The generator knows the same pairs.
var readers map[string]reader

func init() { // a composite reads by way of the table of readers, which a plain initialiser may not
	readers = map[string]reader{
		"token code": (*walker).code, "token Coding": (*walker).coding, "token CodeableConcept": (*walker).concept,
		"token Identifier": (*walker).identifier, "token ContactPoint": (*walker).contact, "token boolean": (*walker).boolean,
		"token string": (*walker).plainToken, "token id": (*walker).plainToken, "token uri": (*walker).plainToken,
		"token present": (*walker).present,
		"date date":     (*walker).date, "date dateTime": (*walker).date, "date instant": (*walker).date,
		"date Period": (*walker).period, "date Timing": (*walker).timing,
		"string string": (*walker).text, "string markdown": (*walker).text, "string CodeableConcept": (*walker).conceptText,
		"string HumanName": (*walker).name, "string Address": (*walker).address,
		"number integer": (*walker).number, "number decimal": (*walker).number, "number positiveInt": (*walker).number,
		"number unsignedInt": (*walker).number, "number Range": (*walker).span,
		"quantity Quantity": (*walker).quantity, "quantity Money": (*walker).money, "quantity Range": (*walker).span,
		"quantity SampledData": (*walker).samples,
		"reference Reference":  (*walker).reference, "reference canonical": (*walker).canonical, "reference uri": (*walker).canonical,
		"reference Resource": (*walker).resource,
		"uri uri":            (*walker).uri, "uri canonical": (*walker).canonical,
	}
}

func (w *walker) add(v Value) { w.values = append(w.values, v) }

// str is the text of a string, and "" for anything else.
func str(n document.Node) string {
	if n.Kind() != document.String {
		return ""
	}
	return n.Text()
}

func (w *walker) code(l *leaf, n document.Node) {
	if c := str(n); c != "" {
		w.add(Value{Param: l.param, System: l.argument, Code: c})
	}
}

func (w *walker) plainToken(l *leaf, n document.Node) {
	if c := str(n); c != "" {
		w.add(Value{Param: l.param, Code: c})
	}
}

const booleanSystem = "http://terminology.hl7.org/CodeSystem/special-values"

func (w *walker) boolean(l *leaf, n document.Node) {
	if n.Kind() == document.Bool {
		w.add(Value{Param: l.param, System: booleanSystem, Code: n.Text()})
	}
}

// present says whether one of the named elements is there and is not false; it always has a value.
func (w *walker) present(l *leaf, n document.Node) {
	code := "false"
	for name := range strings.SplitSeq(l.argument, ",") {
		if c := n.Get(name); c.Exists() && c.Kind() != document.Null && (c.Kind() != document.Bool || c.Bool()) {
			code = "true"
		}
	}
	w.add(Value{Param: l.param, System: booleanSystem, Code: code})
}

func (w *walker) coding(l *leaf, n document.Node) {
	v := Value{Param: l.param}
	for c := range n.Fields() {
		switch c.Name() {
		case "system":
			v.System = str(c)
		case "code":
			v.Code = str(c)
		case "display":
			v.Text = str(c)
		}
	}
	if v.System == "" && v.Code == "" && v.Text == "" {
		return
	}
	v.IgnoreCase = ignoresCase(v.System)
	w.add(v)
}

// ignoresCase reports whether a code system says that case does not matter in its codes. In doubt codes are compared as written: a
// conditional create that mistook one code for another could join two patients.
func ignoresCase(system string) bool {
	return system == "http://loinc.org" || system == "http://snomed.info/sct" ||
		strings.HasPrefix(system, "http://hl7.org/fhir/sid/icd-") || system == "http://www.ama-assn.org/go/cpt"
}

func (w *walker) concept(l *leaf, n document.Node) {
	for c := range n.Get("coding").Items() {
		w.coding(l, c)
	}
	if t := str(n.Get("text")); t != "" {
		w.add(Value{Param: l.param, Text: t})
	}
}

func (w *walker) identifier(l *leaf, n document.Node) {
	v := Value{Param: l.param, System: str(n.Get("system")), Code: str(n.Get("value"))}
	kind := n.Get("type")
	v.Text = str(kind.Get("text"))
	for c := range kind.Get("coding").Items() {
		v.Kinds = append(v.Kinds, Coding{str(c.Get("system")), str(c.Get("code"))})
		if v.Text == "" {
			v.Text = str(c.Get("display"))
		}
	}
	if v.System != "" || v.Code != "" {
		w.add(v)
	}
}

func (w *walker) contact(l *leaf, n document.Node) {
	system := str(n.Get("system"))
	if value := str(n.Get("value")); value != "" {
		w.add(Value{Param: l.param, System: system, Code: value, IgnoreCase: system == "email"})
	}
}

func (w *walker) date(l *leaf, n document.Node) {
	if from, to, ok := parseDate(str(n), w.zone); ok {
		w.add(Value{Param: l.param, From: from, To: to})
	}
}

func (w *walker) periodOf(n document.Node) (from, to int64, ok bool) {
	from, to = Never, Forever
	if start, _, known := parseDate(str(n.Get("start")), w.zone); known {
		from, ok = start, true
	}
	if _, end, known := parseDate(str(n.Get("end")), w.zone); known {
		to, ok = end, true
	}
	return from, to, ok && from < to
}

func (w *walker) period(l *leaf, n document.Node) {
	if from, to, ok := w.periodOf(n); ok {
		w.add(Value{Param: l.param, From: from, To: to})
	}
}

// timing gives the outer limits: of the events and of the bounds.
func (w *walker) timing(l *leaf, n document.Node) {
	from, to, ok := w.periodOf(n.Path("repeat", "boundsPeriod"))
	for e := range n.Get("event").Items() {
		if f, t, known := parseDate(str(e), w.zone); known {
			if !ok {
				from, to, ok = f, t, true
			}
			from, to = min(from, f), max(to, t)
		}
	}
	if ok {
		w.add(Value{Param: l.param, From: from, To: to})
	}
}

func (w *walker) text(l *leaf, n document.Node) {
	if s := str(n); s != "" {
		w.add(Value{Param: l.param, Text: s, Folded: fold(s)})
	}
}

func (w *walker) conceptText(l *leaf, n document.Node) {
	w.text(l, n.Get("text"))
	for c := range n.Get("coding").Items() {
		w.text(l, c.Get("display"))
	}
}

func (w *walker) each(l *leaf, n document.Node, names ...string) {
	for _, name := range names {
		for s := range n.Get(name).Items() {
			w.text(l, s)
		}
	}
}

func (w *walker) name(l *leaf, n document.Node) {
	w.each(l, n, "text", "family", "given", "prefix", "suffix")
}

func (w *walker) address(l *leaf, n document.Node) {
	w.each(l, n, "text", "line", "city", "district", "state", "postalCode", "country")
}

func (w *walker) number(l *leaf, n document.Node) {
	if x, ok := decimal(n); ok {
		w.add(Value{Param: l.param, Low: x, High: x})
	}
}

// decimal is the float64 nearest to a JSON number; false for other kinds and for what is out of range.
func decimal(n document.Node) (float64, bool) {
	if n.Kind() != document.Number {
		return 0, false
	}
	x, err := strconv.ParseFloat(n.Text(), 64)
	return x, err == nil
}

// quantityOf reads a Quantity: a point, or an open interval where it has a comparator.
func (w *walker) quantityOf(l *leaf, n document.Node) (Value, bool) {
	x, ok := decimal(n.Get("value"))
	if !ok {
		return Value{}, false
	}
	v := Value{Param: l.param, Low: x, High: x, System: str(n.Get("system")), Code: str(n.Get("code")), Text: str(n.Get("unit"))}
	switch str(n.Get("comparator")) {
	case "<":
		v.Low, v.High = math.Inf(-1), math.Nextafter(x, math.Inf(-1))
	case "<=":
		v.Low = math.Inf(-1)
	case ">":
		v.Low, v.High = math.Nextafter(x, math.Inf(1)), math.Inf(1)
	case ">=":
		v.High = math.Inf(1)
	}
	return v, true
}

func (w *walker) quantity(l *leaf, n document.Node) {
	if v, ok := w.quantityOf(l, n); ok {
		w.add(v)
	}
}

func (w *walker) money(l *leaf, n document.Node) {
	if v, ok := w.quantityOf(l, n); ok {
		v.System, v.Code = "urn:iso:std:iso:4217", str(n.Get("currency"))
		w.add(v)
	}
}

// span reads a Range; an end that is absent is open.
func (w *walker) span(l *leaf, n document.Node) {
	low, hasLow := w.quantityOf(l, n.Get("low"))
	high, hasHigh := w.quantityOf(l, n.Get("high"))
	switch {
	case !hasLow && !hasHigh:
		return
	case !hasLow:
		low = high
		low.Low = math.Inf(-1)
	case !hasHigh:
		high.High = math.Inf(1)
	}
	low.High = high.High
	if low.Low <= low.High {
		w.add(low)
	}
}

// samples gives the interval from the least to the greatest of the sampled values.
func (w *walker) samples(l *leaf, n document.Node) {
	v, ok := w.quantityOf(l, n.Get("origin"))
	if !ok {
		return
	}
	origin, factor := v.Low, 1.0
	if f, ok := decimal(n.Get("factor")); ok {
		factor = f
	}
	v.Low, v.High = math.Inf(1), math.Inf(-1)
	for s := range strings.FieldsSeq(str(n.Get("data"))) {
		if x, ok := parseNumber(s); ok { // E, U and L stand for what was not measured
			v.Low, v.High = min(v.Low, origin+factor*x.exact), max(v.High, origin+factor*x.exact)
		}
	}
	if v.Low <= v.High {
		w.add(v)
	}
}

func (w *walker) uri(l *leaf, n document.Node) {
	if u := str(n); u != "" {
		w.add(Value{Param: l.param, URL: u})
	}
}

// maxFromRoot bounds the values that every element of a composite repeats: the chromosome of a sequence, in one code system or a few.
const maxFromRoot = 64

// composite gives one value for each element that has a value of every component.
func (w *walker) composite(l *leaf, n document.Node) {
	start := len(w.values)
	v := Value{Param: l.param, Parts: make([][]Value, len(l.param.Components))}
	for i, c := range l.param.Components {
		from := n
		if c.fromRoot {
			from = w.root
		}
		at := len(w.values)
		w.walk(from, c.state)
		if len(w.values) == at {
			w.values = w.values[:start]
			return
		}
		part := w.values[at:]
		if c.fromRoot && len(part) > maxFromRoot {
			part = part[:maxFromRoot]
		}
		v.Parts[i] = append([]Value(nil), part...)
	}
	w.values = append(w.values[:start], v)
}
