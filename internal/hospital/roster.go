package hospital

import (
	"fmt"
	"time"
)

// A shift is published as FHIR has it: a Schedule whose actors are the person and the place, with one busy Slot for each time of
// work. A clinic's bookable hours are a second Schedule of the same person, whose Slots are free or busy.
var (
	shiftService  = list{concept("shift")}
	clinicService = list{concept("clinic hours")}
)

const rosterDays = 2 // either side of today

// roster plans everybody's shifts and publishes them.
func (h *house) roster() {
	for _, m := range h.staff {
		for n := -rosterDays; n <= rosterDays; n++ {
			if s, ok := h.shift(m, n); ok {
				m.Shifts = append(m.Shifts, s)
			}
		}
		if m.cast {
			h.callIn(m)
		}
		h.publish(m)
	}
}

// shift is what m works on the n-th day from today.
func (h *house) shift(m *member, n int) (Shift, bool) {
	from, to := 8, 17
	switch m.hours {
	case turns:
		// Day, night, free: nobody works a day after a night. The turn of number 0 is such that it is at work now.
		night := h.now.Hour() < 7 || h.now.Hour() >= 19
		phase := 0
		if night {
			phase = 1
		}
		today := 0
		if h.now.Hour() < 7 {
			today = -1 // the night now running began yesterday
		}
		switch ((m.turn+phase+n-today)%3 + 3) % 3 {
		case 0:
			from, to = 7, 19
		case 1:
			from, to = 19, 31
		default:
			return Shift{}, false
		}
	case desk:
		from, to = 7, 15
		if (m.turn+n)&1 != 0 {
			from, to = 15, 23
		}
	}
	return Shift{Place: m.at.location, Start: h.at(24*n+from, 0), End: h.at(24*n+to, 0)}, true
}

// callIn adds a turn to those of m such that m is at work now: whoever tries the demonstration at night finds its people there.
func (h *house) callIn(m *member) {
	if m.OnShift(h.now) {
		return
	}
	from := h.at(7, 0)
	switch {
	case h.now.Hour() < 7:
		from = h.at(-5, 0)
	case h.now.Hour() >= 19:
		from = h.at(19, 0)
	}
	extra := Shift{Place: m.at.location, Start: from, End: from.Add(12 * time.Hour)}
	var kept []Shift
	for _, s := range m.Shifts {
		switch overlaps := s.Start.Before(extra.End) && extra.Start.Before(s.End); {
		case overlaps:
		case extra.Start.Before(s.Start) && (len(kept) == 0 || kept[len(kept)-1].Start.Before(extra.Start)):
			kept = append(kept, extra, s)
		default:
			kept = append(kept, s)
		}
	}
	m.Shifts = kept
	if !m.OnShift(h.now) {
		m.Shifts = append(m.Shifts, extra)
	}
}

func (h *house) publish(m *member) {
	known := h.at(-24*7, 10)
	key := "roster/" + m.Key
	schedule := h.system(h.passing(key), "Schedule", known, object{
		"active", true, "serviceCategory", shiftService, "actor", list{m.ref(), ref(m.at.location, m.at.name)},
		"planningHorizon", period(h.at(-24*rosterDays, 0), h.at(24*(rosterDays+1), 0)), "comment", "Shifts of " + m.title,
	})
	for i, s := range m.Shifts {
		h.system(h.passing(fmt.Sprint(key, "/", i)), "Slot", known, object{
			"serviceCategory", shiftService, "schedule", ref(schedule, ""), "status", "busy", "start", s.Start, "end", s.End,
		})
	}
}

// onShift are those of some who work at t; all of them if nobody does, so that no place is ever without anybody.
func onShift(some []*member, t time.Time) (at []*member) {
	for _, m := range some {
		if m.OnShift(t) {
			at = append(at, m)
		}
	}
	if len(at) == 0 {
		return some
	}
	return at
}
