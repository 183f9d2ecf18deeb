package detect

// neighbour lives in the same street, at most fifteen numbers away.
var neighbour = relation{name: "neighbour", text: "the patient lives in the person's street, nearby", share: .08, rate: 9e-4,
	holds: func(w *world, a, p int32, _ int64) bool {
		x, y := &w.persons[a], &w.patients[p]
		return x.street != 0 && x.street == y.street && x.dwelling != y.dwelling && max(x.number, y.number)-min(x.number, y.number) <= 15
	}}
