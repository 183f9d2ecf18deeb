package detect

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// What a privacy office found justified explains the like for a while: the same people, patients of the same kind. How much it says is not
// for the office to set: as often as these people open such patients, against how often patients drawn for no reason of care are such. So
// an excuse wide enough for everybody earns nothing.

// Justified is one such finding.
type Justified struct {
	ID       string
	People   []string // Practitioner/17
	Patients string   // UnitPatients and a unit's reference, or one of the other kinds
	From, To int64    // from when it is known, and until when it holds
}

// The kinds of patients that a finding can be about.
const (
	UnitPatients = "unit:" // who are on a unit: unit:Organization/3
	Anybody      = "anybody"
	Children     = "children"
	Deceased     = "deceased"
	Employees    = "employees"
)

// JustifiedKind reports whether detection knows a kind of patients.
func JustifiedKind(kind string) bool {
	unit, ok := strings.CutPrefix(kind, UnitPatients)
	return ok && isUnit(unit) || slices.Contains([]string{Anybody, Children, Deceased, Employees}, kind)
}

type justified struct {
	Justified
	people map[int32]bool
	unit   int32
	// Looks of these people since, and those drawn for no reason of care: at such patients, and at all.
	real, permuted [2]float64
	nats           float64
	drawn          bool
}

const (
	firstDraws = 256 // permuted patients by which a finding is measured when it is first asked for
	lookDraws  = 4   // and with each look of its people
	mostNats   = 5
)

// Justify takes one finding. It counts from when the log's time reaches From; tell it before. One whose kind of patients is not known says
// nothing.
func (e *Engine) Justify(j Justified) {
	if !JustifiedKind(j.Patients) || slices.ContainsFunc(e.justified, func(x *justified) bool { return x.ID == j.ID }) {
		return
	}
	x := &justified{Justified: j, people: map[int32]bool{}, unit: -1}
	for _, p := range j.People {
		x.people[e.world.person(p)] = true
	}
	if unit, ok := strings.CutPrefix(j.Patients, UnitPatients); ok {
		x.unit = e.world.unit(unit)
	}
	at, _ := slices.BinarySearchFunc(e.justified, x, func(a, b *justified) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.ID, b.ID)) })
	e.justified = slices.Insert(e.justified, at, x)
}

// confirmed is the strongest finding that speaks for a look; nil for none.
func (e *Engine) confirmed(a, p int32, t int64) (best *justified) {
	for _, j := range e.justified {
		if !j.holds(a, t) || !e.world.covers(j, p, t) {
			continue
		}
		if !j.drawn {
			e.measure(j, t)
		}
		if best == nil || j.nats > best.nats {
			best = j
		}
	}
	return best
}

func (j *justified) holds(a int32, t int64) bool { return t >= j.From && t < j.To && j.people[a] }

// covers reports whether a patient is of the kind that a finding is about.
func (w *world) covers(j *justified, p int32, t int64) bool {
	pt := &w.patients[p]
	switch {
	case j.Patients == Anybody:
		return true
	case j.Patients == Children:
		return w.attributesOf(p, t)[attrChild]
	case j.Patients == Deceased:
		return pt.died != 0 && pt.died <= t
	case j.Patients == Employees:
		return pt.staff >= 0
	}
	unit := w.department(j.unit)
	for i := range pt.facts {
		f := &pt.facts[i]
		if from, to := int64(f.from), int64(f.to); f.unit && f.template.stays() && t >= from-day && (to == 0 || t <= to+day) && w.department(f.party) == unit {
			return true
		}
	}
	return false
}

// measure tells how wide a finding is when it is first asked for, by patients drawn as the permuted log draws them.
func (e *Engine) measure(j *justified, t int64) {
	j.drawn = true
	for i := range firstDraws {
		e.drawFor(j, mix(e.options.Seed, digest(j.ID)), i, t)
	}
	j.fit()
}

func (e *Engine) drawFor(j *justified, seed uint64, i int, t int64) {
	pool := e.world.all
	if i%2 == 0 && len(e.latest) >= 10 {
		pool = e.latest
	}
	if len(pool) == 0 {
		return
	}
	p := pool[mix(seed, uint64(i)+11)%uint64(len(pool))]
	j.permuted[1]++
	if e.world.covers(j, p, t) {
		j.permuted[0]++
	}
}

// meet counts a first look for the findings about its person.
func (e *Engine) meet(a, p int32, t int64, event string) {
	for _, j := range e.justified {
		if !j.holds(a, t) {
			continue
		}
		j.real[1]++
		if e.world.covers(j, p, t) {
			j.real[0]++
		}
		for i := range lookDraws {
			e.drawFor(j, mix(e.options.Seed, digest(event)), i, t)
		}
	}
}

// fit weighs a finding: the log of the two shares, each with the prior Beta(1, 9). It never speaks against anybody.
func (j *justified) fit() {
	share := func(of [2]float64) float64 { return (1 + of[0]) / (10 + of[1]) }
	j.nats = math.Min(mostNats, pos(math.Log(share(j.real)/share(j.permuted))))
}

// refit weighs all findings at midnight, and forgets those that are over for long.
func (e *Engine) refit() {
	e.justified = slices.DeleteFunc(e.justified, func(j *justified) bool { return j.To < e.now-5*day })
	for _, j := range e.justified {
		if j.drawn {
			j.fit()
		}
	}
}

// Wards gives the units on which patients were, as far as the records tell: those that a finding can be about.
func (e *Engine) Wards() (out []string) {
	w := &e.world
	known := map[int32]bool{}
	for i := range w.units {
		if u := w.department(int32(i)); w.units[i].stayed && !known[u] && isUnit(w.places.text[u]) {
			known[u] = true
			out = append(out, w.places.text[u])
		}
	}
	slices.Sort(out)
	return out
}
