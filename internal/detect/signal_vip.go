package detect

// vipChart is a chart that the house has flagged.
var vipChart = relation{name: "vip", text: "the chart is flagged as one that draws curiosity", share: .08, rate: 2.7e-3,
	holds: func(w *world, _, p int32, _ int64) bool { return w.patients[p].vip() }}
