package detect

// rareSurname is a surname that few bear. Common ones say nothing.
var rareSurname = relation{name: "kin.rare-surname", text: "the patient has the person's rare surname", share: .06, rate: 6e-5,
	holds: func(w *world, a, p int32, _ int64) bool {
		x, y := &w.persons[a], &w.patients[p]
		return x.surname != 0 && x.surname == y.surname && y.staff != a && w.bearers[x.surname] < 30
	}}
