package hospital

import (
	"fmt"
	"time"
)

// allergen is what people are allergic to, and what it does to them.
type allergen struct {
	snomed, name, category string
	reaction, reactionText string
	severity, criticality  string
	share                  int // per thousand
}

var allergens = []allergen{
	{"91936005", "Penicillin", "medication", "271807003", "Skin rash", "mild", "low", 70},
	{"294505008", "Amoxicillin", "medication", "126485001", "Hives", "moderate", "low", 18},
	{"91939003", "Sulfonamide", "medication", "271807003", "Skin rash", "moderate", "low", 30},
	{"293586001", "Aspirin", "medication", "4386001", "Bronchospasm", "severe", "high", 9},
	{"300916003", "Latex", "environment", "271807003", "Skin rash", "mild", "low", 14},
	{"91935009", "Peanut", "food", "39579001", "Anaphylaxis", "severe", "high", 9},
	{"300913006", "Shellfish", "food", "126485001", "Hives", "moderate", "low", 15},
	{"91930004", "Egg", "food", "126485001", "Hives", "mild", "low", 8},
	{"424213003", "Bee venom", "environment", "39579001", "Anaphylaxis", "severe", "high", 7},
	{"418689008", "Grass pollen", "environment", "70076002", "Runny nose", "mild", "low", 40},
}

// allergies are asked of everybody: that none is known is an entry too.
func (c *chart) allergies(since time.Time) {
	for i, a := range allergens {
		switch {
		case i == 0 && c.p.allergic:
			a.reaction, a.reactionText, a.severity, a.criticality = "39579001", "Anaphylaxis", "severe", "high"
			c.allergy(a, day(time.Date(2017, time.August, 3, 0, 0, 0, 0, c.h.Zone)), since)
		case a.snomed == "300916003" && c.p.latexy, c.d.below(1000) < a.share && !c.p.allergic && c.p.mother == nil:
			c.allergy(a, day(time.Time{}), since)
		}
	}
	if len(c.allergic) == 0 {
		c.add("AllergyIntolerance", since, c.p.doctor, object{
			"clinicalStatus", termConcept("allergyintolerance-clinical", "active", "Active"),
			"verificationStatus", termConcept("allergyintolerance-verification", "confirmed", "Confirmed"),
			"code", concept("No known allergy", snomed("716186003", "No known allergy")), "patient", c.p.ref(), "recordedDate", since, "recorder", memberRef(c.p.doctor),
		})
	}
}

func (c *chart) allergy(a allergen, onset day, since time.Time) {
	c.allergic = append(c.allergic, fmt.Sprintf("%s (%s)", a.name, lower(a.reactionText)))
	c.add("AllergyIntolerance", since, c.p.doctor, object{
		"clinicalStatus", termConcept("allergyintolerance-clinical", "active", "Active"),
		"verificationStatus", termConcept("allergyintolerance-verification", "confirmed", "Confirmed"),
		"type", "allergy", "category", list{a.category}, "criticality", a.criticality, "code", concept(a.name, snomed(a.snomed, "Allergy to "+lower(a.name))),
		"patient", c.p.ref(), "onsetDateTime", onset, "recordedDate", since, "recorder", memberRef(c.p.doctor),
		"reaction", list{object{"manifestation", list{concept(a.reactionText, snomed(a.reaction, a.reactionText))}, "severity", a.severity}},
	})
}

// vaccine is given at ages in years, or each autumn.
type vaccine struct {
	cvx, name string
	ages      []int
}

var (
	flu      = vaccine{cvx: "140", name: "Influenza, seasonal, preservative free"}
	vaccines = []vaccine{
		{"08", "Hepatitis B, pediatric", []int{0}},
		{"20", "DTaP", []int{1, 4}},
		{"10", "Polio, inactivated", []int{1, 4}},
		{"03", "Measles, mumps, rubella", []int{1, 4}},
		{"21", "Varicella", []int{1}},
		{"115", "Tdap", []int{11, 30, 50}},
		{"165", "Human papillomavirus, 9-valent", []int{12}},
		{"114", "Meningococcal conjugate", []int{12}},
		{"187", "Zoster, recombinant", []int{60}},
		{"133", "Pneumococcal conjugate, 13-valent", []int{66}},
	}
)

// immunizations of the last decade, and the last influenza season.
func (c *chart) immunizations() {
	age := c.p.age(c.h.now)
	for _, v := range vaccines {
		for _, at := range v.ages {
			if years := age - at; at > 0 && years >= 0 && years < 10 && c.d.chance(85) {
				given := c.h.daysAgo(years*365 + c.d.between(10, 300))
				if given.After(c.p.born) {
					c.immunize(v, given.Add(10*time.Hour), c.p.doctor)
				}
			}
		}
	}
	if age > 0 && c.d.chance(40+age/2) {
		season := time.Date(c.h.now.Year(), time.October, 1+c.d.below(30), 9, 30, 0, 0, c.h.Zone)
		if season.After(c.h.now) {
			season = season.AddDate(-1, 0, 0)
		}
		c.immunize(flu, season, c.p.doctor)
	}
}

func (c *chart) immunize(v vaccine, at time.Time, by *member) {
	c.add("Immunization", at, by, object{
		"status", "completed", "vaccineCode", concept(v.name, coding(sysCVX, v.cvx, v.name)), "patient", c.p.ref(), "occurrenceDateTime", at, "recorded", at,
		"primarySource", true, "lotNumber", fmt.Sprintf("L%05d", c.d.below(100000)), "performer", performer(by),
	})
}

func performer(m *member) list {
	if m == nil {
		return nil
	}
	return list{object{"actor", m.ref()}}
}

var smokingStatus = []object{
	snomed("266919005", "Never smoked tobacco"), snomed("266919005", "Never smoked tobacco"), snomed("8517006", "Ex-smoker"), snomed("449868002", "Smokes tobacco daily"),
}

func (c *chart) smoking() {
	status := pick(c.d, smokingStatus)
	if c.p.has("copd") {
		status = smokingStatus[2]
	}
	at := c.h.daysAgo(c.d.between(10, 700)).Add(9 * time.Hour)
	c.add("Observation", at, c.p.doctor, object{
		"status", "final", "category", list{termConcept("observation-category", "social-history", "Social History")},
		"code", concept("Tobacco smoking status", loinc("72166-2", "Tobacco smoking status")), "subject", c.p.ref(), "effectiveDateTime", at, "issued", at,
		"performer", list{memberRef(c.p.doctor)}, "valueCodeableConcept", object{"coding", list{status}},
	})
}
