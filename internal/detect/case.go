package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Case is what the privacy office is asked to look at: one person and one hypothesis. It takes in what follows instead of raising
// another. The last revision counts.
type Case struct {
	ID            string
	Revision      int
	Agent         string
	Hypothesis    string
	Opened        int64 // seconds
	Updated       int64
	LogE          float64
	Posterior     float64
	Severity      float64
	Queue         string // automatic, review or watch
	Alert         bool   // word at the moment of an act, apart from the evidence of cases: the office is to hear of it whatever the queue
	Provisional   bool   // raised before the site has shown two weeks of its own
	Events        []string
	Patients      []string
	Contributions []Signal
	Summary       string
}

type caseKey struct {
	person int32
	kind   hypothesis
}

// alarmKey is a person-day: among those that are compared for the automatic queue each counts once.
type alarmKey struct{ person, day int32 }

// openCase is what is kept of a case. What its revisions say is put together when one is told.
type openCase struct {
	number, person int32
	opened         int64
	revision       int
	queue          string
	provisional    bool
	logE           float64
	posterior      float64
	severity       float64
	days           []caseDay // in order
	lastDay        int32     // that spoke for it
	told           float64
	shown          int   // events when last told
	topDay         int32 // the strongest, and what it is made of
	parts          []part
}

// caseDay is what one day says for a case, and what it names.
type caseDay struct {
	day      int32
	nats     float64
	patients []int32  // in the order in which they came
	events   ids      // likewise
	there    []uint64 // the digests of the events, in their order
}

const (
	forget    = .97 // of a day's nats, for ranking
	idleDays  = 14  // after which a case takes in no more
	manyDays  = 14
	fullCase  = 600 // events that a case names
	automatic = .05 // the level of the automatic queue
	stages    = 3   // at which a day is judged, each with its share of the level
)

// Posterior is the probability of misuse, from the log e-value by a line fitted on simulated hospitals.
func posterior(logE float64) float64 {
	return 1 / (1 + math.Exp(-(posteriorAt + float64(posteriorSlope*logE))))
}

const posteriorAt, posteriorSlope = -7.0, 1.0

// kind is the hypothesis that a case is about: some are told by several sums.
func (h hypothesis) kind() hypothesis {
	switch h {
	case apart, circle:
		return snoop
	case slowly, picked, copied:
		return harvest
	case dripping:
		return exfiltration
	}
	return h
}

// alarm judges a day that is not over when something happened that may not wait: a strong sign.
func (e *Engine) alarm(a int32, d *today, ev *Event) {
	switch ev.Kind {
	case Login, Logout:
		if d.dormant == 0 && !d.leaver {
			return
		}
	}
	if h, sign, found := e.prompts(a, d, ev, e.now); found {
		e.prompt(a, d, h, sign)
	}
	if len(ev.Patients) > 0 && len(d.patients) > 0 {
		p, _ := e.world.charts.known(ev.Patients[0])
		l := d.look(p)
		routine := l != nil && l.evidence() < 2.5 && ev.Kind < Delete && d.dormant == 0 && !d.leaver && d.counts[countPatients]%8 != 0
		if routine {
			return
		}
	}
	t := e.weigh(a, d)
	e.judgeDay(a, d, &t, atOnce)
}

// stage is when a day is judged: as it goes on, when it ends, and for good when what is documented late is known.
type stage uint8

const (
	atOnce stage = iota
	byEvening
	forGood
)

// standsAtOnce is the log e-value from which on a day that still goes on makes a case: 4 nats, less what the mixture takes off for the hypotheses
// that were added since that was chosen.
const standsAtOnce = 3.8

// judgeDay raises or follows up the case that a day makes. Days that are settled may also lower one.
func (e *Engine) judgeDay(a int32, d *today, t *[hypotheses]float64, when stage) {
	settled := when == forGood
	logE, bound, best := e.mixture(d.role, t)
	if settled && logE <= clearCase { // else who misuses an account from the first day on would have a right to it
		p := &e.world.persons[a]
		defer func() { p.usual += float32((pos(logE) - float64(p.usual)) / float64(max(usual, min(p.days+1, 28)))) }()
	}
	if when == atOnce && logE < max(e.floor, standsAtOnce) && !(best == snoop && e.clearLook(d) && logE >= e.floor) {
		return
	}
	if bound > 4 {
		e.alarms[alarmKey{a, d.day}] = max(bound, e.alarms[alarmKey{a, d.day}])
	}
	d.logE = logE
	kind := best.kind()
	key := caseKey{a, kind}
	nats := pos(logE - float64(e.world.persons[a].usual))
	c := e.open[key]
	if c != nil && d.day-c.lastDay > idleDays {
		c = nil
	}
	if c == nil {
		if settled { // what was raised before under another name and came to nothing, is lowered
			e.lower(a, d, kind)
		}
		if logE < e.floor || nats == 0 {
			return
		}
		e.raised++
		c = &openCase{number: int32(e.raised), person: a, opened: e.now, provisional: e.day-e.firstDay < manyDays}
		e.open[key] = c
	} else if settled {
		e.lower(a, d, kind)
	}
	if on := c.on(d.day, nats); on != nil {
		on.fill(best, d)
	}
	if d.day == c.topDay || c.nats(d.day) >= c.nats(c.topDay) {
		c.topDay, c.parts = d.day, slices.Clip(e.parts(best, a, d))
	}
	e.tell(c, best, settled, e.automatic(d.day, bound))
}

// lower takes a day's evidence out of other cases of the person that the settled day no longer speaks for. The evening may have done so
// without a word, since late documentation was awaited.
func (e *Engine) lower(a int32, d *today, except hypothesis) {
	for h := range hypotheses {
		c := e.open[caseKey{a, h}]
		if c == nil || h == except {
			continue
		}
		for i := range c.days {
			if c.days[i].day == d.day && (c.days[i].nats > 0 || c.told > 0) {
				c.days[i].nats = 0
				e.tell(c, h, true, false)
			}
		}
	}
}

// clearLook is an unexplained look at somebody close.
func (e *Engine) clearLook(d *today) bool {
	_, top := d.snooped()
	return top >= 0 && closeRelation(int(d.patients[top].q)) && d.patients[top].nats > 1
}

// on is a day of the case, and what it says for it now; nil when it says nothing and never did. Such a day does not age the others.
func (c *openCase) on(day int32, nats float64) *caseDay {
	i, there := slices.BinarySearchFunc(c.days, day, func(d caseDay, day int32) int { return int(d.day - day) })
	switch {
	case there:
		c.days[i].nats = nats
	case nats > 0:
		c.lastDay = max(c.lastDay, day)
		c.days = slices.Insert(c.days, i, caseDay{day: day, nats: nats})
		c.fade()
		i = slices.IndexFunc(c.days, func(d caseDay) bool { return d.day == day })
	default:
		return nil
	}
	if i < 0 {
		return nil
	}
	return &c.days[i]
}

// fade forgets days that add nothing to the sum and never will: all weaken alike. The last two may still be judged otherwise.
func (c *openCase) fade() {
	settled := func(d caseDay) bool { return d.day < c.lastDay-1 }
	top := 0.0
	for _, d := range c.days {
		if settled(d) {
			top = max(top, c.now(d))
		}
	}
	c.days = slices.DeleteFunc(c.days, func(d caseDay) bool { return settled(d) && d.day != c.topDay && c.now(d) < min(1, .99*top) })
}

// now is what a day says by the last one.
func (c *openCase) now(d caseDay) float64 { return d.nats * math.Pow(forget, float64(c.lastDay-d.day)) }

func (c *openCase) nats(day int32) float64 {
	for _, d := range c.days {
		if d.day == day {
			return d.nats
		}
	}
	return 0
}

// sum is the strongest day and a fifth of the others, all with forgetting: what goes on for days has hypotheses of its own.
func (c *openCase) sum() float64 {
	s, top := 0.0, 0.0
	for _, d := range c.days {
		x := c.now(d)
		s += pos(x - 1)
		top = max(top, x)
	}
	return top + .2*(s-pos(top-1))
}

// fill adds the events and patients of a day that the hypothesis is about.
func (on *caseDay) fill(h hypothesis, d *today) {
	event := func(i int32) {
		if len(on.events.ends) < fullCase {
			on.take(d.ids.at(i))
		}
	}
	every := h.kind() == harvest || h == stolen || h == shared || h == dormant
	notes := func() {
		for _, id := range d.notes {
			event(id)
		}
	}
	if h.kind() == exfiltration || h == destruction || h == glassAbuse { // first: they are what it is about
		notes()
	}
	for i := range d.patients {
		l := &d.patients[i]
		if every || l.evidence() > 0 || l.unexplained() {
			if len(on.patients) < fullCase && !slices.Contains(on.patients, l.patient) {
				on.patients = append(room(on.patients), l.patient)
			}
			event(l.event)
		}
	}
	if every {
		notes()
	}
}

// take adds an event unless it is there.
func (on *caseDay) take(id string) {
	key := digest(id)
	i, there := slices.BinarySearch(on.there, key)
	if there {
		return
	}
	on.there = slices.Insert(room(on.there), i, key)
	on.events.add(id)
}

// speaking are the days that a case names, in order: the strongest where there is too much, and such as came to nothing only when none
// speaks.
func (c *openCase) speaking() []*caseDay {
	days := make([]*caseDay, len(c.days))
	for i := range c.days {
		days[i] = &c.days[i]
	}
	slices.SortStableFunc(days, func(x, y *caseDay) int { return -cmpFloat(c.now(*x), c.now(*y)) })
	events := 0
	for i, d := range days {
		if events += len(d.events.ends); i > 0 && (events > fullCase || d.nats == 0 && days[0].nats > 0) {
			days = days[:i]
			break
		}
	}
	slices.SortFunc(days, func(x, y *caseDay) int { return int(x.day - y.day) })
	return days
}

// about is whom the case names, in the order in which they came.
func about(days []*caseDay) (patients []int32) {
	for _, d := range days {
		for _, p := range d.patients {
			if !slices.Contains(patients, p) {
				patients = append(patients, p)
			}
		}
	}
	return patients
}

// tell writes a revision when something changed. strong is whether the day, which speaks for this case, stands out of all the day's.
func (e *Engine) tell(c *openCase, h hypothesis, settled, strong bool) {
	c.logE = math.Round(c.sum()*1e4) / 1e4
	c.posterior = math.Round(posterior(c.logE)*1e6) / 1e6
	days := c.speaking()
	c.severity = e.severity(h, about(days))
	score := c.posterior * c.severity
	queue := "watch"
	switch {
	case strong:
		queue = "automatic"
	case score > e.bar:
		queue = "review"
	}
	events := 0
	for _, d := range days {
		events += len(d.events.ends)
	}
	more := events > c.shown && (settled || c.shown == 0 || events >= 2*c.shown)
	if c.revision > 0 && !more && (queue == c.queue && (math.Abs(c.logE-c.told) < .3 || !settled && c.logE < c.told+1) || !settled && c.logE < c.told) {
		return
	}
	c.queue, c.told, c.shown = queue, c.logE, events
	c.revision++
	if e.options.Case != nil {
		e.options.Case(e.revision(c, h))
	}
	if c.revision == 1 && !c.provisional { // the first weeks say nothing of those that follow
		e.past = append(e.past, c)
	}
}

// revision puts together what a case says now.
func (e *Engine) revision(c *openCase, h hypothesis) *Case {
	k := &hypothesesTable[h]
	r := &Case{ID: fmt.Sprintf("c-%d", c.number), Revision: c.revision, Agent: e.world.people.text[c.person], Hypothesis: hypothesesTable[h.kind()].name,
		Opened: c.opened, Updated: e.now, LogE: c.logE, Posterior: c.posterior, Severity: c.severity, Queue: c.queue, Provisional: c.provisional,
		Events: []string{}, Patients: []string{}}
	days := c.speaking()
	for _, d := range days {
		for i := range d.events.ends {
			r.Events = append(r.Events, d.events.at(int32(i)))
		}
	}
	for _, p := range about(days) {
		r.Patients = append(r.Patients, e.world.charts.text[p])
	}
	parts := c.parts
	if len(parts) == 0 {
		parts = []part{{k.name, 1, k.happened}}
	}
	total := 0.0
	for _, p := range parts {
		total += p.nats
	}
	for _, p := range parts {
		r.Contributions = append(r.Contributions, Signal{p.name, c.logE * p.nats / total, word(c.logE*p.nats/total) + ": " + p.text})
	}
	r.Summary = summary(h, r.Agent, parts)
	return r
}

// word is how strong a contribution is, as people say it.
func word(nats float64) string {
	switch {
	case nats < 1.6:
		return "weak"
	case nats < 3:
		return "moderate"
	case nats < 4.6:
		return "strong"
	}
	return "decisive"
}

func (e *Engine) severity(h hypothesis, patients []int32) float64 {
	s := hypothesesTable[h].base + .1*math.Log10(float64(max(1, len(patients))))
	if slices.ContainsFunc(patients, func(p int32) bool { return e.world.patients[p].vip() }) {
		s += .2
	}
	return math.Round(min(1, s)*1e4) / 1e4
}

// automatic reports whether a person's day with such an e-value is among those that no share of false ones above the level can hold: e-BH
// over the day so far (Wang and Ramdas 2022, https://doi.org/10.1111/rssb.12489).
func (e *Engine) automatic(on int32, bound float64) bool {
	people := max(e.activeMean, float64(len(e.activeOn[e.day])))
	k := 0
	for of, x := range e.alarms {
		if of.day == on && x >= bound {
			k++
		}
	}
	return e.finished >= manyDays && bound >= math.Log(stages*people/(float64(max(1, k))*automatic))
}

// budget sets the bar of the review queue for the day that begins: of the cases of the last weeks, as many lie above it as the budget allows
// expected false ones. The first that would be too many is the bar itself, or a small house would have one more than its share.
func (e *Engine) budget() {
	e.past = slices.DeleteFunc(e.past, func(p *openCase) bool { return p.topDay < e.day-manyDays }) // by when it came to its height
	days := min(e.finished-manyDays, manyDays)
	if days < 7 {
		return
	}
	allowed := e.options.Budget / 1000 * e.activeMean * float64(days)
	byScore := slices.Clone(e.past)
	slices.SortStableFunc(byScore, func(x, y *openCase) int { return -cmpFloat(x.posterior*x.severity, y.posterior*y.severity) })
	e.bar = .002
	for _, p := range byScore {
		if allowed -= 1 - p.posterior; allowed < 0 {
			e.bar = max(p.posterior*p.severity, .002)
			break
		}
	}
}

// summary is two plain sentences: what happened, and what would explain it.
func summary(h hypothesis, agent string, parts []part) string {
	k := &hypothesesTable[h]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", agent, k.happened)
	best := parts[0]
	for _, p := range parts {
		if p.nats > best.nats {
			best = p
		}
	}
	fmt.Fprintf(&b, "; what weighs most: %s. ", best.text)
	fmt.Fprintf(&b, "It would be explained by %s.", k.might)
	return b.String()
}

// AppendJSON appends the case as one JSON object without a line end. Format: docs/formats/detection.md.
func (c *Case) AppendJSON(b []byte) []byte {
	b = appendText(append(b, `{"case":`...), c.ID)
	b = fmt.Appendf(b, `,"revision":%d`, c.Revision)
	b = appendText(append(b, `,"agent":`...), c.Agent)
	b = appendText(append(b, `,"hypothesis":`...), c.Hypothesis)
	b = appendText(append(b, `,"opened":`...), stamp(c.Opened))
	b = appendText(append(b, `,"updated":`...), stamp(c.Updated))
	b = appendNumber(append(b, `,"log_e":`...), c.LogE, 4)
	b = appendNumber(append(b, `,"posterior":`...), c.Posterior, 6)
	b = appendNumber(append(b, `,"severity":`...), c.Severity, 4)
	b = appendText(append(b, `,"queue":`...), c.Queue)
	if c.Alert {
		b = append(b, `,"alert":true`...)
	}
	if c.Provisional {
		b = append(b, `,"provisional":true`...)
	}
	b = appendTexts(append(b, `,"events":`...), c.Events)
	b = appendTexts(append(b, `,"patients":`...), c.Patients)
	b = appendSignals(append(b, `,"contributions":`...), c.Contributions)
	b = appendText(append(b, `,"summary":`...), c.Summary)
	return append(b, '}')
}

func appendTexts(b []byte, in []string) []byte {
	b = append(b, '[')
	for i, s := range in {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}
