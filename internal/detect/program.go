package detect

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// A program is judged by its own past alone: no role and no reason of care tells what an interface has to do, but it does the same every
// day. What is kept of people, and all that is said of them, knows nothing of programs (ADR 219).

// program is what is kept of one: its days by what they counted, and what it is known to do, when and from where.
type program struct {
	past     [programCounts]extremes // of its days, on a log scale
	hours    [24]float32             // days on which it worked at this hour, decayed
	days     float32                 // decayed
	seen     int                     // days, all of them
	networks [12]uint32
	errands  [32]uint32 // kinds of acts at kinds of records, the latest first
	last     int32      // day on which it did something
	today    *programDay
}

// programDay is what one did on the day that goes on.
type programDay struct {
	counts   [programCounts]int64
	hours    uint32
	networks []uint32 // where it never was
	errands  []uint32 // kinds of acts that it never did
	strange  int      // acts of such kinds
	events   ids      // those that a case would name
	patients []int32
}

const (
	programPatients = iota // patients, each access again
	programAtRest          // those whom nothing on record brings here now
	programExports
	programRows // of its largest export
	programCounts
)

const (
	programPast  = 14  // days before which nothing is said: two of each day of the week
	programKept  = 60  // days that a count is compared with
	programNamed = 200 // events and patients that a day names
	placeNats    = 3.0 // a network where the program never was; servers are moved
	programBar   = 2.5 // log e-value from which on there is a case
	programShown = 3.3 // and from which on somebody is asked to look at it
	programFade  = .97 // of what is known of hours, a day
)

// programHypotheses are what a program's credential may be used for.
var programHypotheses = [...]struct {
	h         hypothesis
	did, want string
}{
	{harvest, "read far more, or other charts, than it does on any other day", "a change of what the program is for"},
	{exfiltration, "took more out of the system than on any other day", "a report or request that asked for it"},
	{stolen, "came from another place, at other hours or on other errands than ever before", "a move of its server that somebody announced"},
}

// programCase is a case that stands, by the program and what it is about.
type programCase struct {
	number, revision int
	opened           int64
	on               int32             // the newest day
	days             []programNamedDay // the last of them
}

type programNamedDay struct {
	day      int32
	nats     float64
	parts    []part
	events   ids
	patients []int32
}

// isProgram reports whether an event is a program's act in its own name at somebody's data. The house's own jobs say so by their purpose.
func isProgram(ev *Event) bool {
	taken := ev.Kind == Export || ev.Kind == Operation
	return ev.Machine && !ev.Failed && (taken || len(ev.Patients) > 0) && ev.Purpose != "HSYSADMIN" && ev.Purpose != "HCOMPL"
}

// acted counts an act of a program, atRest of whose patients nothing brings here now, and judges at once what may not wait.
func (e *Engine) acted(ev *Event, a int32, atRest int, t int64) {
	p := e.programs[a]
	if p == nil {
		p = &program{}
		e.programs[a] = p
	}
	if p.today == nil {
		p.today, p.last = &programDay{}, e.day
	}
	d := p.today
	named, weighs := false, false
	if net := networkOf(ev.Address); net != 0 && !slices.Contains(p.networks[:], net) {
		named = true
		if !slices.Contains(d.networks, net) && len(d.networks) < len(p.networks) {
			d.networks, weighs = append(d.networks, net), true
		}
	}
	typ, _, _ := strings.Cut(ev.Data, "/")
	if errand := thin(fmt.Sprint(ev.Kind, typ)); !slices.Contains(p.errands[:], errand) {
		named = true
		d.strange++
		weighs = weighs || bits.OnesCount(uint(d.strange)) == 1
		if !slices.Contains(d.errands, errand) && len(d.errands) < len(p.errands) {
			d.errands = append(d.errands, errand)
		}
	}
	hour := uint32(1) << (t / 3600 % 24)
	weighs = weighs || d.hours&hour == 0
	d.hours |= hour
	before := d.counts[programPatients]
	d.counts[programPatients] += int64(len(ev.Patients))
	d.counts[programAtRest] += int64(atRest)
	if ev.Kind == Export || ev.Kind == Operation {
		d.counts[programExports]++
		d.counts[programRows] = max(d.counts[programRows], ev.Rows)
		named, weighs = true, true
	}
	if named || atRest > 0 || p.beyond(programPatients) {
		if len(d.events.ends) < programNamed {
			d.events.add(ev.ID)
		}
		for _, ref := range ev.Patients {
			if i := e.world.patient(ref); len(d.patients) < programNamed && !slices.Contains(d.patients, i) {
				d.patients = append(d.patients, i)
			}
		}
	}
	if n := d.counts[programPatients]; weighs || bits.Len64(uint64(before)) != bits.Len64(uint64(n)) { // it doubled
		e.judgeProgram(a, p)
	}
}

// beyond reports whether a count of the day is larger than on any day before.
func (p *program) beyond(c int) bool {
	n := len(p.past[c])
	return n > 0 && float32(natural(1+p.today.counts[c])) > p.past[c][n-1]
}

// count is the log e-value of a day's count against the program's own days.
func (p *program) count(c int) float64 {
	return pos(p.past[c].evidence(natural(1+p.today.counts[c]), 0))
}

// odd is what it says that a program works at an hour at which, an hour earlier and later, it hardly ever did.
func (p *program) odd() (nats float64) {
	const among = .3 // of stolen credentials
	for h := range 24 {
		if p.today.hours&(1<<h) == 0 {
			continue
		}
		usual := max(p.hours[(h+23)%24], p.hours[h], p.hours[(h+1)%24])
		nats = max(nats, math.Log(among*float64(p.days+2)/float64(usual+1)))
	}
	return nats
}

// weigh is what the day of a program says for each of its hypotheses, and what that is made of.
func (p *program) weigh() (out [len(programHypotheses)][]part) {
	if p.seen < programPast {
		return out
	}
	add := func(i int, name string, nats float64, text string) {
		if nats > .05 {
			out[i] = append(out[i], part{name, nats, text})
		}
	}
	volume, rest := p.count(programPatients), p.count(programAtRest)
	exports, rows := p.count(programExports), p.count(programRows)
	errand, place := 0.0, 0.0
	if p.today.strange > 0 {
		errand = min(3, 1.5+.5*natural(int64(p.today.strange)))
	}
	if len(p.today.networks) > 0 {
		place = placeNats
	}
	scale := func(x, y float64) (float64, float64) { // both tell of the same acts
		if x >= y {
			return x, .5 * y
		}
		return .5 * x, y
	}
	odd := p.odd()
	v, r := scale(volume, rest)
	add(0, "program.volume", v, "more accesses than on any day of the program's own past")
	add(0, "program.at-rest", r, "patients whom nothing on record brings here now, more than the program ever reads")
	if volume+rest > 0 {
		add(0, "program.errand", .5*errand, "acts of a kind that the program never did")
	}
	n, s := scale(exports, rows)
	add(1, "program.exports", n, "more exports than on any day of the program's own past")
	add(1, "export.size", s, "a larger export than the program ever made")
	if place > 0 || errand > 0 { // an odd hour alone is a delay
		add(2, "place", place, "a network where the program never was")
		add(2, "hours", odd, "hours at which the program never works")
		add(2, "program.errand", errand, "acts of a kind that the program never did")
		add(2, "program.volume", .5*max(volume, rest, exports), "more than on any day of the program's own past")
	}
	return out
}

// judgeProgram raises or follows up the case that the day of a program makes.
func (e *Engine) judgeProgram(a int32, p *program) (logE float64) {
	all := p.weigh()
	best, sums := 0, make([]float64, len(all))
	for i, parts := range all {
		for _, x := range parts {
			sums[i] += x.nats
		}
		if sums[i] > sums[best] {
			best = i
		}
	}
	if logE = min(30, logMean(sums...)); logE < programBar {
		return logE
	}
	k := &programHypotheses[best]
	key := caseKey{a, k.h}
	c := e.programCases[key]
	if c == nil || e.day-c.on > idleDays {
		e.programsRaised++
		c = &programCase{number: e.programsRaised, opened: e.now}
		e.programCases[key] = c
	}
	if n := len(c.days); n == 0 || c.days[n-1].day != e.day {
		c.days = append(c.days, programNamedDay{day: e.day})
		c.days = c.days[max(0, len(c.days)-idleDays):]
	}
	on := &c.days[len(c.days)-1]
	c.on = e.day
	if logE < on.nats+.5 && len(p.today.events.ends) < 2*max(1, len(on.events.ends)) {
		return logE
	}
	on.nats, on.parts = logE, all[best]
	on.events, on.patients = ids{slices.Clone(p.today.events.packed), slices.Clone(p.today.events.ends)}, slices.Clone(p.today.patients)
	e.tellProgram(a, c, best)
	return logE
}

// tellProgram writes a revision of a program's case: its strongest day says how strong it is.
func (e *Engine) tellProgram(a int32, c *programCase, best int) {
	k := &programHypotheses[best]
	top := &c.days[0]
	x := &Case{Agent: e.world.people.text[a], Hypothesis: hypothesesTable[k.h].name, Opened: c.opened, Updated: e.now, Queue: "watch"}
	var patients []int32
	for i := range c.days {
		d := &c.days[i]
		if d.nats >= top.nats {
			top = d
		}
		for i := range d.events.ends {
			x.Events = append(x.Events, d.events.at(int32(i)))
		}
		for _, p := range d.patients {
			if !slices.Contains(patients, p) {
				patients = append(patients, p)
				x.Patients = append(x.Patients, e.world.charts.text[p])
			}
		}
	}
	if c.revision++; top.nats >= programShown {
		x.Queue = "review"
	}
	x.ID, x.Revision = fmt.Sprintf("m-%d", c.number), c.revision
	x.LogE = math.Round(top.nats*1e4) / 1e4
	x.Posterior, x.Severity = math.Round(posterior(x.LogE)*1e6)/1e6, e.severity(k.h, patients)
	main, sum := top.parts[0], 0.0
	for _, one := range top.parts {
		sum += one.nats
	}
	for _, one := range top.parts { // they add up
		nats := one.nats * top.nats / sum
		x.Contributions = append(x.Contributions, Signal{one.name, nats, word(nats) + ": " + one.text})
		if one.nats > main.nats {
			main = one
		}
	}
	x.Summary = fmt.Sprintf("The program %s %s; what weighs most: %s. It would be explained by %s.", x.Agent, k.did, main.text, k.want)
	if e.options.Case != nil {
		e.options.Case(x)
	}
}

// settlePrograms ends the day of all programs: each is judged, and what is not likely misuse becomes part of its past.
func (e *Engine) settlePrograms() {
	for _, a := range slices.Sorted(maps.Keys(e.programs)) {
		p := e.programs[a]
		d := p.today
		if d == nil {
			if e.day-p.last > keptDays {
				delete(e.programs, a)
			}
			continue
		}
		if logE := e.judgeProgram(a, p); logE < programShown || e.known(a) { // else a thief would get the engine used to him
			p.learn(d, mix(e.options.Seed, digest(e.world.people.text[a])+uint64(e.day)))
		}
		p.today = nil
	}
	maps.DeleteFunc(e.programCases, func(_ caseKey, c *programCase) bool { return e.day-c.on > idleDays })
}

// known reports whether the office has had a case about what a program does now for as long as a case takes in: it is what it does from
// then on.
func (e *Engine) known(a int32) bool {
	for _, k := range programHypotheses {
		if c := e.programCases[caseKey{a, k.h}]; c != nil && c.on == e.day && e.now-c.opened > idleDays*day {
			return true
		}
	}
	return false
}

// learn makes a day part of a program's past. draw says which day goes when there are many.
func (p *program) learn(d *programDay, draw uint64) {
	for c := range p.past {
		of, x := &p.past[c], float32(natural(1+d.counts[c]))
		i, _ := slices.BinarySearch(*of, x)
		*of = slices.Insert(room(*of), i, x)
		if n := uint64(len(*of)); n > programKept {
			k := int(draw % n)
			*of = slices.Delete(*of, k, k+1)
		}
	}
	for _, net := range d.networks {
		keep(p.networks[:], net)
	}
	for _, errand := range d.errands {
		keep(p.errands[:], errand)
	}
	for h := range p.hours {
		p.hours[h] *= programFade
		if d.hours&(1<<h) != 0 {
			p.hours[h]++
		}
	}
	p.days = programFade*p.days + 1
	p.seen++
}
