package detect

// printsSignal counts charts that go to paper.
var printsSignal = counter{"export.prints", "more printing than usual", .4, 1.5}

// printing is what share of its evidence printing keeps: a third where each chart has a known reason.
func (e *Engine) printing(d *today) float64 {
	return .3 + .7*float64(d.printed)/float64(max(1, d.counts[countPrints]))
}
