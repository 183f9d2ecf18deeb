package hospital

import (
	"strconv"
	"strings"
	"time"
)

// chart is one patient's compartment being written. What it holds is in the order of writing, so that references point back.
type chart struct {
	h        *house
	p        *patient
	d        *draw
	site     int // the house whose departments serve it
	out      []Entry
	buf      []byte
	problems map[string]string // condition key to FullURL
	coverage string
	levels   map[string]int // usual results
	size     size
	taking   []string // keys of drugs
	allergic []string // as notes say it
}

// begin opens the chart: who it is, who pays, what is known.
func (h *house) begin(p *patient, site int) *chart {
	c := &chart{h: h, p: p, site: site, d: newDraw(h.Seed, "chart/"+h.midnight.Format(time.DateOnly)+"/"+strconv.Itoa(p.number)), problems: map[string]string{}, levels: map[string]int{},
		buf: make([]byte, 0, 40<<10), out: make([]Entry, 0, 48)}
	age := p.age(h.now)
	c.size = drawSize(c.d, age, p.female)
	since := h.daysAgo(c.d.between(90, 3000)).Add(10 * time.Hour)
	if !p.birthTime.IsZero() {
		since = p.birthTime.Add(20 * time.Minute)
	}
	desk := pick(c.d, h.find(site, "reg").others)
	c.put(p.url, "Patient", since, desk, p.resource(h))
	c.introduce()
	c.insure(since, desk)
	c.flag(since, desk)
	if age < 18 {
		c.guardians(since, desk)
	}
	c.allergies(since)
	for _, key := range p.problems {
		c.problem(key)
	}
	c.immunizations()
	if age >= 18 && p.died.IsZero() {
		c.smoking()
	}
	return c
}

// add writes a resource and returns its FullURL. What was recorded after now is recorded now: nobody knows the future.
func (c *chart) add(typ string, recorded time.Time, author *member, body object, labels ...string) string {
	var key [48]byte
	k := append(key[:0], "chart/"...)
	k = append(strconv.AppendInt(k, int64(c.p.number), 10), '/')
	k = strconv.AppendInt(k, int64(len(c.out)), 10)
	return c.put(c.h.passing(string(k)), typ, recorded, author, body, labels...)
}

func (c *chart) put(url, typ string, recorded time.Time, author *member, body object, labels ...string) string {
	if recorded.After(c.h.now) {
		recorded = c.h.now
	}
	e := Entry{FullURL: url, Type: typ, Method: "POST", Patient: c.p.url, Recorded: recorded}
	if author != nil {
		e.Author = author.Practitioner
	}
	start := len(c.buf)
	c.buf = render(c.buf, typ, recorded, labels, body)
	e.JSON = c.buf[start:len(c.buf):len(c.buf)]
	c.out = append(c.out, e)
	return url
}

func (c *chart) insure(since time.Time, desk *member) {
	in := c.p.insurer
	if in == nil {
		return
	}
	c.coverage = c.add("Coverage", since, desk, object{
		"identifier", list{object{"type", termCoded(sysIdentifierType, "MB", "Member Number"), "system", sysMember, "value", c.p.memberID}},
		"status", "active", "type", object{"coding", list{coding(sysActCode, in.kind, in.text)}, "text", in.name}, "subscriberId", c.p.memberID,
		"beneficiary", c.p.ref(), "relationship", termConcept("subscriber-relationship", "self", "Self"),
		"period", object{"start", day(c.h.daysAgo(c.h.now.YearDay() - 1))}, "payor", list{ref(in.url, in.name)},
		"class", list{object{"type", termConcept("coverage-class", "group", "Group"), "value", "G" + c.p.memberID[1:5]}},
	})
}

var flagCategory = map[string]object{
	"staff-safety": termConcept("flag-category", "safety", "Safety"),
}

func (c *chart) flag(since time.Time, desk *member) {
	for _, code := range c.p.flags {
		category := flagCategory[code]
		if category == nil {
			category = termConcept("flag-category", "admin", "Administrative")
		}
		c.add("Flag", since, desk, object{
			"status", "active", "category", list{category}, "code", concept(code, coding(sysFlag, code, "")), "subject", c.p.ref(),
			"period", period(since, time.Time{}), "author", desk.ref(),
		})
	}
}

// guardians of a minor are RelatedPersons, whether or not they have charts here.
func (c *chart) guardians(since time.Time, desk *member) {
	n := 0
	for _, q := range c.p.kin {
		if q.age(c.h.now) < 18 || n == 2 {
			continue
		}
		n++
		code, text, gender := "FTH", "father", "male"
		if q.female {
			code, text, gender = "MTH", "mother", "female"
		}
		c.add("RelatedPerson", since, desk, object{
			"identifier", list{object{"system", sysMRN, "value", q.mrn}}, "active", true, "patient", c.p.ref(),
			"relationship", list{concept(text, coding(sysRoleCode, code, text))},
			"name", list{object{"family", q.family, "given", list{q.given}}}, "telecom", list{phone(q.phone, "mobile")}, "gender", gender,
			"birthDate", day(q.born), "address", list{q.home.object("home")},
		})
	}
}

// problem enters a condition on the problem list.
func (c *chart) problem(key string) {
	k := conditionOf[key]
	years := max(0, min(c.p.age(c.h.now)-k.from, 15))
	onset := c.h.daysAgo(30 + c.d.below(365*years+60))
	if key == "pregnancy" {
		onset = c.h.daysAgo(c.d.between(60, 240))
	}
	var labels []string
	if k.label != "" {
		labels = append(labels, k.label)
	}
	recorded := onset.Add(11 * time.Hour)
	c.problems[key] = c.add("Condition", recorded, c.p.doctor, object{
		"clinicalStatus", termConcept("condition-clinical", "active", "Active"), "verificationStatus", termConcept("condition-ver-status", "confirmed", "Confirmed"),
		"category", list{termConcept("condition-category", "problem-list-item", "Problem List Item")},
		"code", concept(k.name, snomed(k.snomed, ""), coding(sysICD10, k.icd, "")), "subject", c.p.ref(), "onsetDateTime", day(onset),
		"recordedDate", recorded, "recorder", memberRef(c.p.doctor),
	}, labels...)
	for _, t := range k.tests {
		c.levels[t.test] = c.d.between(t.lo, t.hi)
	}
	for i, key := range k.drugs {
		if i > 0 && !c.p.thorough && c.d.chance(45) || c.clashes(key) {
			continue
		}
		c.prescribe(key, c.h.daysAgo(c.d.between(20, 340)).Add(14*time.Hour), c.p.doctor, "", "community", labels...)
		c.taking = append(c.taking, key)
	}
}

// alike are drugs of which a patient takes one.
var alike = [][]string{
	{"lisinopril", "losartan"}, {"metoprolol", "bisoprolol"}, {"apixaban", "enoxaparin", "heparin"}, {"sertraline", "escitalopram"}, {"furosemide", "furosemide-iv"},
	{"clopidogrel", "ticagrelor"}, {"omeprazole", "pantoprazole-iv"}, {"albuterol", "albuterol-neb"}, {"tiotropium", "albuterol-neb"},
}

// clashes reports whether the patient takes the drug, or one of its kind, already.
func (c *chart) clashes(key string) bool { return clash(c.taking, key) }

func clash(taking []string, key string) bool {
	if has(taking, key) {
		return true
	}
	for _, kind := range alike {
		if !has(kind, key) {
			continue
		}
		for _, k := range kind {
			if has(taking, k) {
				return true
			}
		}
	}
	return false
}

func memberRef(m *member) object {
	if m == nil {
		return nil
	}
	return m.ref()
}

func has(some []string, one string) bool {
	for _, s := range some {
		if s == one {
			return true
		}
	}
	return false
}

// words fills the placeholders of prose about the patient.
func (c *chart) words(prose string) string {
	if !strings.Contains(prose, "{") {
		return prose
	}
	age := c.p.age(c.h.now)
	noun, she, her, hers := "man", "he", "his", "him"
	if c.p.female {
		noun, she, her, hers = "woman", "she", "her", "her"
	}
	if age < 16 {
		noun = map[bool]string{true: "girl", false: "boy"}[c.p.female]
	}
	return strings.NewReplacer("{age}", strconv.Itoa(age), "{woman}", noun, "{she}", she, "{her}", her, "{hers}", hers,
		"{She}", capital(she), "{Her}", capital(her)).Replace(prose)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
