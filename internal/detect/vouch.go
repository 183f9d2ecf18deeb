package detect

// vouch believes what others filed for themselves of a visit when somebody who treats the patient, for a reason on file, opens the chart on
// the same day: a clerk who registers whom she knows is the only one who says that she came, until she is seen.
func (e *Engine) vouch(a, p int32, t int64) {
	w := &e.world
	if e.desksOf(w.persons[a].role) != 0 {
		return
	}
	for i := range w.patients[p].facts {
		f := &w.patients[p].facts[i]
		if s := &w.sources[f.source]; s.standing == unconfirmed && s.maker >= 0 && s.maker != a && f.template.visit() && max(t-int64(f.from), int64(f.from)-t) < day/2 {
			s.standing = confirmed
		}
	}
}

// visit reports whether the template speaks of a patient who comes to the house.
func (t Template) visit() bool {
	return t == EncounterParticipant || t == EncounterUnit || t == Emergency || t == Arrival
}
