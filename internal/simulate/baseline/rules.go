package baseline

import "fmt"

// rules are the relation rules as they are sold: family, household, coworker, neighbour, VIP, self. With filter, accesses that a treatment relation explains are left out first.
type rules struct {
	*house
	filter bool
}

// rule names the strongest rule that a pair meets, with its weight: tuned by hand to what each rule catches beside what it disturbs.
func (h *house) rule(agent, patient int32) (string, float64) {
	w, p := h.who[agent], h.sick[patient]
	employee, isStaff := h.staff[patient]
	switch {
	case isStaff && employee == agent:
		return "self", 9
	case w.home >= 0 && w.home == p.home:
		return "household", 8
	case w.phone != "" && has(p.contacts, w.phone):
		return "family on file", 7
	case w.family != "" && w.family == p.family:
		return "family name", 3
	case isStaff && h.unit[employee] == h.unit[agent]:
		return "coworker of the unit", 2.5
	case h.vip[patient]:
		return "VIP", 2
	case w.street >= 0 && w.street == p.street:
		return "neighbour", 1.5
	case isStaff:
		return "coworker", 1
	}
	return "", 0
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (r *rules) rate(d *day) (out []rating) {
	end := d.begin.Unix() + dayLong
	for _, agent := range d.order {
		best, about := 0.0, ""
		hits := map[int32]bool{}
		var events []string
		for _, a := range d.people[agent] {
			if a.patient < 0 {
				continue
			}
			name, weight := r.rule(agent, a.patient)
			if weight == 0 || r.filter && r.explained(a, end) {
				continue
			}
			events = append(events, a.id)
			hits[a.patient] = true
			if weight > best {
				best, about = weight, name
			}
		}
		if best > 0 {
			out = append(out, rating{agent, best + .01*float64(min(len(hits), 40)), events, fmt.Sprintf("%s (%d charts)", about, len(hits))})
		}
	}
	return out
}

// unexplained counts the charts of a day that nothing explains by its end.
type unexplained struct{ *house }

func (u *unexplained) rate(d *day) (out []rating) {
	end := d.begin.Unix() + dayLong
	for _, agent := range d.order {
		charts := map[int32]bool{}
		var events []string
		for _, a := range d.people[agent] {
			if a.patient >= 0 && !u.explained(a, end) {
				charts[a.patient] = true
				events = append(events, a.id)
			}
		}
		if n := len(charts); n > 0 {
			out = append(out, rating{agent, float64(n) + .001*float64(min(len(events), 500)), events, fmt.Sprintf("%d charts without a reason", n)})
		}
	}
	return out
}
