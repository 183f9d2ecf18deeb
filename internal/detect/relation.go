package detect

import "math"

// relation is one way in which a person can know a patient outside of care. Each has its own file. share is how common it is among
// misuse, rate how common among all accesses before a site has shown its own.
type relation struct {
	name, text  string
	share, rate float64
	holds       func(w *world, a, p int32, t int64) bool
}

// relations in order of what they say; the last holds of everybody.
var relations = []relation{self, household, kinOnFile, rareSurname, sameUnit, neighbour, vipChart, coworker, deceased, minor, {
	name: "none", share: .11, rate: .97, holds: func(*world, int32, int32, int64) bool { return true },
}}

// priorPairs is how many accesses the shipped rates count for, priorOpen how many unexplained ones.
const priorPairs, priorOpen = 20000, 2000

// rates count how often each relation holds on the site's own log.
type rates struct {
	pairs float64
	of    []float64
}

func newRates(prior float64) *rates {
	r := &rates{pairs: prior}
	for _, q := range relations {
		r.of = append(r.of, q.rate*prior)
	}
	return r
}

// met counts a look under which these relations hold, for so much of one.
func (r *rates) met(bits uint32, much float64) {
	r.pairs += much
	for i := range relations {
		if bits&(1<<i) != 0 {
			r.of[i] += much
		}
	}
}

// roleRates is for how many unexplained looks of a role the house's count.
const roleRates = 1000

// related is the relation that says most of a look, and how much: of an explained one against those of the house, of an unexplained one
// against those of the role. Whose work leaves no reason on file opens charts of everybody, and would make it usual for all.
func (e *Engine) related(role int32, bits uint32, nats float64) (q int, says float64) {
	if nats <= 0 {
		return e.rates.strongest(bits, e.rates.nats)
	}
	r := &e.stats(role).open
	return e.openRates.strongest(bits, func(q int) float64 {
		usual := (r.of[q] + float64(roleRates*(e.openRates.of[q]+1)/(e.openRates.pairs+1))) / (r.pairs + roleRates)
		return math.Log(relations[q].share / usual)
	})
}

// opened counts an unexplained look: of the house for the less, the more of the role's are.
func (e *Engine) opened(role int32, bits uint32) {
	e.openRates.met(bits, e.telling(role))
	e.stats(role).open.met(bits, 1)
}

// telling is for how much of one an unexplained look of the role counts in what is usual in the house.
func (e *Engine) telling(role int32) float64 {
	const seldom = .1
	return min(1, seldom/e.roleShare(role))
}

// fade forgets a day's worth.
func (r *rates) fade() {
	for i := range r.of {
		r.of[i] *= .995
	}
	r.pairs *= .995
}

// nats is what a relation says: how much more common it is among misuse than among all.
func (r *rates) nats(q int) float64 {
	return math.Log(relations[q].share * (r.pairs + 1) / (r.of[q] + 1))
}

// related finds which relations hold, as bits.
func (w *world) related(a, p int32, t int64) (bits uint32) {
	for q := range relations {
		if relations[q].holds(w, a, p, t) {
			bits |= 1 << q
		}
	}
	return bits
}

// strongest is the relation that says most, and how much.
func (r *rates) strongest(bits uint32, says func(q int) float64) (q int, nats float64) {
	q, nats = len(relations)-1, math.Inf(-1)
	for i := range relations {
		if bits&(1<<i) != 0 {
			if n := says(i); n > nats {
				q, nats = i, n
			}
		}
	}
	return q, nats
}

// close relations are those under which one look is a clear case.
func closeRelation(q int) bool { return q <= 2 || q == 4 }

// near are the relations by which somebody is no judge of another's doings.
var near = []relation{self, household, kinOnFile, rareSurname, neighbour}

// Near reports whether a person (Practitioner/x) and a patient (Patient/y) are one human, family, of one household, or neighbours, as
// far as the records tell that the engine has learned; false for those it does not know.
func (e *Engine) Near(agent, patient string) bool {
	a, known := e.world.people.known(agent)
	p, there := e.world.charts.known(patient)
	if !known || !there {
		return false
	}
	for _, r := range near {
		if r.holds(&e.world, a, p, e.now) {
			return true
		}
	}
	return false
}
