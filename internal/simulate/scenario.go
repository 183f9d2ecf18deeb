package simulate

import (
	"fmt"
	"slices"
	"strings"
)

// scenario is one kind of misuse. Its play does what happens on one day of one attack and says by the label when the next is due, or that it is done; a play that finds
// nobody to do it leaves the label as it is and is asked again the day after.
type scenario struct {
	name   string
	grade  int
	mix    int  // share of a thousand violators, see docs/simulator.md
	hidden bool // no log could show it
	length int  // days that it needs at most
	play   func(w *world, l *label, d *draw)
}

// scenarios in the order of the specification.
var scenarios = []scenario{
	{"self", 1, 60, false, 1, (*world).looksAtSelf},
	{"household", 1, 250, false, 1, (*world).looksAtHousehold},
	{"kin", 1, 150, false, 1, (*world).looksAtKin},
	{"hidden-kin", 3, 60, true, 1, (*world).looksAtHiddenKin},
	{"coworker", 2, 100, false, 1, (*world).looksAtCoworker},
	{"ward-peek", 3, 40, true, 1, (*world).peeks},
	{"neighbour", 2, 70, false, 1, (*world).looksAtNeighbour},
	{"vip-crowd", 1, 30, false, 1, (*world).crowds},
	{"vip", 2, 30, false, 1, (*world).looksAtVIP},
	{"deceased", 2, 15, false, 1, (*world).looksAtDeceased},
	{"minor", 2, 20, false, 1, (*world).looksAtMinor},
	{"stalking", 2, 40, false, 14, (*world).stalks},
	{"harvest", 2, 10, false, 6, (*world).harvests},
	{"ed-list", 4, 10, false, 12, (*world).sellsArrivals},
	{"bulk-export", 1, 5, false, 1, (*world).exportsAll},
	{"print-paging", 2, 5, false, 1, (*world).printsPages},
	{"report-writer", 2, 5, false, 4, (*world).writesReports},
	{"slow-export", 4, 5, false, 13, (*world).exportsSlowly},
	{"stolen-away", 1, 10, false, 1, (*world).stolenAway},
	{"stolen-hours", 3, 8, false, 1, (*world).stolenHours},
	{"stolen-inside", 4, 4, false, 1, (*world).stolenInside},
	{"shared", 2, 10, false, 1, (*world).shares},
	{"dormant", 1, 5, false, 1, (*world).wakes},
	{"leaver", 1, 5, false, 1, (*world).comesBack},
	{"glass-abuse", 3, 10, false, 1, (*world).breaksGlass},
	{"mass-delete", 1, 3, false, 1, (*world).deletes},
	{"back-dated", 3, 5, false, 1, (*world).backDates},
	{"self-grant", 2, 3, false, 1, (*world).grantsSelf},
	{"auditor", 3, 5, false, 3, (*world).audits},
	{"mimic-appointment", 4, 7, false, 3, (*world).booksFirst},
	{"mimic-order", 4, 5, false, 1, (*world).ordersFirst},
	{"poisoning", 4, 3, false, 6, (*world).poisons},
	{"collusion", 4, 4, false, 4, (*world).colludes},
	{"search-only", 3, 8, false, 1, (*world).searchesOnly},
}

// Scenarios are the names that Options.Attacks may hold.
func Scenarios() (out []string) {
	for _, s := range scenarios {
		out = append(out, s.name)
	}
	return out
}

func scenarioNamed(name string) *scenario {
	if i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name }); i >= 0 {
		return &scenarios[i]
	}
	return nil
}

// scheme plans the attacks: each begins on some judged day that leaves room for it.
func (w *world) scheme() {
	for n := range scenarios {
		s := &scenarios[n]
		if !slices.Contains(w.Attacks, s.name) && !slices.Contains(w.Attacks, "all") {
			continue
		}
		for k := range w.Each {
			d := newDraw(w.Seed, "scheme "+s.name, k)
			room := max(w.Days-w.warm-s.length, 1)
			l := &label{id: "a-" + w.id(10, "label", n, k), scenario: s, day: w.warm + d.below(room), last: w.Days - 1}
			if s.name == "poisoning" {
				l.day = w.warm * 14 / 28
			}
			w.labels = append(w.labels, l)
		}
	}
}

// misuse plays what is due today.
func (w *world) misuse() {
	for n := 0; n < len(w.labels); n++ {
		l := w.labels[n]
		if l.twin || l.done || l.day > w.today {
			continue
		}
		d := w.begin("attack "+l.id, w.today)
		w.label = l
		l.day = w.today + 1
		l.scenario.play(w, l, d)
		w.label = nil
	}
}

// unplayed names the scenarios that found nobody to play them.
func (w *world) unplayed() []string {
	var out []string
	for _, l := range w.labels {
		if !l.twin && len(l.events) == 0 && !slices.Contains(out, l.scenario.name) {
			out = append(out, l.scenario.name)
		}
	}
	return out
}

// attacker finds somebody on duty today who fits and who has not attacked before; nil when there is none.
func (w *world) attacker(d *draw, l *label, fits func(*duty) bool) *duty {
	for range 60 {
		if len(w.duties) == 0 {
			return nil
		}
		u := &w.duties[d.below(len(w.duties))]
		p := &w.people[u.agent]
		if w.attackers[u.agent] || u.from >= w.at(w.today, 23*60) || p.left < w.Days || p.hired > 0 || p.back > 0 || !fits(u) {
			continue
		}
		w.attackers[u.agent] = true
		l.agents = append(l.agents, u.agent)
		return u
	}
	return nil
}

// again is the duty of an attacker on a later day of the attack, nil when she is off.
func (w *world) again(l *label) *duty {
	if k, ok := w.dutyOf[l.agents[0]]; ok {
		return &w.duties[k]
	}
	return nil
}

// peek is one or more short visits during the shift.
func (w *world) peek(d *draw, u *duty, patient int32, visits int) {
	for range visits {
		w.visit(d, w.seat(d, u), d.within(u.from+10*minute, u.to), patient, d.between(1, 5), misuse)
	}
}

// stranger says whether nothing in her work ties a person to a patient, as far as work has gone.
func (w *world) stranger(u *duty, i int32) bool {
	s := w.stayOf(i)
	return w.alive(i) && !w.knows(u.agent, i) && (s == nil || s.unit != u.unit)
}

// opensCharts says who may look at charts at all in the course of her work.
func opensCharts(u *duty) bool { return u.role != analyst && u.role != researcher }

func is(of ...role) func(*duty) bool {
	return func(u *duty) bool { return slices.Contains(of, u.role) }
}

func checkScenarios(names []string) error {
	for _, n := range names {
		if n != "all" && n != "none" && scenarioNamed(n) == nil {
			return fmt.Errorf("%s (known: all, none, %s)", n, strings.Join(Scenarios(), ", "))
		}
	}
	return nil
}
