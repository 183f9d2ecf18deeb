package detect

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// A prompt is word to the office at the moment of an act, long before a day's sum makes a case of the review queue: whoever hears of it can
// still ask. It is no judgement and has no part in the evidence and ranking of cases. It comes once for a person and sign within the
// time in which a case takes in what follows. ADR 132 has what was measured.

// From which evidence on a count prompts: about five returns between two places; a dozen charts on paper where printing is rare; two charts
// without a known reason at a device of nobody here.
const (
	promptShared = 3
	promptPrints = 2.5
	promptPlace  = 6
	promptGlass  = .8 // of breaking the glass at all: who does it every day has a reason for that
	promptNats   = 2  // of a sign that is no count
)

// Seconds to either side of a planned shift that are overtime, and without care after which nothing brings a patient here.
const (
	overtime = 4 * 3600
	quietFor = 3 * day
)

// fresh is what the event being judged brought, beyond what is kept of the day.
type fresh struct {
	look  *look // of one patient, unexplained
	first bool  // her first at that patient today
	still bool  // nothing of care happened to that patient lately
	back  bool  // she came back to a place, having worked at another
}

// signKey is by what the office was told of a person.
type signKey struct {
	person int32
	sign   string
}

// prompts finds the sign for which the office wants word at once.
func (e *Engine) prompts(a int32, d *today, ev *Event, t int64) (hypothesis, part, bool) {
	p, r, f := &e.world.persons[a], e.stats(d.role), &e.fresh
	if f.back {
		if x := r.evidence(countConcurrent, p, d.counts[countConcurrent]); x >= promptShared {
			return shared, part{concurrentSignal.name, x, concurrentSignal.text}, true
		}
	}
	if ev.Kind == Print {
		if x := r.evidence(countPrints, p, d.counts[countPrints]); x >= promptPrints {
			return exfiltration, part{printsSignal.name, x, printsSignal.text}, true
		}
	}
	l := f.look
	if l == nil || l.nats < 1 { // not even what a function of the house has to do with her
		return 0, part{}, false
	}
	broken := ev.Kind == Glass && r.evidence(countGlass, p, d.counts[countGlass]) >= promptGlass
	if x := e.strangePlace(p, d, l, ev); x > 0 {
		return stolen, part{"place", x, "a network or device that is new"}, true
	}
	if !d.swapped && e.farFromWork(p, r, t) {
		if f.first && d.far < 255 {
			d.far++
		}
		if broken || d.far >= 2 { // one chart may be the first of a shift that was swapped
			return snoop, part{"hours", promptNats, "outside the usual hours"}, true
		}
	}
	switch {
	case broken && f.still:
		return snoop, part{"glass.claim", promptNats, "the glass was broken, and nothing on record brings the patient here now"}, true
	case broken && l.near():
		return snoop, part{relations[l.q].name, max(promptNats, float64(l.rel)), relations[l.q].text}, true
	}
	return 0, part{}, false
}

// strangePlace is what it says that a chart was opened where nobody of the house ever sat, from the second on; 0 when that is not enough. The
// list of the house's devices tells so from the first day.
func (e *Engine) strangePlace(p *person, d *today, l *look, ev *Event) float64 {
	if d.stranger != 0 && thin(ev.Device) == d.stranger {
		if e.fresh.first && d.strange < 255 {
			d.strange++
		}
		if d.strange >= 2 {
			return max(promptPlace, e.stolenSession(p, d))
		}
	}
	if l.away {
		if x := e.stolenSession(p, d); x >= promptPlace {
			return x
		}
	}
	return 0
}

// farFromWork reports whether somebody works hours away from every planned shift; without a plan, at an hour at which neither she nor her
// role ever does.
func (e *Engine) farFromWork(p *person, r *roleStats, t int64) bool {
	if e.world.hasRoster && p.rostered(t) {
		first := sort.Search(len(p.shifts), func(i int) bool { return int64(p.shifts[i].from) > t-2*day })
		return !slices.ContainsFunc(p.shifts[first:], func(s shift) bool { return int64(s.from)-overtime <= t && t <= int64(s.to)+overtime })
	}
	return p.days >= 10 && e.odd(p, r, t) >= 2
}

// prompt tells the office, if it was not told of the like within the time that a case takes in, and the sign is not spent.
func (e *Engine) prompt(a int32, d *today, h hypothesis, sign part) {
	key := signKey{a, sign.name}
	if last, told := e.prompted[key]; told && d.day-last <= idleDays {
		return
	}
	if !e.ration(sign.name, sign.nats) {
		return
	}
	e.prompted[key] = d.day
	if e.told++; e.options.Alert == nil {
		return
	}
	var on caseDay
	on.fill(h, d)
	parts := []part{sign}
	for _, x := range e.parts(h, a, d) {
		if x.name != sign.name && x.name != hypothesesTable[h].name {
			x.nats = min(x.nats, sign.nats) // the sign is what the word is about
			parts = append(parts, x)
		}
	}
	who := e.world.people.text[a]
	x := &Case{ID: fmt.Sprintf("p-%d", e.told), Revision: 1, Agent: who, Hypothesis: hypothesesTable[h.kind()].name, Opened: e.now, Updated: e.now,
		Posterior: math.Round(posterior(0)*1e6) / 1e6, Severity: e.severity(h, on.patients), Queue: "watch", Alert: true, Provisional: e.day-e.firstDay < manyDays,
		Summary: summary(h, who, parts)}
	for i := range on.events.ends {
		x.Events = append(x.Events, on.events.at(int32(i)))
	}
	for _, p := range on.patients {
		x.Patients = append(x.Patients, e.world.charts.text[p])
	}
	for _, p := range parts {
		x.Contributions = append(x.Contributions, Signal{p.name, p.nats, word(p.nats) + ": " + p.text})
	}
	e.options.Alert(x)
}

// ration is how much of its share of the budget a sign has left, and how strong it was when the office was last told of it.
type ration struct {
	left float64
	day  int32
	last [mostRation]float64 // the newest first
}

const (
	signs      = 6  // that the budget is shared by
	mostRation = 3  // alerts of one sign on a day
	muchMore   = 10 // nats above the mean of the last ones: what honest days spend the budget on does not crowd out what no honest day looks like
)

// ration takes one alert of a sign out of its share of the budget, false when nothing is left: what happens every day in a house is no word
// for the moment, and its cases are ranked all the same. A quiet sign saves up a few. One that is much stronger than the last passes without
// any (ADR 170), and raises the bar for the next.
func (e *Engine) ration(sign string, nats float64) bool {
	r, there := e.rations[sign]
	if !there {
		r = ration{left: mostRation, day: e.day}
	}
	people := max(e.activeMean, 50) // the smallest practice hears of something each month
	r.left = min(mostRation, r.left+float64(float64(e.day-r.day)*e.options.Budget/1000*people/signs))
	r.day = e.day
	enough := r.left >= 1
	if enough {
		r.left--
	}
	told := enough || nats >= float64((r.last[0]+r.last[1]+r.last[2])/mostRation)+muchMore
	if told {
		r.last = [mostRation]float64{nats, r.last[0], r.last[1]}
	}
	e.rations[sign] = r
	return told
}
