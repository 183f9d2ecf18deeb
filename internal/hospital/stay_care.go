package hospital

import (
	"fmt"
	"strings"
	"time"
)

// treat orders the medicines of the stay, gives those of the last day, and stops at home what must be stopped.
func (s *stay) treat(c *chart, labels []string) {
	at := s.admitted.Add(70 * time.Minute)
	give := map[string]string{}
	var order []string
	start := func(key string, at time.Time, labels ...string) {
		if !clash(order, key) {
			give[key] = c.prescribe(key, at, s.attending, s.encounter, "inpatient", labels...)
			order = append(order, key)
		}
	}
	for _, key := range s.story.drugs {
		if s.p.allergic && (key == "piperacillin" || key == "amoxicillin") {
			key = "ceftriaxone"
		}
		if key == "enoxaparin" && has(c.taking, "apixaban") {
			key = "apixaban"
		}
		start(key, at, labels...)
	}
	for _, key := range c.taking {
		switch {
		case key == s.story.held:
			c.hold(key, s.story.heldWhy, at.Add(10*time.Minute), s.attending, s.encounter)
		case !drugs[key].asNeeded && drugs[key].hours == 24:
			start(key, at.Add(5*time.Minute))
		}
	}
	for _, key := range order {
		s.administer(c, key, give[key], at)
	}
}

// rounds are the hours at which so many doses a day are given.
var rounds = map[int][]int{1: {8}, 2: {8, 20}, 3: {6, 14, 22}, 4: {6, 12, 18, 24}, 6: {4, 8, 12, 16, 20, 24}}

func (s *stay) administer(c *chart, key, request string, since time.Time) {
	g := drugs[key]
	if g.hours != 24 || !s.ended.IsZero() {
		return
	}
	for back := 24; back >= 0; back -= 24 {
		for _, hour := range rounds[g.times] {
			at := c.h.at(hour-back, c.d.below(25))
			if at.Before(since) || at.After(c.h.now) || c.h.now.Sub(at) > 24*time.Hour || g.asNeeded && !c.d.chance(30) {
				continue
			}
			c.give(key, request, s.encounter, at, s.nurse(at))
		}
	}
}

// investigate orders laboratory tests on arrival and each morning, and studies on arrival. It returns the newest values.
func (s *stay) investigate(c *chart, labels []string) results {
	lab := c.h.find(c.site, "lab")
	newest := results{}
	rare := map[string]bool{} // tests beyond the panels are done on arrival and on the third day
	panels := s.story.panels
	for _, t := range s.story.labs {
		if key := labs[t.test].panel; key == "" && !has(panels, t.test) {
			panels, rare[t.test] = append(panels[:len(panels):len(panels)], t.test), true
		}
	}
	at := s.admitted.Add(25 * time.Minute)
	until := c.h.now
	if !s.ended.IsZero() {
		until = s.ended
	}
	for n := 0; at.Before(until); n++ {
		if n == 0 || until.Sub(at) <= watched {
			for _, key := range panels {
				if rare[key] && n%3 != 0 {
					continue
				}
				order := c.test(key, "completed", at, s.attending, s.encounter)
				tech := onShift(lab.others, at)[c.d.below(2)%len(onShift(lab.others, at))]
				fresh := c.h.now.Sub(at) < 2*time.Hour
				for test, v := range c.report(key, course(s.story.labs, s.elapsed(at)), at, s.encounter, order, tech, fresh, labels...) {
					newest[test] = v
				}
			}
		}
		at = c.h.at(24*(dayOf(c.h, at)+1)+6, 5)
	}
	if s.ended.IsZero() { // tomorrow's blood is ordered today: open orders are what brings a department to a chart
		c.test(s.story.panels[0], "active", c.h.now.Add(-3*time.Hour), s.attending, s.encounter)
	}
	for i, st := range s.story.studies {
		c.image(st, true, s.admitted.Add(time.Duration(30+i*200)*time.Minute), s.attending, s.encounter)
	}
	return newest
}

// dayOf is how many days after today t lies.
func dayOf(h *house, t time.Time) int {
	n := 0
	for ; t.Before(h.at(24*n, 0)); n-- {
	}
	for ; !t.Before(h.at(24*(n+1), 0)); n++ {
	}
	return n
}

// operate writes the operation, if its hour has come.
func (s *stay) operate(c *chart, labels []string) {
	op := s.story.surgery
	at := s.admitted.Add(16 * time.Hour)
	if op == nil {
		return
	}
	surgeon := s.attending
	if s.story.consult == "card" && s.consulted != nil {
		surgeon = s.consulted
	}
	status := "completed"
	if at.Add(2 * time.Hour).After(c.h.now) {
		status = "preparation"
		if at.Before(c.h.now) {
			status = "in-progress"
		}
	}
	body := object{"status", status, "category", concept("Surgical procedure", snomed("387713003", "Surgical procedure")), "code", concept(op.name, snomed(op.snomed, op.name)),
		"subject", s.p.ref(), "encounter", ref(s.encounter, "")}
	if status == "completed" {
		body = append(body, "performedPeriod", period(at, at.Add(95*time.Minute)))
	}
	body = append(body, "recorder", surgeon.ref(), "performer", list{object{"function", concept("Surgeon", snomed("304292004", "Surgeon")), "actor", surgeon.ref()}}, "reasonCode", list{concept(s.story.name, snomed(s.story.snomed, ""))})
	c.add("Procedure", at.Add(2*time.Hour), surgeon, body, labels...)
	if status == "completed" {
		c.note(operationNote, op.name, "PROCEDURE: "+op.name+"\nINDICATION: "+s.story.name+"\n\n"+op.note+"\n\nTo the ward awake and stable.", at.Add(2*time.Hour), surgeon, s.encounter, labels...)
	}
}

// sessions are what a therapist writes for nobody else.
var sessions = []string{
	"Fifty minutes. Loss of work and the voice of the father. Long silences, one laugh. Themes for next time: sleep, the sister, an ordinary Tuesday.",
	"Fifty minutes. Came back to the week before admission, could look at it from further away. We wrote down three people to ring before it gets dark.",
	"Fifty minutes. Anger for the first time, at me too, well placed. Home visit prepared hour by hour.",
}

// journal writes the notes of the stay.
func (s *stay) journal(c *chart, last signs, newest results, labels []string) {
	st := s.story
	arrived := st.start
	c.note(admissionNote, "Admission to "+s.ward.name, "REASON FOR ADMISSION: "+st.complaint+"\n\nHISTORY: "+st.history+"\n\n"+c.past()+"\nEXAMINATION: On arrival "+arrived.String()+". "+st.exam+
		"\n\nASSESSMENT: "+st.name+".\n\nPLAN\n"+numbered(st.plan), s.admitted.Add(2*time.Hour), s.attending, s.encounter, labels...)
	therapy := st.label == labelPsychiatry
	today := dayOf(c.h, s.admitted)
	for n := 1; ; n++ {
		at := c.h.at(24*(today+n)+9, 20+c.d.below(60))
		if at.After(c.h.now.Add(-20*time.Minute)) || !s.ended.IsZero() && at.After(s.ended) {
			break
		}
		if c.h.now.Sub(at) > 4*24*time.Hour {
			continue
		}
		prose := fmt.Sprintf("Day %d.\n\n%s\n\n", n+1, st.course[min(n-1, len(st.course)-1)])
		if c.h.now.Sub(at) < 24*time.Hour {
			prose += "OBSERVATIONS: " + last.String() + ".\n" + s.quote(newest)
		}
		prose += "PLAN\n" + numbered(st.plan[:min(3, len(st.plan))])
		by := s.attending
		if resident := s.resident(); resident != nil && n%2 == 0 {
			by = resident
		}
		if by != s.attending && c.h.now.Sub(at) < 24*time.Hour {
			draft := c.draft(progressNote, "Progress note", prose, at, by, s.encounter, labels...)
			c.task("cosign", "co-sign a progress note", "requested", "routine", s.attending.ref(), draft, at, by)
		} else {
			c.note(progressNote, "Progress note", prose, at, by, s.encounter, labels...)
		}
		if therapy && n%2 == 1 {
			c.note(therapyNote, "Psychotherapy session", sessions[n/2%len(sessions)], at.Add(5*time.Hour), s.attending, s.encounter, labelTherapyNotes, labelPsychiatry)
		}
	}
	for i, hours := range []int{-22, -10} {
		at := c.h.now.Add(time.Duration(hours)*time.Hour + time.Duration(c.d.below(50))*time.Minute)
		if at.After(s.admitted.Add(3*time.Hour)) && (s.ended.IsZero() || at.Before(s.ended)) {
			c.note(nursingNote, "Nursing note", st.nursing[(i+s.bed)%len(st.nursing)], at, s.nurse(at), s.encounter, labels...)
		}
	}
	if s.ended.IsZero() {
		next := c.h.now.Add(time.Duration(40+c.d.below(600)) * time.Minute)
		c.later(nursingNote, "Nursing note", st.nursing[(2+s.bed)%len(st.nursing)], next, s.nurse(next), s.encounter, labels...)
	}
}

func (s *stay) resident() *member {
	for _, m := range s.ward.physicians {
		if m.title == "Resident" || m.title == "Surgical resident" {
			return m
		}
	}
	return nil
}

// quote names the results that the story is about.
func (s *stay) quote(newest results) string {
	var b strings.Builder
	for _, t := range s.story.labs {
		if _, ok := newest[t.test]; ok {
			fmt.Fprintf(&b, "%s. ", strings.TrimSpace(labs[t.test].name+" "+newest.text(t.test)+" "+labs[t.test].unit))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "RESULTS: " + strings.TrimSpace(b.String()) + "\n\n"
}

// asked is when the question to a colleague is put: on the second day, or just now.
func (s *stay) asked(now time.Time) time.Time {
	if at := s.admitted.Add(20 * time.Hour); at.Before(now) {
		return at
	}
	return now.Add(-50 * time.Minute)
}

// ask writes the question to a colleague of another place and, a day later, the answer.
func (s *stay) ask(c *chart) {
	if s.consulted == nil {
		return
	}
	asked := s.asked(c.h.now)
	answered := asked.Add(7 * time.Hour)
	status := "active"
	if answered.Before(c.h.now) {
		status = "completed"
	}
	if s.lead {
		status = "active" // the question of the pictures stays open
	}
	order := c.consult(s.consulted, s.story.ask, status, asked, s.attending, s.encounter)
	if answered.Before(c.h.now) {
		c.note(consultNote, "Consultation, "+s.consulted.at.name, "QUESTION: "+s.story.ask+"\n\nANSWER: "+s.story.answer, answered, s.consulted, s.encounter)
	} else {
		c.task("consult", "answer a consultation", "requested", "urgent", s.consulted.ref(), order, asked, s.attending)
		c.later(consultNote, "Consultation, "+s.consulted.at.name, "QUESTION: "+s.story.ask+"\n\nANSWER: "+s.story.answer, c.h.now.Add(time.Duration(60+c.d.below(200))*time.Minute), s.consulted, s.encounter)
	}
}

// chores are what lies in queues because of the stay.
func (s *stay) chores(c *chart) {
	h := c.h
	if !s.ended.IsZero() {
		return
	}
	if s.bed%2 == 0 {
		c.task("review-results", "sign new laboratory results", "requested", "routine", s.attending.ref(), "", h.now.Add(-time.Duration(c.d.between(20, 200))*time.Minute), onShift(h.find(c.site, "lab").others, h.now)[0])
	}
	pharmacist := onShift(h.find(c.site, "pharm").others, h.now)[0]
	if s.bed%3 == 0 || s.lead {
		c.task("verify-medication", "check doses against kidney function", "in-progress", "routine", pharmacist.ref(), "", h.now.Add(-time.Duration(c.d.between(60, 300))*time.Minute), s.attending)
	}
	if s.elapsed(h.now) > 60 && s.story.label == "" {
		rehab := h.find(c.site, "rehab")
		c.order(concept("Physiotherapy", snomed("91251008", "Physical therapy procedure")), orderTherapy, rehab, "active", "Mobilize before discharge", h.now.Add(-20*time.Hour), s.attending, s.encounter)
	}
	if s.elapsed(h.now) > 80 {
		c.task("discharge", "prepare discharge summary", "requested", "routine", s.attending.ref(), s.encounter, h.now.Add(-2*time.Hour), s.nurse(h.now))
		c.later(dischargeNote, "Discharge summary", "REASON FOR ADMISSION: "+s.story.complaint+"\n\nCOURSE: "+strings.Join(s.story.course, " ")+"\n\n"+c.past()+"\nFOLLOW-UP: family doctor in one week.",
			h.now.Add(time.Duration(120+c.d.below(400))*time.Minute), s.attending, s.encounter)
	}
}
