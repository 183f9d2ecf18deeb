package hospital

import (
	"math"
	"time"
)

// results are values by test, in the units of the test.
type results map[string]int

// text is a result as prose quotes it.
func (r results) text(test string) string {
	n, ok := r[test]
	if !ok {
		return "pending"
	}
	return decimal{n, labs[test].places}.String()
}

// level is the patient's usual result: what the conditions say, or what is usual; the same one each time it is asked for.
func (c *chart) level(test string) int {
	n, ok := c.levels[test]
	if !ok {
		l := labs[test]
		n = l.usual(c.d, c.p.female)
		if l.low == 0 {
			n = c.d.below(l.high*2/3 + 1) // such tests are near zero in the well
		}
		c.levels[test] = n
	}
	return n
}

// measure draws a panel or a single test around the usual level, or around what the course of an illness says.
func (c *chart) measure(key string, course results) results {
	tests := inPanel[key]
	if tests == nil {
		tests = []string{key}
	}
	out := make(results, len(tests))
	for _, t := range tests {
		n, ill := course[t]
		if !ill {
			n = c.level(t)
		}
		low, high := labs[t].between(c.p.female)
		n = max(0, n+c.d.around(0, max(0, (high-low)/12)))
		out[t] = n
	}
	c.derive(out)
	return out
}

// derive computes what laboratories compute.
func (c *chart) derive(r results) {
	if n, ok := r["creatinine"]; ok {
		if n == 0 {
			n, r["creatinine"] = 60, 60
		}
		r["egfr"] = egfr(n, c.p.age(c.h.now), c.p.female)
	}
	if hgb, ok := r["hgb"]; ok && r["hct"] > 0 {
		r["hct"] = hgb*3 + c.d.around(0, 6)
	}
	if _, ok := r["chol"]; ok {
		if _, low := c.levels["ldl"]; low && !c.p.has("hld") {
			r["chol"] = r["ldl"] + r["hdl"] + r["tg"]/5
		}
		r["ldl"] = max(30, r["chol"]-r["hdl"]-r["tg"]/5)
	}
}

// egfr is the CKD-EPI equation of 2021 (Inker et al., NEJM 385:1737): creatinine in hundredths of mg/dL.
func egfr(creatinine, age int, female bool) int {
	kappa, alpha, factor := 0.9, -0.302, 142.0
	if female {
		kappa, alpha, factor = 0.7, -0.241, 142*1.012
	}
	r := float64(creatinine) / 100 / kappa
	return int(math.Round(factor * math.Pow(min(r, 1), alpha) * math.Pow(max(r, 1), -1.2) * math.Pow(0.9938, float64(age))))
}

var labCategory = fix(list{object{"coding", list{term("observation-category", "laboratory", "Laboratory")}, "text", "Laboratory"}})

var labSection = fix(list{object{"coding", list{coding(sysSection, "LAB", "Laboratory")}}})

// report files a panel or a test: one Observation each, and a DiagnosticReport over a panel. A preliminary result is one that the
// laboratory has not released.
func (c *chart) report(key string, course results, at time.Time, encounter, order string, by *member, preliminary bool, labels ...string) results {
	values := c.measure(key, course)
	status := "final"
	if preliminary {
		status = "preliminary"
	}
	tests, lab := inPanel[key], c.h.find(c.site, "lab")
	if tests == nil {
		tests = []string{key}
	}
	issued := at.Add(time.Duration(c.d.between(35, 80)) * time.Minute)
	var members list
	for _, t := range tests {
		l := labs[t]
		n := values[t]
		flag := l.flag(n, c.p.female)
		low, high := l.between(c.p.female)
		members = append(members, ref(c.add("Observation", issued, by, object{
			"basedOn", list{ref(order, "")}, "status", status, "category", labCategory, "code", concept(l.name, loinc(l.loinc, l.name)), "subject", c.p.ref(),
			"encounter", ref(encounter, ""), "effectiveDateTime", at, "issued", issued, "performer", list{ref(lab.department, lab.name)},
			"valueQuantity", quantity(decimal{n, l.places}, l.unit, l.ucum), "interpretation", list{flags[flag]},
			"referenceRange", list{object{"low", quantity(decimal{low, l.places}, l.unit, l.ucum), "high", quantity(decimal{high, l.places}, l.unit, l.ucum)}},
		}, labels...), l.name))
	}
	if p, ok := panels[key]; ok {
		c.add("DiagnosticReport", issued, by, object{
			"basedOn", list{ref(order, "")}, "status", status, "category", labSection,
			"code", concept(p.name, loinc(p.loinc, p.name)), "subject", c.p.ref(), "encounter", ref(encounter, ""), "effectiveDateTime", at, "issued", issued,
			"performer", list{ref(lab.department, lab.name)}, "result", members,
		}, labels...)
	}
	return values
}

// ordered are the panels that cover the tests of the patient's conditions, in a fixed order.
func ordered(tests []level) (keys []string) {
	for _, t := range tests {
		key := t.test
		if p := labs[key].panel; p != "" {
			key = p
		}
		if !has(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
