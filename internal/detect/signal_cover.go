package detect

import (
	"math"
	"slices"
)

// Who opens many patients of one unit on a day works there, planned or not: a float, a swapped shift, cross-cover. That explains none of
// the looks, but takes most of the suspicion from them; what else is known of a patient still speaks.
const (
	covers     = 5    // patients of a unit on a day
	coverNats  = -0.4 // at most, of a look while covering
	whereabout = 3    // units of a patient that are told apart
)

type cover struct{ unit, patients int32 }

// covered counts a look at a patient who is on these units now, and lowers those of a unit that the person covers.
func (d *today) covered(l *look, where []int32) {
	l.where = [whereabout]uint8{}
	for k, u := range where {
		i := slices.IndexFunc(d.units, func(c cover) bool { return c.unit == u })
		if i < 0 {
			if i = len(d.units); i == math.MaxUint8 { // who is on so many is at home on none
				continue
			}
			d.units = append(room(d.units), cover{unit: u})
		}
		c := &d.units[i]
		l.where[k] = uint8(i + 1)
		switch c.patients++; {
		case c.patients < covers:
		case c.patients == covers:
			for j := range d.patients {
				if slices.Contains(d.patients[j].where[:], uint8(i+1)) {
					d.excuseCovered(&d.patients[j])
				}
			}
		default:
			d.excuseCovered(l)
		}
	}
}

// excuseCovered lowers a look of a covered unit; a glass that was broken there is no claim any more.
func (d *today) excuseCovered(l *look) {
	d.excuse(l, coverNats)
	if l.glass {
		l.glass = false
		d.claims--
		d.counts[countGlass]--
	}
}

// seated is the department of the place or device at which somebody works who has no post or shift there, else -1.
func (e *Engine) seated(place int32, device string) int32 {
	at := e.sits(place, device)
	if slices.Contains(e.units, at) {
		return -1
	}
	return at
}

// here notes that the patient is, was or will be one of the department where the person is seated.
func (e *Engine) here() {
	if len(e.where) < whereabout && !slices.Contains(e.where, e.at) {
		e.where = append(e.where, e.at)
	}
}

func (w *world) worksAt(a, department int32) bool {
	return slices.ContainsFunc(w.persons[a].posts, func(p posting) bool { return w.department(p.unit) == department })
}
