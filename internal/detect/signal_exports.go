package detect

// exportsSignal counts exports and reports. How large a day's largest is counts apart, against the largest of the role's days (extreme.go).
var exportsSignal = counter{"export.count", "more exports than usual", .4, 1.5}

// size is how large an export is, as days are compared by: mostly by its rows.
func size(ev *Event) float64 { return natural(1+ev.Rows) + .05*natural(1+ev.Bytes) }

// largest is the evidence of the day's largest export.
func (r *roleStats) largest(d *today) float64 {
	if d.size == 0 {
		return 0
	}
	return pos(r.sizes.evidence(float64(d.size), 3)) // nothing known of the role: a thousand rows are much
}

// ownList reports whether what is exported is a list of patients that is the person's own work: a study's, or one to review. It was put
// together for her to be worked on; one that she made herself is no reason.
func (e *Engine) ownList(ev *Event, a int32) bool {
	ref := digest(ev.Data)
	party, listed := e.world.lists[ref]
	if !listed || party != a {
		return false
	}
	i := e.world.sourceOf(ref)
	return i >= 0 && (e.world.sources[i].maker != a || e.world.sources[i].standing == confirmed)
}
