package hospital

import "time"

// behind writes the chart of somebody who is not here today: lighter, with a visit or two, sometimes one in the past week or a booking.
func (h *house) behind(p *patient) []Entry {
	c := h.begin(p, p.doctor.at.house)
	assistants := append(p.doctor.at.assistants[:len(p.doctor.at.assistants):len(p.doctor.at.assistants)], p.doctor.at.nurses...)
	helper := assistants[p.number%len(assistants)]
	known := p.problemFor(p.doctor.at.key)
	hour := func() time.Duration { return time.Duration(c.d.between(17, 32)) * 30 * time.Minute }
	if !p.died.IsZero() {
		c.visited(p.died.AddDate(0, 0, -c.d.between(5, 90)).Truncate(24*time.Hour).Add(15*time.Hour), p.doctor.at, p.doctor, helper, known)
		return c.out
	}
	c.visited(h.daysAgo(c.d.between(40, 420)).Add(hour()), p.doctor.at, p.doctor, helper, known)
	if c.d.chance(14) {
		c.visited(h.daysAgo(c.d.between(430, 800)).Add(hour()), p.doctor.at, p.doctor, helper, nil)
	}
	special := c.special()
	switch at := c.d.below(100); {
	case at < 6: // here this week
		c.visited(h.daysAgo(c.d.between(1, 6)).Add(hour()), p.doctor.at, p.doctor, helper, known)
	case at < 9 && special != nil:
		doctor := special.physicians[p.number%len(special.physicians)]
		c.visited(h.daysAgo(c.d.between(1, 28)).Add(hour()), special, doctor, nil, p.problemFor(special.key))
	case at < 17:
		start := h.daysAgo(-c.d.between(1, 14)).Add(hour())
		c.book(&visit{p: p, at: p.doctor.at, physician: p.doctor, helper: helper, start: start, end: start.Add(25 * time.Minute), problem: known, desk: h.find(c.site, "reg").others[0]})
	case at < 20:
		c.talk(p.doctor)
	}
	return c.out
}

// special is a specialist's clinic that treats one of the patient's conditions.
func (c *chart) special() *place {
	for _, key := range c.p.problems {
		if k := conditionOf[key]; k.clinic != "fam" && k.clinic != "peds" {
			return c.h.find(c.site, k.clinic)
		}
	}
	return nil
}

// world closes the making: what is returned no longer changes.
func (h *house) world() *World {
	w := &World{Name: hospitalName, Now: h.now, Patients: len(h.folk), Today: h.today, Accesses: h.accesses, Notes: h.notes}
	w.Staff, w.Portal, w.Cast = h.people()
	w.Behind = func(yield func(Entry) bool) {
		for _, p := range h.folk {
			if p.here {
				continue
			}
			for _, e := range h.behind(p) {
				if !yield(e) {
					return
				}
			}
		}
	}
	return w
}
