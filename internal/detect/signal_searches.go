package detect

// searchesSignal counts searches of the directory after which nothing was opened.
var searchesSignal = counter{"search.empty", "more searches that opened nothing than usual", .3, .8}

func (p *person) searches(ev *Event) (empty bool) {
	switch {
	case len(ev.Patients) > 0:
		p.searching = false
	case ev.Kind == Search:
		empty, p.searching = p.searching, true
	}
	return empty
}
