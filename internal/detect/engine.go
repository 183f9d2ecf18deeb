package detect

import (
	"slices"
	"strings"
)

// Options of an engine. The functions are called from Learn, Judge, Advance and Close, one at a time; what they get is theirs
// for the call only.
type Options struct {
	Seed    uint64  // of the draws: which looks are sampled, permuted patients
	Budget  float64 // expected false cases for 1,000 active people and day in the review queue; 2 when 0
	Verdict func(*Verdict)
	Case    func(*Case)
	// Alert is told of what the office is to hear of at once, as a case on watch; see [Case.Alert]. nil tells nobody.
	Alert func(*Case)
	// Audit is told of each act that was drawn at random, as a case of the hypothesis [RandomAudit]; nil draws none. Secret makes the draws
	// unpredictable for who does not know it; nil: they follow from Seed.
	Audit  func(*Case)
	Secret []byte
}

// Engine judges one log. It is for one goroutine. What is known before the first event is told before it.
type Engine struct {
	world          world
	options        Options
	now, start     int64
	last           int64 // event
	resumed        int64 // the first event, or the first after weeks without any
	day            int32 // of the log, from the first day of Unix time
	firstDay       int32
	weights        *weights // of what is known at a look
	late           *weights // of what is known a day later
	pairs          [2][]pairing
	lateSamples    [weeks][]sample
	rates          *rates       // of relations, among first looks
	openRates      *rates       // among those without a known reason
	surroundings   surroundings // of unexplained looks
	calibrator     calibrator
	roleStats      []*roleStats // of nobody's role, and of each
	desks          []uint8
	samples        [weeks][]sample
	ownReasons     fraction   // of unexplained first looks: those with a reason that the person made herself
	blindOrders    fraction   // the same: that begin with an order
	near           [2]float64 // first looks: at somebody of the person's surroundings, and all
	firstLooks     float64    // of yesterday
	looksToday     float64
	activeOn       map[int32][]int32  // persons of a day
	openers        map[int32][]int32  // by patient, who opened the chart today, the first few
	latest         []int32            // patients with an access in the last day or two
	timers         [3][]pending       // by how long they wait, each in order
	networks       map[uint32]float64 // by how many people
	novelDays      [novelties]float64
	personDays     float64
	backDatings    extremes
	machines       []machine
	byDevice       map[uint32]int32
	listed         bool // a list of devices was told
	events         float64
	open           map[caseKey]*openCase
	raised         int
	told           int                  // alerts
	prompted       map[signKey]int32    // the day of the last alert
	rations        map[string]ration    // of alerts, by sign
	alarms         map[alarmKey]float64 // log E of the strong person-days, today's and the day before's
	bar            float64
	floor          float64
	past           []*openCase
	activeMean     float64
	finished       int
	report         Report
	awake          [2]int32 // accounts that woke today and yesterday
	programs       map[int32]*program
	programCases   map[caseKey]*programCase
	programsRaised int
	ownMade        bool         // the last reasons left out a fact that the person made herself
	justified      []*justified // by when they are known
	lots           lottery
	audits         int
	units          []int32
	at             int32   // department where the person works by her seat, -1 when it is one of hers
	where          []int32 // units that the patient of the last reasons is on
	found          []reason
	fresh          fresh // of the event that is judged
	verdict        Verdict
}

// New makes an engine that knows nothing.
func New(o Options) *Engine {
	if o.Budget <= 0 {
		o.Budget = 2
	}
	e := &Engine{options: o, weights: newWeights(), late: lateWeights(), rates: newRates(priorPairs), openRates: newRates(priorOpen), openers: map[int32][]int32{}, open: map[caseKey]*openCase{}, prompted: map[signKey]int32{}, rations: map[string]ration{}, alarms: map[alarmKey]float64{}, activeOn: map[int32][]int32{},
		networks: map[uint32]float64{}, byDevice: map[uint32]int32{}, bar: .01, floor: 0, ownReasons: fraction{10, 1000}, blindOrders: fraction{2, 1000}, near: [2]float64{30, 1000},
		lots: newLottery(o.Secret, o.Seed), programs: map[int32]*program{}, programCases: map[caseKey]*programCase{}}
	e.world = world{keys: newKeyer(), bearers: map[uint64]int32{}, byBirth: map[uint64]int32{}, chartBirth: map[uint64]int32{},
		plans: map[uint64]*plan{}, lists: map[uint64]int32{}, seat: e.list}
	return e
}

// Roster takes one planned shift, which counts from then on for its own time.
func (e *Engine) Roster(s Shift) {
	w := &e.world
	u := w.unit(s.Place)
	w.persons[w.person(s.Person)].plans(shift{instantOf(s.From), instantOf(s.To), u})
	w.hasRoster = true
}

// Leaves says from when a person may do nothing any more.
func (e *Engine) Leaves(who string, from int64) { e.world.persons[e.world.person(who)].leaves = from }

// Ended says that a person's access was ended at a moment: whatever the roster still plans.
func (e *Engine) Ended(who string, at int64) {
	p := &e.world.persons[e.world.person(who)]
	p.leaves, p.ended = at, true
}

// Device names a device of the house, of a kind (workstation, mobile, server) and at a place; either may be empty.
func (e *Engine) Device(device, kind, place string) {
	e.list(&Seat{Device: device, Kind: kind, Place: place})
}

// list keeps the list of devices.
func (e *Engine) list(s *Seat) {
	m := e.machine(thin(s.Device))
	m.listed, m.carried, m.place = !s.Gone, strings.EqualFold(s.Kind, "mobile"), -1
	if s.Place != "" {
		m.place = e.world.unit(s.Place)
	}
	e.listed = true
}

func (e *Engine) machine(device uint32) *machine {
	i, known := e.byDevice[device]
	if !known {
		i = int32(len(e.machines))
		e.byDevice[device] = i
		e.machines = append(e.machines, machine{place: -1})
	}
	return &e.machines[i]
}

func (e *Engine) stats(role int32) *roleStats {
	for int(role+1) >= len(e.roleStats) {
		e.roleStats = append(e.roleStats, &roleStats{open: rates{of: make([]float64, len(relations))}})
	}
	return e.roleStats[role+1]
}

func (e *Engine) makerOf(ref string) int32 {
	if i := e.world.sourceOf(digest(ref)); i >= 0 {
		return e.world.sources[i].maker
	}
	return -1
}

// endOfTime is the latest time that is kept: some thirty years short of what the smallest field holds.
const endOfTime = int64(1)<<32 - 1<<30

// Judge takes the next event of the log. One that is dated before its predecessor is judged at the time of that; one from before the
// first day of Unix time, or thousands of years ahead, at that end of time.
func (e *Engine) Judge(ev *Event) {
	t := min(max(ev.Time, 1), endOfTime)
	if e.start == 0 {
		e.begin(t)
	}
	if t < e.now {
		t = e.now
		e.report.OutOfOrder++
	}
	if t-e.last > 14*day {
		e.resumed = t
	}
	e.last = t
	e.advance(t)
	e.events++
	e.report.Events++
	w := &e.world
	a := w.person(ev.Agent)
	ps := &w.persons[a]
	if role := e.role(ev.Role); role >= 0 {
		ps.role = role
	}
	person := !ev.Machine && isStaff(ev.Agent)
	var d *today
	e.fresh = fresh{}
	if person {
		d = e.begun(a, t)
		e.lots.offer(ev, a, t)
		e.count(ev, a, ps, d, t)
		ps.last = t
	}
	e.authored(ev, a)
	atRest := 0
	if !ev.Failed {
		for i, ref := range ev.Patients {
			p := w.patient(ref)
			if i < len(ev.Words) && ev.Words[i] != 0 {
				e.leans(a, p, t, ev.Words[i])
			}
			if e.look(ev, a, p, t, d); e.fresh.still {
				atRest++
			}
		}
	}
	if !person && isProgram(ev) {
		e.acted(ev, a, atRest, t)
	}
	if person {
		e.seek(ev, a, t, d)
		e.alarm(a, d, ev)
	}
}

// role numbers a role; -1 is none.
func (e *Engine) role(name string) int32 {
	if name == "" {
		return -1
	}
	r, _ := e.world.roles.number(name)
	return r
}

// Advance tells that the log's time went on to t while nothing happened: what is due by then is judged. It makes no difference to what
// is said of later events.
func (e *Engine) Advance(t int64) {
	if e.start != 0 && t > e.now {
		e.advance(t)
	}
}

func (e *Engine) begin(t int64) {
	e.start, e.now = t, t
	e.day = int32(t / day)
	e.firstDay = e.day
	w := &e.world
	w.day = e.day
	for i := range w.sources { // what was told before the log began
		w.sources[i].tell(e.day)
	}
}

// begun is the person's day, opened when this is its first event.
func (e *Engine) begun(a int32, t int64) *today {
	p := &e.world.persons[a]
	if p.today != nil && p.today.day == e.day {
		if p.left(t) && !p.today.leaver { // in the middle of a day
			p.today.leaver, p.today.ended = p.leaver(t), p.ended
		}
		return p.today
	}
	p.before, p.today = p.today, &today{day: e.day, role: p.role}
	e.activeOn[e.day] = append(e.activeOn[e.day], a)
	e.personDays++
	if p.left(t) {
		p.today.leaver, p.today.ended = p.leaver(t), p.ended
	} else if e.day-e.firstDay >= 14 {
		if p.today.dormant = e.idle(p, t); p.today.dormant > 0 {
			e.awake[e.day%2]++
		}
	}
	return p.today
}

func (e *Engine) dayOf(a, on int32) *today {
	p := &e.world.persons[a]
	switch {
	case p.today != nil && p.today.day == on:
		return p.today
	case p.before != nil && p.before.day == on:
		return p.before
	}
	return nil
}

// count takes what an event says of its person's day apart from patients.
func (e *Engine) count(ev *Event, a int32, ps *person, d *today, t int64) {
	r := e.stats(ps.role)
	d.role = ps.role
	if ps.granted { // the first thing that she does with it
		d.note(ev.ID)
		d.grants++
		ps.granted = false
	}
	if h := uint32(1) << (t / 3600 % 24); d.hours&h == 0 {
		d.hours |= h
		d.off = max(d.off, e.odd(ps, r, t))
	}
	e.novel(ps, d, ev)
	if dev := thin(ev.Device); dev != 0 {
		m := e.machine(dev)
		m.met(a)
		if ps.concurrent(e.stands(m, dev), t) {
			d.counts[countConcurrent]++
			e.fresh.back = true
		}
	}
	switch {
	case ev.Kind == Export, ev.Kind == Operation:
		d.counts[countExports]++
		d.note(ev.ID)
		if !e.ownList(ev, a) {
			d.size = max(d.size, float32(size(ev)))
		}
	case ev.Kind == Print:
		if len(ev.Patients) == 0 {
			d.counts[countPrints]++
		}
		d.note(ev.ID)
	case ev.Kind == Glass:
		d.note(ev.ID)
	case len(ev.Patients) == 0 && e.deletesOthers(ev, a):
		d.counts[countDeletes]++
		d.counts[countErased]++
		d.note(ev.ID)
	case e.alters(ev, a):
		d.counts[countAlterations]++
		d.back = max(d.back, float32(backDating(ev)))
		d.note(ev.ID)
	}
	if (ev.Kind == Create || ev.Kind == Update) && strings.HasPrefix(ev.Data, "PractitionerRole/") {
		d.note(ev.ID)
		if i := e.world.sourceOf(digest(ev.Data)); i >= 0 {
			if s := &e.world.sources[i]; s.speaks == ofPost && s.about == a {
				d.grants++
			}
		}
	}
}

// authored keeps who made a record, and that somebody else's act confirms it.
func (e *Engine) authored(ev *Event, a int32) {
	if ev.Failed || ev.Data == "" || ev.Kind != Create && ev.Kind != Update {
		return
	}
	w := &e.world
	i := w.source(ev.Data)
	s := &w.sources[i]
	switch {
	case ev.Kind == Create && s.maker < 0:
		s.maker = a
	case s.maker >= 0 && s.maker != a:
		s.standing = confirmed
	}
	if ev.Kind == Create && strings.HasPrefix(ev.Data, "Patient/") {
		if p := &w.patients[w.patient(ev.Data)]; p.registrar < 0 {
			p.registrar = a
		}
	}
}

// look judges one access to one patient's data.
func (e *Engine) look(ev *Event, a, p int32, t int64, d *today) {
	w := &e.world
	ps, pt := &w.persons[a], &w.patients[p]
	place := int32(-1)
	if ev.Place != "" {
		place = w.unit(ev.Place)
		ps, pt = &w.persons[a], &w.patients[p]
	}
	v := &e.verdict
	*v = Verdict{Event: ev.ID, Revision: 1, Agent: ev.Agent, Patient: w.charts.text[p], Explanations: v.Explanations[:0], Signals: v.Signals[:0]}
	e.units = w.unitsOf(a, t, place, e.units[:0])
	e.at = e.seated(place, ev.Device)
	e.found = e.reasons(a, p, t, e.units, e.found[:0])
	ownMade := e.ownMade && e.desksOf(ps.role) == 0
	quiet := e.found[len(e.found)-1] // the patient's activity stands last
	e.fresh.still = quiet.age >= quietFor
	nats := e.weights.weigh(ps.role, e.found)
	if ev.Agent == v.Patient { // her own, by the patient's portal
		nats = -6
		v.Explanations = append(v.Explanations, Explanation{"patient.own", "is the patient", 6})
	}
	v.Explained = e.explain(v, nats) || ev.Agent == v.Patient
	bits := w.related(a, p, t)
	q, rel := e.related(ps.role, bits, nats)
	e.describe(v, bits)
	v.Unexplained, v.Risk = nats, risk(nats+rel)
	v.State = "explained"
	if !v.Explained {
		v.State = "pending"
		if ev.Kind == Glass {
			v.State = "claimed"
		}
	}
	e.report.count(v)
	if e.options.Verdict != nil {
		e.options.Verdict(v)
	}
	if pt.active < e.day-1 { // else she stands there
		e.latest = append(e.latest, p)
	}
	pt.active = e.day
	if d == nil || ev.Listed {
		return
	}
	if at := e.sits(place, ev.Device); at >= 0 {
		d.seat = at + 1
	}
	waits := !v.Explained
	if !waits && !d.swapped {
		d.swapped = e.farFromWork(ps, e.stats(ps.role), t)
	}
	if waits {
		e.timers[0] = append(e.timers[0], pending{at: t, event: strings.Clone(ev.ID), agent: a, patient: p, place: place, revision: 1,
			nats: nats, glass: ev.Kind == Glass})
	}
	l := d.look(p)
	if e.deletesOthers(ev, a) {
		d.erases(ev, p, l, nats)
	}
	if ev.Kind == Glass && waits {
		d.claims++
		d.counts[countGlass]++
	}
	if l != nil {
		l.events = min(l.events+1, 9)
		l.wrote = l.wrote || ev.writes()
	}
	if ev.Kind == Print && (l == nil || !l.printed) {
		d.counts[countPrints]++
		if nats > 0 {
			d.printed++
		}
		if l != nil {
			l.printed = true
		}
	}
	if l != nil && l.sought {
		d.counts[countSearches]--
	} else if l != nil {
		if l.unexplained() || l.rel > 2 {
			d.note(ev.ID)
		}
		d.excuse(l, nats)
		l.around = e.circumstanced(ps, d.role, l)
		if waits {
			e.fresh.look = l
		}
		return
	}
	e.looksToday++
	d.counts[countPatients]++
	counted := nats > 0 && ev.Kind != Print && ev.Kind != Delete // which have hypotheses of their own
	if counted {
		d.counts[countUnexplained]++
	}
	rel += e.excused(ps.role, ownMade && ev.Kind != Create, nats) + e.blind(ps.role, ev, nats)
	first := look{event: d.ids.add(ev.ID), patient: p, nats: float32(nats), rel: float32(rel), q: uint8(q), counted: counted, printed: ev.Kind == Print, glass: ev.Kind == Glass && waits, wrote: ev.writes() && ev.Kind != Delete && !(nats > 0 && ordersFirst(ev)), events: 1}
	first.company = e.opens(a, p, t)
	first.around = e.circumstanced(ps, d.role, &first)
	if l != nil {
		*l = first
	} else {
		d.add(first)
		l = d.look(p)
	}
	d.covered(l, e.where)
	l.away = d.away(ev)
	if waits {
		e.fresh.look, e.fresh.first = l, true
	}
	e.near[1]++
	if l.near() {
		e.near[0]++
	}
	lentHand := e.at >= 0 && slices.Contains(e.where, e.at) // at work elsewhere, whose patients have much in common
	for i, has := range w.attributesOf(p, t) {
		if has && !lentHand {
			d.attr[i]++
		}
	}
	e.rates.met(bits, 1)
	if nats > 0 {
		e.opened(ps.role, bits)
	}
	primary := v.Explained && len(e.found) > 0 && leading(e.found).lasting()
	if primary {
		e.remembered(a, p, t)
		e.vouch(a, p, t)
	} else if ev.Kind == Create && e.desksOf(ps.role) == 0 && (strings.HasPrefix(ev.Data, "Task/") || strings.HasPrefix(ev.Data, "CareTeam/")) {
		if s := &w.sources[w.source(ev.Data)]; s.standing == unconfirmed {
			s.standing = doubtful
		}
	}
	e.meet(a, p, t, ev.ID)
	e.sample(ev, a, p, t)
}

// explain chooses the two strongest reasons that may be said, and tells whether they explain.
func (e *Engine) explain(v *Verdict, nats float64) bool {
	const said = 1.1 // three to one
	first, second := -1, -1
	for i, r := range e.found {
		switch {
		case r.nats < said || r.template == activity:
		case first < 0 || r.nats > e.found[first].nats:
			first, second = i, first
		case second < 0 || r.nats > e.found[second].nats:
			second = i
		}
	}
	for _, i := range []int{first, second} {
		if i >= 0 {
			r := e.found[i]
			v.Explanations = append(v.Explanations, Explanation{r.template.Name(), r.say(), r.nats})
		}
	}
	return first >= 0 && nats < 0
}

func (e *Engine) describe(v *Verdict, bits uint32) {
	for i := range relations[:len(relations)-1] {
		if bits&(1<<i) != 0 {
			v.Signals = append(v.Signals, Signal{relations[i].name, e.rates.nats(i), relations[i].text})
		}
	}
}

// remembered keeps that a person had a reason of care for a patient, for those who come later.
func (e *Engine) remembered(a, p int32, t int64) {
	w := &e.world
	pt := &w.patients[p]
	at := int32(t / 64)
	mine := -1
	met := 0
	for i := len(pt.seen) - 1; i >= 0; i-- {
		v := pt.seen[i]
		if v.person == a {
			mine = i
		} else if met < 4 && int64(at-v.at)*64 < day {
			w.persons[a].meet(v.person)
			w.persons[v.person].meet(a)
			met++
		}
	}
	if mine >= 0 {
		pt.seen = slices.Delete(pt.seen, mine, mine+1)
	} else if len(pt.seen) >= 8 {
		pt.seen = slices.DeleteFunc(pt.seen, func(v visit) bool { return int64(at-v.at)*64 > 30*day })
	}
	pt.seen = append(room(pt.seen), visit{a, at})
}
