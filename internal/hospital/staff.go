package hospital

import (
	"fmt"
	"strings"
	"time"
)

// post is a job that count people do at a place.
type post struct {
	place, title, role string
	count              int
	hours              hours
	degree             string
}

// hours is when a job is worked.
type hours int

const (
	office hours = iota // 08:00 to 17:00
	turns               // 07:00 to 19:00, the next day 19:00 to 07:00, then a day off
	desk                // 07:00 to 15:00 and 15:00 to 23:00 in turn
)

var posts = []post{
	{"5w", "Attending", "physician", 3, turns, "MD"}, {"5w", "Resident", "physician", 1, office, "MD"}, {"5w", "Nurse", "nurse", 6, turns, "RN"},
	{"4e", "Surgeon", "physician", 2, office, "MD"}, {"4e", "Surgical resident", "physician", 1, turns, "MD"}, {"4e", "Nurse", "nurse", 6, turns, "RN"},
	{"icu", "Intensivist", "physician", 3, turns, "MD"}, {"icu", "Nurse", "nurse", 6, turns, "RN"},
	{"3n", "Obstetrician", "physician", 3, turns, "MD"}, {"3n", "Midwife", "nurse", 3, turns, "CNM"}, {"3n", "Nurse", "nurse", 3, turns, "RN"},
	{"2s", "Psychiatrist", "physician", 2, office, "MD"}, {"2s", "Nurse", "nurse", 4, turns, "RN"},
	{"ed", "Emergency physician", "physician", 3, turns, "MD"}, {"ed", "Resident", "physician", 1, turns, "MD"},
	{"ed", "Nurse", "nurse", 6, turns, "RN"}, {"ed", "Emergency technician", "technician", 2, turns, "EMT"},
	{"fam", "Family physician", "physician", 3, office, "MD"}, {"fam", "Nurse", "nurse", 1, office, "RN"}, {"fam", "Medical assistant", "medical-assistant", 3, office, "CMA"},
	{"card", "Cardiologist", "physician", 2, office, "MD"}, {"card", "Medical assistant", "medical-assistant", 1, office, "CMA"},
	{"ortho", "Orthopedic surgeon", "physician", 1, office, "MD"}, {"ortho", "Medical assistant", "medical-assistant", 1, office, "CMA"},
	{"women", "Gynecologist", "physician", 1, office, "MD"}, {"women", "Medical assistant", "medical-assistant", 1, office, "CMA"},
	{"peds", "Pediatrician", "physician", 2, office, "MD"}, {"peds", "Medical assistant", "medical-assistant", 1, office, "CMA"},
	{"id", "Infectious disease physician", "physician", 1, office, "MD"}, {"id", "Nurse", "nurse", 1, office, "RN"},
	{"onc", "Oncologist", "physician", 1, office, "MD"}, {"onc", "Nurse", "nurse", 1, office, "RN"},
	{"pharm", "Pharmacist", "pharmacist", 3, turns, "PharmD"},
	{"lab", "Laboratory technician", "technician", 3, turns, "MLS"},
	{"rad", "Radiologist", "physician", 1, office, "MD"}, {"rad", "Radiographer", "technician", 2, turns, "RT"},
	{"rehab", "Physiotherapist", "technician", 2, office, "DPT"},
	{"reg", "Registrar", "front-desk", 3, desk, ""}, {"reg", "Emergency registrar", "front-desk", 2, desk, ""},
	{"bill", "Billing specialist", "billing", 3, office, ""},
	{"hr", "Human resources partner", "hr", 2, office, ""},
	{"privacy", "Privacy officer", "privacy", 2, office, ""},
	{"security", "Security analyst", "security", 2, office, ""},
	{"admin", "Practice administrator", "administrator", 2, office, ""},
	{"audit", "Internal auditor", "auditor", 1, office, ""},
}

// named are the people whom the guides and pictures speak of. They are the same in every hospital, and on shift whenever one looks.
var named = map[string]struct {
	given, family string
	female, cast  bool
}{
	"0/5w/Attending/0":                 {"Anna", "Lindqvist", true, true},
	"0/5w/Nurse/0":                     {"Théo", "Moreau", false, true},
	"0/4e/Nurse/0":                     {"Gretchen", "Tilling", true, false},
	"0/card/Cardiologist/0":            {"Priya", "Iyer", true, false},
	"0/pharm/Pharmacist/0":             {"Jon", "Petrie", false, false},
	"0/rehab/Physiotherapist/0":        {"Mina", "Kaur", true, false},
	"0/ed/Resident/0":                  {"Sam", "Rivera", false, false},
	"0/reg/Registrar/0":                {"Marcus", "Hale", false, true},
	"0/reg/Emergency registrar/0":      {"Dana", "Whitlock", true, false},
	"0/reg/Emergency registrar/1":      {"Lena", "Okafor", true, false},
	"0/bill/Billing specialist/0":      {"Ines", "Barrientos", true, true},
	"0/privacy/Privacy officer/0":      {"Ruth", "Adeyemi", true, true},
	"0/admin/Practice administrator/0": {"Hollis", "Brackett", false, true},
}

// member is somebody on the staff.
type member struct {
	Person
	post
	at            *place
	given, family string
	home          address
	phone         string
	born          time.Time
	cast          bool // on shift whenever one looks
	turn          int  // phase in the rotation
	roleURL       string
	postKey       string // house/place/title/number
}

// called is how colleagues write the name in a chart.
func (m *member) called() string { return m.given + " " + m.family }

func (m *member) ref() object { return ref(m.Practitioner, m.called()) }

func (m *member) clinical() bool {
	switch m.role {
	case "physician", "nurse", "medical-assistant", "pharmacist", "technician":
		return true
	}
	return false
}

// employ fills the posts.
func (h *house) employ() {
	taken := map[string]int{}
	for n := range extent[h.Size].houses {
		for _, po := range posts {
			at := h.find(n, po.place)
			count := po.count
			if at.once {
				if n > 0 {
					continue
				}
				count += (extent[h.Size].houses - 1) * (count - 1)
			}
			for i := range count {
				h.hire(n, po, at, i, taken)
			}
		}
	}
}

func (h *house) hire(n int, po post, at *place, i int, taken map[string]int) {
	key := fmt.Sprintf("%d/%s/%s/%d", n, po.place, po.title, i)
	d := newDraw(h.Seed, "staff/"+key)
	m := &member{post: po, at: at, home: drawAddress(d), phone: drawPhone(d), turn: i, postKey: key}
	if who, ok := named[key]; ok {
		m.given, m.family, m.Female, m.cast = who.given, who.family, who.female, who.cast
	} else {
		m.Female = d.chance(women(po.role))
		for try := 0; try == 0 || try < 30 && taken[handle(m.given, m.family)] > 0; try++ { // two of one name on one ward confuse
			c := drawCulture(d)
			m.given, m.family = c.given(d, m.Female), early(d, c.families)
		}
	}
	m.Key = handle(m.given, m.family)
	if taken[m.Key]++; taken[m.Key] > 1 {
		m.Key += fmt.Sprint(taken[m.Key])
	}
	m.Name = m.called()
	m.Title = po.title
	if at.name != po.title && !strings.HasPrefix(po.title, at.name) && at.kind != department {
		m.Title += ", " + at.name
	}
	m.Roles = []string{po.role}
	m.Department, m.Place = at.department, at.name
	m.born = time.Date(h.now.Year()-d.between(26, 63), time.Month(d.between(1, 12)), d.between(1, 28), 0, 0, 0, 0, h.Zone)
	m.Clearances = clearances(m)
	m.TrainingDue = h.daysAgo(-d.between(20, 340))
	switch key { // one reminder and one lapse to show
	case "0/fam/Medical assistant/1":
		m.TrainingDue = h.daysAgo(-9)
	case "0/4e/Nurse/3":
		m.TrainingDue = h.daysAgo(12)
	}
	switch po.role {
	case "physician":
		at.physicians = append(at.physicians, m)
	case "nurse":
		at.nurses = append(at.nurses, m)
	case "medical-assistant":
		at.assistants = append(at.assistants, m)
	default:
		at.others = append(at.others, m)
	}
	h.staff = append(h.staff, m)
	h.register(m, key, d)
}

// women is the percentage of women in a role.
func women(role string) int {
	switch role {
	case "nurse", "medical-assistant":
		return 84
	case "physician":
		return 47
	}
	return 58
}

// clearances are given by assignment: to those who treat what the label protects.
func clearances(m *member) []string {
	if !m.clinical() {
		return nil
	}
	switch m.post.place {
	case "2s":
		if m.role == "physician" {
			return []string{labelPsychiatry, labelTherapyNotes, labelSubstance}
		}
		return []string{labelPsychiatry, labelSubstance}
	case "id":
		return []string{labelHIV}
	case "ed", "icu":
		if m.role == "physician" {
			return []string{labelPsychiatry, labelSubstance, labelHIV}
		}
	case "pharm":
		return []string{labelPsychiatry, labelSubstance, labelHIV}
	case "fam":
		if m.role == "physician" {
			return []string{labelPsychiatry, labelSubstance}
		}
	}
	return nil
}

// register enters the member in the directory: Practitioner and PractitionerRole.
func (h *house) register(m *member, key string, d *draw) {
	since := h.daysAgo(d.between(120, 5200))
	name := object{"use", "official", "family", m.family, "given", list{m.given}}
	if m.degree != "" {
		name = append(name, "suffix", list{m.degree})
	}
	gender := "male"
	if m.Female {
		gender = "female"
	}
	ids := list{object{"use", "official", "system", sysStaffID, "value", fmt.Sprintf("S%05d", 10000+len(h.staff)*37%89999)}}
	if m.role == "physician" || m.degree == "CNM" || m.degree == "PharmD" {
		ids = append(ids, object{"use", "official", "system", sysNPI, "value", fmt.Sprintf("9%09d", d.below(1_000_000_000))}) // real ones begin with 1 or 2
	}
	var qualification list
	if m.degree != "" {
		qualification = list{object{"code", concept(m.degree)}}
	}
	m.Practitioner = h.system(h.lasting("practitioner/"+key), "Practitioner", since, object{
		"identifier", ids, "active", true, "name", list{name},
		"telecom", list{phone(m.phone, "home"), object{"system", "email", "value", m.Key + "@" + ownDomain, "use", "work"}},
		"address", list{m.home.object("home")}, "gender", gender, "birthDate", day(m.born), "qualification", qualification,
	})
	role := object{
		"active", true, "period", period(since, time.Time{}), "practitioner", m.ref(), "organization", ref(m.at.department, m.at.name),
		"code", list{concept(m.title, coding(sysRole, m.role, m.role))},
	}
	if m.role == "physician" && m.at.specialty != nil {
		role = append(role, "specialty", list{concept("", m.at.specialty)})
	}
	role = append(role, "location", list{ref(m.at.location, m.at.name)})
	if m.at.service != "" {
		role = append(role, "healthcareService", list{ref(m.at.service, m.at.name)})
	}
	role = append(role, "telecom", list{phone(fmt.Sprintf("(555) 010-%04d", 2000+len(h.staff)), "work")})
	m.roleURL = h.system(h.lasting("role/"+key), "PractitionerRole", since, role)
}
