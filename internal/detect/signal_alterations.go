package detect

// alterationsSignal counts changes of others' notes, and notes dated more than a day and a half back.
var alterationsSignal = counter{"destroy.alterations", "more changes of others' notes, or back-dated ones, than usual", .2, .5}

const backDated = day + day/2

func (e *Engine) alters(ev *Event, a int32) bool {
	switch ev.Kind {
	case Create:
		return ev.Authored != 0 && ev.Authored < ev.Time-backDated
	case Update:
		if ev.Authored != 0 && ev.Authored < ev.Time-backDated {
			return true
		}
		m := e.makerOf(ev.Data)
		return m >= 0 && m != a && ev.Section == "notes"
	}
	return false
}

// backDating is how far back a note is dated, as days are compared by; 0 for one that is not.
func backDating(ev *Event) float64 {
	if ev.Authored == 0 || ev.Authored >= ev.Time-backDated {
		return 0
	}
	return natural((ev.Time - ev.Authored) / 3600)
}

// farBack is the evidence of the day's farthest back-dated note, against those of the house: they are few in each role.
func (e *Engine) farBack(d *today) float64 {
	if d.back == 0 {
		return 0
	}
	return pos(e.backDatings.evidence(float64(d.back), 6)) // nothing known of the house: two weeks
}
