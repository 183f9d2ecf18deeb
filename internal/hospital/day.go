package hospital

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// openDoors decides who is here today, and writes their charts in the order in which one would want them: the wards of the pictures,
// the other wards, the emergency department, the clinics by the clock.
func (h *house) openDoors() {
	for n := range extent[h.Size].houses {
		d := newDraw(h.Seed, h.midnight.Format(time.DateOnly)+"/doors/"+strconv.Itoa(n))
		h.fillWards(n, d)
		h.fillEmergency(n, d)
		h.fillClinics(n, d)
	}
	for _, s := range h.stays {
		h.today = append(h.today, s.write(h)...)
	}
	for _, v := range h.visits {
		if v.arrival != nil {
			h.today = append(h.today, v.emergency(h)...)
		} else {
			h.today = append(h.today, v.write(h)...)
		}
	}
}

// take finds somebody in the town whom it suits and who has no other business here today.
func (h *house) take(d *draw, suits func(*patient) bool) *patient {
	start := d.below(len(h.folk))
	for i := range h.folk {
		if p := h.folk[(start+i)%len(h.folk)]; !p.here && p.died.IsZero() && p.mother == nil && suits(p) {
			p.here = true
			return p
		}
	}
	return nil
}

// crowd is how many beds of a ward are taken.
var crowd = map[string]int{"5w": 14, "4e": 12, "icu": 6, "2s": 6, "3n": 4}

func (h *house) fillWards(n int, d *draw) {
	for _, key := range []string{"5w", "4e", "icu", "3n", "2s"} {
		w := h.find(n, key)
		for bed := range crowd[key] {
			if key == "3n" {
				mother := h.take(d, func(p *patient) bool { age := p.age(h.now); return p.female && age >= 19 && age <= 41 })
				if mother != nil {
					h.deliver(mother, w, bed, d)
				}
				continue
			}
			s := &stay{ward: w, bed: bed, story: pick(d, storiesOf(key)), attending: w.physicians[bed%attendings(w)]}
			if !h.cast(s, n) {
				st := s.story
				s.p = h.take(d, func(p *patient) bool {
					age := p.age(h.now)
					return age >= st.from && age <= st.to && (st.sex == 0 || (st.sex == 'f') == p.female)
				})
				s.admitted = h.now.Add(-time.Duration(d.between(3, s.story.days*24-6))*time.Hour - time.Duration(d.below(60))*time.Minute)
			}
			if s.p == nil {
				continue
			}
			for _, key := range s.story.with {
				if !s.p.has(key) {
					s.p.problems = append(s.p.problems, key)
				}
			}
			if s.story.consult != "" {
				asked := h.find(n, s.story.consult)
				s.consulted = append(asked.physicians[:len(asked.physicians):len(asked.physicians)], asked.others...)[0]
			}
			h.stays = append(h.stays, s)
		}
	}
	if n == 0 { // one dies in the morning, in intensive care
		for _, s := range h.stays {
			if s.ward.key == "icu" && s.p.age(h.now) > 64 && h.now.Sub(s.admitted) > 20*time.Hour {
				s.ended = h.now.Add(-3 * time.Hour)
				s.p.died = s.ended
				break
			}
		}
	}
}

// attendings are the physicians of a ward before its residents.
func attendings(w *place) (n int) {
	for _, m := range w.physicians {
		if m.title != "Resident" && m.title != "Surgical resident" {
			n++
		}
	}
	return n
}

// cast puts a lead into the bed that is meant for it.
func (h *house) cast(s *stay, n int) bool {
	if n > 0 {
		return false
	}
	put := func(who int, story string, hours int) bool {
		s.p, s.admitted = h.folk[who], h.now.Add(-time.Duration(hours)*time.Hour-17*time.Minute)
		for i := range stories {
			if stories[i].key == story {
				s.story = &stories[i]
			}
		}
		return true
	}
	switch s.ward.key + "/" + strconv.Itoa(s.bed+1) {
	case "5w/12":
		s.lead = true
		s.attending = h.member("0/5w/Attending/0")
		put(maren, "pneumonia", 52)
		own := *s.story // heart, kidney and lungs at once, so cardiology is asked
		own.consult, own.ask = "card", "Pneumonia in known heart failure, ejection fraction 35 %: advice on fluids and diuretic, please."
		own.answer = "Seen at the bedside. No congestion beyond the pneumonia. Keep furosemide and bisoprolol at the home dose, hold metformin while the kidneys recover. Weigh daily. Clinic in two weeks."
		own.labs = append(own.labs[:len(own.labs):len(own.labs)], trend{"creatinine", 158, 134}, trend{"bnp", 2100, 1840}, trend{"k", 46, 43})
		s.story = &own
		return true
	case "5w/6":
		return put(neighbor, "cellulitis", 30)
	case "4e/3":
		return put(vip, "cholecystitis", 26)
	case "2s/2":
		return put(confidential, "major-depression", 190)
	}
	return false
}

func (h *house) fillEmergency(n int, d *draw) {
	ed := h.find(n, "ed")
	for i := range 9 {
		a := &arrivals[(i+d.below(3)*3)%len(arrivals)]
		start := h.now.Add(-time.Duration(d.between(15, 330)) * time.Minute)
		var p *patient
		if i == 4 && n == 0 {
			p, a, start = h.folk[safety], &arrivals[8], h.now.Add(-100*time.Minute)
		} else {
			p = h.take(d, func(p *patient) bool { age := p.age(h.now); return age >= a.from && age <= a.to })
		}
		if p == nil {
			continue
		}
		doctors, nurses := onShift(ed.physicians, start), onShift(ed.nurses, start)
		h.visits = append(h.visits, &visit{p: p, at: ed, physician: doctors[i%len(doctors)], helper: nurses[i%len(nurses)], start: start, arrival: a, bed: i,
			desk: emergencyDesk(h, n, start)})
	}
}

func emergencyDesk(h *house, n int, t time.Time) *member {
	var desk []*member
	for _, m := range h.find(n, "reg").others {
		if m.title == "Emergency registrar" {
			desk = append(desk, m)
		}
	}
	return onShift(desk, t)[0]
}

// booked is how many of the day's half hours of a clinic's physician are taken, of 16.
var booked = map[string]int{"fam": 11, "card": 9, "ortho": 9, "women": 9, "peds": 9, "id": 7, "onc": 7}

func (h *house) fillClinics(n int, d *draw) {
	staffed := 0
	for _, key := range []string{"fam", "card", "ortho", "women", "peds", "id", "onc"} {
		c := h.find(n, key)
		for i, m := range c.physicians {
			slots := h.hours(c, m, d)
			for at := range slots {
				if d.below(len(slots)) >= booked[key] && !(n == 0 && staffed < 4 && at == 3) {
					continue
				}
				v := &visit{at: c, physician: m, start: slots[at].start, end: slots[at].start.Add(25 * time.Minute), slot: slots[at].url, desk: pick(d, h.find(n, "reg").others),
					missed: d.chance(5), cancelled: d.chance(4)}
				if helpers := append(c.assistants[:len(c.assistants):len(c.assistants)], c.nurses...); len(helpers) > 0 {
					v.helper = helpers[i%len(helpers)]
				}
				if n == 0 && at == 3 && staffed < 4 && key != "peds" { // staff are patients too
					v.p, v.missed, v.cancelled = h.folk[employees+staffed], false, false
					staffed++
				} else {
					v.p = h.suited(d, key)
				}
				if v.p == nil {
					continue
				}
				v.problem = v.p.problemFor(key)
				v.p.portal = v.p.portal || key != "peds" && d.chance(6)
				h.visits = append(h.visits, v)
				h.taken(slots[at].url)
			}
		}
	}
}

// suited finds somebody for a clinic: with a condition that it treats, or made to have one.
func (h *house) suited(d *draw, clinic string) *patient {
	switch clinic {
	case "peds":
		return h.take(d, func(p *patient) bool { return p.age(h.now) < 16 })
	case "fam":
		return h.take(d, func(p *patient) bool { return p.age(h.now) >= 16 })
	}
	if p := h.take(d, func(p *patient) bool { return p.problemFor(clinic) != nil && p.age(h.now) >= 16 }); p != nil {
		return p
	}
	for i := range conditions {
		if k := &conditions[i]; k.clinic == clinic {
			p := h.take(d, func(p *patient) bool { return k.fits(p.age(h.now), p.female) })
			if p != nil {
				p.problems = append(p.problems, k.key)
			}
			return p
		}
	}
	return nil
}

// problemFor is the condition that brings the patient to a clinic, if one does.
func (p *patient) problemFor(clinic string) *condition {
	for _, key := range p.problems {
		if k := conditionOf[key]; k.clinic == clinic {
			return k
		}
	}
	return nil
}

type bookable struct {
	url   string
	start time.Time
}

// hours publishes the clinic hours of a physician for today and tomorrow and returns today's.
func (h *house) hours(c *place, m *member, d *draw) (today []bookable) {
	known := h.at(-24*20, 9)
	key := "clinic/" + m.Key
	schedule := h.system(h.passing(key), "Schedule", known, object{
		"active", true, "serviceCategory", clinicService, "serviceType", list{serviceType(c)}, "actor", list{m.ref(), ref(c.location, c.name), ref(c.service, c.name)},
		"planningHorizon", period(h.at(0, 0), h.at(48, 0)),
	})
	for n := range 2 {
		for half := 17; half < 34; half++ { // 08:30 to 16:30, an hour for lunch
			if half == 24 {
				continue
			}
			start := h.at(24*n, 30*half)
			status := "free"
			if n > 0 && d.chance(35) {
				status = "busy-unavailable"
			}
			url := h.system(h.passing(fmt.Sprint(key, "/", n, "/", half)), "Slot", known, object{
				"serviceCategory", clinicService, "schedule", ref(schedule, ""), "status", status, "start", start, "end", start.Add(30 * time.Minute),
			})
			if n == 0 {
				today = append(today, bookable{url, start})
			}
		}
	}
	return today
}

// taken marks a slot busy.
func (h *house) taken(url string) {
	for i := len(h.today) - 1; i >= 0; i-- {
		if e := &h.today[i]; e.FullURL == url {
			e.JSON = bytes.Replace(e.JSON, []byte(`"status":"free"`), []byte(`"status":"busy"`), 1)
			return
		}
	}
}
