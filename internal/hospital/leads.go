package hospital

import "time"

// leads are the patients with a part in the day: the one of the pictures, one next door to a nurse, one whom the town knows, one whose
// chart is confidential, one whom staff approach in pairs, and members of staff who are patients themselves.
func (h *house) leads() {
	nurse, daughter := h.member("0/4e/Nurse/0"), h.member("0/reg/Emergency registrar/1")
	igbo, english := cultureOf("Okafor"), &cultures[0]
	h.lead("maren", &patient{given: "Maren", family: "Okafor", female: true, culture: igbo, home: daughter.home.nextDoor(), mrn: "00482217", allergic: true, latexy: true, thorough: true, portal: true,
		born: time.Date(h.now.Year()-65-early14March(h.now), time.March, 14, 0, 0, 0, 0, h.Zone), problems: []string{"hfref", "ckd3", "t2dm", "htn", "osa"}}, 2)
	h.lead("neighbor", &patient{given: "Ned", family: "Quill", culture: english, home: nurse.home.nextDoor(), born: h.born(58), problems: []string{"htn"}}, 0)
	h.lead("vip", &patient{given: "Sylvia", family: "Thornbury", female: true, culture: english, home: drawAddress(newDraw(h.Seed, "vip")), born: h.born(57), flags: []string{"VIP"}}, 1)
	h.lead("confidential", &patient{given: "Hugh", family: "Merrick", culture: english, home: drawAddress(newDraw(h.Seed, "confidential")), born: h.born(41), problems: []string{"depression"}, flags: []string{"confidential"}}, 0)
	h.lead("safety", &patient{given: "Clarence", family: "Sykes", culture: &cultures[2], home: drawAddress(newDraw(h.Seed, "safety")), born: h.born(38), flags: []string{"staff-safety"}}, 0)
	for _, key := range []string{"0/4e/Nurse/2", "0/fam/Medical assistant/0", "0/reg/Registrar/2", "0/ed/Emergency physician/1"} {
		m := h.member(key)
		p := h.person(newDraw(h.Seed, "employee/"+key), cultureOf(m.family), m.family, m.home, h.now.Year()-m.born.Year()-1, m.Female)
		p.given, p.born, p.phone, p.employee, p.portal = m.given, m.born, m.phone, m, true
		h.lead(key, p, 0)
	}
}

func early14March(now time.Time) int {
	if now.YearDay() < 74 {
		return 1
	}
	return 0
}

// lead completes a patient and puts it first in the town.
func (h *house) lead(key string, p *patient, insurer int) {
	d := newDraw(h.Seed, "lead/"+key)
	if p.phone == "" {
		p.phone = drawPhone(d)
	}
	if p.ssn == "" {
		p.ssn = "9" + p.phone[8:10] + "-00-" + p.phone[10:]
	}
	p.memberID = "M10" + p.phone[7:9] + p.phone[10:] + "0"
	p.email = handle(p.given, p.family) + "@mail.example"
	if p.doctor == nil {
		p.doctor = h.find(0, "fam").physicians[len(h.folk)%3]
	}
	if p.insurer == nil {
		p.insurer = &h.insurers[insurer]
	}
	p.here = true
	h.folk = append(h.folk, p)
}

// The places of leads in the town.
const (
	maren = iota
	neighbor
	vip
	confidential
	safety
	employees // the first of four
)

func (h *house) born(age int) time.Time {
	return time.Date(h.now.Year()-age, time.January, 1+newDraw(h.Seed, "born").below(min(h.now.YearDay(), 28)), 0, 0, 0, 0, h.Zone)
}

func cultureOf(family string) *culture {
	for i := range cultures {
		if has(cultures[i].families, family) {
			return &cultures[i]
		}
	}
	return &cultures[0]
}

// member is the staff member of a post, by house/place/title/number.
func (h *house) member(key string) *member {
	for _, m := range h.staff {
		if m.postKey == key {
			return m
		}
	}
	panic("hospital: no member of staff " + key)
}

// people are those who can sign in: staff, and some patients in the portal.
func (h *house) people() (staff, portal []Person, cast []string) {
	parts := map[string]string{}
	for _, m := range h.staff {
		staff = append(staff, m.Person)
		if m.cast && parts[m.role] == "" {
			parts[m.role] = m.Key
		}
	}
	for _, role := range []string{"physician", "nurse", "front-desk", "billing", "privacy", "administrator"} {
		cast = append(cast, parts[role])
	}
	for _, p := range h.folk {
		if !p.portal || p.employee != nil {
			continue
		}
		key := handle(p.given, p.family)
		for _, m := range h.staff {
			if m.Key == key {
				key += ".home"
			}
		}
		portal = append(portal, Person{Key: key, Name: p.name(), Title: "Patient", Roles: []string{"patient"}, Patient: p.url, Female: p.female})
	}
	return staff, portal, append(cast, handle("Maren", "Okafor"))
}

// introduce writes the Person of an employee who is a patient: the one place that says they are the same human.
func (c *chart) introduce() {
	m := c.p.employee
	if m == nil {
		return
	}
	c.add("Person", c.h.daysAgo(200), nil, object{"name", list{object{"family", m.family, "given", list{m.given}}}, "birthDate", day(m.born), "active", true,
		"link", list{object{"target", m.ref(), "assurance", "level3"}, object{"target", c.p.ref(), "assurance", "level3"}}})
}
