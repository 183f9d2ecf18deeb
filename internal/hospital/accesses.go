package hospital

import (
	"cmp"
	"slices"
	"time"
)

// around is how far the accesses reach to either side of now.
const around = 12 * time.Hour

// opened records that m opens a page of somebody's chart at t, unless that is too far from now.
func (h *house) opened(t time.Time, m *member, p *patient, page, why string) {
	h.record(Access{At: t, Person: m.Key, Patient: p.url, Page: page, Why: why})
}

func (h *house) record(a Access) {
	if d := a.At.Sub(h.now); d >= -around && d <= around {
		h.accesses = append(h.accesses, a)
	}
}

// watch writes the day of accesses: rounds, orders, visits, bills, patients who read their own, then what must be explained.
func (h *house) watch() {
	d := newDraw(h.Seed, h.midnight.Format(time.DateOnly)+"/accesses")
	for _, s := range h.stays {
		h.attend(s, d)
	}
	for _, v := range h.visits {
		if v.arrival != nil {
			h.treatAtOnce(v, d)
		} else {
			h.receive(v, d)
		}
	}
	h.readOwn(d)
	h.breakGlass()
	h.misuse(d)
	slices.SortStableFunc(h.accesses, func(a, b Access) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Person, b.Person))
	})
	slices.SortStableFunc(h.notes, func(a, b Note) int { return a.At.Compare(b.At) })
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// attend is what a day on a ward looks like in the list of who opened a chart.
func (h *house) attend(s *stay, d *draw) {
	until := h.now.Add(around)
	if !s.ended.IsZero() {
		until = s.ended
	}
	from := latest(s.admitted, h.now.Add(-around))
	for t := nextRound(h, from); t.Before(until); t = t.Add(4 * time.Hour) {
		nurse := s.nurse(t)
		h.opened(t.Add(minutes(-d.between(1, 12))), nurse, s.p, "summary", "Nurse of the shift on "+s.ward.name)
		if d.chance(60) {
			h.opened(t.Add(minutes(d.between(6, 30))), nurse, s.p, pick(d, []string{"medications", "results", "notes"}), "Nurse of the shift on "+s.ward.name)
		}
	}
	for day := -1; day <= 1; day++ {
		for i, page := range []string{"summary", "results", "notes"} {
			t := h.at(24*day+[]int{8, 11, 15}[i], d.below(55))
			if t.Before(s.admitted) || t.After(until) {
				continue
			}
			if s.attending.OnShift(t) {
				h.opened(t, s.attending, s.p, page, "Attending on "+s.ward.name)
			}
			if r := s.resident(); r != nil && i == 0 && r.OnShift(t) {
				h.opened(t.Add(minutes(17)), r, s.p, page, "Resident on "+s.ward.name)
			}
		}
		h.departments(s, day, until, d)
	}
	if s.consulted != nil {
		h.opened(s.asked(h.now).Add(minutes(d.between(10, 40))), s.consulted, s.p, "summary", "Asked for advice by "+s.attending.called())
	}
	if s.lead {
		h.opened(h.now.Add(minutes(-190)), s.consulted, s.p, "results", "Asked for advice by "+s.attending.called())
	}
	if clerk := emergencyDesk(h, s.ward.house, s.admitted); h.now.Sub(s.admitted) < around {
		h.opened(s.admitted.Add(minutes(-6)), clerk, s.p, "demographics", "Registered the admission")
	}
}

// departments are the people whom orders bring to a chart.
func (h *house) departments(s *stay, day int, until time.Time, d *draw) {
	visit := func(key, page, why string, hour int) {
		t := h.at(24*day+hour, d.below(58))
		some := h.find(s.ward.house, key).others
		m := onShift(some, t)[s.bed%len(onShift(some, t))]
		if t.After(s.admitted) && t.Before(until) && m.OnShift(t) {
			h.opened(t, m, s.p, page, why)
		}
	}
	visit("lab", "orders", "Blood test ordered on "+s.ward.name, 6)
	if s.bed%3 != 1 {
		visit("pharm", "medications", "Medication orders to verify", 10)
	}
	if s.elapsed(h.now) > 60 && s.story.label == "" {
		visit("rehab", "summary", "Physiotherapy ordered", 13)
	}
	if len(s.story.studies) > 0 && h.now.Sub(s.admitted) < around {
		visit("rad", "orders", "Imaging ordered on "+s.ward.name, 14)
	}
	if day == 0 && s.bed%4 == 0 {
		bill := h.find(0, "bill")
		t := h.at(9+s.bed%7, d.below(58))
		if t.After(s.admitted) {
			h.opened(t, bill.others[s.bed%len(bill.others)], s.p, "billing", "Open account of the stay")
		}
	}
}

func (h *house) treatAtOnce(v *visit, d *draw) {
	h.opened(v.start.Add(minutes(1)), v.desk, v.p, "demographics", "Registered the arrival")
	for t := v.start.Add(minutes(5)); t.Before(h.now.Add(2 * time.Hour)); t = t.Add(minutes(d.between(50, 80))) {
		h.opened(t, v.helper, v.p, "summary", "Nurse in the emergency department")
	}
	for i, page := range []string{"summary", "results", "notes"} {
		h.opened(v.start.Add(minutes(22+70*i+d.below(20))), v.physician, v.p, page, "Attending in the emergency department")
	}
}

func (h *house) receive(v *visit, d *draw) {
	if v.missed || v.cancelled {
		h.opened(v.start.Add(minutes(25)), v.desk, v.p, "scheduling", "Did not come: to be booked again")
		return
	}
	h.opened(v.start.Add(minutes(-d.between(9, 15))), v.desk, v.p, "demographics", "Arrived for an appointment")
	if v.helper != nil {
		h.opened(v.start.Add(minutes(d.between(0, 2))), v.helper, v.p, "summary", "Rooming for an appointment")
	}
	h.opened(v.start.Add(minutes(d.between(4, 7))), v.physician, v.p, "summary", "Appointment at "+v.start.Format("15:04"))
	if d.chance(50) {
		h.opened(v.start.Add(minutes(d.between(8, 15))), v.physician, v.p, "results", "Appointment at "+v.start.Format("15:04"))
	}
	h.opened(v.end.Add(minutes(d.between(0, 9))), v.physician, v.p, "notes", "Appointment at "+v.start.Format("15:04"))
	if d.chance(25) {
		bill := h.find(0, "bill")
		h.opened(v.end.Add(minutes(d.between(180, 260))), bill.others[v.p.number%len(bill.others)], v.p, "billing", "Claim in the queue")
	}
}

// readOwn is the portal.
func (h *house) readOwn(d *draw) {
	_, portal, _ := h.people()
	for i, p := range portal {
		if i > 9 {
			break
		}
		t := h.now.Add(minutes(-d.between(15, 500)))
		for n, page := range []string{"results", "notes", "access"}[:d.between(1, 3)] {
			h.record(Access{At: t.Add(minutes(2 * n)), Person: p.Key, Patient: p.Patient, Page: page, Why: "Own chart in the portal"})
		}
	}
	h.record(Access{At: h.now.Add(minutes(-38)), Person: handle("Maren", "Okafor"), Patient: h.folk[maren].url, Page: "access", Why: "Own chart in the portal"})
}
