package detect

import (
	"cmp"
	"slices"
	"strings"
)

// fact is one relationship of a person or a unit to a patient, as known since some time.
type fact struct {
	from, to instant
	source   int32
	party    int32
	template Template
	unit     bool
}

// several stands for those who say a thing when they are more than one.
const several int32 = -2

// patient is what is known of one by now.
type patient struct {
	body
	known     bool
	vipBy     int32 // the source that flagged the chart; -1 nobody, or several
	consentBy int32 // the source of her consent to research; -1 none, or several
	staff     int32 // the person who is this patient, -1
	registrar int32 // who registered the chart as new, -1
	died      int64
	born      int64    // 0 unknown
	kin       []uint64 // keyed phones and names of next of kin
	facts     []fact
	stays     []stay  // units of facts that were forgotten
	seen      []visit // explained accesses of late
	active    int32   // the last day with an access
	emergency int64   // the last arrival in the emergency department
}

func (p *patient) vip() bool       { return p.vipBy != -1 }
func (p *patient) consented() bool { return p.consentBy != -1 }

type visit struct{ person, at int32 } // at is seconds/64 of Unix time: 30 days need no more

// unit is a department. Places and services of one department are one unit.
type unit struct {
	parts   [2]int32 // what may stand for it: itself where there is nothing
	house   bool     // no department but what holds them
	staffed bool     // somebody is posted there
	wards   uint8    // how many staffed places it may stand for
	stayed  bool     // a patient was there
	custom  custom
}

// manyWards is how many staffed places make what holds them a house, whatever it is called.
const manyWards = 4

// staff notes that somebody is posted at a unit.
func (w *world) staff(i int32) {
	if u := &w.units[i]; !u.staffed {
		u.staffed = true
		w.ward(i)
	}
}

// ward counts a staffed place for what may stand for it.
func (w *world) ward(i int32) {
	for k, part := range w.units[i].parts {
		if h := &w.units[part]; part != i && (k == 0 || part != w.units[i].parts[0]) {
			h.wards = min(h.wards+1, manyWards)
			h.house = h.house || h.wards == manyWards
		}
	}
}

// change is anything of the context that becomes known at a time; exactly one of its parts is set.
type change struct {
	known   int64
	of      uint64 // the resource that says so
	seq     int32
	what    changeKind
	owner   int32 // patient, person, unit or source
	other   int32
	version int32 // of its resource, in the order in which they were learned
	fact    fact
	*more
}

// more is what changes say that are seldom.
type more struct {
	post       *Post
	turn       *Turn
	seat       *Seat
	planRef    string
	plan       *plan
	body       body
	kin        []uint64
	born, died int64
}

type changeKind uint8

const (
	addFact changeKind = iota
	takeBack
	addFolk
	addPost
	addFlag
	addConsent
	addSame
	addConfirm
	addUnit
	addMaker
	addPlan
	addTurn
	addTwin
	addKin
	addSeat
)

// world is everything that the context tells, as known by the log's own time.
type world struct {
	keys       *keyer
	people     names
	charts     names
	places     names
	roles      names
	persons    []person
	patients   []patient
	units      []unit
	sources    []source
	bySource   index
	waiting    []change
	next       int
	sorted     bool
	bearers    map[uint64]int32  // of a surname
	byBirth    map[uint64]int32  // keyed birth to person
	chartBirth map[uint64]int32  // keyed birth to patient
	all        []int32           // patients known by now
	twins      map[int32][]int32 // charts of one patient
	day        int32             // of the log; 0 before it begins
	hasRoster  bool
	plans      map[uint64]*plan
	lists      map[uint64]int32 // whose work a list of several patients is, by the digest of its reference
	seat       func(*Seat)      // keeps the list of devices
	changes    int32            // put so far
	versions   int32            // of records learned so far
}

func (w *world) person(ref string) int32 {
	i, fresh := w.people.number(ref)
	if fresh {
		w.persons = append(w.persons, person{own: -1, role: -1})
	}
	return i
}

func (w *world) patient(ref string) int32 {
	i, fresh := w.charts.number(ref)
	if fresh {
		w.patients = append(w.patients, patient{staff: -1, registrar: -1, active: -2, vipBy: -1, consentBy: -1})
	}
	return i
}

func (w *world) unit(ref string) int32 {
	i, fresh := w.places.number(ref)
	if fresh {
		w.units = append(w.units, unit{parts: [2]int32{i, i}})
	}
	return i
}

// department is what stands for a place. Parts of parts are followed a few steps, so that a circle ends.
func (w *world) department(u int32) int32 {
	for range 4 {
		up := u
		for _, part := range w.units[u].parts {
			if !w.units[part].house && part != u {
				up = part
				break
			}
		}
		if up == u {
			break
		}
		u = up
	}
	return u
}

// Learn takes one record of the context. What is known from the start counts at once, the rest when the log's time reaches it. What is
// told only while the log goes on makes no difference, as long as it is told before the log reaches its time.
func (e *Engine) Learn(r Record) { e.world.learn(&r) }

func (w *world) learn(r *Record) {
	src := w.source(r.Ref)
	put := func(c change) {
		c.known, c.of = r.Known, digest(r.Ref)
		w.put(c)
	}
	s := &w.sources[src]
	s.tell(max(w.day, int32(min(r.Known, endOfTime)/day)))
	again := s.applied >= 0
	s.applied = max(s.applied, 0)
	w.versions++
	version := w.versions
	if r.Gone || again && len(r.Ties) == 0 { // a version with ties drops those of another when its first is known
		put(change{what: takeBack, owner: src, other: version})
	}
	if r.Maker != "" && isStaff(r.Maker) {
		put(change{what: addMaker, owner: src, other: w.person(r.Maker)})
	}
	for _, t := range r.Ties {
		ref := cmp.Or(t.Patient, r.Patient)
		if ref == "" {
			continue
		}
		f := fact{from: instantOf(t.From), to: instantOf(t.To), source: src, party: -1, template: t.Template}
		switch {
		case t.Party == "":
		case isUnit(t.Party):
			f.party, f.unit = w.unit(t.Party), true
		default:
			f.party = w.person(t.Party)
		}
		w.put(change{what: addFact, owner: w.patient(ref), fact: f, version: version, known: max(r.Known, t.Known), of: digest(r.Ref)})
	}
	for _, c := range r.Confirms {
		put(change{what: addConfirm, owner: w.source(c), other: src})
	}
	if r.Folk != nil {
		w.learnFolk(r.Folk, put)
	}
	if r.Unit != nil {
		w.learnUnit(r.Unit, put)
	}
	if r.Post != nil && isPractitioner(r.Post.Person) {
		p := *r.Post
		p.Role = strings.Clone(p.Role)
		for i, u := range p.Units {
			p.Units[i] = w.places.text[w.unit(u)]
		}
		put(change{what: addPost, owner: w.person(p.Person), other: src, version: version, more: &more{post: &p}})
	}
	if r.Plan != nil {
		w.learnPlan(r.Plan, put)
	}
	if r.Turn != nil {
		put(change{what: addTurn, more: &more{turn: &Turn{Plan: strings.Clone(r.Turn.Plan), From: r.Turn.From, To: r.Turn.To}}})
	}
	if r.Seat != nil {
		x := Seat{Device: strings.Clone(r.Seat.Device), Kind: strings.Clone(r.Seat.Kind), Place: strings.Clone(r.Seat.Place), Gone: r.Seat.Gone}
		put(change{what: addSeat, more: &more{seat: &x}})
	}
	if len(r.Flags) > 0 && r.Patient != "" && slices.ContainsFunc(r.Flags, sensitive) {
		put(change{what: addFlag, owner: w.patient(r.Patient), other: src})
	}
	if r.Consents != "" {
		put(change{what: addConsent, owner: w.patient(r.Consents), other: src})
	}
	for _, who := range r.Same {
		for _, p := range r.Same {
			if isPractitioner(who) && strings.HasPrefix(p, "Patient/") {
				put(change{what: addSame, owner: w.patient(p), other: w.person(who)})
			}
		}
	}
	for _, t := range r.Twins {
		put(change{what: addTwin, owner: w.patient(r.Patient), other: w.patient(t)})
	}
	for _, k := range r.Kin {
		if v := w.kin(k); v != 0 {
			put(change{what: addKin, owner: w.patient(k.Patient), more: &more{kin: []uint64{v}}})
		}
	}
}

// kin is how a relative stands among a chart's next of kin, 0 when it is none.
func (w *world) kin(k Kin) uint64 {
	switch {
	case k.Of == k.Patient || k.Patient == "":
	case strings.HasPrefix(k.Of, "Patient/"):
		return kinChart(w.patient(k.Of))
	case isPractitioner(k.Of):
		return kinStaff(w.person(k.Of))
	}
	return 0
}

func (w *world) learnUnit(u *Unit, put func(change)) {
	c := change{what: addUnit, owner: w.unit(u.Ref), other: -1, fact: fact{party: -1, source: -1}}
	for _, p := range u.Parts {
		switch i := w.unit(p); {
		case i == c.owner:
		case c.other < 0:
			c.other = i
		case c.fact.party < 0:
			c.fact.party = i
		}
	}
	if u.Under != "" {
		c.fact.source = w.unit(u.Under)
	}
	kind := strings.ToLower(u.Type)
	c.fact.unit = u.House || kind == "prov" || strings.Contains(kind, "hospital") || strings.Contains(kind, "provider")
	put(c)
}

func (w *world) applyUnit(c *change) {
	u := &w.units[c.owner]
	u.house = u.house || c.fact.unit
	before := u.parts
	if c.other >= 0 {
		u.parts = [2]int32{c.other, c.other}
	}
	if c.fact.party >= 0 {
		u.parts[1] = c.fact.party
	}
	if u.staffed && u.parts != before {
		w.ward(c.owner)
	}
	if c.fact.source >= 0 {
		w.units[c.fact.source].house = true
	}
}

func sensitive(code string) bool {
	switch strings.ToLower(code) {
	case "vip", "celebrity", "confidential", "r", "v", "staff-safety", "taboo", "empl", "employee":
		return true
	}
	return false
}

func isPractitioner(ref string) bool { return strings.HasPrefix(ref, "Practitioner/") }

func isUnit(ref string) bool {
	return strings.HasPrefix(ref, "Organization/") || strings.HasPrefix(ref, "Location/") || strings.HasPrefix(ref, "HealthcareService/")
}

// isStaff reports whether an agent is somebody who works here: not a patient, relative, machine or company. Who is named by an identifier
// only, for which the directory has nobody, is.
func isStaff(agent string) bool {
	switch typ, _, ref := strings.Cut(agent, "/"); {
	case !ref:
		return true
	case typ == "Patient", typ == "RelatedPerson", typ == "Device", typ == "Organization", typ == "CareTeam", typ == "Group":
		return false
	}
	return true
}

func (w *world) learnFolk(f *Folk, put func(change)) {
	b := w.keys.body(f)
	var kin []uint64
	for _, c := range f.Contacts {
		for _, v := range []uint64{w.keys.key("phone", c.Phone), w.keys.key("name", c.Family, c.Given)} {
			if v != 0 {
				kin = append(kin, v)
			}
		}
	}
	c := change{what: addFolk, more: &more{body: b, kin: kin}}
	switch {
	case f.Of != "": // RelatedPerson: kin of a patient
		c.owner, c.other = w.patient(f.Of), 2
		c.kin = append(slices.Clone(b.phones), b.name)
	case isPractitioner(f.Ref):
		c.owner, c.other = w.person(f.Ref), 1
	default:
		c.owner = w.patient(f.Ref)
		c.died = f.Died
		if len(f.Birth) >= 4 {
			for _, r := range f.Birth[:4] {
				c.born = c.born*10 + int64(r-'0')
			}
		}
	}
	put(c)
}

func (w *world) put(c change) {
	c.seq = w.changes
	w.changes++
	if c.known <= 0 {
		w.apply(&c)
		return
	}
	w.waiting = append(w.waiting, c)
	w.sorted = false
}

// advance applies what has become known until t, in the order in which it became known; of one moment in an order that does not depend
// on which was told first.
func (w *world) advance(t int64) {
	if !w.sorted {
		if w.next > 1<<12 && w.next > len(w.waiting)/2 { // a log that goes on for years
			w.waiting, w.next = slices.Clone(w.waiting[w.next:]), 0
		}
		slices.SortFunc(w.waiting[w.next:], func(a, b change) int {
			return cmp.Or(cmp.Compare(a.known, b.known), cmp.Compare(a.of, b.of), cmp.Compare(a.seq, b.seq))
		})
		w.sorted = true
	}
	for w.next < len(w.waiting) && w.waiting[w.next].known <= t {
		w.apply(&w.waiting[w.next])
		w.waiting[w.next] = change{known: w.waiting[w.next].known}
		w.next++
	}
}

func (w *world) apply(c *change) {
	switch c.what {
	case addFact:
		w.replace(c.fact.source, c.version)
		w.addFact(c.owner, c.fact)
		for _, t := range w.twins[c.owner] {
			w.addFact(t, c.fact)
		}
	case takeBack:
		w.replace(c.owner, c.other)
	case addFolk:
		w.applyFolk(c)
	case addPost:
		w.applyPost(c)
	case addFlag:
		w.spokenOf(c.other, ofPatient, c.owner)
		w.patients[c.owner].vipBy = said(w.patients[c.owner].vipBy, c.other)
	case addConsent:
		w.spokenOf(c.other, ofPatient, c.owner)
		w.patients[c.owner].consentBy = said(w.patients[c.owner].consentBy, c.other)
	case addSame:
		w.patients[c.owner].staff, w.persons[c.other].own = c.other, c.owner
	case addConfirm:
		if s := &w.sources[c.owner]; s.maker < 0 || w.sources[c.other].maker != s.maker {
			s.standing = confirmed
		}
	case addMaker:
		if s := &w.sources[c.owner]; s.maker < 0 {
			s.maker = c.other
		}
	case addPlan:
		w.applyPlan(c)
	case addTurn:
		w.applyTurn(c)
	case addUnit:
		w.applyUnit(c)
	case addTwin:
		w.addTwin(c.owner, c.other)
		w.addTwin(c.other, c.owner)
	case addSeat:
		w.seat(c.seat)
	case addKin:
		w.patients[c.owner].addKin(c.kin)
	}
}

func (w *world) addFact(p int32, f fact) {
	w.spokenOf(f.source, ofPatient, p)
	if s := &w.sources[f.source]; s.speaks == ofMany && !f.unit && f.party >= 0 {
		w.lists[s.ref] = f.party
	}
	pt := &w.patients[p]
	if pt.facts = append(room(pt.facts), f); f.template == Emergency {
		pt.emergency = max(pt.emergency, int64(f.from))
	}
	if f.unit && f.template.stays() {
		w.units[f.party].stayed = true
	}
}

// addTwin has a chart's twin know from now on what the chart knows.
func (w *world) addTwin(p, twin int32) {
	if p == twin || slices.Contains(w.twins[p], twin) {
		return
	}
	if w.twins == nil {
		w.twins = map[int32][]int32{}
	}
	w.twins[p] = append(w.twins[p], twin)
	for _, f := range slices.Clone(w.patients[p].facts) {
		if !slices.Contains(w.patients[twin].facts, f) {
			w.addFact(twin, f)
		}
	}
}

// said is who says something when another says it too.
func said(by, src int32) int32 {
	if by == -1 || by == src {
		return src
	}
	return several
}

func (w *world) applyFolk(c *change) {
	switch c.other {
	case 1:
		p := &w.persons[c.owner]
		w.renamed(p.surname, c.body.surname)
		p.body = c.body
		if p.birth != 0 {
			w.byBirth[p.birth] = c.owner
			if chart, ok := w.chartBirth[p.birth]; ok && w.patients[chart].staff < 0 {
				w.patients[chart].staff, p.own = c.owner, chart
			}
		}
	case 2:
		w.patients[c.owner].addKin(c.kin)
	default:
		p := &w.patients[c.owner]
		if !p.known {
			p.known = true
			w.all = append(w.all, c.owner)
		}
		w.renamed(p.surname, c.body.surname)
		p.body, p.died, p.born = c.body, c.died, c.born
		p.addKin(c.kin)
		if p.birth != 0 {
			w.chartBirth[p.birth] = c.owner
			if q, ok := w.byBirth[p.birth]; ok && p.staff < 0 {
				p.staff, w.persons[q].own = q, c.owner
			}
		}
	}
}

// renamed counts who bears a surname; a further version of somebody bears it once.
func (w *world) renamed(from, to uint64) {
	if from == to {
		return
	}
	w.bearers[from]--
	w.bearers[to]++
}

func (p *patient) addKin(kin []uint64) {
	for _, k := range kin {
		if !slices.Contains(p.kin, k) {
			p.kin = append(p.kin, k)
		}
	}
}

func (w *world) applyPost(c *change) {
	p, post := &w.persons[c.owner], c.post
	w.replace(c.other, c.version)
	if s := &w.sources[c.other]; s.speaks != ofPost || s.about != c.owner {
		if s.speaks == ofPost { // whose it was
			s.speaks = ofNobody
		}
		w.spokenOf(c.other, ofPost, c.owner)
		p.granted = p.granted || s.maker == c.owner
	}
	for _, u := range post.Units {
		w.staff(w.unit(u))
		p.posts = append(p.posts, posting{unit: w.unit(u), from: instantOf(post.From), to: instantOf(post.To), source: c.other})
	}
	if p.role < 0 && post.Role != "" {
		p.role, _ = w.roles.number(post.Role)
	}
	p.hired = max(p.hired, c.known)
}
