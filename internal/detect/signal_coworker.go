package detect

// sameUnit is a colleague of the same unit who is a patient here; coworker any other member of staff who is.
var (
	sameUnit = relation{name: "coworker.same-unit", text: "the patient works in the person's unit", share: .10, rate: 1e-3,
		holds: func(w *world, a, p int32, t int64) bool { return colleagues(w, a, w.patients[p].staff, t) }}
	coworker = relation{name: "coworker", text: "the patient works here", share: .12, rate: 2e-2,
		holds: func(w *world, a, p int32, _ int64) bool { s := w.patients[p].staff; return s >= 0 && s != a }}
)

func colleagues(w *world, a, b int32, t int64) bool {
	if b < 0 || a == b {
		return false
	}
	for _, x := range w.persons[a].posts {
		for _, y := range w.persons[b].posts {
			if w.department(x.unit) == w.department(y.unit) {
				return true
			}
		}
	}
	return false
}
