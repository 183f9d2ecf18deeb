package simulate

import (
	"fmt"
	"io"
	"slices"
)

// Stats are the figures to which the simulation is calibrated, taken from what was written. Attacks are left out.
type Stats struct {
	PerDay     [roles]float64 // distinct patients a person-day, by role
	Bedside    float64        // the same over all clinical roles
	Direct     float64        // share of visits whose reason on file names the person
	Explained  float64        // share of visits with any reason on file
	Glass      float64        // glass broken, of visits
	Clicks     float64        // wrong patient, of visits
	Ratio      [3]float64     // inpatient accesses, weekday to weekend, by day, evening, night
	Late1      float64        // unscheduled facts known later than an hour
	Late24     float64        // than a day
	Employees  float64        // share of patients who are staff
	Family     float64        // accesses per million where patient and person share household, surname or kin
	Neighbours float64
	Coworkers  float64
	VIPs       float64
	PerStay    float64 // people who open the chart of one inpatient on one day
	Active     float64 // people a weekday
	EventsADay float64
	visits     int
	why        [4]int
	glasses    int
	clicks     int
	daily      map[int]int
	active     []map[int32]struct{}
	personDays [roles]int
	seen       [roles]int
	inpatient  [2][3]int
	weekdays   [2]int
	relation   [4]int
	accesses   int
	stayPeople int
	stayDays   int
}

type lateness struct{ n, hour, day int }

func (l *lateness) count(s int64) {
	l.n++
	if s > 3600 {
		l.hour++
	}
	if s > 86400 {
		l.day++
	}
}

func newStats() *Stats { return &Stats{daily: map[int]int{}} }

// take counts the entries of a day.
func (s *Stats) take(w *world, day int, events []event) {
	s.daily[day] = len(events)
	people := map[int32]struct{}{}
	pairs := map[uint64]struct{}{}
	each := map[int32]int{}
	stays := map[int32]map[int32]struct{}{}
	weekend := 0
	if day%7 > 4 {
		weekend = 1
	}
	s.weekdays[weekend]++
	for i := range events {
		e := &events[i]
		if e.act > failed {
			people[e.agent] = struct{}{}
		}
		if !e.innocent || e.patient < 0 {
			continue
		}
		if e.act == breakGlass {
			s.glasses++
			continue
		}
		s.accesses++
		w.relate(s, e)
		if k := pair(e.agent, e.patient); true {
			if _, ok := pairs[k]; !ok {
				pairs[k] = struct{}{}
				each[e.agent]++
			}
		}
		if e.first {
			s.visits++
			s.why[e.why]++
		}
		if e.click {
			s.clicks++
		}
		if e.inpatient {
			s.inpatient[weekend][min(2, int((e.at-w.epoch)%dayLong/hour/8+2)%3)]++
			if stays[e.patient] == nil {
				stays[e.patient] = map[int32]struct{}{}
			}
			stays[e.patient][e.agent] = struct{}{}
		}
	}
	for a, n := range each {
		r := w.people[a].role
		s.personDays[r]++
		s.seen[r] += n
	}
	for _, p := range stays {
		s.stayDays++
		s.stayPeople += len(p)
	}
	s.active = append(s.active, people)
}

// relate counts an access by what ties person and patient in town.
func (w *world) relate(s *Stats, e *event) {
	a, p := &w.people[e.agent], &w.patients[e.patient]
	if a.home == p.home || a.surname == p.surname || a.own >= 0 && p.contact == a.own {
		s.relation[0]++
	}
	if w.homes[a.home].street == w.homes[p.home].street && a.home != p.home {
		s.relation[1]++
	}
	if p.staff >= 0 && p.staff != e.agent {
		s.relation[2]++
	}
	if p.vip {
		s.relation[3]++
	}
}

func (s *Stats) finish(w *world) {
	bedside, bedsideDays := 0, 0
	for r := range roles {
		s.PerDay[r] = share(s.seen[r], s.personDays[r])
		if r.bedside() {
			bedside += s.seen[r]
			bedsideDays += s.personDays[r]
		}
	}
	s.Bedside = share(bedside, bedsideDays)
	s.Direct, s.Explained = share(s.why[direct], s.visits), share(s.why[direct]+s.why[group], s.visits)
	s.Glass, s.Clicks = share(s.glasses, s.visits), share(s.clicks, s.visits)
	for i := range 3 {
		s.Ratio[i] = share(s.inpatient[0][i], s.weekdays[0]) / max(share(s.inpatient[1][i], s.weekdays[1]), 1e-9)
	}
	s.Late1, s.Late24 = share(w.lateness.hour, w.lateness.n), share(w.lateness.day, w.lateness.n)
	employees := 0
	for i := range w.patients {
		if w.patients[i].staff >= 0 {
			employees++
		}
	}
	s.Employees = share(employees, len(w.patients))
	million := func(n int) float64 { return 1e6 * share(n, s.accesses) }
	s.Family, s.Neighbours, s.Coworkers, s.VIPs = million(s.relation[0]), million(s.relation[1]), million(s.relation[2]), million(s.relation[3])
	s.PerStay = share(s.stayPeople, s.stayDays)
	n, total := 0, 0
	for day, people := range s.active {
		if day%7 < 5 {
			n += len(people)
		}
		total += s.daily[day]
	}
	s.Active, s.EventsADay = share(n, s.weekdays[0]), share(total, len(s.active))
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Print writes the calibration report: each figure beside its target.
func (s *Stats) Print(w io.Writer) {
	line := func(name, format string, target string, v ...any) {
		fmt.Fprintf(w, "  %-52s %-24s %s\n", name, fmt.Sprintf(format, v...), target)
	}
	fmt.Fprintln(w, "Calibration (docs/simulator.md, section 5):")
	line("distinct patients a clinical person-day", "%.1f", "15-30", s.Bedside)
	line("visits with a direct reason on file", "%.1f %%", "50-70 %", 100*s.Direct)
	line("visits with any reason on file", "%.1f %%", "92-97 %", 100*s.Explained)
	line("glass broken, of visits", "%.2f %%", ".1-1 %", 100*s.Glass)
	line("wrong patient, of visits", "%.2f %%", ".3-.8 %", 100*s.Clicks)
	line("inpatient accesses weekday:weekend day/evening/night", "%.2f / %.2f / %.2f", "1.76 / 1.52 / 1.14", s.Ratio[0], s.Ratio[1], s.Ratio[2])
	line("unscheduled facts later than 1 h / 24 h", "%.1f / %.1f %%", "30 / 5 %", 100*s.Late1, 100*s.Late24)
	line("employees among patients", "%.2f %%", "1.7 %", 100*s.Employees)
	line("accesses per million: family / neighbour", "%.0f / %.0f", "880 / 5500, order of size", s.Family, s.Neighbours)
	line("accesses per million: coworker / VIP", "%.0f / %.0f", "reported only", s.Coworkers, s.VIPs)
	line("people who open an inpatient's chart in a day", "%.1f", "reported only", s.PerStay)
	line("active people a weekday, entries a day", "%.0f, %.0f", "", s.Active, s.EventsADay)
	order := make([]role, 0, roles)
	for r := range roles {
		order = append(order, r)
	}
	slices.SortStableFunc(order, func(a, b role) int { return int(1000 * (s.PerDay[b] - s.PerDay[a])) })
	fmt.Fprintln(w, "Distinct patients a person-day, by role:")
	for _, r := range order {
		if s.personDays[r] > 0 {
			fmt.Fprintf(w, "  %-22s %5.1f\n", roleNames[r], s.PerDay[r])
		}
	}
}
