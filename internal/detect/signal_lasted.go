package detect

// One entry on an unexplained chart is often a slip of the hand; who is curious reads on. By number of entries, the last for five and more.
var lastedCircumstance = circumstance{name: "read-on", misuse: [classes]float64{.16, .19, .2, .15, .3}, usual: [classes]float64{.45, .23, .16, .09, .07},
	says: [classes]string{"the chart was opened once", "the chart was read on", "the chart was read on", "much of the chart was read", "much of the chart was read"}}
