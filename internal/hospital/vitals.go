package hospital

import (
	"fmt"
	"time"
)

// signs are one set of vital signs: beats and breaths a minute, mmHg, percent, tenths of a degree Celsius.
type signs struct{ pulse, systolic, diastolic, breaths, oxygen, temp int }

// usualSigns are those of somebody of that age at rest.
func usualSigns(d *draw, age int, treated bool) signs {
	s := signs{d.around(74, 12), d.around(118+age/8, 12), d.around(74, 8), d.around(15, 2), d.around(97, 2), d.around(367, 3)}
	if treated {
		s.systolic += 10
		s.diastolic += 5
	}
	switch {
	case age == 0:
		s = signs{d.around(138, 14), d.around(72, 6), d.around(44, 5), d.around(44, 8), d.around(97, 2), d.around(369, 2)}
	case age < 6:
		s = signs{d.around(106, 12), d.around(94, 6), d.around(58, 5), d.around(24, 3), d.around(98, 1), d.around(369, 3)}
	case age < 13:
		s = signs{d.around(88, 10), d.around(104, 7), d.around(64, 6), d.around(19, 3), d.around(98, 1), d.around(368, 3)}
	}
	s.oxygen = min(s.oxygen, 100)
	return s
}

// toward moves by percent of the way to another set.
func (s signs) toward(to signs, percent int, d *draw) signs {
	step := func(from, to int) int { return from + d.share(to-from, percent) }
	return signs{step(s.pulse, to.pulse), step(s.systolic, to.systolic), step(s.diastolic, to.diastolic), step(s.breaths, to.breaths),
		step(s.oxygen, to.oxygen), step(s.temp, to.temp)}
}

// measured is how the signs come out this time, as they do in people.
func (s signs) measured(d *draw) signs {
	return signs{d.around(s.pulse, 5), d.around(s.systolic, 8), d.around(s.diastolic, 5), d.around(s.breaths, 2), min(100, d.around(s.oxygen, 1)), d.around(s.temp, 2)}
}

// String is how a note puts it.
func (s signs) String() string {
	return fmt.Sprintf("temperature %s C, pulse %d, blood pressure %d/%d, breaths %d, saturation %d %%",
		decimal{s.temp, 1}, s.pulse, s.systolic, s.diastolic, s.breaths, s.oxygen)
}

// span is a usual range.
type span struct{ low, high int }

func (r span) flag(n int) fixed {
	switch {
	case n < r.low:
		return flags["L"]
	case n > r.high:
		return flags["H"]
	}
	return flags["N"]
}

// flags are the interpretations of values.
var flags = func() map[string]fixed {
	m := map[string]fixed{}
	for code, text := range map[string]string{"N": "Normal", "L": "Low", "H": "High", "LL": "Critical low", "HH": "Critical high"} {
		m[code] = fix(termCoded(sysInterpretation, code, text))
	}
	return m
}()

// spans by age: pulse, systolic, diastolic, breaths, oxygen, temperature.
func spans(age int) [6]span {
	temp, oxygen := span{360, 378}, span{94, 100}
	switch {
	case age == 0:
		return [6]span{{100, 160}, {60, 90}, {35, 60}, {30, 60}, oxygen, temp}
	case age < 6:
		return [6]span{{80, 130}, {80, 110}, {45, 72}, {18, 30}, oxygen, temp}
	case age < 13:
		return [6]span{{65, 115}, {90, 120}, {50, 78}, {15, 25}, oxygen, temp}
	}
	return [6]span{{60, 100}, {100, 140}, {60, 90}, {12, 20}, oxygen, temp}
}

// What is measured, in the codes of the vital-signs profiles.
var (
	vitalCategory    = fix(list{object{"coding", list{term("observation-category", "vital-signs", "Vital Signs")}, "text", "Vital Signs"}})
	heartRate        = fix(concept("Heart rate", loinc("8867-4", "Heart rate")))
	bloodPressure    = fix(concept("Blood pressure", loinc("85354-9", "Blood pressure panel with all children optional")))
	systolic         = fix(concept("Systolic", loinc("8480-6", "Systolic blood pressure")))
	diastolic        = fix(concept("Diastolic", loinc("8462-4", "Diastolic blood pressure")))
	respiratoryRate  = fix(concept("Respiratory rate", loinc("9279-1", "Respiratory rate")))
	oxygenSaturation = fix(concept("Oxygen saturation", loinc("2708-6", "Oxygen saturation in Arterial blood"), loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry")))
	bodyTemperature  = fix(concept("Body temperature", loinc("8310-5", "Body temperature")))
	bodyWeight       = fix(concept("Body weight", loinc("29463-7", "Body weight")))
	bodyHeight       = fix(concept("Body height", loinc("8302-2", "Body height")))
	bodyMassIndex    = fix(concept("Body mass index", loinc("39156-5", "Body mass index")))
	painScore        = fix(concept("Pain", loinc("72514-3", "Pain severity 0-10 verbal numeric rating")))
	oxygenFlow       = fix(concept("Oxygen flow", loinc("3151-8", "Inhaled oxygen flow rate")))
)

// observe writes a set of signs as the vital-signs profiles of FHIR want them.
func (c *chart) observe(s signs, at time.Time, encounter string, by *member) {
	r := spans(c.p.age(c.h.now))
	c.vital(at, encounter, by, heartRate, ranged(decimal{s.pulse, 0}, "beats/minute", "/min", r[0], s.pulse))
	c.vital(at, encounter, by, bloodPressure, object{"component", list{
		append(object{"code", systolic}, ranged(decimal{s.systolic, 0}, "mmHg", "mm[Hg]", r[1], s.systolic)...),
		append(object{"code", diastolic}, ranged(decimal{s.diastolic, 0}, "mmHg", "mm[Hg]", r[2], s.diastolic)...),
	}})
	c.vital(at, encounter, by, respiratoryRate, ranged(decimal{s.breaths, 0}, "breaths/minute", "/min", r[3], s.breaths))
	c.vital(at, encounter, by, oxygenSaturation, ranged(decimal{s.oxygen, 0}, "%", "%", r[4], s.oxygen))
	c.vital(at, encounter, by, bodyTemperature, ranged(decimal{s.temp, 1}, "C", "Cel", r[5], s.temp))
}

func ranged(v decimal, unit, ucum string, r span, n int) object {
	return object{"valueQuantity", quantity(v, unit, ucum), "interpretation", list{r.flag(n)},
		"referenceRange", list{object{"low", quantity(decimal{r.low, v.places}, unit, ucum), "high", quantity(decimal{r.high, v.places}, unit, ucum)}}}
}

func (c *chart) vital(at time.Time, encounter string, by *member, code fixed, value object) {
	body := append(make(object, 0, 26), "status", "final", "category", vitalCategory, "code", code, "subject", c.p.ref(),
		"encounter", ref(encounter, ""), "effectiveDateTime", at, "issued", at, "performer", list{memberRef(by)})
	c.add("Observation", at, by, append(body, value...))
}

// size is height in millimetres and weight in hundreds of grams.
type size struct{ height, weight int }

func drawSize(d *draw, age int, female bool) size {
	if age < 16 {
		return size{d.around(760+62*age, 40), d.around(95+age*17+age*age*6/10, 14)}
	}
	height := d.around(1765, 130)
	if female {
		height = d.around(1635, 120)
	}
	bmi := d.around(275, 75)
	return size{height, height * height / 1000 * bmi / 1000}
}

// weigh writes weight, and for visits height and body mass index.
func (c *chart) weigh(at time.Time, encounter string, by *member, drift int, all bool) {
	grams := c.size.weight + drift
	c.vital(at, encounter, by, bodyWeight, object{"valueQuantity", quantity(decimal{grams, 1}, "kg", "kg")})
	if !all {
		return
	}
	c.vital(at, encounter, by, bodyHeight, object{"valueQuantity", quantity(decimal{c.size.height, 1}, "cm", "cm")})
	if c.p.age(c.h.now) >= 18 {
		bmi := grams * 1_000_000 / (c.size.height * c.size.height)
		c.vital(at, encounter, by, bodyMassIndex, object{"valueQuantity", quantity(decimal{bmi, 1}, "kg/m2", "kg/m2")})
	}
}

// pain is asked for, on a scale of ten.
func (c *chart) pain(score int, at time.Time, encounter string, by *member) {
	c.vital(at, encounter, by, painScore, object{"valueQuantity", quantity(decimal{max(0, min(10, score)), 0}, "{score}", "{score}")})
}
