package detect

import (
	"cmp"
	"iter"
	"slices"
	"sort"
)

// posting is a unit at which a person works, by her role.
type posting struct {
	from, to instant
	unit     int32
	source   int32
}

type shift struct {
	from, to instant
	unit     int32
}

// plans adds a shift in its place.
func (p *person) plans(s shift) {
	if i, there := slices.BinarySearchFunc(p.shifts, s, compareShifts); !there {
		p.shifts = slices.Insert(room(p.shifts), i, s)
	}
	if p.planned.from == 0 || s.from < p.planned.from {
		p.planned.from = s.from
	}
	p.planned.to = max(p.planned.to, s.to)
}

func compareShifts(a, b shift) int {
	return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.unit, b.unit))
}

// slack is how long before and after a shift somebody is still at work, in seconds.
const slack = 2 * 3600

// shiftsAt gives the planned shifts around t, the latest first. Of a plan in small pieces the last forty are looked at.
func (p *person) shiftsAt(t int64) iter.Seq[shift] {
	return func(yield func(shift) bool) {
		i := sort.Search(len(p.shifts), func(i int) bool { return int64(p.shifts[i].from)-slack > t })
		for j := i - 1; j >= 0 && j >= i-40 && int64(p.shifts[j].from) > t-2*day; j-- {
			if s := p.shifts[j]; t <= int64(s.to)+slack && !yield(s) {
				return
			}
		}
	}
}

// onShift finds a planned shift around t.
func (p *person) onShift(t int64) (shift, bool) {
	for s := range p.shiftsAt(t) {
		return s, true
	}
	return shift{}, false
}

// plannedAround is how near a shift shows that somebody's times are planned; what began longer ago is forgotten.
const plannedAround = 10 * day

// rostered reports whether the plan says anything of the person around t, so that being off it means something.
func (p *person) rostered(t int64) bool {
	i := sort.Search(len(p.shifts), func(i int) bool { return int64(p.shifts[i].from) > t-plannedAround })
	return i < len(p.shifts) && int64(p.shifts[i].from) < t+plannedAround
}

// units lists the departments where the person works at t: by a role that others gave her, by the roster, and, where neither is told of
// her, by what she says herself.
func (w *world) unitsOf(a int32, t int64, place int32, into []int32) []int32 {
	p := &w.persons[a]
	for i := range p.posts {
		if w.holds(a, &p.posts[i], t) {
			into = append(into, w.department(p.posts[i].unit))
		}
	}
	for s := range p.shiftsAt(t) { // who covers for others is on several
		if s.unit >= 0 {
			into = append(into, w.department(s.unit))
		}
	}
	if planned := p.planned.to != 0 && int64(p.planned.to) >= t-keptDays*day; !planned && len(p.posts) == 0 && place >= 0 {
		into = append(into, w.department(place))
	}
	return into
}

// holds reports whether a has the post at t, and by somebody else's word.
func (w *world) holds(a int32, x *posting, t int64) bool {
	s := &w.sources[x.source]
	return (s.maker != a || s.standing == confirmed) && int64(x.from) <= t && (x.to == 0 || t <= int64(x.to))
}
