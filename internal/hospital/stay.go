package hospital

import (
	"fmt"
	"time"
)

// stay is somebody in a bed.
type stay struct {
	p         *patient
	ward      *place
	bed       int // from 0
	attending *member
	story     *story
	admitted  time.Time
	ended     time.Time // zero: still here
	encounter string
	consulted *member
	labour    bool
	lead      bool // the patient of the pictures: always looked after by the cast
}

func (s *stay) bedName() string { return fmt.Sprintf("%s, bed %d", s.ward.name, s.bed+1) }

// turn is the twelve hours of nursing that hold t.
func (h *house) turn(t time.Time) (start, end time.Time) {
	days := int(t.Sub(h.midnight).Hours()) / 24
	if t.Before(h.midnight) {
		days--
	}
	for _, from := range []int{-5, 7, 19, 31} {
		start, end = h.at(24*days+from, 0), h.at(24*days+from+12, 0)
		if !t.Before(start) && t.Before(end) {
			break
		}
	}
	return start, end
}

// nurse is who looks after the bed at t.
func (s *stay) nurse(t time.Time) *member {
	here := onShift(s.ward.nurses, t)
	if s.lead {
		for _, m := range here {
			if m.cast {
				return m
			}
		}
	}
	return here[(s.bed+1)%len(here)]
}

// write fills the chart of somebody in a ward.
func (s *stay) write(h *house) []Entry {
	c := h.begin(s.p, s.ward.house)
	var labels []string
	if s.story.label != "" {
		labels = append(labels, s.story.label)
	}
	s.admit(c, labels)
	s.team(c)
	if s.p.mother != nil {
		s.greet(c)
	}
	usual := usualSigns(c.d, s.p.age(h.now), s.p.has("htn"))
	if s.story.oxygen != "" {
		usual.oxygen = min(usual.oxygen, 95)
	}
	if s.p.has("copd") {
		usual.oxygen = min(usual.oxygen, 92)
	}
	last := s.monitor(c, usual)
	s.treat(c, labels)
	first := s.investigate(c, labels)
	s.operate(c, labels)
	s.journal(c, last, first, labels)
	s.ask(c)
	s.chores(c)
	return c.out
}

func (s *stay) admit(c *chart, labels []string) {
	h, st := c.h, s.story
	clerk := onShift(h.find(c.site, "reg").others, s.admitted)[0]
	status, left := "in-progress", time.Time{}
	if !s.ended.IsZero() {
		status, left = "finished", s.ended
	}
	hospitalization := object{"admitSource", termConcept("admit-source", "emd", "From accident/emergency department")}
	if left.Equal(s.p.died) && !left.IsZero() {
		hospitalization = append(hospitalization, "dischargeDisposition", termConcept("discharge-disposition", "exp", "Expired"))
	}
	account := c.add("Account", s.admitted, clerk, object{
		"status", "active", "type", termCoded(sysActCode, "PBILLACCT", "patient billing account"), "name", "Stay from " + s.admitted.Format("2 Jan 2006"), "subject", list{s.p.ref()},
		"servicePeriod", period(s.admitted, left), "coverage", coverageList(c.coverage), "owner", ref(h.find(0, "bill").department, "Patient accounts"),
	})
	s.encounter = c.add("Encounter", s.admitted, clerk, object{
		"identifier", list{object{"use", "usual", "system", sysVisit, "value", fmt.Sprintf("V%s%05d", h.midnight.Format("060102"), s.p.number)}},
		"status", status, "class", coding(sysActCode, "IMP", "inpatient encounter"), "type", list{concept("Hospital admission", snomed("32485007", "Hospital admission"))},
		"serviceType", serviceType(s.ward), "subject", s.p.ref(),
		"participant", list{
			object{"type", list{termCoded(sysParticipation, "ATND", "attender")}, "period", period(s.admitted, left), "individual", s.attending.ref()},
		},
		"period", period(s.admitted, left), "reasonCode", list{concept(st.name, snomed(st.snomed, ""))}, "account", list{ref(account, "")},
		"hospitalization", hospitalization,
		"location", list{
			object{"location", ref(s.ward.location, s.ward.name), "status", locationStatus(left), "physicalType", termConcept("location-physical-type", "wa", "Ward"), "period", period(s.admitted, left)},
			object{"location", ref(s.ward.bed[s.bed], s.bedName()), "status", locationStatus(left), "physicalType", termConcept("location-physical-type", "bd", "Bed"), "period", period(s.admitted, left)},
		},
		"serviceProvider", ref(s.ward.department, s.ward.name),
	}, labels...)
	s.codeStatus(c)
	c.add("Condition", s.admitted.Add(50*time.Minute), s.attending, object{
		"clinicalStatus", termConcept("condition-clinical", "active", "Active"), "verificationStatus", termConcept("condition-ver-status", "confirmed", "Confirmed"),
		"category", list{termConcept("condition-category", "encounter-diagnosis", "Encounter Diagnosis")}, "code", concept(st.name, snomed(st.snomed, ""), coding(sysICD10, st.icd, "")),
		"subject", s.p.ref(), "encounter", ref(s.encounter, ""), "onsetDateTime", day(s.admitted.AddDate(0, 0, -1)), "recordedDate", s.admitted.Add(50 * time.Minute), "recorder", s.attending.ref(),
	}, labels...)
}

// codeStatus is what was agreed on resuscitation.
func (s *stay) codeStatus(c *chart) {
	agreed := concept("Full treatment", snomed("304252001", "For resuscitation"))
	if s.p.age(c.h.now) > 84 && !s.lead && c.d.chance(50) {
		agreed = concept("No resuscitation", snomed("304253006", "Not for resuscitation"))
	}
	at := s.admitted.Add(40 * time.Minute)
	c.add("ServiceRequest", at, s.attending, object{"status", "active", "intent", "directive", "category", list{concept("Code status")}, "code", agreed, "subject", c.p.ref(),
		"encounter", ref(s.encounter, ""), "authoredOn", at, "requester", s.attending.ref()})
}

func coverageList(url string) list {
	if url == "" {
		return nil
	}
	return list{object{"coverage", ref(url, ""), "priority", 1}}
}

func locationStatus(left time.Time) string {
	if left.IsZero() {
		return "active"
	}
	return "completed"
}

func serviceType(p *place) object {
	if p.specialty == nil {
		return nil
	}
	return concept(p.name, p.specialty)
}

// team names who cares: doctors for the stay, nurses shift by shift.
func (s *stay) team(c *chart) {
	by := s.nurse(s.admitted)
	var doctors list
	join := func(m *member, role string) {
		doctors = append(doctors, object{"role", list{concept(role)}, "member", m.ref(), "period", period(s.admitted, s.ended)})
	}
	join(s.attending, "Attending physician")
	for _, m := range s.ward.physicians {
		if m != s.attending && (m.title == "Resident" || m.title == "Surgical resident") {
			join(m, m.title)
		}
	}
	c.add("CareTeam", s.admitted.Add(5*time.Minute), by, object{
		"status", "active", "category", list{concept("Encounter team", loinc("LA27976-2", "Encounter-focused care team"))}, "name", s.ward.name + " team",
		"subject", s.p.ref(), "encounter", ref(s.encounter, ""), "period", period(s.admitted, s.ended), "participant", doctors,
		"managingOrganization", list{ref(s.ward.department, s.ward.name)},
	})
	for _, hours := range []int{-12, 0, 12} {
		from, to := c.h.turn(c.h.now.Add(time.Duration(hours) * time.Hour))
		if !s.ended.IsZero() && to.After(s.ended) {
			to = s.ended
		}
		if !to.After(from) || !to.After(s.admitted) {
			continue
		}
		m := s.nurse(from.Add(time.Hour))
		c.add("CareTeam", latest(s.admitted, from.Add(-10*time.Hour)), s.planner(m), object{
			"status", "active", "category", list{concept("Shift assignment")}, "name", s.ward.name + " shift", "subject", s.p.ref(), "encounter", ref(s.encounter, ""),
			"period", period(from, to), "participant", list{object{"role", list{concept("Nurse of the shift", snomed("224535009", "Registered nurse"))}, "member", m.ref(), "period", period(from, to)}},
			"managingOrganization", list{ref(s.ward.department, s.ward.name)},
		})
	}
}

// planner is who assigns the shifts: never the nurse who is assigned, since nobody's own word makes a relationship.
func (s *stay) planner(assigned *member) *member {
	for _, m := range s.ward.nurses {
		if m != assigned {
			return m
		}
	}
	return s.attending
}

const watched = 3 * 24 * time.Hour // how far back vital signs are kept in the chart

// monitor writes vital signs every four hours, from how the patient came toward how the patient usually is.
func (s *stay) monitor(c *chart, usual signs) (last signs) {
	from, until := s.admitted, c.h.now
	if !s.ended.IsZero() {
		until = s.ended
	}
	state := s.story.start.toward(usual, c.d.between(0, 15), c.d)
	last = state
	n := 0
	for t := nextRound(c.h, from); t.Before(until); t = t.Add(4 * time.Hour) {
		if until.Sub(t) <= watched {
			last = state.measured(c.d)
			nurse := s.nurse(t)
			c.observe(last, t.Add(time.Duration(c.d.below(14))*time.Minute), s.encounter, nurse)
			if s.story.surgery != nil || s.story.label == "" && t.Hour()%8 == 0 {
				c.pain(c.d.around(max(1, 5-n/3), 2), t.Add(10*time.Minute), s.encounter, nurse)
			}
			if t.Hour() == 4 || n == 0 {
				c.weigh(t.Add(90*time.Minute), s.encounter, nurse, c.d.around(0, 6)-min(20, n), false)
			}
			if flow := s.oxygen(n); flow > 0 && t.Hour()%8 == 0 {
				c.vital(t.Add(5*time.Minute), s.encounter, nurse, oxygenFlow, object{"valueQuantity", quantity(decimal{flow, 0}, "L/min", "L/min")})
			}
		}
		state = state.toward(usual, 16, c.d)
		n++
	}
	return last
}

// oxygen is the flow in litres a minute after n rounds: less every day.
func (s *stay) oxygen(n int) int {
	if s.story.oxygen == "" {
		return 0
	}
	return max(0, int(s.story.oxygen[0]-'0')-n/9)
}

// nextRound is the first of the rounds at 0, 4, 8, 12, 16, 20 o'clock after t.
func nextRound(h *house, t time.Time) time.Time {
	for hour := -24 * 40; ; hour += 4 {
		if at := h.at(hour, 0); at.After(t) {
			return at
		}
	}
}

// elapsed is the percentage of the usual length of stay that has passed at t.
func (s *stay) elapsed(t time.Time) int {
	return max(0, min(100, int(t.Sub(s.admitted).Hours())*100/(s.story.days*24)))
}

// course is what the illness makes of results at t.
func course(trends []trend, percent int) results {
	r := make(results, len(trends))
	for _, t := range trends {
		r[t.test] = t.from + (t.to-t.from)*percent/100
	}
	return r
}
