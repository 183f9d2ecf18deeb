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
