package detect

// self is the person's own chart.
var self = relation{name: "self", text: "the chart is the person's own", share: .06, rate: 5e-5,
	holds: func(w *world, a, p int32, _ int64) bool { return w.persons[a].own == p || w.patients[p].staff == a }}
