package detect

import "slices"

// concurrentSignal counts returns to a place within ten minutes, with work at another in between: two places at once. What somebody carries
// along is at no other place.
var concurrentSignal = counter{"session.concurrent", "sessions at two places at once", .05, .1}

// machine is a device as the house lists it, and who worked at it.
type machine struct {
	listed, carried bool
	place           int32    // department, -1 unknown
	people          [3]int32 // 1 + person, the first three
}

// Places of a device beside departments.
const (
	carriedAlong int32 = -1 // or not known where
	elsewhere    int32 = -2 // no device of the house
)

// stands says where a device is: at a department, elsewhere, or nowhere in particular. Without a list of devices, one that three people
// used stands at a place of its own.
func (e *Engine) stands(m *machine, device uint32) int32 {
	switch {
	case m.carried:
		return carriedAlong
	case m.place >= 0:
		return e.world.department(m.place)
	case m.people[2] != 0:
		return int32(device &^ (1 << 31))
	case e.listed && !m.listed:
		return elsewhere
	}
	return carriedAlong
}

// met notes that a person works at the device.
func (m *machine) met(a int32) {
	for i := range m.people {
		if m.people[i] == a+1 {
			return
		}
		if m.people[i] == 0 {
			m.people[i] = a + 1
			return
		}
	}
}

// concurrent reports whether the person comes back to a place within ten minutes, having worked at another in between.
func (p *person) concurrent(place int32, t int64) bool {
	if place == carriedAlong {
		return false
	}
	if p.recent[0].place == place+3 {
		p.recent[0].at = instantOf(t)
		return false
	}
	back := slices.ContainsFunc(p.recent[1:], func(s seat) bool { return s.place == place+3 && t-int64(s.at) < 600 })
	p.recent[2], p.recent[1], p.recent[0] = p.recent[1], p.recent[0], seat{place + 3, instantOf(t)}
	return back
}
