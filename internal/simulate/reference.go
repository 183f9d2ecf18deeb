package simulate

import (
	"fmt"
	"slices"
	"strings"
)

// refer writes what is there from the start: places, people, patients, who is tied to whom, cohorts. Late comers get theirs on the day.
func (w *world) refer() {
	w.begin("reference")
	for _, u := range w.units {
		w.plain("Organization", u.org, 0, `"active":true,"type":[{"text":"department"}],"name":"%s"`, u.name)
		w.plain("Location", u.location, 0, `"status":"active","name":"%s","type":[{"text":"%s"}],"managingOrganization":{"reference":"Organization/%s"}`, u.name, unitKindNames[u.kind], u.org)
		if u.service != "" {
			var known int64
			if u.joined > 0 {
				known = w.at(u.joined, 0)
			}
			w.plain("HealthcareService", u.service, known, `"active":true,"name":"%s","providedBy":{"reference":"Organization/%s"},"location":[{"reference":"Location/%s"}]`, u.name, u.org, u.location)
		}
	}
	for i := range w.people {
		if w.people[i].hired == 0 {
			w.introduce(int32(i), 0)
		}
	}
	for i := range w.patients {
		if p := &w.patients[i]; p.known == 0 && !p.joined {
			w.register(int32(i), 0)
		}
	}
	for _, s := range w.cohorts {
		w.enrol(s)
	}
}

// plain is a fact whose id is chosen elsewhere.
func (w *world) plain(typ, id string, known int64, rest string, args ...any) {
	if w.missing[typ] {
		return
	}
	b := fmt.Appendf(nil, `{"resourceType":"%s","id":"%s"`, typ, id)
	if known != 0 {
		b = fmt.Appendf(b, `,"meta":{"lastUpdated":"%s"}`, instant(known))
	}
	b = fmt.Appendf(append(b, ','), rest, args...)
	w.facts[typ] = append(w.facts[typ], append(b, "}\n"...))
	w.factCount++
}

func gender(female bool) string {
	if female {
		return "female"
	}
	return "male"
}

func born(year int, id string) string {
	h := key(7, id)
	return fmt.Sprintf("%04d-%02d-%02d", year, h%12+1, h/12%28+1)
}

func phone(n int) string { return fmt.Sprintf("555-%07d", n) }

// whoRest are the name, sex, birth date, telephone and address that patients and staff have in common.
func (w *world) whoRest(id string, family, first, year int, female bool, number int, home int32) string {
	h := w.homes[home]
	return fmt.Sprintf(`"name":[{"family":"%s","given":["%s"]}],"gender":"%s","birthDate":"%s","telecom":[{"system":"phone","value":"%s"}],"address":[{"use":"home","line":["%d %s"],"city":"%s","postalCode":"%d"}]`,
		surname(family), given(first), gender(female), born(year, id), phone(number), h.number, street(h.street), cities[h.post], 30000+h.post)
}

// register puts a patient into the master index.
func (w *world) register(i int32, known int64) {
	p := &w.patients[i]
	rest := `"active":true,` + w.whoRest(p.id, p.surname, p.given, p.year, p.female, p.phone, p.home)
	if p.died < 0 {
		rest += `,"deceasedDateTime":"` + instant(w.at(p.died, 600)) + `"`
	}
	if p.contact >= 0 {
		c := &w.patients[p.contact]
		who := fmt.Sprintf(`"name":{"family":"%s","given":["%s"]},"telecom":[{"system":"phone","value":"%s"}]`, surname(c.surname), given(c.given), phone(c.phone))
		if p.related {
			w.plain("RelatedPerson", w.id(12, "related", int(i)), known, `"active":true,"patient":{"reference":"Patient/%s"},"relationship":[{"text":"family"}],%s`, p.id,
				strings.Replace(strings.Replace(who, `"name":{`, `"name":[{`, 1), `]},"telecom"`, `]}],"telecom"`, 1))
		} else {
			rest += `,"contact":[{"relationship":[{"text":"family"}],` + who + `}]`
		}
	}
	w.plain("Patient", p.id, known, "%s", rest)
	for _, flag := range []struct {
		code string
		on   bool
	}{{"VIP", p.vip}, {"confidential", p.discreet}} {
		if flag.on {
			w.plain("Flag", w.id(12, flag.code, int(i)), known, `"status":"active","code":{"coding":[{"code":"%s"}],"text":"%s"},"subject":{"reference":"Patient/%s"}`, flag.code, flag.code, p.id)
		}
	}
}

// introduce puts a member of staff into the directory.
func (w *world) introduce(i int32, known int64) {
	p := &w.people[i]
	w.plain("Practitioner", p.id, known, `"active":true,%s`, w.whoRest(p.id, p.surname, p.given, p.year, p.female, p.phone, p.home))
	w.assign(i, w.people[i].unit, known, "")
	if p.own >= 0 {
		w.plain("Person", w.id(12, "link", int(i)), known, `"name":[{"family":"%s","given":["%s"]}],"link":[{"target":{"reference":"Practitioner/%s"}},{"target":{"reference":"Patient/%s"}}]`,
			surname(p.surname), given(p.given), p.id, w.patients[p.own].id)
	}
}

// assign is a PractitionerRole; from is its beginning, empty for one that always was.
func (w *world) assign(i int32, at int, known int64, from string) {
	p, u := &w.people[i], &w.units[at]
	rest := `"active":true,`
	if from != "" {
		rest += `"period":{"start":"` + from + `"},`
	}
	rest += fmt.Sprintf(`"practitioner":{"reference":"Practitioner/%s"},"organization":{"reference":"Organization/%s"},"code":[{"text":"%s"}],"location":[{"reference":"Location/%s"}]`,
		p.id, u.org, roleNames[p.role], u.location)
	if p.role == scheduler && u.service != "" {
		rest += `,"healthcareService":[{"reference":"HealthcareService/` + u.service + `"}]`
	}
	w.plain("PractitionerRole", w.id(12, "role", int(i), at), known, "%s", rest)
}

// cohort is a research list.
type cohortList struct {
	lead     int32
	id       string
	patients []int32
}

func (w *world) recruit() {
	d := newDraw(w.Seed, "cohorts")
	for i := range w.people {
		if w.people[i].role != researcher {
			continue
		}
		c := cohortList{lead: int32(i), id: w.id(12, "cohort", i)}
		for range d.between(60, 180) {
			if p := int32(d.below(len(w.patients))); w.alive(p) && !w.patients[p].joined {
				c.patients = append(c.patients, p)
			}
		}
		slices.Sort(c.patients)
		c.patients = slices.Compact(c.patients)
		w.cohorts = append(w.cohorts, c)
	}
}

func (w *world) enrol(c cohortList) {
	members := ""
	for n, i := range c.patients {
		p := &w.patients[i]
		if n > 0 {
			members += ","
		}
		members += `{"entity":{"reference":"Patient/` + p.id + `"}}`
		subject := w.id(12, "subject", int(c.lead), int(i))
		if n%12 != 0 { // some consents lie in a drawer
			w.plain("Consent", "c"+subject, 0, `"status":"active","scope":{"coding":[{"code":"research"}]},"patient":{"reference":"Patient/%s"},"provision":{"type":"permit"}`, p.id)
			w.plain("ResearchSubject", subject, 0, `"status":"on-study","study":{"reference":"ResearchStudy/%s"},"individual":{"reference":"Patient/%s"},"consent":{"reference":"Consent/c%s"}`, c.id, p.id, subject)
		}
	}
	w.plain("Group", c.id, 0, `"active":true,"type":"person","actual":true,"name":"Study %s","managingEntity":{"reference":"Practitioner/%s"},"member":[%s]`, c.id[:3], w.people[c.lead].id, members)
}

// alive says whether somebody is a patient today and could come.
func (w *world) alive(i int32) bool {
	p := &w.patients[i]
	return p.died > w.today && p.known <= w.today && (!p.joined || w.units[w.joining].joined <= w.today)
}
