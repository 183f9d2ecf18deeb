package detect

// neighbour lives in the same street.
var neighbour = relation{name: "neighbour", text: "the patient lives in the person's street", share: .08, rate: 5e-3,
	holds: func(w *world, a, p int32, _ int64) bool {
		x, y := &w.persons[a], &w.patients[p]
		return x.street != 0 && x.street == y.street && x.dwelling != y.dwelling
	}}
