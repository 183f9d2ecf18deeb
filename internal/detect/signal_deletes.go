package detect

// deletesSignal counts deletions of what somebody else, or nobody known, wrote, in charts for which no reason is known: a clean-up has a
// task for each.
var deletesSignal = counter{"destroy.deletes", "more deletions of others' records, without a known reason, than usual", .05, .1}

// erasedSignal counts all deletions of others' records, with a reason or not.
var erasedSignal = counter{"destroy.all", "more deletions of others' records than usual", .2, .5}

func (e *Engine) deletesOthers(ev *Event, a int32) bool {
	return ev.Kind == Delete && e.makerOf(ev.Data) != a
}
