package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/web/look"
)

// reading is one Observation, or one component of it, as a chart shows it.
type reading struct {
	id, key, name string // readings with equal keys are of one kind and make a trend
	at            moment
	category      string // laboratory, vital-signs, ...
	sign          int    // 1 + place in signs; 0: no vital sign
	number        float64
	measured      bool   // number holds
	text, unit    string // the value for people
	flag          string // High, Critical low, Abnormal, ...
	tone          look.Tone
	usual         look.Range
	usualText     string
	parts         []reading // components
	by, byID      string
	panel         string // the report that it belongs to
	order         int    // its place in that report
}

// signs are the vital signs in the order in which a chart shows them, by LOINC code.
// Source: https://hl7.org/fhir/R4/observation-vitalsigns.html.
var signs = []struct {
	name  string
	codes []string
}{
	{"Heart rate", []string{"8867-4"}},
	{"Blood pressure", []string{"85354-9", "55284-4"}},
	{"Oxygen saturation", []string{"2708-6", "59408-5"}},
	{"Temperature", []string{"8310-5", "8331-1"}},
	{"Breathing rate", []string{"9279-1"}},
	{"Pain", []string{"72514-3"}},
	{"Weight", []string{"29463-7"}},
	{"Height", []string{"8302-2"}},
	{"Body mass index", []string{"39156-5"}},
}

const systolic, diastolic = "8480-6", "8462-4"

// readings reads Observations, newest first, each with the report that names it. What was entered in error or cancelled is left out.
func readings(observations, reports []*document.Doc, zone *time.Location) []reading {
	type place struct {
		panel string
		order int
	}
	places := map[string]place{}
	for _, d := range reports {
		if root := d.Root(); !withdrawn(root) {
			n := 0
			for r := range root.Get("result").Items() {
				places[target(r)] = place{words(root.Get("code")), n}
				n++
			}
		}
	}
	out := make([]reading, 0, len(observations))
	for _, d := range observations {
		root := d.Root()
		if withdrawn(root) || root.Get("status").Text() == "cancelled" {
			continue
		}
		r := readingOf(root)
		r.id, r.panel, r.order = d.ID(), places[d.ID()].panel, places[d.ID()].order
		r.at = momentOf(zone, root.Get("effectiveDateTime"), root.Get("effectiveInstant"), root.Get("effectivePeriod"), root.Get("issued"))
		r.by, r.byID = root.Path("performer", "display").Text(), target(root.Path("performer"))
		if s := root.Get("status").Text(); s == "preliminary" || s == "registered" {
			r.flag = strings.TrimPrefix(r.flag+", not final yet", ", ")
			r.flag = capital(r.flag)
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b reading) int { return b.at.at.Compare(a.at.at) })
	return out
}

func readingOf(n document.Node) reading {
	r := reading{name: words(n.Get("code")), category: n.Path("category", "coding", "code").Text()}
	r.key, r.sign = kindOf(n.Get("code"))
	if r.sign > 0 {
		r.name, r.category = signs[r.sign-1].name, "vital-signs"
	}
	r.value(n)
	r.usual, r.usualText = usualOf(n.Get("referenceRange"), n.Path("valueQuantity"))
	r.flag, r.tone = flagOf(n.Get("interpretation"))
	if !n.Get("interpretation").Exists() && r.measured {
		r.flag, r.tone = outside(r.number, r.usual)
	}
	for c := range n.Get("component").Items() {
		r.parts = append(r.parts, readingOf(c))
	}
	r.join()
	return r
}

// kindOf is what makes two Observations comparable: the sign, else the first LOINC code, else the first code, else the name.
func kindOf(code document.Node) (string, int) {
	first := ""
	for c := range code.Get("coding").Items() {
		value := c.Get("code").Text()
		for i, s := range signs {
			if slices.Contains(s.codes, value) {
				return "sign " + s.name, i + 1
			}
		}
		if system := c.Get("system").Text(); value != "" && (first == "" || system == "http://loinc.org" && !strings.HasPrefix(first, system)) {
			first = system + "|" + value
		}
	}
	if first == "" {
		first = "text " + strings.ToLower(code.Get("text").Text())
	}
	return first, 0
}

// value reads value[x], or why there is none.
func (r *reading) value(n document.Node) {
	switch q := n.Get("valueQuantity"); {
	case q.Exists():
		literal := q.Get("value").Text()
		if v, err := strconv.ParseFloat(literal, 64); err == nil {
			r.number, r.measured = v, q.Get("comparator").Text() == ""
			r.text, r.unit = q.Get("comparator").Text()+amount(literal), unitOf(q)
		}
	case n.Get("valueCodeableConcept").Exists():
		r.text = words(n.Get("valueCodeableConcept"))
	case n.Get("valueBoolean").Exists():
		r.text = map[bool]string{true: "Yes", false: "No"}[n.Get("valueBoolean").Bool()]
	case n.Get("valueInteger").Exists():
		r.text = n.Get("valueInteger").Text()
		v, err := strconv.ParseFloat(r.text, 64)
		r.number, r.measured = v, err == nil
	case n.Get("valueRange").Exists():
		q := n.Get("valueRange")
		r.text, r.unit = amount(q.Path("low", "value").Text())+" to "+amount(q.Path("high", "value").Text()), unitOf(q.Get("high"))
	case n.Get("valueRatio").Exists():
		q := n.Get("valueRatio")
		r.text = amount(q.Path("numerator", "value").Text()) + " : " + amount(q.Path("denominator", "value").Text())
	case n.Get("valueString").Exists(), n.Get("valueDateTime").Exists(), n.Get("valueTime").Exists():
		r.text = cmp.Or(n.Get("valueString").Text(), look.Partial(n.Get("valueDateTime").Text()).Text(), n.Get("valueTime").Text())
	case n.Get("dataAbsentReason").Exists():
		r.text = "Not known: " + words(n.Get("dataAbsentReason"))
	}
}

// join writes the value of a reading that has components: 126/74 for a blood pressure, else each with its name.
func (r *reading) join() {
	upper, lower, ok := r.pressure()
	if ok {
		r.text, r.unit = upper.text+"/"+lower.text, upper.unit
		if upper.usualText != "" && lower.usualText != "" {
			r.usualText = upper.usualText + " / " + lower.usualText
		}
		for _, p := range []reading{upper, lower} {
			if worse(p.tone, r.tone) {
				r.flag, r.tone = p.flag, p.tone
			}
		}
		return
	}
	if r.text != "" {
		return
	}
	var parts []string
	for _, p := range r.parts {
		if p.text != "" {
			parts = append(parts, p.name+" "+strings.TrimSpace(p.text+" "+p.unit))
		}
		if worse(p.tone, r.tone) {
			r.flag, r.tone = p.flag, p.tone
		}
	}
	r.text = strings.Join(parts, "; ")
}

// pressure gives the two components of a blood pressure.
func (r reading) pressure() (upper, lower reading, ok bool) {
	for _, p := range r.parts {
		switch {
		case strings.HasSuffix(p.key, "|"+systolic) && p.measured:
			upper = p
		case strings.HasSuffix(p.key, "|"+diastolic) && p.measured:
			lower = p
		}
	}
	return upper, lower, upper.measured && lower.measured
}

func worse(a, b look.Tone) bool {
	rank := map[look.Tone]int{look.Plain: 0, look.OK: 0, look.Warn: 1, look.Crit: 2}
	return rank[a] > rank[b]
}

// flags are words for interpretation codes. Red is for critical alone; what is normal or only informs has no flag.
// Source: http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation.
var flags = map[string]struct {
	word string
	tone look.Tone
}{
	"H": {"High", look.Warn}, "HU": {"Very high", look.Warn}, "HH": {"Critical high", look.Crit}, "L": {"Low", look.Warn}, "LU": {"Very low", look.Warn},
	"LL": {"Critical low", look.Crit}, "A": {"Abnormal", look.Warn}, "AA": {"Critical", look.Crit}, "POS": {"Positive", look.Warn},
	"DET": {"Detected", look.Warn}, "R": {"Resistant", look.Warn}, "I": {"Intermediate", look.Warn}, "S": {"Susceptible", look.Plain},
}

func flagOf(interpretation document.Node) (string, look.Tone) {
	for concept := range interpretation.Items() {
		for c := range concept.Get("coding").Items() {
			if f, ok := flags[c.Get("code").Text()]; ok {
				return f.word, f.tone
			}
		}
	}
	return "", look.Plain
}

// outside flags a number by its range where nobody has interpreted it.
func outside(v float64, usual look.Range) (string, look.Tone) {
	switch {
	case usual == look.Range{}:
	case v < usual.Low:
		return "Low", look.Warn
	case v > usual.High:
		return "High", look.Warn
	}
	return "", look.Plain
}

// usualOf reads the usual range: the one that says it is normal, else the first without a type. A range in another unit than the value
// is shown in words only.
func usualOf(ranges, value document.Node) (look.Range, string) {
	var pick document.Node
	for r := range ranges.Items() {
		if kind := r.Get("type"); coded(kind, "normal") || !kind.Exists() && !pick.Exists() {
			pick = r
		}
	}
	low, errLow := strconv.ParseFloat(pick.Path("low", "value").Text(), 64)
	high, errHigh := strconv.ParseFloat(pick.Path("high", "value").Text(), 64)
	l, h := amount(pick.Path("low", "value").Text()), amount(pick.Path("high", "value").Text())
	if errLow != nil && errHigh != nil {
		return look.Range{}, pick.Get("text").Text()
	}
	out, text := look.Range{Low: low, High: high}, l+" to "+h
	switch {
	case errLow != nil:
		out.Low, text = math.Inf(-1), "up to "+h
	case errHigh != nil:
		out.High, text = math.Inf(1), "from "+l
	}
	for _, end := range []string{"low", "high"} {
		if u := pick.Path(end, "code").Text(); u != "" && value.Get("code").Text() != "" && u != value.Get("code").Text() {
			return look.Range{}, text + " " + unitOf(pick.Get(end))
		}
	}
	return out, text
}

// units are the ones that people write otherwise than UCUM. Source: https://ucum.org.
var units = map[string]string{
	"mm[Hg]": "mmHg", "Cel": "°C", "[degF]": "°F", "kg/m2": "kg/m²", "10*3/uL": "10³/µL", "10*6/uL": "10⁶/µL", "10*9/L": "10⁹/L", "10*12/L": "10¹²/L",
	"ug": "µg", "ug/L": "µg/L", "ug/dL": "µg/dL", "umol/L": "µmol/L", "uL": "µL", "/uL": "/µL", "{score}": "", "{INR}": "", "[pH]": "", "1": "",
	"mL/min/{1.73_m2}": "mL/min/1.73 m²", "{copies}/mL": "copies/mL", "{tablet}": "tablet", "{Beats}/min": "/min", "/min": "/min",
	"m[IU]/L": "mIU/L", "u[IU]/mL": "µIU/mL",
}

func unitOf(quantity document.Node) string {
	code, unit := quantity.Get("code").Text(), quantity.Get("unit").Text()
	if u, ok := units[code]; ok {
		return u
	}
	unit = cmp.Or(unit, code)
	if strings.HasPrefix(unit, "{") && strings.HasSuffix(unit, "}") {
		return unit[1 : len(unit)-1]
	}
	return unit
}

// amount writes a decimal as measured: what was sent with up to three places stays as it is, more is noise and rounded. From ten
// thousand on, thousands are set apart.
func amount(literal string) string {
	v, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return literal
	}
	_, places, _ := strings.Cut(literal, ".")
	if len(places) > 3 || strings.ContainsAny(literal, "eE") {
		switch size := math.Abs(v); {
		case size >= 100:
			literal = strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
		case size >= 1:
			literal = strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
		default:
			literal = strconv.FormatFloat(v, 'g', 3, 64)
		}
	}
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil && (n >= 10000 || n <= -10000) {
		return look.Number(n)
	}
	return literal
}
