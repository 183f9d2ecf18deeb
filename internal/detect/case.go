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

type openCase struct {
	Case
	days     []dayNats
	patients map[int32]struct{}
	events   map[string]struct{}
	told     float64
	shown    int   // events when last told
	topDay   int32 // the strongest, and what it is made of
	parts    []part
}

type dayNats struct {
	day  int32
	nats float64
}

type pastCase struct {
	day int32
	*openCase
}

const (
	forget    = .97 // of a day's nats, for ranking
	idleDays  = 14  // after which a case takes in no more
	manyDays  = 14
	fullCase  = 600 // events that a case names
	automatic = .05 // the level of the automatic queue
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
	case slowly, picked:
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
	if len(ev.Patients) > 0 && len(d.patients) > 0 {
		l := d.look(e.world.charts.of[ev.Patients[0]])
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

// judgeDay raises or follows up the case that a day makes. Days that are settled may also lower one.
func (e *Engine) judgeDay(a int32, d *today, t *[hypotheses]float64, when stage) {
	settled := when == forGood
	logE, best := e.mixture(d.role, t)
	if settled {
		p := &e.world.persons[a]
		defer func() { p.usual += float32((pos(logE) - float64(p.usual)) / float64(min(p.days+1, 28))) }()
	}
	if when == atOnce && logE < max(e.floor, 4) && !(best == snoop && e.clearLook(d) && logE >= e.floor) {
		return
	}
	if logE > 5 {
		e.alarms[alarmKey{a, d.day}] = max(logE, e.alarms[alarmKey{a, d.day}])
	}
	d.logE = logE
	kind := best.kind()
	key := caseKey{a, kind}
	c := e.open[key]
	if c != nil && d.day-c.days[len(c.days)-1].day > idleDays {
		c = nil
	}
	if c == nil {
		if settled { // what was raised before under another name and came to nothing, is lowered
			e.lower(a, d, kind)
		}
		if logE < e.floor {
			return
		}
		e.raised++
		c = &openCase{Case: Case{ID: fmt.Sprintf("c-%d", e.raised), Agent: e.world.people.text[a], Hypothesis: hypothesesTable[kind].name, Opened: e.now,
			Provisional: e.day-e.firstDay < manyDays}, patients: map[int32]struct{}{}, events: map[string]struct{}{}}
		e.open[key] = c
	} else if settled {
		e.lower(a, d, kind)
	}
	c.set(d.day, pos(logE-float64(e.world.persons[a].usual)))
	e.fill(c, best, a, d)
	if d.day == c.topDay || c.nats(d.day) >= c.nats(c.topDay) {
		c.topDay, c.parts = d.day, e.parts(best, a, d)
	}
	e.tell(c, best, settled, e.automatic(d))
}

// lower takes a day's evidence out of other cases of the person that the settled day no longer speaks for.
func (e *Engine) lower(a int32, d *today, except hypothesis) {
	for h := range hypotheses {
		c := e.open[caseKey{a, h}]
		if c == nil || h == except {
			continue
		}
		for i := range c.days {
			if c.days[i].day == d.day && c.days[i].nats > 0 {
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

func (c *openCase) set(day int32, nats float64) {
	for i := range c.days {
		if c.days[i].day == day {
			c.days[i].nats = nats
			return
		}
	}
	c.days = append(c.days, dayNats{day, nats})
	slices.SortFunc(c.days, func(x, y dayNats) int { return int(x.day - y.day) })
}

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
	last, s, top := c.days[len(c.days)-1].day, 0.0, 0.0
	for _, d := range c.days {
		x := d.nats * math.Pow(forget, float64(last-d.day))
		s += pos(x - 1)
		top = max(top, x)
	}
	return top + .2*(s-pos(top-1))
}

// fill adds the events and patients of a day that the hypothesis is about.
func (e *Engine) fill(c *openCase, h hypothesis, a int32, d *today) {
	addPatient := func(p int32) {
		if _, ok := c.patients[p]; !ok && len(c.patients) < fullCase {
			c.patients[p] = struct{}{}
			c.Patients = append(c.Patients, e.world.charts.text[p])
		}
	}
	addEvent := func(id string) {
		if _, ok := c.events[id]; !ok && len(c.events) < fullCase {
			c.events[id] = struct{}{}
			c.Events = append(c.Events, id)
		}
	}
	every := h.kind() == harvest || h == stolen || h == shared || h == dormant
	for i := range d.patients {
		l := &d.patients[i]
		if every || l.evidence() > 0 || l.unexplained() {
			addPatient(l.patient)
			addEvent(l.event)
		}
	}
	if every || h.kind() == exfiltration || h == destruction || h == glassAbuse {
		for _, id := range d.notes {
			addEvent(id)
		}
	}
}

// tell writes a revision when something changed. strong is whether the day, which speaks for this case, stands out of all the day's.
func (e *Engine) tell(c *openCase, h hypothesis, settled, strong bool) {
	k := &hypothesesTable[h]
	c.LogE = math.Round(c.sum()*1e4) / 1e4
	c.Posterior = math.Round(posterior(c.LogE)*1e6) / 1e6
	c.Severity = e.severity(h, c)
	score := c.Posterior * c.Severity
	queue := "watch"
	switch {
	case strong:
		queue = "automatic"
	case score >= e.bar:
		queue = "review"
	}
	more := len(c.Events) > c.shown && (settled || c.shown == 0 || len(c.Events) >= 2*c.shown)
	if c.Revision > 0 && !more && (queue == c.Queue && (math.Abs(c.LogE-c.told) < .3 || !settled && c.LogE < c.told+1) || !settled && c.LogE < c.told) {
		return
	}
	c.Queue, c.told, c.shown = queue, c.LogE, len(c.Events)
	c.Revision++
	c.Updated = e.now
	c.Contributions = c.Contributions[:0]
	parts := c.parts
	if len(parts) == 0 {
		parts = []part{{k.name, 1, k.happened}}
	}
	total := 0.0
	for _, p := range parts {
		total += p.nats
	}
	for _, p := range parts {
		c.Contributions = append(c.Contributions, Signal{p.name, c.LogE * p.nats / total, word(c.LogE*p.nats/total) + ": " + p.text})
	}
	c.Summary = e.summary(h, c, parts)
	if e.options.Case != nil {
		e.options.Case(&c.Case)
	}
	if c.Revision == 1 && !c.Provisional { // the first weeks say nothing of those that follow
		e.past = append(e.past, pastCase{e.day, c})
	}
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

func (e *Engine) severity(h hypothesis, c *openCase) float64 {
	s := hypothesesTable[h].base + .1*math.Log10(float64(max(1, len(c.patients))))
	for p := range c.patients {
		if e.world.patients[p].vip() {
			s += .2
			break
		}
	}
	return math.Round(min(1, s)*1e4) / 1e4
}

// automatic reports whether the day is among those that no share of false ones above the level can hold: e-BH over the day so far. Its
// level holds as far as the evidence is an e-value; docs/detection-results.md has what was measured.
func (e *Engine) automatic(d *today) bool {
	people := max(e.activeMean, float64(len(e.activeOn[e.day])))
	k := 0
	for of, x := range e.alarms {
		if of.day == d.day && x >= d.logE {
			k++
		}
	}
	return e.finished >= manyDays && d.logE >= math.Log(people/(float64(max(1, k))*automatic))
}

// budget sets the bar of the review queue for the day that begins: of the cases of the last weeks, as many lie above it as have the
// expected false ones that the budget allows.
func (e *Engine) budget() {
	e.past = slices.DeleteFunc(e.past, func(p pastCase) bool { return p.day < e.day-manyDays })
	days := min(e.finished-manyDays, manyDays)
	if days < 7 {
		return
	}
	allowed := e.options.Budget / 1000 * e.activeMean * float64(days)
	byScore := slices.Clone(e.past)
	slices.SortStableFunc(byScore, func(x, y pastCase) int { return -cmpFloat(x.Posterior*x.Severity, y.Posterior*y.Severity) })
	e.bar = .002
	for _, p := range byScore {
		if allowed -= 1 - p.Posterior; allowed < 0 {
			e.bar = max(p.Posterior*p.Severity, .002)
			break
		}
	}
}

// summary is two plain sentences: what happened, and what would explain it.
func (e *Engine) summary(h hypothesis, c *openCase, parts []part) string {
	k := &hypothesesTable[h]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", c.Agent, k.happened)
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
