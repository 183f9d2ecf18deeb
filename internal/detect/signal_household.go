package detect

// household is somebody who lives at the same address.
var household = relation{name: "kin.household", text: "the patient lives at the person's address", share: .22, rate: 7e-5,
	holds: func(w *world, a, p int32, _ int64) bool {
		x, y := &w.persons[a], &w.patients[p]
		return x.dwelling != 0 && x.dwelling == y.dwelling && y.staff != a
	}}
