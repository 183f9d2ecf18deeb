package detect

import "math"

// hypothesis is one kind of misuse. They are alternatives: a case is about one.
type hypothesis uint8

const (
	snoop  hypothesis = iota
	apart             // snooping, told by whom nobody else looks at
	circle            // snooping, told by how many of one's own circle
	harvest
	slowly // harvest, a few a day
	picked // harvest by an attribute
	copied // harvest of what colleagues work on
	exfiltration
	dripping // exfiltration below every quota
	stolen
	shared
	dormant
	glassAbuse
	destruction
	stalking
	hypotheses
)

// hypothesesTable: name, weight in the mixture, severity to begin with, the shipped tail of its sum (share of days above 0, mean excess),
// and from which sum on its misuse is usual.
var hypothesesTable = [hypotheses]struct {
	name            string
	weight          float64
	base            float64
	share, beta     float64
	from            float64
	happened, might string
}{
	snoop:        {"snoop", 3, .6, .5, .9, 5, "opened the chart of a patient for whom no reason of care is known", "an appointment, order, task or shift that is not on file"},
	apart:        {"snoop", 1, .6, .5, 1.2, 5, "opened charts that nobody else of the house works with and for which no reason of care is known", "an appointment, order, task or shift that is not on file"},
	circle:       {"snoop", .5, .6, .02, 1, 8, "opened the charts of several people of the own surroundings for whom no reason of care is known", "work that is not on file"},
	harvest:      {"harvest", 1, .7, .05, .8, 4, "opened far more charts, or other ones, than the work explains", "a list of work for that day"},
	slowly:       {"harvest", .05, .7, .02, 1, 5, "opened a few charts without a known reason, day after day", "work that is not on file"},
	picked:       {"harvest", .02, .7, .05, 1, 12, "opened charts that have one attribute in common", "a list of work for that day"},
	copied:       {"harvest", .5, .7, .02, 1, 4, "opened charts, day after day, at which colleagues of the same role did the work", "a change of hands that is not on file"},
	dripping:     {"exfiltration", .8, .75, .02, 1.2, 5, "took out a little, again and again, as that person did not before", "a report or request that asked for it"},
	exfiltration: {"exfiltration", 2, .75, .03, .8, 4, "took more out of the system than people in that role do", "a report or request that asked for it"},
	stolen:       {"stolen-account", .25, .75, .05, 1, 8, "signed in from a place that is new for that person and opened charts without a known reason", "a change of workplace"},
	shared:       {"shared-credential", .3, .5, .05, 1, 8, "worked at two places at once", "a device that was left signed in"},
	dormant:      {"dormant-account", 1, .6, .002, 1, 4, "used an account that should be at rest", "a return to work that is not on file"},
	glassAbuse:   {"glass-abuse", .5, .6, .02, 1.5, 3, "broke the glass more often than others, and no later fact confirms why", "emergencies that are documented late"},
	destruction:  {"destruction", 2, .8, .02, 1, 6, "deleted, altered or granted what was not the person's own", "a correction that somebody asked for"},
	stalking:     {"stalking", .5, .65, .02, 1, 4, "came back on several days to a patient for whom no reason of care is known", "a relationship of care that is not on file"},
}

// heavy reports whether innocent days alone make a heavy tail of the sum, as those of counts do. A sum of likelihood ratios has none.
func (h hypothesis) heavy() bool { return h.kind() != snoop }

// part is one contribution to a sum, before it is scaled to the case's own nats.
type part struct {
	name string
	nats float64
	text string
}

// ownDays is from how many days of her own on it can be told what somebody does day after day, and for whom she usually works.
const ownDays = 3

// weigh is the fixed sum of each hypothesis over a person's day.
func (e *Engine) weigh(a int32, d *today) (t [hypotheses]float64) {
	p, r := &e.world.persons[a], e.stats(d.role)
	A, _ := d.snooped()
	t[snoop] = pos(A)
	if A > 0 && d.apart > 0 {
		t[apart] = A + d.apart
	}
	if near := e.ownCircle(p, d); near > 0 {
		t[circle] = pos(A) + near
	}
	d.strays()
	unexplained := pos(min(r.evidence(countStray, p, d.counts[countStray]), d.beyond(countUnexplained, countPatients, e.usualShare(p, d))))
	if d.counts[countStray]+d.counts[countSearches] > 1 {
		t[harvest] = max(unexplained+.15*pos(r.evidence(countPatients, p, d.counts[countPatients])), pos(r.evidence(countSearches, p, d.counts[countSearches])))
	}
	if d.counts[countStray] > 0 && p.days >= ownDays {
		t[slowly] = p.slow(r, d.counts[countStray])
	}
	if d.counts[countSecond] > 0 && p.days >= ownDays {
		t[copied] = p.seconded(r, d.counts[countSecond])
	}
	if p.days >= ownDays {
		t[picked] = r.pickList(p, d)
	}
	if d.counts[countExports]+d.counts[countPrints] > 0 {
		t[exfiltration] = pos(logMean(r.evidence(countExports, p, d.counts[countExports]), e.printing(d)*r.evidence(countPrints, p, d.counts[countPrints]), r.largest(d)))
		if d.counts[countExports] > 0 {
			t[dripping] = p.pace(true)
		}
	}
	if x := e.stolenSession(p, d); x > 0 {
		t[stolen] = x + .5*d.off
	}
	if c := pos(r.evidence(countConcurrent, p, d.counts[countConcurrent])); c > 0 {
		t[shared] = c + .5*unexplained
	}
	if woke := e.woken(d); woke > 0 {
		t[dormant] = woke + unexplained
	}
	if d.claims > 0 {
		t[glassAbuse] = pos(r.evidence(countGlass, p, d.counts[countGlass])) + .5*pos(A)
	}
	if d.counts[countDeletes]+d.counts[countAlterations]+d.grants > 0 {
		t[destruction] = pos(logMean(e.erasing(p, d), r.evidence(countAlterations, p, d.counts[countAlterations])+e.farBack(d))) + 8*float64(d.grants)
	}
	if again := e.stalked(p, d); again > 0 {
		t[stalking] = again + .25*pos(A)
	}
	return t
}

// snooped is the evidence of a day over its patients, each with unexplained nats and relation, and the patient that says most. The
// others add less than their sum: what keeps one chart from being explained often keeps its neighbours.
func (d *today) snooped() (sum float64, top int) {
	best := -math.MaxFloat64
	top = -1
	for i := range d.patients {
		if r := d.patients[i].evidence(); r > best {
			best, top = r, i
		}
	}
	if best < -4 {
		return -2, top
	}
	s := 0.0
	for i := range d.patients {
		if r := d.patients[i].evidence(); r > best-12 {
			s += math.Exp(r - best)
		}
	}
	return max(-2, best+.6*math.Log(s)), top
}

// slips is the share of real looks that no reason can be found for: a hand that slipped, a word on the corridor. However seldom the work of
// a role is unexplained, a look without a reason says no more.
const slips = .04

// evidence is what a look says for misuse: that no reason is known, whom it is about, and how it was done.
func (l *look) evidence() float64 {
	nats, rel := float64(l.nats), float64(l.rel)
	switch {
	case nats > 0:
		nats = -math.Log(slips + (1-slips)*math.Exp(-nats))
	case nats < -1: // those who care for people also meet their own
		rel = .5 * pos(rel)
	}
	return nats + rel + float64(l.around)
}

// mixture is the log of the weighted mean of the hypotheses' evidence, which orders cases, and the hypothesis that says most. bound is the
// same of their e-values: a fixed mean of e-values is an e-value however they depend on each other, and what takes nobody's judgment has to
// hold its promise.
func (e *Engine) mixture(role int32, t *[hypotheses]float64) (logE, bound float64, best hypothesis) {
	sum, strict, total, top := 0.0, 0.0, 0.0, math.Inf(-1)
	for h := range hypotheses {
		k := &hypothesesTable[h]
		x, eValue := e.calibrator.evidence(h, role, t[h])
		total += k.weight
		v := k.weight * math.Exp(x)
		sum += v
		strict += float64(k.weight * math.Exp(eValue))
		if v > top {
			top, best = v, h
		}
	}
	return min(30, math.Log(sum/total)), min(30, math.Log(strict/total)), best
}

// parts says what the sum of one hypothesis is made of.
func (e *Engine) parts(h hypothesis, a int32, d *today) (out []part) {
	p, r := &e.world.persons[a], e.stats(d.role)
	add := func(name string, nats float64, text string) {
		if nats > 0.05 {
			out = append(out, part{name, nats, text})
		}
	}
	count := func(c int, scale float64) {
		add(counted[c].name, pos(r.evidence(c, p, d.counts[c]))*scale, counted[c].text)
	}
	A, top := d.snooped()
	look := func(scale float64) {
		if top < 0 {
			return
		}
		l := &d.patients[top]
		add("unexplained", pos(float64(l.nats))*scale, "no reason of care is known")
		add(relations[l.q].name, pos(float64(l.rel))*scale, relations[l.q].text)
		told := 0.0
		e.eachCircumstance(p, d.role, l, func(name string, nats float64, says string) {
			add(name, nats*scale, says)
			told += nats
		})
		if e.world.onlooks(l) {
			add("crowd", (float64(l.around)-told)*scale, "others without a known reason looked at this flagged chart that day")
		}
		add("further-patients", pos(A-pos(l.evidence()))*scale, "further patients without a known reason")
	}
	switch h {
	case snoop:
		look(1)
	case apart:
		look(1)
		add("community", d.apart, "nobody who usually works with the same patients opened these")
	case circle:
		look(1)
		add("own-circle", e.ownCircle(p, d), "several patients of the person's surroundings on one day")
	case harvest:
		count(countPatients, .15)
		count(countStray, 1)
		count(countSearches, 1)
	case slowly:
		add("low-and-slow", p.slow(r, d.counts[countStray]), "a few patients without a known reason, day after day")
	case picked:
		add("pick-list", r.pickList(p, d), "patients picked by one attribute")
	case copied:
		add("second-look", p.seconded(r, d.counts[countSecond]), "charts at which a colleague of the same role did the work, day after day")
	case exfiltration:
		count(countExports, 1)
		count(countPrints, e.printing(d))
		add("export.size", r.largest(d), "a larger export than the role makes")
	case dripping:
		add("export.slow", p.pace(true), "small exports, day after day")
	case stolen:
		add("place", d.novelty, "a network or device that is new")
		add("place.unexplained", e.stolenSession(p, d)-d.novelty, "patients without a known reason opened there")
		add("hours", .5*d.off, "outside the usual hours")
	case shared:
		count(countConcurrent, 1)
		count(countStray, .5)
	case dormant:
		add("dormant", e.woken(d), "the account was at rest")
		count(countStray, 1)
	case glassAbuse:
		count(countGlass, 1)
		look(.5)
	case destruction:
		add(deletesSignal.name, pos(e.erasing(p, d)), deletesSignal.text)
		count(countAlterations, 1)
		add("back-dated", e.farBack(d), "a note of longer ago than others change or add")
		add("self-granted", 8*float64(d.grants), "gave herself a role")
	case stalking:
		again := e.stalked(p, d)
		add("again", again, "the same patient on several days")
		look(.25)
	}
	if len(out) == 0 {
		add(hypothesesTable[h].name, 1, hypothesesTable[h].happened)
	}
	return out
}
