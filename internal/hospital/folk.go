package hospital

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// patient is somebody with a chart, before it is written.
type patient struct {
	number           int
	url              string
	given, family    string
	female           bool
	born             time.Time // a date
	died             time.Time
	culture          *culture
	home             address
	phone, email     string
	mrn, ssn         string
	married          bool
	kin              []*patient // of the same household
	problems         []string   // keys of conditions
	doctor           *member
	insurer          *insurer
	memberID         string
	flags            []string // VIP, confidential, staff-safety
	employee         *member
	mother           *patient // of a newborn
	birthTime        time.Time
	here             bool // today
	allergic, latexy bool // to penicillin and to latex
	thorough         bool // takes every medicine that the problems ask for
	portal           bool // signs in to the portal
}

func (p *patient) name() string { return p.given + " " + p.family }

func (p *patient) ref() object { return ref(p.url, p.name()) }

func (p *patient) age(at time.Time) int {
	n := at.Year() - p.born.Year()
	if at.YearDay() < p.born.YearDay() {
		n--
	}
	return max(n, 0)
}

func (p *patient) has(problem string) bool { return slices.Contains(p.problems, problem) }

// settle fills the town: households that share name, street and insurer, among them those of some of the staff.
func (h *house) settle() {
	goal := extent[h.Size].patients
	h.folk = make([]*patient, 0, goal+16)
	h.leads()
	for _, m := range h.staff {
		if d := newDraw(h.Seed, "family/"+m.Key); d.chance(22) {
			h.household(d, &m.home, m.family)
		}
	}
	for n := 0; len(h.folk) < goal; n++ {
		h.household(newDraw(h.Seed, fmt.Sprint("household/", n)), nil, "")
	}
	h.folk = h.folk[:goal]
	for i, p := range h.folk {
		h.enroll(p, i)
		if m := p.employee; m != nil {
			m.Patient, m.Roles = p.url, append(m.Roles, "patient")
		}
	}
}

// household moves in: alone, a couple, or a family.
func (h *house) household(d *draw, home *address, family string) {
	c := drawCulture(d)
	at := drawAddress(d)
	if home != nil {
		at = *home
	}
	if family == "" {
		family = early(d, c.families)
	} else {
		c = cultureOf(family)
	}
	var members []*patient
	move := func(age int, female bool) {
		p := h.person(d, c, family, at, age, female)
		members = append(members, p)
	}
	eldest := d.between(22, 92)
	first := d.chance(54)
	move(eldest, first)
	if d.chance(58) {
		move(max(20, d.around(eldest, 7)), first == d.chance(4))
		members[0].married, members[1].married = true, true
	}
	if eldest < 52 && eldest > 23 {
		for range d.below(4) {
			move(d.between(max(1, eldest-42), max(1, min(20, eldest-21))), d.chance(49))
		}
	}
	insured := h.insurer(d, eldest)
	for _, p := range members {
		p.insurer = insured
		p.phone = members[0].phone
		if p.age(h.now) >= 16 {
			p.phone = drawPhone(d)
		}
		for _, q := range members {
			if p != q {
				p.kin = append(p.kin, q)
			}
		}
	}
	h.folk = append(h.folk, members...)
}

func (h *house) person(d *draw, c *culture, family string, at address, age int, female bool) *patient {
	p := &patient{culture: c, family: family, female: female, home: at, phone: drawPhone(d)}
	p.given = c.given(d, female)
	p.born = time.Date(h.now.Year()-age-1, time.January, 1+d.below(365), 0, 0, 0, 0, h.Zone)
	p.ssn = fmt.Sprintf("9%02d-00-%04d", d.below(100), d.below(10000)) // never issued: area 9xx, group 00
	p.memberID = fmt.Sprintf("M%09d", d.below(1_000_000_000))
	p.problems = drawConditions(d, p.age(h.now), female)
	if p.has("pregnancy") && age > 42 {
		p.problems = slices.DeleteFunc(p.problems, func(k string) bool { return k == "pregnancy" })
	}
	if d.chance(70) && age > 15 {
		p.email = fmt.Sprintf("%s%d@mail.example", handle(p.given, p.family), d.below(90)+10)
	}
	p.doctor = h.doctor(d, p.age(h.now))
	return p
}

// doctor is whom the patient sees first.
func (h *house) doctor(d *draw, age int) *member {
	n := d.below(extent[h.Size].houses)
	if age < 16 {
		return pick(d, h.find(n, "peds").physicians)
	}
	return pick(d, h.find(n, "fam").physicians)
}

func (h *house) insurer(d *draw, age int) *insurer {
	if age >= 65 && d.chance(88) {
		return &h.insurers[2]
	}
	at := d.below(100)
	for i := range h.insurers {
		if at -= h.insurers[i].share; at < 0 {
			return &h.insurers[i]
		}
	}
	return &h.insurers[0]
}

// enroll gives the patient what the registration desk gives: a number.
func (h *house) enroll(p *patient, number int) {
	p.number = number
	p.url = h.lasting(fmt.Sprint("patient/", number))
	if p.mrn == "" {
		p.mrn = fmt.Sprintf("%08d", 48_3000+number*7)
	}
}

// resource is the Patient.
func (p *patient) resource(h *house) object {
	gender, birthSex := "male", "M"
	if p.female {
		gender, birthSex = "female", "F"
	}
	ext := list{}
	if p.culture.race != "" {
		ext = append(ext, object{"url", usCore + "us-core-race", "extension", list{
			object{"url", "ombCategory", "valueCoding", coding(sysRace, p.culture.race, p.culture.raceText)}, object{"url", "text", "valueString", p.culture.raceText}}})
	}
	ethnicity, ethnicityText := "2186-5", "Not Hispanic or Latino"
	if p.culture.hispanic {
		ethnicity, ethnicityText = "2135-2", "Hispanic or Latino"
	}
	ext = append(ext,
		object{"url", usCore + "us-core-ethnicity", "extension", list{
			object{"url", "ombCategory", "valueCoding", coding(sysRace, ethnicity, ethnicityText)}, object{"url", "text", "valueString", ethnicityText}}},
		object{"url", usCore + "us-core-birthsex", "valueCode", birthSex})
	ids := list{identifier("usual", "MR", "Medical record number", sysMRN, p.mrn)}
	if p.ssn != "" {
		ids = append(ids, identifier("official", "SS", "Social Security number", sysSSN, p.ssn))
	}
	body := object{
		"extension", ext, "identifier", ids, "active", true,
		"name", list{object{"use", "official", "family", p.family, "given", list{p.given}}},
		"telecom", list{phone(p.phone, "home"), mail(p.email)},
		"gender", gender, "birthDate", day(p.born),
	}
	switch {
	case !p.died.IsZero():
		body = append(body, "deceasedDateTime", p.died)
	case !p.birthTime.IsZero():
		body = append(body, "_birthDate", object{"extension", list{object{"url", "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime", p.birthTime}}})
	}
	body = append(body, "address", list{p.home.object("home")})
	if p.age(h.now) >= 18 {
		marital := termCoded(sysMarital, "S", "Never Married")
		if p.married {
			marital = termCoded(sysMarital, "M", "Married")
		}
		body = append(body, "maritalStatus", marital)
	}
	body = append(body, "contact", p.contacts(h))
	language := coding("urn:ietf:bcp:47", "en", "English")
	if p.number%100 >= p.culture.english {
		language = coding("urn:ietf:bcp:47", p.culture.language, p.culture.languageText)
	}
	body = append(body, "communication", list{object{"language", concept("", language), "preferred", true}})
	if p.doctor != nil {
		body = append(body, "generalPractitioner", list{p.doctor.ref()})
	}
	return append(body, "managingOrganization", ref(h.organization, hospitalName))
}

func mail(address string) object {
	if address == "" {
		return nil
	}
	return object{"system", "email", "value", strings.ToLower(address), "use", "home"}
}

func termCoded(system, code, display string) object {
	return object{"coding", list{coding(system, code, display)}}
}

// contacts are the grown-ups of the household.
func (p *patient) contacts(h *house) (out list) {
	for _, q := range p.kin {
		if q.age(h.now) < 18 || len(out) == 2 {
			continue
		}
		code, text := "N", "Next-of-Kin"
		if p.age(h.now) < 18 {
			code, text = "C", "Emergency Contact"
		}
		out = append(out, object{
			"relationship", list{termConcept("v2-0131", code, text)}, "name", object{"family", q.family, "given", list{q.given}},
			"telecom", list{phone(q.phone, "mobile")}, "address", q.home.object("home"),
		})
	}
	return out
}
