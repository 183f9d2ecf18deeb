package detect

import (
	"cmp"
	"slices"
	"strings"
)

// fact is one relationship of a person or a unit to a patient, as known since some time.
type fact struct {
	from, to int64
	source   int32
	party    int32
	version  int32 // of its resource, in the order in which versions were learned
	template Template
	unit     bool
}

// source is one resource: who made it, and whether somebody else's act confirmed it.
type source struct {
	maker     int32 // -1 unknown
	person    int32 // of a PractitionerRole: whom it posts; -1
	confirmed bool
	doubtful  bool // whoever made it had no reason of care herself
	versions  int32
	applied   int32 // the version that holds
	patient   int32 // whom its facts are about: -1 nobody, several
}

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
	seen      []visit // explained accesses of late
	active    int32   // the last day with an access
	emergency int64   // the last arrival in the emergency department
}

func (p *patient) vip() bool       { return p.vipBy != -1 }
func (p *patient) consented() bool { return p.consentBy != -1 }

type visit struct{ person, at int32 } // at is seconds/64 of Unix time: 30 days need no more

// unit is a department. Places and services of one department are one unit.
type unit struct {
	part int32 // what stands for it, or itself
	kind string
}

// change is anything of the context that becomes known at a time; exactly one of its parts is set.
type change struct {
	known   int64
	of      uint64 // the resource that says so
	seq     int32
	what    changeKind
	owner   int32 // patient, person, unit or source
	other   int32
	version int32 // of a post
	fact    fact
	record  *Record
	body    *body
	kin     []uint64
	plan    *plan
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
	sourceOf   map[uint64]int32
	waiting    []change
	next       int
	sorted     bool
	bearers    map[uint64]int32 // of a surname
	byBirth    map[uint64]int32 // keyed birth to person
	chartBirth map[uint64]int32 // keyed birth to patient
	all        []int32          // patients known by now
	hasRoster  bool
	plans      map[uint64]*plan
	changes    int32 // put so far
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
		w.units = append(w.units, unit{part: i})
	}
	return i
}

// department is what stands for a place. Parts of parts are followed a few steps, so that a circle ends.
func (w *world) department(u int32) int32 {
	for range 4 {
		part := w.units[u].part
		if k := w.units[part].kind; part == u || k == "prov" || strings.Contains(k, "hospital") || strings.Contains(k, "provider") {
			break // the whole house is no department
		}
		u = part
	}
	return u
}

func (w *world) source(ref string) int32 {
	h := digest(ref)
	if i, ok := w.sourceOf[h]; ok {
		return i
	}
	i := int32(len(w.sources))
	w.sourceOf[h] = i
	w.sources = append(w.sources, source{maker: -1, person: -1, patient: -1})
	return i
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
	w.sources[src].versions++
	version := w.sources[src].versions
	if r.Gone || version > 1 && len(r.Ties) == 0 { // a version with ties drops those of another when its first is known
		put(change{what: takeBack, owner: src, other: version})
	}
	if isPractitioner(r.Maker) {
		put(change{what: addMaker, owner: src, other: w.person(r.Maker)})
	}
	for _, t := range r.Ties {
		ref := cmp.Or(t.Patient, r.Patient)
		if ref == "" {
			continue
		}
		f := fact{from: t.From, to: t.To, source: src, version: version, party: -1, template: t.Template}
		switch {
		case t.Party == "":
		case isPractitioner(t.Party):
			f.party = w.person(t.Party)
		default:
			f.party, f.unit = w.unit(t.Party), true
		}
		put(change{what: addFact, owner: w.patient(ref), fact: f})
	}
	for _, c := range r.Confirms {
		put(change{what: addConfirm, owner: w.source(c), other: src})
	}
	if r.Folk != nil {
		w.learnFolk(r.Folk, put)
	}
	if r.Unit != nil {
		other := int32(-1)
		if r.Unit.Part != "" {
			other = w.unit(r.Unit.Part)
		}
		put(change{what: addUnit, owner: w.unit(r.Unit.Ref), other: other, record: &Record{Unit: &Unit{Type: strings.Clone(r.Unit.Type)}}})
	}
	if r.Post != nil && isPractitioner(r.Post.Person) {
		p := *r.Post
		p.Role = strings.Clone(p.Role)
		for i, u := range p.Units {
			p.Units[i] = w.places.text[w.unit(u)]
		}
		put(change{what: addPost, owner: w.person(p.Person), other: src, version: version, record: &Record{Post: &p}})
	}
	if r.Plan != nil {
		w.learnPlan(r.Plan, put)
	}
	if r.Turn != nil {
		put(change{what: addTurn, record: &Record{Turn: &Turn{Plan: strings.Clone(r.Turn.Plan), From: r.Turn.From, To: r.Turn.To}}})
	}
	if len(r.Flags) > 0 && r.Patient != "" && slices.ContainsFunc(r.Flags, sensitive) {
		put(change{what: addFlag, owner: w.patient(r.Patient), other: src})
	}
	if r.Consents != "" {
		put(change{what: addConsent, owner: w.patient(r.Consents), other: src})
	}
	if r.Same[0] != "" && r.Same[1] != "" {
		put(change{what: addSame, owner: w.patient(r.Same[1]), other: w.person(r.Same[0])})
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
	c := change{what: addFolk, body: &b, kin: kin}
	switch {
	case f.Of != "": // RelatedPerson: kin of a patient
		c.owner, c.other = w.patient(f.Of), 2
		c.kin = append(slices.Clone(b.phones), b.name)
	case isPractitioner(f.Ref):
		c.owner, c.other = w.person(f.Ref), 1
	default:
		c.owner = w.patient(f.Ref)
		born := int64(0)
		if len(f.Birth) >= 4 {
			for _, r := range f.Birth[:4] {
				born = born*10 + int64(r-'0')
			}
		}
		c.fact = fact{from: born, to: f.Died}
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
		w.replace(c.fact.source, c.fact.version)
		w.about(c.fact.source, c.owner)
		p := &w.patients[c.owner]
		if p.facts = append(p.facts, c.fact); c.fact.template == Emergency {
			p.emergency = max(p.emergency, c.fact.from)
		}
	case takeBack:
		w.replace(c.owner, c.other)
	case addFolk:
		w.applyFolk(c)
	case addPost:
		w.applyPost(c)
	case addFlag:
		w.about(c.other, c.owner)
		w.patients[c.owner].vipBy = said(w.patients[c.owner].vipBy, c.other)
	case addConsent:
		w.about(c.other, c.owner)
		w.patients[c.owner].consentBy = said(w.patients[c.owner].consentBy, c.other)
	case addSame:
		w.patients[c.owner].staff, w.persons[c.other].own = c.other, c.owner
	case addConfirm:
		if s := &w.sources[c.owner]; s.maker < 0 || w.sources[c.other].maker != s.maker {
			s.confirmed = true
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
		w.units[c.owner].kind = c.record.Unit.Type
		if c.other >= 0 {
			w.units[c.owner].part = c.other
		}
	}
}

// about notes whom a source speaks of, so that it can be taken back.
func (w *world) about(src, patient int32) {
	if s := &w.sources[src]; s.patient == -1 || s.patient == patient {
		s.patient = patient
	} else {
		s.patient = several
	}
}

// said is who says something when another says it too.
func said(by, src int32) int32 {
	if by == -1 || by == src {
		return src
	}
	return several
}

// replace takes back what another version of a source said. Versions may be learned in any order; they come to be known in theirs.
func (w *world) replace(src, version int32) {
	s := &w.sources[src]
	if s.applied == version {
		return
	}
	s.applied = version
	drop := func(p *patient) {
		p.facts = slices.DeleteFunc(p.facts, func(f fact) bool { return f.source == src })
		if p.vipBy == src {
			p.vipBy = -1
		}
		if p.consentBy == src {
			p.consentBy = -1
		}
	}
	switch {
	case s.patient >= 0:
		drop(&w.patients[s.patient])
	case s.patient == several:
		for i := range w.patients {
			drop(&w.patients[i])
		}
	}
	s.patient = -1
	if s.person >= 0 {
		p := &w.persons[s.person]
		p.posts = slices.DeleteFunc(p.posts, func(x posting) bool { return x.source == src })
	}
}

func (w *world) applyFolk(c *change) {
	switch c.other {
	case 1:
		p := &w.persons[c.owner]
		p.body = *c.body
		w.bearers[p.surname]++
		if p.birth != 0 {
			w.byBirth[p.birth] = c.owner
			if chart, ok := w.chartBirth[p.birth]; ok && w.patients[chart].staff < 0 {
				w.patients[chart].staff, p.own = c.owner, chart
			}
		}
	case 2:
		w.patients[c.owner].kin = append(w.patients[c.owner].kin, c.kin...)
	default:
		p := &w.patients[c.owner]
		if !p.known {
			p.known = true
			w.all = append(w.all, c.owner)
		}
		p.body, p.died, p.born = *c.body, c.fact.to, c.fact.from
		p.kin = append(p.kin, c.kin...)
		w.bearers[p.surname]++
		if p.birth != 0 {
			w.chartBirth[p.birth] = c.owner
			if q, ok := w.byBirth[p.birth]; ok && p.staff < 0 {
				p.staff, w.persons[q].own = q, c.owner
			}
		}
	}
}

func (w *world) applyPost(c *change) {
	p, post := &w.persons[c.owner], c.record.Post
	w.replace(c.other, c.version)
	if s := &w.sources[c.other]; s.person != c.owner {
		s.person = c.owner
		p.granted = p.granted || s.maker == c.owner
	}
	for _, u := range post.Units {
		p.posts = append(p.posts, posting{unit: w.unit(u), from: post.From, to: post.To, source: c.other})
	}
	if p.role < 0 && post.Role != "" {
		p.role, _ = w.roles.number(post.Role)
	}
	p.hired = max(p.hired, c.known)
}
