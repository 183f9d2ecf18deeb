package detect

import "math"

// circumstance is one thing about how an unexplained chart was opened, told apart in classes: how common each is among misuse, and among
// the unexplained looks of a site before it has shown its own, and what is said of it. What a class says in nats is the log of how much
// more common it is among misuse than among the looks of the role.
type circumstance struct {
	name          string
	misuse, usual [classes]float64
	says          [classes]string
}

const (
	around = iota // who else opened the chart that day
	wrote         // whether something was written
	lasted        // how many entries there are
	circumstances
)

const classes = 5 // of a circumstance, at most

var circumstancesTable = [circumstances]circumstance{around: aroundCircumstance, wrote: wroteCircumstance, lasted: lastedCircumstance}

// surroundings count the classes of unexplained looks, decayed over weeks.
type surroundings [circumstances][classes]float64

// class tells how a look was, of one circumstance; false where that is not known yet.
func (l *look) class(c int) (int, bool) {
	switch c {
	case around:
		return int(l.company) - int(companyNobody), l.company != companyUnknown
	case wrote:
		if l.wrote {
			return 1, true
		}
		return 0, true
	}
	return min(max(int(l.events), 1), classes) - 1, true
}

// circumstanced is what the circumstances of a look by a person of the role say together, with how usual an unexplained one is of her.
func (e *Engine) circumstanced(p *person, role int32, l *look) float32 {
	nats := 0.0
	e.eachCircumstance(p, role, l, func(_ string, x float64, _ string) { nats += x })
	return float32(nats)
}

// eachCircumstance tells what each circumstance of a look says. A search that opened nothing has none.
func (e *Engine) eachCircumstance(p *person, role int32, l *look, tell func(name string, nats float64, says string)) {
	if l.unexplained() {
		tell("seldom", e.habit(p), "the person seldom opens charts without a known reason")
	}
	if l.sought {
		return
	}
	for c := range circumstances {
		i, known := l.class(c)
		if !known {
			continue
		}
		x := e.classNats(role, c, i)
		if c == around && l.company == companyOthers && e.world.patients[l.patient].vip() {
			x = pos(x) // many come to a flagged chart, and some for no reason
		}
		tell(circumstancesTable[c].name, x, circumstancesTable[c].says[i])
	}
}

// classNats is what a class of a circumstance says of a role, between -2.5 and 2.
func (e *Engine) classNats(role int32, c, class int) float64 {
	const siteWeight, roleWeight = 200, 60
	share := func(of *surroundings, prior, weight float64) float64 {
		n := weight
		for _, x := range of[c] {
			n += x
		}
		return (of[c][class] + float64(weight*prior)) / n
	}
	k := &circumstancesTable[c]
	usual := share(&e.surroundings, k.usual[class], siteWeight)
	usual = share(&e.stats(role).surroundings, usual, roleWeight)
	return max(-2.5, min(2, math.Log(k.misuse[class]/usual)))
}

// surrounded learns the circumstances of the unexplained looks of a settled day.
func (e *Engine) surrounded(d *today) {
	r := e.stats(d.role)
	for i := range d.patients {
		l := &d.patients[i]
		if !l.unexplained() || l.sought {
			continue
		}
		for c := range circumstances {
			if k, known := l.class(c); known {
				e.surroundings[c][k] += e.telling(d.role)
				r.surroundings[c][k]++
			}
		}
	}
}

// fade forgets a day's worth.
func (s *surroundings) fade() {
	for c := range s {
		for i := range s[c] {
			s[c][i] *= .97
		}
	}
}
