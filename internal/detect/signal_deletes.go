package detect

// deletesSignal counts deletions of what somebody else, or nobody known, wrote, in charts for which no reason is known: a clean-up has a
// task for each.
var deletesSignal = counter{"destroy.deletes", "more deletions of others' records, without a known reason, than usual", .05, .1}

// erasedSignal counts all deletions of others' records, with a reason or not.
var erasedSignal = counter{"destroy.all", "more deletions of others' records than usual", .2, .5}

func (e *Engine) deletesOthers(ev *Event, a int32) bool {
	return ev.Kind == Delete && e.makerOf(ev.Data) != a
}

// erases counts a deletion in p's chart, of which l is what was done there before, today.
func (d *today) erases(ev *Event, p int32, l *look, nats float64) {
	d.counts[countErased]++
	if l == nil {
		d.unread = p + 1
	}
	if nats <= 0 {
		return
	}
	d.counts[countDeletes]++
	if l != nil && d.unread != p+1 {
		d.read++
	}
	d.note(ev.ID)
}

// deleted is how many deletions of a day without a known reason count. Where removing is a role's daily work, whose lists are filed or not, a
// duplicate is read before it goes: such ones count for a tenth. Who only deletes has read nothing.
func (r *roleStats) deleted(d *today) int32 {
	const relief = .9
	daily := min(1, r.sum[countErased]/(r.n+priorDays))
	return d.counts[countDeletes] - int32(relief*daily*float64(d.read))
}

// erasing is the evidence of a day's deletions, against the usual number and the usual share without a reason.
func (e *Engine) erasing(p *person, d *today) float64 {
	r := e.stats(d.role)
	k := r.deleted(d)
	return min(r.evidence(countDeletes, p, k), tooMany(int(k), int(d.counts[countErased]), r.share(countDeletes, countErased, p, 4)))
}
